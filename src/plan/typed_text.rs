//! Texts as values of the types of columns; nothing is rounded, guessed or cut.

use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{DateTime, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

/// Reads a text as a value of a type, or says what such a value looks like.
pub(super) fn value(text: &str, data_type: &DataType) -> Result<ScalarValue, Option<&'static str>> {
    let text = text.trim();
    match data_type {
        DataType::Utf8 => Ok(ScalarValue::Utf8(Some(text.to_owned()))),
        DataType::Boolean => parsed(text, ScalarValue::Boolean, "`true` or `false`"),
        DataType::Int64 => parsed(text, ScalarValue::Int64, "a whole number, such as `7`"),
        DataType::Float64 => parsed(text, ScalarValue::Float64, "a number, such as `0.5`"),
        DataType::Decimal128(precision, scale) => {
            let unscaled = unscaled(text, *precision, *scale).ok_or(Some(DECIMAL))?;
            Ok(ScalarValue::Decimal128(Some(unscaled), *precision, *scale))
        }
        DataType::Date32 => {
            let date: NaiveDate = text.parse().map_err(|_| Some("a date, such as `2026-01-31`"))?;
            Ok(ScalarValue::Date32(Some(date.to_epoch_days())))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let moment = DateTime::parse_from_rfc3339(text).map_err(|_| Some(INSTANT))?;
            Ok(ScalarValue::TimestampMicrosecond(Some(moment.timestamp_micros()), zone.clone()))
        }
        other => ScalarValue::try_from_string(text.to_owned(), other).map_err(|_| None),
    }
}

const DECIMAL: &str = "digits, with no more of them than the type holds; none is rounded away";
const INSTANT: &str =
    "an instant says its offset from UTC, such as `2026-01-31T00:30:00+08:00` or `…Z`";

/// Returns what stands in a column of which nothing is said: NULL, where it may be NULL.
pub(super) fn nothing(field: &Field) -> Result<ScalarValue> {
    if field.is_nullable() {
        ScalarValue::try_from(field.data_type())
    } else {
        ScalarValue::new_default(field.data_type())
    }
}

fn parsed<T: std::str::FromStr>(
    text: &str,
    make: impl Fn(Option<T>) -> ScalarValue,
    reason: &'static str,
) -> Result<ScalarValue, Option<&'static str>> {
    text.parse().map(|value| make(Some(value))).map_err(|_| Some(reason))
}

/// Returns the digits of a decimal as a number, if the type holds all of them.
fn unscaled(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = usize::try_from(scale).ok()?;
    let digits = whole.trim_start_matches(['-', '+']);
    let is_number = !digits.is_empty()
        && digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number || fraction.len() > scale {
        return None;
    }
    let unscaled: i128 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
    (unscaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(unscaled)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};

    use super::{unscaled, value};

    #[test]
    fn decimals_keep_every_digit_or_are_refused() {
        assert_eq!(unscaled("10.1", 18, 4), Some(101_000));
        assert_eq!(unscaled("-0.0001", 18, 4), Some(-1));
        assert_eq!(unscaled("12345678901234.5678", 18, 4), Some(123_456_789_012_345_678));
        assert_eq!(unscaled("10.10000", 18, 4), Some(101_000));
        assert_eq!(unscaled("10.00001", 18, 4), None);
        assert_eq!(unscaled("123456789012345", 18, 4), None);
        for text in ["", "-", "1e3", "1.-5", "ten"] {
            assert_eq!(unscaled(text, 18, 4), None, "{text}");
        }
    }

    #[test]
    fn an_instant_says_its_offset() {
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let east = value("2026-01-31T00:30:00+08:00", &instant).unwrap();
        assert_eq!(east, value("2026-01-30T16:30:00Z", &instant).unwrap());
        assert!(value("2026-01-31T00:30:00", &instant).is_err());
    }
}
