//! Small sources and their rows, for the tests of the steps.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use object_store::memory::InMemory;

use crate::engine::{Context, Root, SpoolBudget, SpoolWriter};
use crate::names::RunId;
use crate::plan::{self, ColumnKind};
use crate::report::{Event, Listener};
use crate::spec::{self, SourceTree};
use crate::steps::clean::{CleanPart, Cleaned, Reject};
use crate::steps::extract::SourceObject;
use crate::zone::AsOf;

struct Deaf;

impl Listener for Deaf {
    fn on(&self, _event: &Event<'_>) {}
}

/// Makes a context that works in `work` with so many threads.
pub(crate) fn context(work: &Path, threads: usize) -> Context {
    let date = "2026-01-31".parse().unwrap();
    Context {
        run_id: RunId::new("20260131T021500000000Z-4f2a9c01"),
        as_of: AsOf::midnight(date, chrono_tz::Asia::Shanghai),
        raw: Root {
            store: Arc::new(InMemory::new()),
            prefix: object_store::path::Path::default(),
            url: "memory:///".parse().unwrap(),
        },
        work: work.to_owned(),
        threads,
        memory: 1 << 30,
        spools: SpoolBudget::new(usize::MAX),
        kept: SpoolBudget::new(usize::MAX),
        listener: Arc::new(Deaf),
    }
}

/// Makes a plan of stages over `orders`, which have a `number`; what it publishes is `fact_last`.
pub(crate) fn tiny_plan(files: &[(&str, &str)]) -> plan::Plan {
    let pipeline = "
version: 1
name: tiny
timezone: UTC
currency: CNY
stages: [sql]
sources:
  orders: { path: orders/*.csv, format: csv, columns: { number: { type: integer, required: true } } }
publish: [fact_last]
";
    plan_of(pipeline, files)
}

/// Makes the plan of a pipeline and the files beside it.
pub(crate) fn plan_of(pipeline: &str, files: &[(&str, &str)]) -> plan::Plan {
    let mut tree = SourceTree::default();
    for (path, text) in [("pipelines/tiny.yaml", pipeline)].iter().chain(files) {
        tree.insert(path, text);
    }
    plan::resolve(&spec::load(&tree, "pipelines/tiny.yaml").unwrap()).unwrap()
}

/// Makes a source without rules.
pub(crate) fn source(name: &str, columns: &[(&str, ColumnKind)]) -> plan::Source {
    plan::Source {
        name: name.parse().unwrap(),
        pattern: plan::PathPattern::parse(&format!("{name}/*")).unwrap(),
        format: plan::Format::Ndjson,
        compression: plan::Compression::Auto,
        encoding: encoding_rs::UTF_8,
        load: plan::Load::Append,
        columns: columns.iter().map(|(name, kind)| column(name, kind)).collect(),
        checks: Vec::new(),
        event_time: None,
        dedupe: None,
        rejects: plan::RejectLimits::default(),
        expect: plan::Expect::default(),
        on_error: plan::OnError::Fail,
        limits: plan::Limits::default(),
        drift: plan::Drift::Warn,
        links: Vec::new(),
        matching: None,
        business_timezone: chrono_tz::Asia::Shanghai,
    }
}

fn column(name: &str, kind: &ColumnKind) -> plan::Column {
    plan::Column {
        name: name.parse().unwrap(),
        from: name.to_owned(),
        kind: kind.clone(),
        required: false,
        pii: false,
        trim: true,
        null_if: Vec::new(),
        case: None,
        replace: None,
        accepted: Vec::new(),
        default: None,
        preparation: plan::Preparation::default(),
        conversion: None,
        exchange: None,
    }
}

/// Returns the kind of a column of instants.
pub(crate) fn timestamp() -> ColumnKind {
    ColumnKind::Timestamp {
        formats: Vec::new(),
        timezone: chrono_tz::UTC,
        clock_changes: plan::ClockChanges::default(),
    }
}

pub(crate) fn texts(values: impl IntoIterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

pub(crate) fn integers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

pub(crate) fn instants(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}

/// Makes an object with these declared columns, its rows cut into batches of `batch_rows`.
pub(crate) fn part(
    source: &plan::Source,
    path: &str,
    columns: Vec<ArrayRef>,
    batch_rows: usize,
) -> CleanPart {
    let rows = columns[0].len();
    let whole = with_provenance(source, path, columns, rows);
    let mut spool =
        SpoolWriter::sharing(Path::new("unused"), whole.schema(), &SpoolBudget::new(usize::MAX));
    for offset in (0..rows).step_by(batch_rows) {
        let length = batch_rows.min(rows - offset);
        spool.write(whole.slice(offset, length)).unwrap();
    }
    CleanPart {
        object: object(path),
        read: rows as u64,
        rejected: 0,
        days: BTreeMap::new(),
        unreadable: None,
        rows: spool.finish().unwrap(),
    }
}

fn with_provenance(
    source: &plan::Source,
    path: &str,
    mut columns: Vec<ArrayRef>,
    rows: usize,
) -> RecordBatch {
    // A column of dates stands for the local date of the event time.
    let dates = source.event_time.map(|column| Arc::clone(&columns[column]));
    let dates = dates.filter(|dates| *dates.data_type() == DataType::Date32);
    columns.push(dates.unwrap_or_else(|| Arc::new(Date32Array::new_null(rows))));
    columns.push(texts(vec![Some(path.to_owned()); rows]));
    columns.push(integers((1..=rows as i64).map(Some)));
    RecordBatch::try_new(source.cleaned_schema(), columns).unwrap()
}

fn object(path: &str) -> Arc<SourceObject> {
    Arc::new(SourceObject {
        location: object_store::path::Path::from(path),
        path: path.into(),
        etag: Some(format!("etag of {path}")),
        size: 1,
        date: None,
    })
}

/// Makes the clean rows of a source from its parts, in the order given.
pub(crate) fn cleaned(source: &Arc<plan::Source>, parts: Vec<CleanPart>) -> Cleaned {
    Cleaned { source: Arc::clone(source), parts, rejects: Vec::new(), drift: Vec::new() }
}

/// Reads the rejects of a source back.
pub(crate) fn rejects(cleaned: &Cleaned) -> Vec<Reject> {
    let mut all = Vec::new();
    for rejects in &cleaned.rejects {
        for batch in rejects.rows.batches().unwrap().map(Result::unwrap) {
            all.extend((0..batch.num_rows()).map(|row| reject(cleaned, &batch, row)));
        }
    }
    all
}

fn reject(cleaned: &Cleaned, batch: &RecordBatch, row: usize) -> Reject {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let text = |name: &str| {
        let texts = column(name).as_string::<i32>();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let number = |name: &str| {
        let numbers = column(name).as_primitive::<Int64Type>();
        numbers.is_valid(row).then(|| numbers.value(row).cast_unsigned())
    };
    let dates = column("event_date").as_primitive::<Date32Type>();
    let path = text("object").unwrap();
    let part = cleaned.parts.iter().find(|part| *part.object.path == *path).unwrap();
    Reject {
        object: Arc::clone(&part.object),
        record: number("record").unwrap(),
        byte: number("byte"),
        line: number("line"),
        event_date: dates.is_valid(row).then(|| dates.value(row)),
        column: text("column").map(|name| name.parse().unwrap()),
        rule: text("rule").unwrap().leak(),
        reason: text("message").unwrap(),
        raw: text("raw").unwrap(),
    }
}
