//! Diagnostics in the form that code hosts and editors read: SARIF 2.1.0.

use serde_json::{Map, Value, json};

use super::order::sorted;
use crate::diagnostics::place::Place;
use crate::diagnostics::{Code, Diagnostic, Label, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The name under which a reader of SARIF knows the project's root.
const ROOT: &str = "PROJECTROOT";

/// Returns the diagnostics as a SARIF log of one run, with an explanation of every code that occurs.
pub(crate) fn to_sarif(diagnostics: &[Diagnostic]) -> Value {
    let sorted = sorted(diagnostics);
    let mut codes: Vec<Code> = sorted.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results = sorted.into_iter().map(|diagnostic| result(diagnostic, &codes));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "martlet",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: Code) -> Value {
    let explanation = code.explanation();
    let title = explanation.lines().find(|line| line.starts_with("# ")).unwrap_or_default();
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": title.trim_start_matches("# ") },
        "help": { "text": explanation, "markdown": explanation },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[Code]) -> Value {
    let message = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), diagnostic.code.as_str().into());
    let index = codes.iter().position(|code| *code == diagnostic.code);
    result.insert("ruleIndex".to_owned(), index.into());
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    result.insert("level".to_owned(), level.into());
    result.insert("message".to_owned(), json!({ "text": message }));
    let (places, others) = diagnostic.labels.split_at(diagnostic.labels.len().min(1));
    let places: Vec<Value> = places.iter().map(|label| location(label, None)).collect();
    result.insert("locations".to_owned(), places.into());
    if !others.is_empty() {
        let others = others.iter().enumerate().map(|(id, label)| location(label, Some(id)));
        result.insert("relatedLocations".to_owned(), others.collect::<Vec<_>>().into());
    }
    result.into()
}

fn location(label: &Label, id: Option<usize>) -> Value {
    let start = Place::of(&label.file.text, label.span.start);
    let end = Place::of(&label.file.text, label.span.end);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&label.file.path), "uriBaseId": ROOT },
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        },
    });
    if let Some(id) = id {
        location["id"] = id.into();
        let text = if label.text.is_empty() { "also here" } else { &label.text };
        location["message"] = json!({ "text": text });
    }
    location
}

/// Writes a path as a relative URI: what has a meaning there, or is no ASCII, is escaped.
fn uri(path: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~');
    path.bytes().fold(String::new(), |uri, byte| {
        if is_plain(byte) {
            uri + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            format!("{uri}%{byte:02X}")
        }
    })
}
