//! The rules that prepare a column's raw texts.

use serde_yaml::Value;

use super::place::{Place, with_nearest};
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::source::ColumnKind;
use crate::plan::{
    Conversion, Form, Mapping, Notation, Preparation, Split, Take, UNITS, Unit, Unmapped,
};
use crate::spec;

/// Returns the rules without the fields they apply to.
pub(super) fn resolve(
    column: &spec::Column,
    kind: Option<&ColumnKind>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Preparation {
    Preparation {
        further_fields: Vec::new(),
        form: column.normalize.map_or(Form::AsItIs, |spec::Normalize::Nfkc| Form::Nfkc),
        split: column.split.as_ref().and_then(|rule| split(rule, &place.child("split"), found)),
        mapping: mapping(column, place, found),
        notation: notation(column, kind, place, found),
    }
}

/// Returns the raw field of a column and those asked after it.
pub(super) fn raw_fields(
    name: &str,
    column: &spec::Column,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> (String, Vec<String>) {
    let Some(fields) = &column.from_any else {
        return (column.from.clone().unwrap_or_else(|| name.to_owned()), Vec::new());
    };
    let place = place.child("from_any");
    if column.from.is_some() {
        let message = "a column has either `from` or `from_any`";
        let help = "put the field of `from` first into `from_any`";
        found.push(place.key_error(Code::BadValue, message).help(help));
    }
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].contains(field) {
            let message = format!("the field `{field}` is named twice");
            let twice = place.child(index).error(Code::BadValue, message);
            found.push(twice.help("leave one of them out"));
        }
    }
    match fields.split_first() {
        Some((first, further)) => (first.clone(), further.to_vec()),
        None => {
            let message = "`from_any` names at least one field";
            let help = "leave it out for the field that has the column's own name";
            found.push(place.error(Code::BadValue, message).help(help));
            (name.to_owned(), Vec::new())
        }
    }
}

/// Reads a value that stands in YAML for a raw text.
pub(super) fn raw_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn split(rule: &spec::Split, place: &Place<'_>, found: &mut Diagnostics) -> Option<Split> {
    if rule.by.is_empty() {
        let message = "an empty text parts nothing";
        let help = "write what stands between the parts, such as `;`";
        found.push(place.child("by").error(Code::BadValue, message).help(help));
    }
    let take = match &rule.take {
        None => Some(Take::Nth(0)),
        Some(Value::String(word)) if word == "first" => Some(Take::Nth(0)),
        Some(Value::String(word)) if word == "last" => Some(Take::Last),
        Some(place) => place
            .as_u64()
            .and_then(|place| place.checked_sub(1))
            .map(|place| Take::Nth(place as usize)),
    };
    if take.is_none() {
        let message = "`take` is a number from 1, `first` or `last`";
        let help = "the first part is 1";
        found.push(place.child("take").error(Code::BadValue, message).help(help));
    }
    Some(Split { by: rule.by.clone(), take: take? })
}

fn mapping(column: &spec::Column, place: &Place<'_>, found: &mut Diagnostics) -> Option<Mapping> {
    let Some(written) = &column.map else {
        if column.map_other.is_some() {
            let message = "`map_other` means nothing without `map`";
            let help = "`map_other` says what becomes of values that `map` does not name";
            found.push(place.child("map_other").key_error(Code::BadValue, message).help(help));
        }
        return None;
    };
    let place = place.child("map");
    if written.is_empty() {
        let message = "`map` names at least one value";
        let help = "write what stands in the export and what it means, such as `{ M: male }`";
        found.push(place.error(Code::BadValue, message).help(help));
    }
    let values = written.iter().filter_map(|(key, value)| {
        refuse_idle_entry(key, column.case, &place.child(key), found);
        Some((key.to_owned(), mapped(value, &place.child(key), found)?))
    });
    let other = match column.map_other {
        None | Some(spec::MapOther::Reject) => Unmapped::Reject,
        Some(spec::MapOther::Keep) => Unmapped::Keep,
        Some(spec::MapOther::Null) => Unmapped::Null,
    };
    Some(Mapping { values: values.collect(), other })
}

