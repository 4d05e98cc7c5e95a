//! The order of diagnostics and their number.

use crate::diagnostics::{Diagnostic, Severity};

/// Returns the diagnostics by file and place, warnings before errors; those without a place come first of either.
pub(crate) fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| {
        let place = diagnostic.labels.first();
        let place = place.map(|label| (&label.file.path, label.span.start, label.span.end));
        (
            diagnostic.severity == Severity::Error,
            place,
            diagnostic.code.as_str(),
            &diagnostic.message,
        )
    });
    sorted
}

/// Returns how many there are of each severity: `3 errors, 1 warning`.
pub(crate) fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        let is_meant = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        diagnostics.iter().filter(is_meant).count()
    };
    let counts = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "no errors".to_owned() } else { parts.join(", ") }
}
