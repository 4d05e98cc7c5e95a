//! Puts the rows of whole groups in order.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, partition, take_record_batch};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

/// Sorts the rows of each group by `columns`; `keys` tells the groups apart. Rows that are equal stay as they came.
pub(super) fn sorted(
    rows: &RecordBatch,
    keys: &[ArrayRef],
    columns: Vec<SortColumn>,
) -> Result<RecordBatch> {
    let fields = columns.iter().map(|column| {
        let kind = column.values.data_type().clone();
        SortField::new_with_options(kind, column.options.unwrap_or_default())
    });
    let converter = RowConverter::new(fields.collect())?;
    let columns: Vec<ArrayRef> = columns.into_iter().map(|column| column.values).collect();
    let values = converter.convert_columns(&columns)?;
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    for group in partition(keys)?.ranges() {
        order[group]
            .sort_by(|one, other| values.row(*one as usize).cmp(&values.row(*other as usize)));
    }
    if order.is_sorted() {
        return Ok(rows.clone());
    }
    Ok(take_record_batch(rows, &UInt32Array::from(order))?)
}
