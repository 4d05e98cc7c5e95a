//! Adds to rows the numbers of their identifiers.
//!
//! The customer of a row is looked up by them whenever it is read, so that a row that lies in the warehouse
//! follows its customer through merges and splits without being written anew.

use std::sync::Arc;

use arrow::array::{ArrayBuilder, Int64Builder, ListBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field};

use super::error::IdentitySourceErrorKind;
use super::linker::Linker;
use super::remember::Numbers;
use super::resolved::Resolved;
use crate::plan;

/// Knows the numbers of identifiers.
pub(super) struct Stamp<'a> {
    pub(super) resolved: &'a Resolved<'a>,
    pub(super) numbers: &'a Numbers,
}

impl Stamp<'_> {
    /// Makes stored rows of cleaned ones; `linker` is that of their source.
    pub(super) fn stamped(
        &self,
        source: &plan::Source,
        linker: &Linker,
        rows: RecordBatch,
    ) -> Result<RecordBatch, IdentitySourceErrorKind> {
        if source.links.is_empty() {
            return Ok(rows);
        }
        let (kinds, known) = (self.resolved.kinds, &self.resolved.evidence.identifiers);
        let identifiers = linker.read(&rows)?;
        let item = Arc::new(Field::new_list_field(DataType::Int64, false));
        let room = Int64Builder::with_capacity(rows.num_rows() * 2);
        let mut numbers = ListBuilder::with_capacity(room, rows.num_rows()).with_field(item);
        for row in 0..rows.num_rows() {
            let before = ArrayBuilder::len(numbers.values());
            for (kind, value) in identifiers.of(row) {
                if let Some(node) = known.find(kinds, kind, value) {
                    numbers.values().append_value(self.numbers.of(node));
                }
            }
            let bears_any = ArrayBuilder::len(numbers.values()) > before;
            numbers.append(bears_any);
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(numbers.finish()));
        Ok(RecordBatch::try_new(source.stored_schema(), columns)?)
    }
}
