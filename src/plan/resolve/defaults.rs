//! Variables that stages bring with them, and what pipelines make of them.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;

use super::place::{Place, name};
use super::variable_rules::{Fault, bounds, fault};
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
            bounds(variable, &place, found);
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

/// Reports a value that is none the variable may have.
fn judge(
    text: &str,
    value: &Scalar,
    variable: &VariableDefault,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    if scalar(value).is_none() {
        return;
    }
    if let Some(Fault { code, message, help }) = fault(text, value, variable) {
        let fault = place.error(code, message);
        found.push(match help {
            Some(help) => fault.help(help),
            None => fault,
        });
    }
}
