//! Adds to rows the numbers of their identifiers.
//!
//! The customer of a row is looked up by them whenever it is read, so that a row that lies in the warehouse
//! follows its customer through merges and splits without being written anew.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::numbers::Numbers;
use super::row_sets::RowSets;

/// Returns for each of some rows the numbers of its identifiers; none for a row that bears no identifier.
pub(super) fn stamps(
    numbers: &Numbers,
    sets: &RowSets,
    rows: impl Iterator<Item = usize>,
) -> Result<ArrayRef, ArrowError> {
    let (mut values, mut lengths, mut bears_any) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let nodes = sets.of(row);
        values.extend(nodes.iter().map(|node| numbers.of(*node)));
        lengths.push(nodes.len());
        bears_any.push(!nodes.is_empty());
    }
    let item = Arc::new(Field::new_list_field(DataType::Int64, false));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let bears_any = NullBuffer::from(bears_any);
    Ok(Arc::new(ListArray::try_new(
        item,
        offsets,
        Arc::new(Int64Array::from(values)),
        Some(bears_any),
    )?))
}
