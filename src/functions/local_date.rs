//! `local_date(timestamp) -> date`: the business day of a moment.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::zone::ZoneOffsets;

/// The calendar date of a moment in the pipeline's time zone.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LocalDate {
    signature: Signature,
    timezone: Tz,
}

impl LocalDate {
    pub(super) fn new(timezone: Tz) -> Self {
        Self { signature: Signature::new(TypeSignature::Any(1), Volatility::Immutable), timezone }
    }
}

impl ScalarUDFImpl for LocalDate {
    fn name(&self) -> &'static str {
        "local_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [DataType::Timestamp(_, Some(_)) | DataType::Null] => Ok(DataType::Date32),
            _ => Err(DataFusionError::Plan(
                "local_date takes a timestamp with time zone, such as a timestamp column of a source".to_owned(),
            )),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &arguments.args[0] {
            ColumnarValue::Array(moments) => {
                Ok(ColumnarValue::Array(local_dates(moments, self.timezone)?))
            }
            ColumnarValue::Scalar(moment) => {
                let dates = local_dates(&moment.to_array()?, self.timezone)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&dates, 0)?))
            }
        }
    }
}

fn local_dates(moments: &ArrayRef, timezone: Tz) -> Result<ArrayRef> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let micros = cast(moments, &utc)?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    let mut offsets = ZoneOffsets::new(timezone);
    let dates: Date32Array =
        micros.iter().map(|moment| moment.and_then(|moment| offsets.local_day(moment))).collect();
    Ok(Arc::new(dates))
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, TimestampMicrosecondArray};
    use arrow::datatypes::Date32Type;
    use std::sync::Arc;

    use super::{ArrayRef, local_dates};

    #[test]
    fn a_missing_moment_has_no_date() {
        let moments = TimestampMicrosecondArray::from(vec![Some(1_769_788_800_000_000), None]);
        let moments: ArrayRef = Arc::new(moments.with_timezone("UTC"));
        let dates = local_dates(&moments, chrono_tz::Asia::Shanghai).unwrap();
        let dates: Vec<_> = dates.as_primitive::<Date32Type>().iter().collect();
        assert_eq!(dates, [Some(20_484), None]);
    }
}
