//! Sums of all rows of a partition so far.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Decimal128Type, Int64Type,
};
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

/// A sum of whole numbers or of decimals.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) of: Arc<dyn PhysicalExpr>,
    sum_type: DataType,
}

impl Running {
    /// Returns the sum that an aggregate is; none where it is another function, or one of another type.
    pub(super) fn of(aggregate: &AggregateFunctionExpr) -> Option<Self> {
        let arguments = aggregate.expressions();
        let [of] = arguments.as_slice() else { return None };
        let sum_type = aggregate.field().data_type().clone();
        let is_known = matches!(sum_type, DataType::Int64 | DataType::Decimal128(_, _));
        let is_sum = aggregate.fun().name() == "sum" && is_known;
        is_sum.then(|| Self { of: Arc::clone(of), sum_type })
    }
}

/// Returns for each row the sum of the rows of its partition so far; NULL while none had a value.
pub(super) fn sums(
    sum: &Running,
    values: &ArrayRef,
    partitions: &[Range<usize>],
) -> Result<ArrayRef> {
    match (values.data_type(), &sum.sum_type) {
        (DataType::Int64, DataType::Int64) => {
            let values = values.as_primitive::<Int64Type>();
            Ok(Arc::new(sums_of(values, partitions)))
        }
        (DataType::Decimal128(_, scale), DataType::Decimal128(_, of_sum)) if scale == of_sum => {
            let values = values.as_primitive::<Decimal128Type>();
            let sums = sums_of(values, partitions);
            Ok(Arc::new(sums.with_data_type(sum.sum_type.clone())))
        }
        (found, wanted) => internal_err!("a sum of {found} is no {wanted}"),
    }
}

fn sums_of<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    partitions: &[Range<usize>],
) -> PrimitiveArray<T> {
    let of_partition = |partition: &Range<usize>| {
        let mut so_far: Option<T::Native> = None;
        partition.clone().map(move |row| {
            if values.is_valid(row) {
                let value = values.value(row);
                so_far = Some(so_far.map_or(value, |sum| sum.add_wrapping(value)));
            }
            so_far
        })
    };
    partitions.iter().flat_map(of_partition).collect()
}
