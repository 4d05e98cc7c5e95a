//! Adds to rows the numbers of their identifiers.
//!
//! The customer of a row is looked up by them whenever it is read, so that a row that lies in the warehouse
//! follows its customer through merges and splits without being written anew.

use std::sync::Arc;

use arrow::array::{Int64Builder, ListBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field};

use super::error::IdentitySourceErrorKind;
use super::linker::{LinkColumns, Linker};
use super::remember::Numbers;
use super::resolved::Resolved;
use crate::engine::Alike;
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
        let identifiers = linker.read(&rows)?;
        let alike = identifiers.alike(rows.num_rows());
        let of_group = self.numbers_of(&identifiers, &alike);
        let item = Arc::new(Field::new_list_field(DataType::Int64, false));
        let room = Int64Builder::with_capacity(rows.num_rows() * 2);
        let mut numbers = ListBuilder::with_capacity(room, rows.num_rows()).with_field(item);
        for group in alike.group_of {
            let borne = &of_group[group as usize];
            numbers.values().append_slice(borne);
            numbers.append(!borne.is_empty());
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(numbers.finish()));
        Ok(RecordBatch::try_new(source.stored_schema(), columns)?)
    }

    /// Returns the numbers of the identifiers that the rows of each group bear, the best owner first.
    fn numbers_of(&self, identifiers: &LinkColumns, alike: &Alike) -> Vec<Vec<i64>> {
        let (kinds, known) = (self.resolved.kinds, &self.resolved.evidence.identifiers);
        let number = |(kind, value)| Some(self.numbers.of(known.find(kinds, kind, value)?));
        let of_row = |row: &usize| identifiers.of(*row).filter_map(number).collect();
        alike.first_rows.iter().map(of_row).collect()
    }
}
