//! Keeps rejects as rows of a table, parked like clean rows: however many there are, few are in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::{CleanErrorKind, Reject};
use crate::engine::{Context, Spool, SpoolWriter};
use crate::plan;

/// Rejects of one object.
#[derive(Debug, Clone)]
pub(crate) struct Rejects {
    /// Rows of [`reject_schema`], in the order of their records.
    pub(crate) rows: Spool,
    /// How many there are for each reason: the column, where it is one column's, and the rule.
    pub(crate) reasons: BTreeMap<String, u64>,
}

/// Returns the columns of a table of rejects.
///
/// `raw` is kept whole, so that a record can be decoded again when the rules have changed; `personal` says that it
/// may identify a person, and whoever shows it has to mask it.
pub(crate) fn reject_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, nullable| Field::new(name, DataType::Int64, nullable);
    Arc::new(Schema::new(vec![
        text("source", false),
        text("object", false),
        text("etag", true),
        number("record", false),
        number("line", true),
        number("byte", true),
        text("column", true),
        text("rule", false),
        text("code", false),
        text("message", false),
        Field::new("event_date", DataType::Date32, true),
        text("raw", false),
        Field::new("personal", DataType::Boolean, false),
        text("run_id", false),
    ]))
}

/// Parks the rejects of one object.
pub(super) struct RejectWriter<'a> {
    source: &'a plan::Source,
    run_id: &'a str,
    schema: SchemaRef,
    spool: SpoolWriter,
    reasons: BTreeMap<String, u64>,
}

impl<'a> RejectWriter<'a> {
    /// Starts with none; beyond the run's budget they go to the file `path`.
    pub(super) fn new(ctx: &'a Context, source: &'a plan::Source, path: &Path) -> Self {
        let schema = reject_schema();
        Self {
            source,
            run_id: ctx.run_id.as_str(),
            spool: SpoolWriter::sharing(path, Arc::clone(&schema), &ctx.spools),
            schema,
            reasons: BTreeMap::new(),
        }
    }

    /// Adds rejects, in the order of their records.
    pub(super) fn write(&mut self, rejects: &[Reject]) -> Result<(), CleanErrorKind> {
        if rejects.is_empty() {
            return Ok(());
        }
        for reject in rejects {
            *self.reasons.entry(reject.shown_reason()).or_default() += 1;
        }
        let table = table(self.source, self.run_id, &self.schema, rejects)?;
        Ok(self.spool.write(table)?)
    }

    pub(super) fn finish(self) -> Result<Rejects, CleanErrorKind> {
        Ok(Rejects { rows: self.spool.finish()?, reasons: self.reasons })
    }
}

fn table(
    source: &plan::Source,
    run_id: &str,
    schema: &SchemaRef,
    rejects: &[Reject],
) -> Result<RecordBatch, ArrowError> {
    let text = |value: fn(&Reject) -> Option<&str>| -> ArrayRef {
        Arc::new(rejects.iter().map(value).collect::<StringArray>())
    };
    let number = |value: fn(&Reject) -> Option<u64>| -> ArrayRef {
        let numbers = rejects.iter().map(|reject| value(reject).map(u64::cast_signed));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let same = |value: &str| -> ArrayRef {
        Arc::new(rejects.iter().map(|_| Some(value)).collect::<StringArray>())
    };
    let codes = rejects.iter().map(|reject| Some(reject.code(&source.format)));
    let dates = rejects.iter().map(|reject| reject.event_date);
    let columns = vec![
        same(source.name.as_str()),
        text(|reject| Some(&reject.object.path)),
        text(|reject| reject.object.etag.as_deref()),
        number(|reject| Some(reject.record)),
        number(|reject| reject.line),
        number(|reject| reject.byte),
        text(|reject| reject.column.as_ref().map(AsRef::as_ref)),
        text(|reject| Some(reject.rule)),
        Arc::new(codes.collect::<StringArray>()),
        text(|reject| Some(&reject.reason)),
        Arc::new(dates.collect::<Date32Array>()),
        text(|reject| Some(&reject.raw)),
        Arc::new(BooleanArray::from(vec![source.is_personal(); rejects.len()])),
        same(run_id),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns)
}