/// Reports an entry that no value can ever reach.
fn refuse_idle_entry(
    key: &str,
    case: Option<spec::Case>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let in_case = match case {
        None => key.to_owned(),
        Some(spec::Case::Lower) => key.to_lowercase(),
        Some(spec::Case::Upper) => key.to_uppercase(),
    };
    let (message, help) = if key.is_empty() {
        ("an empty text is no value and never mapped".to_owned(), "use `default`".to_owned())
    } else if in_case != key {
        let message = format!("no value is `{key}` once `case` has been applied");
        (message, format!("write `{in_case}`"))
    } else {
        return;
    };
    found.push(place.key_error(Code::BadValue, message).help(help));
}

fn mapped(value: &Value, place: &Place<'_>, found: &mut Diagnostics) -> Option<String> {
    let text = raw_text(value).filter(|text| !text.is_empty());
    if text.is_none() {
        let message = "a value is mapped to a number, a text, `true` or `false`";
        let help = "put values that mean nothing into `null_if`";
        found.push(place.error(Code::WrongType, message).help(help));
    }
    text
}

fn notation(
    column: &spec::Column,
    kind: Option<&ColumnKind>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Notation> {
    let separator = |text: &Option<String>, key: &str, found: &mut Diagnostics| {
        let text = text.as_ref()?;
        one_separator(text, &place.child(key), found)
    };
    let thousands = separator(&column.thousands, "thousands", found);
    let decimal_point = separator(&column.decimal_point, "decimal_point", found);
    if thousands.is_none() && decimal_point.is_none() {
        return None;
    }
    let notation = Notation { thousands, decimal_point: decimal_point.unwrap_or('.') };
    let is_whole = matches!(kind, Some(ColumnKind::Integer)) && column.unit.is_none();
    if !is_whole && notation.thousands == Some(notation.decimal_point) {
        let message = "thousands and decimals are separated by the same character";
        let help = "declare `decimal_point`; it is `.` otherwise";
        found.push(place.child("thousands").error(Code::BadValue, message).help(help));
    }
    Some(notation)
}

fn one_separator(text: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<char> {
    let mut characters = text.chars();
    let unfit = |character: char| {
        character.is_alphanumeric() || character.is_control() || "+-".contains(character)
    };
    match (characters.next(), characters.next()) {
        (Some(character), None) if !unfit(character) => Some(character),
        _ => {
            let message = "a separator is a single character, no letter, digit or sign";
            let help = "write it in quotes, such as `\",\"`";
            found.push(place.error(Code::BadValue, message).help(help));
            None
        }
    }
}

/// Reads the units of a column of numbers. One whose numbers are rounded is led from its unit to the same.
pub(super) fn conversion(
    column: &spec::Column,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Conversion> {
    let Some(change) = &column.unit else {
        return column.round.then_some(Conversion::NONE);
    };
    let place = place.child("unit");
    let from = unit(&change.from, &place.child("from"), found);
    let to = unit(&change.to, &place.child("to"), found);
    let (from, to) = (from?, to?);
    if from == to {
        let message = "the units are the same";
        let help = "leave `unit` out, or correct one of them";
        found.push(place.child("to").error(Code::BadValue, message).help(help));
    } else if from.measures != to.measures {
        let message = format!(
            "`{}` is a unit of {}, `{}` of {}",
            from.name, from.measures, to.name, to.measures
        );
        let names = UNITS.iter().filter(|unit| unit.measures == from.measures);
        let names: Vec<&str> = names.map(|unit| unit.name).collect();
        let help = format!("units of {} are `{}`", from.measures, names.join("`, `"));
        found.push(place.child("to").error(Code::BadValue, message).help(help));
        return None;
    }
    Some(from.to(to))
}

fn unit(name: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<Unit> {
    let unit = Unit::named(name);
    if unit.is_none() {
        let unknown = place.error(Code::BadValue, format!("the unit `{name}` is not known"));
        found.push(with_nearest(unknown, name, UNITS.iter().map(|unit| unit.name)));
    }
    unit
}
