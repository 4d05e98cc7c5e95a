//! `safe_divide(numerator, denominator)`: a ratio that is NULL where there is nothing to divide by.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// The ratio of two numbers as a double.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SafeDivide {
    signature: Signature,
}

impl SafeDivide {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SafeDivide {
    fn name(&self) -> &'static str {
        "safe_divide"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.iter().all(|argument| argument.is_numeric() || argument.is_null()) {
            return Ok(DataType::Float64);
        }
        Err(DataFusionError::Plan("safe_divide takes two numbers".to_owned()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let quotients = quotients(&arrays[0], &arrays[1])?;
        let are_scalars =
            arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        if are_scalars {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&quotients, 0)?));
        }
        Ok(ColumnarValue::Array(quotients))
    }
}

fn quotients(numerators: &ArrayRef, denominators: &ArrayRef) -> Result<ArrayRef> {
    let numerators = cast(numerators, &DataType::Float64)?;
    let denominators = cast(denominators, &DataType::Float64)?;
    let pairs = numerators
        .as_primitive::<Float64Type>()
        .iter()
        .zip(denominators.as_primitive::<Float64Type>());
    let quotient = |(numerator, denominator): (Option<f64>, Option<f64>)| {
        let denominator = denominator.filter(|denominator| *denominator != 0.0)?;
        Some(numerator? / denominator)
    };
    Ok(Arc::new(pairs.map(quotient).collect::<Float64Array>()))
}
