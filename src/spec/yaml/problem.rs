//! What can be wrong with the shape of a value.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

/// Says how a value differs from the shape it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    UnknownKey { key: String, allowed: &'static [&'static str] },
    MissingKey { key: &'static str },
    WrongType { found: Found, expected: String },
    UnknownWord { word: String, allowed: &'static [&'static str] },
    Other(String),
}

/// What stands in place of what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// In an author's words, such as "a list".
    pub(super) words: String,
    /// The value in quotes, where quotes would make it a text.
    pub(super) quoted: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Problem {}

impl Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::WrongType { found: Found::new(found), expected: author_words(&expected.to_string()) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(key: &str, allowed: &'static [&'static str]) -> Self {
        Self::UnknownKey { key: key.to_owned(), allowed }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::MissingKey { key }
    }

    fn unknown_variant(word: &str, allowed: &'static [&'static str]) -> Self {
        Self::UnknownWord { word: word.to_owned(), allowed }
    }
}

impl Found {
    fn new(found: Unexpected<'_>) -> Self {
        let number = |text: String| (format!("the number `{text}`"), Some(text));
        let (words, plain) = match found {
            Unexpected::Bool(value) => (format!("`{value}`"), Some(value.to_string())),
            Unexpected::Unsigned(value) => number(value.to_string()),
            Unexpected::Signed(value) => number(value.to_string()),
            Unexpected::Float(value) => number(value.to_string()),
            Unexpected::Str(text) => (format!("the text `{}`", shortened(text)), None),
            Unexpected::Unit | Unexpected::Option => ("empty".to_owned(), None),
            Unexpected::Seq => ("a list".to_owned(), None),
            Unexpected::Map => ("a mapping".to_owned(), None),
            other => (other.to_string(), None),
        };
        Self { words, quoted: plain.map(|text| format!("\"{text}\"")) }
    }
}

const LONGEST_QUOTE: usize = 40;

/// Cuts a text that would fill the screen.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

/// Says in the words of a YAML author what serde says in those of Rust.
fn author_words(expected: &str) -> String {
    let words = match expected {
        "a string" | "a borrowed string" => "text",
        "a boolean" => "`true` or `false`",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "unit" => "a single word",
        _ if expected.starts_with("struct ") || expected.starts_with("a map") => "a mapping",
        _ => expected,
    };
    words.to_owned()
}
