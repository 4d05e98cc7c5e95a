//! Says in an author's words, and with a place, why SQL could not be planned.

use std::ops::Range;

use datafusion::common::{Diagnostic as PlannerDiagnostic, Location, SchemaError, Span};
use datafusion::error::DataFusionError;

use super::wording::{last_mention, mentioned, worded};
use crate::diagnostics::{Code, Diagnostic, Place, SourceFile, nearest};
use crate::engine::{ExpressionError, SelectError, WrongName};

/// Explains why a text is not a single `SELECT`.
pub(super) fn not_select(file: &SourceFile, error: &SelectError) -> Diagnostic {
    let not_select = |message: String, span| {
        Diagnostic::error(Code::SqlNotSelect, message)
            .at(file, span)
            .help("a stage is one file with one `SELECT`; its file name is its table's name")
    };
    match error {
        SelectError::Syntax(error) => syntax(file, error),
        SelectError::Empty => {
            not_select("the stage holds no statement".to_owned(), first_line(&file.text))
        }
        SelectError::Several(line, column) => {
            let message = "the stage holds more than one statement".to_owned();
            not_select(message, word_at(&file.text, *line, *column))
        }
        SelectError::NotSelect { kind, line, column } => {
            let message = format!("the stage is no `SELECT`: {kind}");
            not_select(message, word_at(&file.text, *line, *column))
        }
        SelectError::Qualified(name) => {
            let span = file.text.find(name.as_str()).map_or(0..0, |at| at..at + name.len());
            Diagnostic::error(Code::SqlUnknownTable, format!("the table `{name}` has a schema"))
                .at(file, span)
                .help("sources and stages are referred to by their bare names")
        }
    }
}

/// Explains why a text is no question that published tables answer.
pub(crate) fn no_question(file: &SourceFile, error: &SelectError) -> Diagnostic {
    let refused = |message: String, span| {
        Diagnostic::error(Code::SqlNotSelect, message)
            .at(file, span)
            .help("a question is one `SELECT`, or `EXPLAIN` and one; it changes nothing")
    };
    match error {
        SelectError::Empty => refused("there is no question".to_owned(), first_line(&file.text)),
        SelectError::Several(line, column) => {
            let message = "there is more than one statement".to_owned();
            refused(message, word_at(&file.text, *line, *column))
        }
        SelectError::NotSelect { kind, line, column } => {
            let message = format!("the question is no `SELECT`: {kind}");
            refused(message, word_at(&file.text, *line, *column))
        }
        SelectError::Syntax(_) | SelectError::Qualified(_) => not_select(file, error),
    }
}

/// A mistake in SQL, and what is known of the name it is about.
pub(super) struct Explained {
    pub(super) diagnostic: Diagnostic,
    /// The kind and the place of the name that means nothing.
    pub(super) wrong: Option<(WrongName, Span)>,
    /// The name that was meant, as far as can be told.
    pub(super) near: Option<String>,
}

/// Explains why a `SELECT` could not be planned; `tables` are the names of tables it might have meant.
pub(crate) fn not_planned(
    file: &SourceFile,
    error: &DataFusionError,
    tables: &[&str],
) -> Diagnostic {
    explained(file, error, tables).diagnostic
}

/// Explains why a `SELECT` could not be planned, and tells the name that is wrong.
pub(super) fn explained(file: &SourceFile, error: &DataFusionError, tables: &[&str]) -> Explained {
    let Some(planner) = error.diagnostic() else {
        if let Some(missing) = missing_column(file, error) {
            return missing;
        }
        let message = first_sentence(&error.strip_backtrace());
        let place = mentioned(&file.text, &message).unwrap_or_else(|| first_line(&file.text));
        let diagnostic = Diagnostic::error(Code::SqlInvalid, message).at(file, place);
        return Explained { diagnostic, wrong: None, near: None };
    };
    let span = planner.span.map_or_else(|| first_line(&file.text), |span| bytes(&file.text, span));
    let (code, candidates) = classified(planner, tables);
    let written = file.text.get(span.clone()).unwrap_or_default();
    let near = near(written, &candidates);
    // The notes tell the types by themselves only where they have a place.
    let message = if planner.message.starts_with("expressions have incompatible types") {
        first_sentence(&error.find_root().strip_backtrace())
    } else {
        worded(&planner.message)
    };
    let found = Diagnostic::error(code, message).at(file, span);
    let found = with_notes(file, found, planner);
    let diagnostic = match help(near.as_deref(), &candidates, planner) {
        Some(help) => found.help(help),
        None => found,
    };
    let wrong = wrong_name(code).zip(planner.span);
    Explained { diagnostic, wrong, near }
}

