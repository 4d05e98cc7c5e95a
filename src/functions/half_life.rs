//! `half_life_weight(age, half_life) -> double`: what is left of 1 after some time.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// `2 ^ (-age / half_life)`, the weight of a touch in the time decay model of attribution.
///
/// NULL where an argument is, and where the half-life is not above 0.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HalfLifeWeight {
    signature: Signature,
}

impl HalfLifeWeight {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Float64, DataType::Float64];
        Self { signature: Signature::exact(types, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HalfLifeWeight {
    fn name(&self) -> &'static str {
        "half_life_weight"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let all_scalar =
            arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let ages = arguments.args[0].to_array(rows)?;
        let half_lives = arguments.args[1].to_array(rows)?;
        let weights = weights(&ages, &half_lives);
        Ok(if all_scalar && !weights.is_empty() {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&weights, 0)?)
        } else {
            ColumnarValue::Array(weights)
        })
    }
}

fn weights(ages: &ArrayRef, half_lives: &ArrayRef) -> ArrayRef {
    let ages = ages.as_primitive::<Float64Type>().iter();
    let half_lives = half_lives.as_primitive::<Float64Type>().iter();
    let weights: Float64Array =
        ages.zip(half_lives).map(|(age, half_life)| weight(age?, half_life?)).collect();
    Arc::new(weights)
}

fn weight(age: f64, half_life: f64) -> Option<f64> {
    (half_life > 0.0).then(|| (-age / half_life).exp2())
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn a_half_life_takes_half() {
        assert_eq!(weight(0.0, 7.0), Some(1.0));
        assert_eq!(weight(7.0, 7.0), Some(0.5));
        assert_eq!(weight(21.0, 7.0), Some(0.125));
        assert_eq!(weight(1.0, 0.0), None);
    }
}
