//! The ledger: which objects the clean tables were made of, and what became of their records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::NaiveDate;

use crate::report::Account;

/// The objects of all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// By source, then by path below the raw root.
    pub(crate) sources: BTreeMap<String, SourceLedger>,
}

/// The objects of one source, by path below the raw root.
pub(crate) type SourceLedger = BTreeMap<Arc<str>, LedgerEntry>;

/// An object that went in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerEntry {
    pub(crate) etag: Option<String>,
    /// Size in bytes, as stored.
    pub(crate) size: u64,
    /// The day of the export, where the path tells it.
    pub(crate) date: Option<NaiveDate>,
    /// The run that decoded it.
    pub(crate) run_id: String,
    /// What has become of its records by now: a row that was kept may be a duplicate since a better one came.
    pub(crate) account: Account,
    /// The objects that have rows which are duplicates of rows of this one.
    pub(crate) beaten: BTreeSet<Arc<str>>,
}

impl Ledger {
    /// Puts the ledger together from the rows of its table.
    pub(crate) fn from_batches(batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let mut ledger = Self::default();
        for batch in batches {
            ledger.read(batch)?;
        }
        Ok(ledger)
    }

    fn read(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let column = |name: &str| -> Result<ArrayRef, ArrowError> {
            let missing = || ArrowError::SchemaError(format!("the column `{name}` is missing"));
            let schema = schema();
            let field = schema.field_with_name(name)?;
            cast(batch.column_by_name(name).ok_or_else(missing)?, field.data_type())
        };
        let text = |name| Ok::<_, ArrowError>(column(name)?.as_string::<i32>().clone());
        let number = |name| Ok::<_, ArrowError>(column(name)?.as_primitive::<Int64Type>().clone());
        let (sources, objects) = (text("source")?, text("object")?);
        let (etags, runs) = (text("etag")?, text("run_id")?);
        let dates = column("export_date")?.as_primitive::<Date32Type>().clone();
        let (sizes, read, kept) = (number("size")?, number("read")?, number("kept")?);
        let (rejected, duplicate) = (number("rejected")?, number("duplicate")?);
        let beaten = column("beaten")?.as_list::<i32>().clone();
        for row in 0..batch.num_rows() {
            let count = |column: &Int64Array| column.value(row).cast_unsigned();
            let losers = beaten.value(row);
            let entry = LedgerEntry {
                etag: etags.is_valid(row).then(|| etags.value(row).to_owned()),
                size: count(&sizes),
                date: dates.is_valid(row).then(|| dates.value_as_date(row)).flatten(),
                run_id: runs.value(row).to_owned(),
                account: Account {
                    read: count(&read),
                    kept: count(&kept),
                    rejected: count(&rejected),
                    duplicate: count(&duplicate),
                },
                beaten: losers.as_string::<i32>().iter().flatten().map(Arc::from).collect(),
            };
            let source = self.sources.entry(sources.value(row).to_owned()).or_default();
            source.insert(Arc::from(objects.value(row)), entry);
        }
        Ok(())
    }

    /// Returns one row for each object.
    pub(crate) fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let sources = self.sources.iter();
        let entries: Vec<(&str, &str, &LedgerEntry)> = sources
            .flat_map(|(source, objects)| {
                objects.iter().map(move |(object, entry)| (source.as_str(), &**object, entry))
            })
            .collect();
        let entries = || entries.iter().copied();
        let number = |value: fn(&LedgerEntry) -> u64| -> ArrayRef {
            let values = entries().map(|(_, _, entry)| value(entry).cast_signed());
            Arc::new(values.collect::<Int64Array>())
        };
        let mut beaten = ListBuilder::new(StringBuilder::new()).with_field(loser());
        for (_, _, entry) in entries() {
            entry.beaten.iter().for_each(|object| beaten.values().append_value(object));
            beaten.append(true);
        }
        let dates = entries().map(|(_, _, entry)| Some(entry.date?.to_epoch_days()));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(entries().map(|(source, _, _)| source))),
            Arc::new(StringArray::from_iter_values(entries().map(|(_, object, _)| object))),
            Arc::new(entries().map(|(_, _, entry)| entry.etag.clone()).collect::<StringArray>()),
            number(|entry| entry.size),
            Arc::new(dates.collect::<Date32Array>()),
            Arc::new(StringArray::from_iter_values(entries().map(|(.., entry)| &entry.run_id))),
            number(|entry| entry.account.read),
            number(|entry| entry.account.kept),
            number(|entry| entry.account.rejected),
            number(|entry| entry.account.duplicate),
            Arc::new(beaten.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

fn loser() -> Field {
    Field::new_list_field(DataType::Utf8, false)
}

fn schema() -> SchemaRef {
    let field = |name: &str, data_type, is_nullable| Field::new(name, data_type, is_nullable);
    Arc::new(Schema::new(vec![
        field("source", DataType::Utf8, false),
        field("object", DataType::Utf8, false),
        field("etag", DataType::Utf8, true),
        field("size", DataType::Int64, false),
        field("export_date", DataType::Date32, true),
        field("run_id", DataType::Utf8, false),
        field("read", DataType::Int64, false),
        field("kept", DataType::Int64, false),
        field("rejected", DataType::Int64, false),
        field("duplicate", DataType::Int64, false),
        field("beaten", DataType::List(Arc::new(loser())), false),
    ]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Ledger, LedgerEntry};
    use crate::report::Account;

    #[test]
    fn what_was_entered_is_read_back() {
        let entry = |etag: Option<&str>, beaten: &[&str]| LedgerEntry {
            etag: etag.map(str::to_owned),
            size: 7,
            date: "2026-01-02".parse().ok().filter(|_| etag.is_some()),
            run_id: "r1".to_owned(),
            account: Account { read: 4, kept: 2, rejected: 1, duplicate: 1 },
            beaten: beaten.iter().map(|path| Arc::from(*path)).collect(),
        };
        let mut ledger = Ledger::default();
        let orders = ledger.sources.entry("orders".to_owned()).or_default();
        orders.insert("orders/a.csv".into(), entry(Some("e1"), &[]));
        orders.insert("orders/b.csv".into(), entry(None, &["orders/a.csv", "orders/c.csv"]));
        let batch = ledger.to_batch().unwrap();
        assert_eq!(Ledger::from_batches(&[batch.slice(1, 1), batch.slice(0, 1)]).unwrap(), ledger);
    }
}
