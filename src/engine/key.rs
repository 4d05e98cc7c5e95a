//! Keys of rows that come in their order.

use arrow::array::ArrayRef;
use arrow::compute::{concat, partition};
use arrow::error::ArrowError;

/// Says whether the first of some rows has the key that the last row before them has, both given by their columns.
///
/// A value that both lack is the same, as where SQL groups by it.
pub(crate) fn goes_on(before: &[ArrayRef], behind: &[ArrayRef]) -> Result<bool, ArrowError> {
    let pairs = before.iter().zip(behind);
    let pairs = pairs.map(|(before, behind)| {
        let (last, first) = (before.slice(before.len() - 1, 1), behind.slice(0, 1));
        concat(&[last.as_ref(), first.as_ref()])
    });
    Ok(partition(&pairs.collect::<Result<Vec<_>, _>>()?)?.len() == 1)
}
