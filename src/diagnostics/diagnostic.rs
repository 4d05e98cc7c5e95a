//! The types of a diagnostic.

use std::ops::Range;
use std::sync::Arc;

use super::{Code, Severity};

/// A text an author wrote, with its path relative to the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// Points at a place in a file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) file: SourceFile,
    pub(crate) span: Range<usize>,
    /// Says what stands there; empty where the message says it.
    pub(crate) text: String,
}

/// Says what is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    /// The first label is the place; the others are places involved.
    pub(crate) labels: Vec<Label>,
    pub(crate) help: Option<String>,
}

/// All that is wrong with a pipeline.
pub(crate) type Diagnostics = Vec<Diagnostic>;

impl Diagnostic {
    /// Makes an error without a place; add the place with [`Diagnostic::at`].
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Makes a warning without a place.
    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a place.
    pub(crate) fn at(mut self, file: &SourceFile, span: Range<usize>) -> Self {
        self.labels.push(Label { file: file.clone(), span, text: String::new() });
        self
    }

    /// Adds a place and says what stands there.
    pub(crate) fn labelled(
        mut self,
        file: &SourceFile,
        span: Range<usize>,
        text: impl Into<String>,
    ) -> Self {
        self.labels.push(Label { file: file.clone(), span, text: text.into() });
        self
    }

    /// Adds the way out.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
