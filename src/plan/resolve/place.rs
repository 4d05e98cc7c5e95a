//! A place in a YAML file, by the path of keys that leads there.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile, nearest};
use crate::spec::PositionMap;

/// A value in a YAML file; knows where it stands.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) file: &'a SourceFile,
    positions: &'a PositionMap,
    path: Vec<String>,
}

impl<'a> Place<'a> {
    pub(super) fn root(file: &'a SourceFile, positions: &'a PositionMap) -> Self {
        Self { file, positions, path: Vec::new() }
    }

    /// Returns the place of what stands under a key, or at an index.
    pub(super) fn child(&self, segment: impl Display) -> Self {
        let mut path = self.path.clone();
        path.push(segment.to_string());
        Self { path, ..self.clone() }
    }

    /// Makes an error about the value at this place.
    pub(super) fn error(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.file, self.positions.value(&self.segments()))
    }

    /// Makes a warning about the value at this place.
    pub(super) fn warning(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, message).at(self.file, self.positions.value(&self.segments()))
    }

    /// Makes an error about the key that leads to this place.
    pub(super) fn key_error(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.file, self.positions.key(&self.segments()))
    }

    /// Makes a warning about the key that leads to this place.
    pub(super) fn key_warning(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, message).at(self.file, self.key())
    }

    /// Returns where the key stands that leads to this place.
    pub(super) fn key(&self) -> Range<usize> {
        self.positions.key(&self.segments())
    }

    /// Returns where the value at this place stands.
    pub(super) fn value(&self) -> Range<usize> {
        self.positions.value(&self.segments())
    }

    fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// Reads a name, or reports that the text at `place` is none.
pub(super) fn name<T>(
    text: &str,
    diagnostic: impl FnOnce(String) -> Diagnostic,
    found: &mut Diagnostics,
) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    match text.parse() {
        Ok(name) => Some(name),
        Err(reason) => {
            found.push(diagnostic(format!("`{text}` is no name: {reason}")));
            None
        }
    }
}

/// How many names are listed where none of them is near.
const LISTED: usize = 24;

/// Adds the nearest right name, or else the first of all.
pub(super) fn with_nearest<'n>(
    diagnostic: Diagnostic,
    name: &str,
    candidates: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if candidates.is_empty() => diagnostic,
        None => {
            let listed = candidates.iter().take(LISTED).copied().collect::<Vec<_>>().join("`, `");
            let more = match candidates.len().saturating_sub(LISTED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            diagnostic.help(format!("there are `{listed}`{more}"))
        }
    }
}
