//! `square_root(double) -> double`, for standard errors.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// The square root; NULL of NULL and of a negative number, never a number that is none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SquareRoot {
    signature: Signature,
}

impl SquareRoot {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SquareRoot {
    fn name(&self) -> &'static str {
        "square_root"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &arguments.args[0] {
            ColumnarValue::Array(numbers) => Ok(ColumnarValue::Array(roots(numbers))),
            ColumnarValue::Scalar(number) => {
                let roots = roots(&number.to_array()?);
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&roots, 0)?))
            }
        }
    }
}

fn roots(numbers: &ArrayRef) -> ArrayRef {
    let numbers = numbers.as_primitive::<Float64Type>().iter();
    let roots: Float64Array = numbers.map(|number| root(number?)).collect();
    Arc::new(roots)
}

fn root(number: f64) -> Option<f64> {
    (number >= 0.0).then(|| number.sqrt())
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn what_has_no_root_has_none() {
        assert_eq!(root(2.25), Some(1.5));
        assert_eq!(root(-1.0), None);
        assert_eq!(root(f64::NAN), None);
    }
}
