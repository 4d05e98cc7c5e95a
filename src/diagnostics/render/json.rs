//! Diagnostics for machines.

use serde_json::{Value, json};

use super::order::sorted;
use crate::diagnostics::place::Place;
use crate::diagnostics::{Diagnostic, Label, Severity};

/// The version of the form; it grows when a reader of the old form would be misled.
const VERSION: u32 = 1;

/// Returns the diagnostics for machines; lines and columns count from 1, columns in characters.
pub(crate) fn to_json(diagnostics: &[Diagnostic]) -> Value {
    let count = |severity| {
        let is_meant = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        diagnostics.iter().filter(is_meant).count()
    };
    json!({
        "version": VERSION,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "diagnostics": sorted(diagnostics).into_iter().map(of_diagnostic).collect::<Vec<_>>(),
    })
}

fn of_diagnostic(diagnostic: &Diagnostic) -> Value {
    let mut object = json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": diagnostic.labels.iter().map(of_label).collect::<Vec<_>>(),
    });
    // The place is repeated on top, for readers that want one line for each diagnostic.
    let place = diagnostic.labels.first().map(of_label);
    for key in ["file", "line", "column", "end_line", "end_column"] {
        object[key] = place.as_ref().map_or(Value::Null, |place| place[key].clone());
    }
    object
}

fn of_label(label: &Label) -> Value {
    let start = Place::of(&label.file.text, label.span.start);
    let end = Place::of(&label.file.text, label.span.end);
    json!({
        "file": &*label.file.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "text": label.text,
    })
}
