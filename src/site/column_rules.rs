//! The rules of a source's column in a few words.

use crate::spec::{Case, Column, MapOther};

/// Returns what is done to the values of a column, a phrase each.
pub(super) fn rules(column: &Column) -> Vec<String> {
    let mut rules = Vec::new();
    let mut add = |rule: Option<String>| rules.extend(rule);
    add(column.required.then(|| "required".to_owned()));
    add(column.pii.then(|| "personal data".to_owned()));
    add(list("formats", &column.formats));
    add(column.timezone.as_ref().map(|zone| format!("in {zone}")));
    add(column.region.as_ref().map(|region| format!("region {region}")));
    add(column.null_if.as_ref().and_then(|tokens| list("no value if", tokens)));
    add(column.case.map(|case| match case {
        Case::Lower => "lower case".to_owned(),
        Case::Upper => "upper case".to_owned(),
    }));
    add(column.normalize.map(|_| "NFKC".to_owned()));
    add(column.split.as_ref().map(|split| format!("a part between `{}`", split.by)));
    add(column
        .replace
        .as_ref()
        .map(|rule| format!("`{}` replaced by `{}`", rule.pattern, rule.with)));
    add(column.unit.as_ref().map(|unit| format!("{} to {}", unit.from, unit.to)));
    add(column.map.as_ref().map(|map| {
        let pairs = map.iter().map(|(from, to)| format!("{from} = {}", scalar(to)));
        let rest = match column.map_other {
            Some(MapOther::Keep) => ", others stay",
            Some(MapOther::Null) => ", others are no value",
            Some(MapOther::Reject) | None => "",
        };
        format!("{}{rest}", pairs.collect::<Vec<_>>().join(", "))
    }));
    add(column.default.as_ref().map(|value| format!("default {}", scalar(value))));
    add(list("one of", &column.accepted));
    add(column.check.clone());
    rules
}

fn list(what: &str, values: &[String]) -> Option<String> {
    let shown: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    (!shown.is_empty()).then(|| format!("{what} {}", shown.join(", ")))
}

fn scalar(value: &crate::spec::Scalar) -> String {
    serde_yaml::to_string(value).unwrap_or_default().trim().to_owned()
}