/// Explains a column that the planner misses without saying where.
fn missing_column(file: &SourceFile, error: &DataFusionError) -> Option<Explained> {
    let DataFusionError::SchemaError(schema, _) = error.find_root() else {
        return None;
    };
    let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref() else {
        return None;
    };
    let candidates: Vec<String> = valid_fields.iter().map(|field| field.name.clone()).collect();
    let near = near(&field.name, &candidates);
    // Such columns stand in `GROUP BY`, `HAVING` and `ORDER BY`, at the end.
    let place = last_mention(&file.text, &field.name)?;
    let message = format!("column `{}` not found", field.name);
    let found = Diagnostic::error(Code::SqlUnknownColumn, message).at(file, place.clone());
    let help = near.as_ref().map(|name| format!("did you mean `{name}`?"));
    let diagnostic = match help.or_else(|| known(&candidates)) {
        Some(help) => found.help(help),
        None => found,
    };
    let location = |byte| {
        let place = Place::of(&file.text, byte);
        Location { line: place.line as u64, column: place.column as u64 }
    };
    let span = Span::new(location(place.start), location(place.end));
    Some(Explained { diagnostic, wrong: Some((WrongName::Column, span)), near })
}

fn wrong_name(code: Code) -> Option<WrongName> {
    match code {
        Code::SqlUnknownTable => Some(WrongName::Table),
        Code::SqlUnknownColumn => Some(WrongName::Column),
        Code::SqlUnknownFunction => Some(WrongName::Function),
        _ => None,
    }
}

fn classified<'a>(diagnostic: &'a PlannerDiagnostic, tables: &[&'a str]) -> (Code, Vec<String>) {
    let message = diagnostic.message.as_str();
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    if message.starts_with("table ") {
        (Code::SqlUnknownTable, owned(tables))
    } else if message.starts_with("column ") && message.contains("not found") {
        (Code::SqlUnknownColumn, possible_columns(diagnostic))
    } else if message.starts_with("Invalid function") {
        (Code::SqlUnknownFunction, possible(diagnostic, "Possible function "))
    } else {
        (Code::SqlInvalid, Vec::new())
    }
}

fn possible_columns(diagnostic: &PlannerDiagnostic) -> Vec<String> {
    possible(diagnostic, "possible column ")
}

/// Returns the names the planner's notes propose after `prefix`, unqualified.
fn possible(diagnostic: &PlannerDiagnostic, prefix: &str) -> Vec<String> {
    let name = |note: &str| {
        let quoted = note.strip_prefix(prefix)?.trim_matches('\'');
        Some(quoted.rsplit('.').next().unwrap_or(quoted).to_owned())
    };
    diagnostic.notes.iter().filter_map(|note| name(&note.message)).collect()
}

fn near(written: &str, candidates: &[String]) -> Option<String> {
    let bare = written.rsplit('.').next().unwrap_or(written);
    nearest(bare, candidates.iter().map(String::as_str)).map(str::to_owned)
}

fn help(
    near: Option<&str>,
    candidates: &[String],
    diagnostic: &PlannerDiagnostic,
) -> Option<String> {
    near.map(|name| format!("did you mean `{name}`?"))
        .or_else(|| known(candidates))
        .or_else(|| diagnostic.helps.first().map(|help| worded(&help.message)))
}

/// Lists the names there are, when they are few enough to read.
fn known(candidates: &[String]) -> Option<String> {
    const READABLE: usize = 24;
    let mut names: Vec<&str> = candidates.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let few = !names.is_empty() && names.len() <= READABLE;
    few.then(|| format!("there are `{}`", names.join("`, `")))
}

