//! Reads the records of the sources that take part.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::super::IdentityError;
use super::super::error::IdentitySourceErrorKind;
use super::super::identifiers::Standing;
use super::super::kinds::Kinds;
use super::records::{Field, Interner, Records, Value, fold};
use crate::names::IdentifierType;
use crate::plan::{self, Link, added};
use crate::steps::dedupe::Deduped;

/// The records that take part, and what they are called.
pub(super) struct Gathered {
    pub(super) records: Records,
    /// For each record.
    pub(super) origins: Vec<Origin>,
}

/// What a record is called, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The place of its source: 0 is the source that has the rules.
    pub(super) source: u8,
    /// Its identifier.
    pub(super) name: Box<str>,
    pub(super) object: Box<str>,
    pub(super) record: i64,
}

/// One row of a source.
struct Row {
    origin: Origin,
    seen: i64,
    values: Vec<Value>,
}

/// A source that takes part: which column names a record, and which columns are the fields.
struct Part<'a> {
    number: u8,
    record: &'a Link,
    columns: Vec<usize>,
}

/// Reads the surviving rows, of earlier nights too, of a source with rules and of those it is compared with.
///
/// Of several rows that name one record the last counts. A row that names none takes no part.
pub(super) fn gather(
    kinds: &Kinds,
    rules: &plan::Matching,
    own: &Deduped,
    all: &[Deduped],
) -> Result<Gathered, IdentityError> {
    let mut reader = Reader { kinds, rules, interners: Vec::new(), rows: Vec::new() };
    reader.interners.resize_with(rules.fields.len(), Interner::default);
    let columns = rules.fields.iter().map(|field| field.column).collect();
    reader.read(own, &Part { number: 0, record: &rules.record, columns })?;
    for (number, other) in (1..).zip(&rules.others) {
        let part = Part { number, record: &other.record, columns: other.columns.clone() };
        let found = all.iter().find(|deduped| deduped.cleaned.source.name == other.source);
        found.map_or(Ok(()), |deduped| reader.read(deduped, &part))?;
    }
    Ok(reader.gathered())
}

struct Reader<'a> {
    kinds: &'a Kinds,
    rules: &'a plan::Matching,
    /// For each field.
    interners: Vec<Interner>,
    rows: Vec<Row>,
}

impl Reader<'_> {
    fn read(&mut self, deduped: &Deduped, part: &Part<'_>) -> Result<(), IdentityError> {
        let source = &deduped.cleaned.source;
        self.read_all(deduped, part).map_err(|kind| kind.of(&source.name))
    }

    fn read_all(
        &mut self,
        deduped: &Deduped,
        part: &Part<'_>,
    ) -> Result<(), IdentitySourceErrorKind> {
        for former in &deduped.former {
            for batch in former.rows_that_stay()? {
                self.read_batch(&deduped.cleaned.source, &batch?, part)?;
            }
        }
        for (clean, survivors) in deduped.cleaned.parts.iter().zip(&deduped.survivors) {
            let mut first_row = 0;
            for batch in clean.rows.batches()? {
                let batch = batch?;
                let mask = survivors.slice(first_row, batch.num_rows());
                first_row += batch.num_rows();
                let kept = filter_record_batch(&batch, &BooleanArray::from(mask))?;
                self.read_batch(&deduped.cleaned.source, &kept, part)?;
            }
        }
        Ok(())
    }

    fn read_batch(
        &mut self,
        source: &plan::Source,
        batch: &RecordBatch,
        part: &Part<'_>,
    ) -> Result<(), ArrowError> {
        let columns = Columns::new(source, batch, part)?;
        for row in 0..batch.num_rows() {
            let Some(name) = self.name(&part.record.identifier, columns.names.get(row)) else {
                continue;
            };
            let origin = Origin {
                source: part.number,
                name,
                object: columns.objects.get(row).unwrap_or_default().into(),
                record: columns.records.value(row),
            };
            let seen = columns.seen.as_ref().map_or(i64::MIN, |seen| seen.value(row));
            let values = self.values(&columns.fields, row);
            self.rows.push(Row { origin, seen, values });
        }
        Ok(())
    }

    /// Returns the name of a record, if it points at a person.
    fn name(&self, identifier: &IdentifierType, value: Option<&str>) -> Option<Box<str>> {
        let kind = self.kinds.known(identifier.as_str())?;
        value
            .filter(|value| self.kinds.get(kind).standing(value) == Standing::Active)
            .map(Into::into)
    }

    fn values(&mut self, columns: &[Texts], row: usize) -> Vec<Value> {
        let rules = self.rules.fields.iter();
        let fields = columns.iter().zip(rules).zip(&mut self.interners);
        fields
            .map(|((texts, rule), interner)| {
                interner.number(&fold(texts.get(row).unwrap_or_default(), rule.folding))
            })
            .collect()
    }

    fn gathered(self) -> Gathered {
        let Self { interners, mut rows, .. } = self;
        rows.sort_unstable_by(|left, right| compare(&interners, left, right));
        rows.dedup_by(|later, earlier| named(&later.origin) == named(&earlier.origin));
        let fields = interners.iter().enumerate().map(|(at, interner)| {
            let values: Vec<Value> = rows.iter().map(|row| row.values[at]).collect();
            Field::new(&values, &interner.texts)
        });
        let fields = fields.collect();
        let sources = rows.iter().map(|row| row.origin.source).collect();
        let origins = rows.into_iter().map(|row| row.origin).collect();
        Gathered { records: Records { sources, fields }, origins }
    }
}

fn named(origin: &Origin) -> (u8, &str) {
    (origin.source, &origin.name)
}

/// Orders rows by the records they name, the row that counts first, in a way that is the same however they came.
fn compare(interners: &[Interner], left: &Row, right: &Row) -> Ordering {
    let texts = |row: &Row| {
        let texts = row.values.iter().zip(interners);
        texts.map(|(value, interner)| interner.texts.get(*value as usize)).collect::<Vec<_>>()
    };
    named(&left.origin)
        .cmp(&named(&right.origin))
        .then_with(|| right.seen.cmp(&left.seen))
        .then_with(|| texts(left).cmp(&texts(right)))
        .then_with(|| left.origin.cmp(&right.origin))
}

/// The columns of a batch that matter here.
struct Columns {
    names: Texts,
    objects: Texts,
    records: arrow::array::Int64Array,
    seen: Option<arrow::array::Int64Array>,
    fields: Vec<Texts>,
}

impl Columns {
    fn new(
        source: &plan::Source,
        batch: &RecordBatch,
        part: &Part<'_>,
    ) -> Result<Self, ArrowError> {
        let named = |name: &str| {
            let missing = || ArrowError::SchemaError(format!("the column `{name}` is missing"));
            batch.column_by_name(name).ok_or_else(missing)
        };
        let fields = part.columns.iter().map(|column| Texts::new(batch.column(*column)));
        Ok(Self {
            names: Texts::new(batch.column(part.record.column))?,
            objects: Texts::new(named(added::OBJECT)?)?,
            records: numbers(named(added::RECORD)?)?,
            seen: source.event_time.map(|column| instants(batch.column(column))).transpose()?,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }
}

/// A column as texts.
struct Texts(StringArray);

impl Texts {
    fn new(column: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(Self(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()))
    }

    fn get(&self, row: usize) -> Option<&str> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

fn numbers(column: &ArrayRef) -> Result<arrow::array::Int64Array, ArrowError> {
    Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn instants(column: &ArrayRef) -> Result<arrow::array::Int64Array, ArrowError> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    numbers(&cast(column, &utc)?)
}
