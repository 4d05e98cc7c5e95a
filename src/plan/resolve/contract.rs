//! What a stage yields, held against what its sidecar declares.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::place::{Place, with_nearest};
use super::stages::Parsed;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::plan::data_type::{STAGE_TYPES, canonical_schema, stored_type, written};
use crate::plan::sql_diagnostic::{bytes, first_line};

/// Returns the stored schema of a stage, or reports the columns that no reader would cope with.
pub(super) fn stored_schema(
    stage: &Parsed<'_>,
    yielded: &Schema,
    found: &mut Diagnostics,
) -> Option<SchemaRef> {
    let file = &stage.spec.sql;
    let refused = |name: &str, code, message: String| {
        Diagnostic::error(code, message).at(file, yielded_at(stage, name))
    };
    let mut names = BTreeSet::new();
    for field in yielded.fields() {
        if !names.insert(field.name().as_str()) {
            let message = format!("the stage yields two columns named `{}`", field.name());
            let help = "give one of them another name with `AS`";
            found.push(refused(field.name(), Code::SqlInvalid, message).help(help));
            return None;
        }
        if field.name().parse::<crate::names::ColumnName>().is_err() {
            let message = format!("the stage yields a column named `{}`", field.name());
            let help = "give it a name of lower-case letters, digits and `_` with `AS`";
            found.push(refused(field.name(), Code::BadName, message).help(help));
            return None;
        }
    }
    match canonical_schema(yielded) {
        Ok(schema) => Some(schema),
        Err(field) => {
            let message = format!("the column `{}` has a type that cannot be stored", field.name());
            let help = format!("`CAST` it to one of {}", STAGE_TYPES.join(", "));
            found.push(refused(field.name(), Code::SqlInvalid, message).help(help));
            None
        }
    }
}

/// Returns the schema a sidecar declares, if it declares one.
pub(super) fn contract(stage: &Parsed<'_>, found: &mut Diagnostics) -> Option<SchemaRef> {
    let written = stage.spec.sidecar.as_ref()?;
    if written.sidecar.columns.is_empty() {
        return None;
    }
    let place = Place::root(&written.file, &written.positions).child("columns");
    let mut fields = Vec::new();
    for (name, column) in written.sidecar.columns.iter() {
        match stored_type(&column.data_type) {
            Some(data_type) => fields.push(Field::new(name, data_type, true)),
            None => {
                let message = format!("the type `{}` is not known", column.data_type);
                let unknown = place.child(name).child("type").error(Code::BadValue, message);
                found.push(with_nearest(unknown, &column.data_type, STAGE_TYPES.iter().copied()));
                return None;
            }
        }
    }
    Some(Arc::new(Schema::new(fields)))
}

/// Reports every column in which a contract and what the SQL yields differ.
pub(super) fn report_drift(
    stage: &Parsed<'_>,
    contract: &Schema,
    yielded: &Schema,
    found: &mut Diagnostics,
) {
    let Some(sidecar) = &stage.spec.sidecar else {
        return;
    };
    let place = Place::root(&sidecar.file, &sidecar.positions).child("columns");
    let before = found.len();
    let declared = contract.fields().iter();
    found.extend(declared.filter_map(|field| not_kept(field, yielded, &place, stage)));
    let undeclared =
        yielded.fields().iter().filter(|field| contract.field_with_name(field.name()).is_err());
    found.extend(undeclared.map(|field| not_declared(field, &place, stage)));
    if found.len() == before {
        found.extend(disordered(contract, yielded, &place));
    }
}

/// Says how the SQL breaks the contract of one column.
fn not_kept(
    declared: &Field,
    yielded: &Schema,
    place: &Place<'_>,
    stage: &Parsed<'_>,
) -> Option<Diagnostic> {
    let name = declared.name();
    let place = place.child(name);
    let Ok(field) = yielded.field_with_name(name) else {
        let message = format!("the SQL yields no column `{name}`");
        let drift = place.key_error(Code::ContractDrift, message);
        let names = yielded.fields().iter().map(|field| field.name().as_str());
        return Some(with_nearest(drift, name, names));
    };
    if field.data_type() == declared.data_type() {
        return None;
    }
    let (says, is) = (written(declared.data_type()), written(field.data_type()));
    let message = format!("the column `{name}` is declared `{says}` but the SQL yields `{is}`");
    let help = format!("`CAST` it in the SQL, or declare `{is}`");
    let drift = place.child("type").error(Code::ContractDrift, message).help(help);
    Some(with_yielded(drift, stage, name, &format!("yields `{is}`")))
}

/// Shows where the SQL yields a column.
fn with_yielded(drift: Diagnostic, stage: &Parsed<'_>, name: &str, text: &str) -> Diagnostic {
    match stage.select.output(name) {
        Some(_) => drift.labelled(&stage.spec.sql, yielded_at(stage, name), text),
        None => drift,
    }
}

fn yielded_at(stage: &Parsed<'_>, name: &str) -> Range<usize> {
    let text = &stage.spec.sql.text;
    stage.select.output(name).map_or_else(|| first_line(text), |place| bytes(text, place))
}

fn not_declared(field: &Field, place: &Place<'_>, stage: &Parsed<'_>) -> Diagnostic {
    let name = field.name();
    let message = format!("the column `{name}` that the SQL yields is not declared");
    let help = format!("declare it: `{name}: {{ type: {} }}`", written(field.data_type()));
    let drift = place.key_error(Code::ContractDrift, message).help(help);
    with_yielded(drift, stage, name, "yielded here")
}

/// Reports columns that are the same in another order.
fn disordered(contract: &Schema, yielded: &Schema, place: &Place<'_>) -> Option<Diagnostic> {
    let names = |schema: &Schema| -> Vec<String> {
        schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    if names(contract) == names(yielded) {
        return None;
    }
    let message = "the columns are declared in another order than the SQL yields them";
    let help = format!("the SQL yields `{}`", names(yielded).join("`, `"));
    Some(place.key_error(Code::ContractDrift, message).help(help))
}
