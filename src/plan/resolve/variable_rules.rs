//! Which values a variable may have.

use std::cmp::Ordering;

use chrono::NaiveDate;

use super::place::Place;
use crate::diagnostics::{Code, Diagnostics};
use crate::spec::{Range, Scalar, VariableDefault, VariableType};

/// Why a value is none that a variable may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Reports bounds of what is no number.
pub(super) fn bounds(variable: &VariableDefault, place: &Place<'_>, found: &mut Diagnostics) {
    let Some(range) = &variable.range else { return };
    if !matches!(kind(variable), Some(VariableType::Integer | VariableType::Decimal)) {
        let message = "only a number has a range; other values are listed under `accepted`";
        found.push(place.child("range").error(Code::BadValue, message));
    }
    for (key, bound) in [("min", &range.min), ("max", &range.max)] {
        if bound.as_ref().is_some_and(|bound| !bound.is_number()) {
            let message = format!("`{key}` is no number");
            found.push(place.child("range").child(key).error(Code::WrongType, message));
        }
    }
}

/// Says what is wrong with a value; the default is never wrong.
pub(super) fn fault(name: &str, value: &Scalar, variable: &VariableDefault) -> Option<Fault> {
    if *value == variable.default {
        return None;
    }
    let written = literal(value);
    if let Some(kind) = kind(variable).filter(|kind| !is_of(*kind, value)) {
        let message = format!("the variable `{name}` is {}, not `{written}`", a(kind));
        let help = unquoted(kind, value).or_else(|| help(variable));
        return Some(Fault { code: Code::WrongType, message, help });
    }
    let is_accepted = variable.accepted.is_empty() || variable.accepted.contains(value);
    let is_within = variable.range.as_ref().is_none_or(|range| within(value, range));
    if is_accepted && is_within {
        return None;
    }
    let message = format!("the variable `{name}` cannot be `{written}`");
    Some(Fault { code: Code::BadValue, message, help: help(variable) })
}

/// Returns what values of a variable are: what it declares, or else what its default is, or a number where it has a
/// range. Of `null` alone nobody can say.
fn kind(variable: &VariableDefault) -> Option<VariableType> {
    let by_default = || match &variable.default {
        Scalar::Bool(_) => Some(VariableType::Boolean),
        Scalar::Number(_) => Some(VariableType::Decimal),
        Scalar::Null => variable.range.as_ref().map(|_| VariableType::Decimal),
        _ => Some(VariableType::String),
    };
    variable.kind.or_else(by_default)
}

fn is_of(kind: VariableType, value: &Scalar) -> bool {
    match (kind, value) {
        (VariableType::String, Scalar::String(_))
        | (VariableType::Boolean, Scalar::Bool(_))
        | (VariableType::Decimal, Scalar::Number(_)) => true,
        (VariableType::Integer, Scalar::Number(number)) => number.is_i64(),
        (VariableType::Date, Scalar::String(text)) => is_date(text),
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    date.is_ok_and(|date| date.to_string() == text)
}

const fn a(kind: VariableType) -> &'static str {
    match kind {
        VariableType::String => "a text",
        VariableType::Boolean => "`true` or `false`",
        VariableType::Integer => "a whole number",
        VariableType::Decimal => "a number",
        VariableType::Date => "a date such as \"2026-01-31\"",
    }
}

/// Shows how a number or a truth value is written that stands in quotation marks.
fn unquoted(kind: VariableType, value: &Scalar) -> Option<String> {
    let text = value.as_str()?;
    let meant: Scalar = serde_yaml::from_str(text).ok()?;
    (kind != VariableType::String && is_of(kind, &meant))
        .then(|| format!("write it without quotation marks: {text}"))
}

fn help(variable: &VariableDefault) -> Option<String> {
    if !variable.accepted.is_empty() {
        let accepted: Vec<String> = variable.accepted.iter().map(literal).collect();
        return Some(format!("there are `{}`", accepted.join("`, `")));
    }
    let range = variable.range.as_ref()?;
    match (&range.min, &range.max) {
        (Some(min), Some(max)) => {
            Some(format!("it lies between {} and {}, both included", literal(min), literal(max)))
        }
        (Some(min), None) => Some(format!("it is at least {}", literal(min))),
        (None, Some(max)) => Some(format!("it is at most {}", literal(max))),
        (None, None) => None,
    }
}

fn within(value: &Scalar, range: &Range) -> bool {
    let against = |bound: &Option<Scalar>| {
        let (value, bound) = (value.as_f64()?, bound.as_ref()?.as_f64()?);
        value.partial_cmp(&bound)
    };
    against(&range.min) != Some(Ordering::Less) && against(&range.max) != Some(Ordering::Greater)
}

fn literal(value: &Scalar) -> String {
    serde_yaml::to_string(value).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Fault, fault};
    use crate::spec::VariableDefault;

    /// Returns what is wrong with a value of a variable, both written as YAML.
    fn wrong(declared: &str, value: &str) -> Option<(String, Option<String>)> {
        let declared = format!("{{ {declared}, description: x }}");
        let variable: VariableDefault = serde_yaml::from_str(&declared).unwrap();
        let found = fault("it", &serde_yaml::from_str(value).unwrap(), &variable);
        found.map(|Fault { message, help, .. }| (message, help))
    }

    fn told(message: &str, help: &str) -> (String, Option<String>) {
        (message.to_owned(), (!help.is_empty()).then(|| help.to_owned()))
    }

    #[test]
    fn numbers_keep_within_their_range() {
        let days = "default: 14, type: integer, range: { min: 1, max: 36500 }";
        assert_eq!(wrong(days, "1"), None);
        assert_eq!(wrong(days, "36500"), None);
        let both = "it lies between 1 and 36500, both included";
        assert_eq!(wrong(days, "-1"), Some(told("the variable `it` cannot be `-1`", both)));
        assert_eq!(wrong(days, "36501"), Some(told("the variable `it` cannot be `36501`", both)));
        assert_eq!(
            wrong(days, "1.5"),
            Some(told("the variable `it` is a whole number, not `1.5`", both))
        );
        let rate = "default: null, range: { max: 1 }";
        assert_eq!(wrong(rate, "0.35"), None);
        assert_eq!(
            wrong(rate, "40%"),
            Some(told("the variable `it` is a number, not `40%`", "it is at most 1"))
        );
        assert_eq!(
            wrong(rate, "40"),
            Some(told("the variable `it` cannot be `40`", "it is at most 1"))
        );
    }

    #[test]
    fn what_may_be_unknown_may_be_anything_where_nothing_else_is_said() {
        for value in ["1", "text", "true"] {
            assert_eq!(wrong("default: null", value), None);
        }
        let text = told("the variable `it` is a text, not `1`", "");
        assert_eq!(wrong("default: null, type: string", "1"), Some(text));
    }

    #[test]
    fn a_number_in_quotation_marks_is_told_how_to_be_written() {
        let help = "write it without quotation marks: 7";
        assert_eq!(
            wrong("default: 14, range: { min: 1 }", "'7'"),
            Some(told("the variable `it` is a number, not `'7'`", help))
        );
    }

    #[test]
    fn a_date_is_one_of_the_calendar_or_the_default() {
        let date = "default: \"\", type: date";
        assert_eq!(wrong(date, "''"), None);
        assert_eq!(wrong(date, "2026-02-28"), None);
        for text in ["2026-02-29", "2026-2-28", "soon"] {
            let message =
                format!("the variable `it` is a date such as \"2026-01-31\", not `{text}`");
            assert_eq!(wrong(date, text), Some(told(&message, "")));
        }
    }
}
