//! Variables with their types.

use datafusion::common::ScalarValue;
use serde_yaml::Value;

use super::place::{Place, name};
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::stage::{AS_OF, AS_OF_DATE, CURRENCY, Variable};
use crate::spec;

/// Reads the variables; SQL sees each as a value of the type written.
pub(super) fn resolve(
    variables: &spec::Ordered<spec::Scalar>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Vec<Variable> {
    let mut resolved = Vec::new();
    for (text, value) in variables.iter() {
        let place = place.child(text);
        let bad_name = |message| place.key_error(Code::BadName, message);
        let Some(name) = name(text, bad_name, found) else {
            continue;
        };
        if matches!(text, AS_OF | AS_OF_DATE | CURRENCY) {
            let taken = format!("`{text}` is given by martlet itself");
            found.push(place.key_error(Code::DuplicateName, taken));
        }
        match scalar(value) {
            Some(value) => resolved.push(Variable { name, value }),
            None => found.push(
                place
                    .error(Code::WrongType, "a variable is a number, a text, `true` or `false`")
                    .help("a date is written as a text, such as \"2026-01-31\""),
            ),
        }
    }
    resolved
}

/// Returns the typed value of a YAML scalar; a number with a point is an exact decimal.
pub(super) fn scalar(value: &Value) -> Option<ScalarValue> {
    match value {
        Value::Bool(value) => Some(ScalarValue::Boolean(Some(*value))),
        Value::String(value) => Some(ScalarValue::Utf8(Some(value.clone()))),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Some(ScalarValue::Int64(Some(value))),
            None => decimal(&number.to_string()),
        },
        _ => None,
    }
}

fn decimal(text: &str) -> Option<ScalarValue> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i8::try_from(fraction.len()).ok()?;
    let digits = u8::try_from(unscaled.unsigned_abs().to_string().len()).ok()?;
    let precision = digits.max(scale.unsigned_abs());
    (precision <= 38).then_some(ScalarValue::Decimal128(Some(unscaled), precision, scale))
}

#[cfg(test)]
mod tests {
    use datafusion::common::ScalarValue;

    use super::scalar;

    #[test]
    fn a_number_with_a_point_is_an_exact_decimal() {
        let read = |text: &str| scalar(&serde_yaml::from_str(text).unwrap());
        assert_eq!(read("0.35"), Some(ScalarValue::Decimal128(Some(35), 2, 2)));
        assert_eq!(read("-12.5"), Some(ScalarValue::Decimal128(Some(-125), 3, 1)));
        assert_eq!(read("90"), Some(ScalarValue::Int64(Some(90))));
        assert_eq!(read("'90'"), Some(ScalarValue::Utf8(Some("90".to_owned()))));
        assert_eq!(read("null"), None);
        assert_eq!(read("[1]"), None);
    }
}
