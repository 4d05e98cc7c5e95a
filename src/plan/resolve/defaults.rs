//! Variables that stages bring with them, and what pipelines make of them.

use std::collections::BTreeMap;
use std::mem::discriminant;

use datafusion::common::ScalarValue;

use super::place::{Place, name};
use super::variables::scalar;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::stage::Variable;
use crate::spec::{PipelineSpec, Scalar, VariableDefault};

/// Adds every variable that a stage declares and the pipeline does not give, and judges those it gives.
pub(super) fn add(
    spec: &PipelineSpec,
    given: &Place<'_>,
    variables: &mut Vec<Variable>,
    found: &mut Diagnostics,
) {
    let mut declared = BTreeMap::new();
    for stage in &spec.stages {
        let Some(sidecar) = &stage.sidecar else {
            continue;
        };
        let place = Place::root(&sidecar.file, &sidecar.positions).child("variables");
        for (text, variable) in sidecar.sidecar.variables.iter() {
            let place = place.child(text);
            if let Some(first) = declared.insert(text, &stage.name) {
                let message = format!("the stage `{first}` declares the variable `{text}` too");
                found.push(place.key_error(Code::DuplicateName, message));
                continue;
            }
            let written = spec.pipeline.variables.iter().find(|(name, _)| *name == text);
            match written {
                Some((_, value)) => judge(text, value, variable, &given.child(text), found),
                None => variables.extend(default(text, variable, &place, found)),
            }
        }
    }
}

fn default(
    text: &str,
    variable: &VariableDefault,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Variable> {
    let bad_name = |message| place.key_error(Code::BadName, message);
    let name = name(text, bad_name, found)?;
    if variable.default.is_null() {
        return Some(Variable { name, value: ScalarValue::Null });
    }
    let value = scalar(&variable.default);
    if value.is_none() {
        let message =
            "a variable is a number, a text, `true`, `false` or, where it may be unknown, `null`";
        found.push(place.child("default").error(Code::WrongType, message));
    }
    Some(Variable { name, value: value? })
}

/// Reports a value of another kind than the default, or none of those accepted.
fn judge(
    text: &str,
    value: &Scalar,
    variable: &VariableDefault,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let (Some(given), Some(default)) = (scalar(value), scalar(&variable.default)) else {
        return;
    };
    if kind(&given) != kind(&default) {
        let example = literal(&variable.default);
        let message = format!("the variable `{text}` is of the kind of `{example}`");
        found.push(place.error(Code::WrongType, message));
    } else if !variable.accepted.is_empty() && !variable.accepted.contains(value) {
        let message = format!("the variable `{text}` cannot be `{}`", literal(value));
        let accepted: Vec<String> = variable.accepted.iter().map(literal).collect();
        let help = format!("there are `{}`", accepted.join("`, `"));
        found.push(place.error(Code::BadValue, message).help(help));
    }
}

/// Tells numbers, texts and truth values apart; whole numbers and decimals are one kind.
fn kind(value: &ScalarValue) -> std::mem::Discriminant<ScalarValue> {
    match value {
        ScalarValue::Decimal128(..) => discriminant(&ScalarValue::Int64(None)),
        other => discriminant(other),
    }
}

fn literal(value: &Scalar) -> String {
    serde_yaml::to_string(value).unwrap_or_default().trim_end().to_owned()
}
