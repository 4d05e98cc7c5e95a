//! Writes a source's definition as YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::guess::{Field, Guess};
use crate::names::{CUSTOMER_ID, ColumnName, SourceName};

/// What is known of the objects of a source.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) format: &'static str,
    /// The delimiter of CSV, where it is no comma.
    pub(crate) delimiter: Option<String>,
    /// Paths of the objects, below the raw root where that is known.
    pub(crate) paths: Vec<String>,
    pub(crate) fields: Vec<Field>,
    /// How many records were read.
    pub(crate) records: usize,
}

/// Writes the definition of a source, to be pasted below `sources:` of a pipeline; without a name it gets that of its
/// folder.
pub(crate) fn definition(draft: &Draft, name: Option<&SourceName>) -> String {
    let guesses: Vec<(String, &Field, Guess)> = named(&draft.fields);
    let path = pattern(&draft.paths);
    let mut text = String::new();
    let _ =
        writeln!(text, "  # Guessed from {} records; check it before it is used.", draft.records);
    let name = name.map_or_else(|| source_name(&path), SourceName::to_string);
    let _ = writeln!(text, "  {name}:");
    let _ = writeln!(text, "    path: {}", quoted(&path));
    let _ = writeln!(text, "    format: {}", draft.format);
    if let Some(delimiter) = &draft.delimiter {
        let _ = writeln!(text, "    csv: {{ delimiter: {} }}", quoted(delimiter));
    }
    let tokens: BTreeSet<&str> = draft.fields.iter().flat_map(Field::null_tokens).collect();
    if !tokens.is_empty() {
        let tokens: Vec<String> = [""].into_iter().chain(tokens).map(quoted).collect();
        let _ = writeln!(text, "    null_if: [{}]", tokens.join(", "));
    }
    let _ = writeln!(text, "    columns:");
    for (name, field, guess) in &guesses {
        let _ = writeln!(text, "      {}", column(name, &field.name, guess));
    }
    hints(&mut text, &guesses);
    text
}

impl Field {
    /// Writes the field as a column, ready to be pasted below `columns:`.
    pub(crate) fn as_column(&self) -> String {
        column(&column_name(&self.name), &self.name, &self.guess())
    }
}

/// Writes the lines that an author should decide on.
fn hints(text: &mut String, guesses: &[(String, &Field, Guess)]) {
    let mut times = guesses.iter().filter(|(_, _, guess)| {
        guess.required && matches!(guess.data_type.as_str(), "timestamp" | "date")
    });
    let time = times.next().map(|(name, _, _)| name);
    if let Some(time) = time {
        let _ = writeln!(text, "    # event_time: {time}");
    }
    let is_key = |(name, _, guess): &&(String, &Field, Guess)| {
        let is_word = matches!(guess.data_type.as_str(), "string" | "integer");
        is_word && guess.required && guess.distinct && name.ends_with("id")
    };
    if let Some((key, _, _)) = guesses.iter().find(is_key) {
        let order = time.map_or_else(String::new, |time| format!(", order_by: [{time}]"));
        let _ = writeln!(text, "    # dedupe: {{ key: [{key}], keep: last{order} }}");
    }
}

fn column(name: &str, field: &str, guess: &Guess) -> String {
    let mut rules = Vec::new();
    if name != field {
        rules.push(format!("from: {}", quoted(field)));
    }
    let needs_quotes = guess.data_type.contains('(');
    let data_type = if needs_quotes { quoted(&guess.data_type) } else { guess.data_type.clone() };
    rules.push(format!("type: {data_type}"));
    if !guess.formats.is_empty() {
        let formats: Vec<String> = guess.formats.iter().map(|format| quoted(format)).collect();
        rules.push(format!("formats: [{}]", formats.join(", ")));
    }
    if guess.rounds {
        rules.push("round: true".to_owned());
    }
    if guess.required {
        rules.push("required: true".to_owned());
    }
    if matches!(guess.data_type.as_str(), "email" | "phone") {
        rules.push("pii: true".to_owned());
    }
    let remark = match guess.misfits {
        0 => String::new(),
        misfits => format!(" # {misfits} values do not fit"),
    };
    format!("{name}: {{ {} }}{remark}", rules.join(", "))
}

/// Gives every field a column name of its own.
fn named(fields: &[Field]) -> Vec<(String, &Field, Guess)> {
    let mut taken = BTreeMap::<String, usize>::new();
    let mut name = |field: &Field| {
        let name = column_name(&field.name);
        let times = taken.entry(name.clone()).or_default();
        *times += 1;
        if *times == 1 { name } else { format!("{name}_{times}") }
    };
    fields.iter().map(|field| (name(field), field, field.guess())).collect()
}

fn column_name(field: &str) -> String {
    let word = word(field);
    // No column of a source may have the name of the one that martlet adds.
    if word == CUSTOMER_ID {
        return format!("source_{word}");
    }
    if word.parse::<ColumnName>().is_ok() { word } else { format!("column_{word}") }
}

fn source_name(path: &str) -> String {
    let is_fixed = |part: &&str| !part.contains(['{', '*']);
    let parts = || path.split('/').filter(is_fixed);
    let folder = parts().next().filter(|_| path.contains('/'));
    let stem = path.rsplit('/').next().and_then(|file| file.split('.').next());
    let name = word(folder.or(stem).unwrap_or_default());
    if name.parse::<SourceName>().is_ok() { name } else { "source".to_owned() }
}

/// Brings a text to lower-case words joined by `_`.
fn word(text: &str) -> String {
    let part = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_lowercase(),
        _ => '_',
    };
    let text: String = text.chars().take(50).map(part).collect();
    let parts: Vec<&str> = text.split('_').filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

/// Finds a pattern that all paths match: `{date}` where a date stands, `*` for what differs in file names.
fn pattern(paths: &[String]) -> String {
    let patterns: BTreeSet<String> = paths.iter().map(|path| dated(path)).collect();
    let folders: BTreeSet<&str> = patterns
        .iter()
        .map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder))
        .collect();
    let mut iter = patterns.iter();
    let (Some(first), None) = (iter.next(), iter.next()) else {
        let ending = patterns.first().map_or("", |path| ending(path));
        return match folders.first() {
            Some(folder) if folders.len() == 1 && !folder.is_empty() => {
                format!("{folder}/*{ending}")
            }
            Some(_) if folders.len() == 1 => format!("*{ending}"),
            _ => format!("**/*{ending}"),
        };
    };
    first.clone()
}

/// Returns the endings of a file's name with their dots.
fn ending(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.find('.').map_or("", |dot| &file[dot..])
}

/// Puts `{date}` in the place of dates, and protects what a pattern would read otherwise.
fn dated(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        let date = rest
            .get(..10)
            .filter(|text| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok());
        if let Some(date) = date {
            text.push_str("{date}");
            rest = &rest[date.len()..];
            continue;
        }
        if "*?[]{}\\".contains(character) {
            text.push('\\');
        }
        text.push(character);
        rest = &rest[character.len_utf8()..];
    }
    text
}

/// Writes a text in quotes that YAML reads as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