/// Adds the places the planner's notes point at.
fn with_notes(file: &SourceFile, found: Diagnostic, planner: &PlannerDiagnostic) -> Diagnostic {
    planner.notes.iter().fold(found, |found, note| match note.span {
        Some(span) => found.labelled(file, bytes(&file.text, span), worded(&note.message)),
        None => found,
    })
}

fn syntax(file: &SourceFile, error: &DataFusionError) -> Diagnostic {
    let text = first_sentence(&error.strip_backtrace());
    let (message, place) = match text.split_once(" at Line: ") {
        Some((message, place)) => (message.to_owned(), line_and_column(place)),
        None => (text, None),
    };
    let span = match (error.diagnostic().and_then(|diagnostic| diagnostic.span), place) {
        (Some(span), _) => bytes(&file.text, span),
        (None, Some((line, column))) => word_at(&file.text, line, column),
        (None, None) => end_of(&file.text),
    };
    Diagnostic::error(Code::SqlSyntax, worded(&message)).at(file, span)
}

fn line_and_column(place: &str) -> Option<(u64, u64)> {
    let (line, column) = place.split_once(", Column: ")?;
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    Some((digits(line)?, digits(column)?))
}

fn first_sentence(message: &str) -> String {
    worded(message.lines().next().unwrap_or_default())
}

/// Returns the place of what has no better one.
pub(super) fn first_line(text: &str) -> Range<usize> {
    0..text.find('\n').unwrap_or(text.len())
}

fn end_of(text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    end.saturating_sub(1)..end
}

/// Returns the bytes of a place given in lines and columns.
pub(super) fn bytes(text: &str, span: Span) -> Range<usize> {
    let start = byte_at(text, span.start.line, span.start.column);
    let end = byte_at(text, span.end.line, span.end.column);
    start..end.max(start)
}

/// Returns the bytes of the word that begins at a line and column.
pub(super) fn word_at(text: &str, line: u64, column: u64) -> Range<usize> {
    let start = byte_at(text, line, column);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let length = text[start..].find(|c: char| !is_word(c)).unwrap_or(text.len() - start);
    start..start + length.max(usize::from(start < text.len()))
}

/// Returns the byte at a line and column, both counted in characters from 1.
fn byte_at(text: &str, line: u64, column: u64) -> usize {
    let lines_before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let line_start = match lines_before {
        0 => 0,
        count => text.match_indices('\n').nth(count - 1).map_or(text.len(), |(at, _)| at + 1),
    };
    let characters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let within = text[line_start..].char_indices().nth(characters);
    within.map_or(text.len(), |(at, _)| line_start + at)
}

/// Explains why a condition on the rows of a source is wrong; `make` places the diagnostic.
pub(super) fn bad_condition<'a>(
    error: &ExpressionError,
    columns: impl Iterator<Item = &'a str>,
    make: impl FnOnce(Code, String) -> Diagnostic,
) -> Diagnostic {
    match error {
        ExpressionError::NotBoolean { found, .. } => {
            make(Code::SqlInvalid, format!("the condition is neither true nor false but {found}"))
        }
        ExpressionError::Plan { source, .. } | ExpressionError::Evaluate { source, .. } => {
            let columns: Vec<&str> = columns.collect();
            unplaced(source, &columns, make)
        }
    }
}

/// Explains why the SQL of a check is wrong; `make` places the diagnostic.
pub(super) fn bad_check(
    error: &DataFusionError,
    tables: &[&str],
    make: impl FnOnce(Code, String) -> Diagnostic,
) -> Diagnostic {
    unplaced(error, tables, make)
}

/// Explains an error in SQL that stands inside YAML, where the engine's positions mean nothing.
fn unplaced(
    error: &DataFusionError,
    names: &[&str],
    make: impl FnOnce(Code, String) -> Diagnostic,
) -> Diagnostic {
    let Some(planner) = error.diagnostic() else {
        return make(Code::SqlInvalid, first_sentence(&error.strip_backtrace()));
    };
    let (code, candidates) = classified(planner, names);
    let made = make(code, worded(&planner.message));
    let written = planner.message.split('\'').nth(1).unwrap_or_default();
    let near = near(written, &candidates);
    match help(near.as_deref(), &candidates, planner) {
        Some(help) => made.help(help),
        None => made,
    }
}
