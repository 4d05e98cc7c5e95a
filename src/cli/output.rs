//! The only place that prints: data to stdout, talk to stderr.
#![expect(clippy::print_stderr, reason = "talk goes to stderr")]

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use super::args::{Color, Global, LogFormat};
use super::progress::Style;
use crate::diagnostics::{self, Diagnostic, Look};
use crate::settings::Variables;

/// The width of diagnostics, in characters.
const WIDTH: usize = 100;

/// How this process prints.
#[derive(Debug, Clone)]
pub(super) struct Output {
    color: bool,
    progress: Style,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let terminal = io::stderr().is_terminal();
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !Variables::refuse_colour(),
        };
        let progress = match (global.log_format, terminal && !global.no_progress) {
            _ if global.quiet > 0 => Style::Hidden,
            (LogFormat::Json, _) => Style::Json,
            (LogFormat::Text, true) => Style::Bar,
            (LogFormat::Text, false) => Style::Lines,
        };
        Self { color, progress }
    }

    pub(super) fn progress(&self) -> Style {
        self.progress
    }

    /// Writes data to stdout; a reader that has gone away is no mistake.
    #[expect(clippy::unused_self, reason = "whoever prints needs the handle")]
    pub(super) fn data(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Writes data that is no text to stdout.
    #[expect(clippy::unused_self, reason = "whoever prints needs the handle")]
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }

    /// Writes an error with its causes to stderr.
    #[expect(clippy::unused_self, reason = "whoever prints needs the handle")]
    pub(super) fn error(&self, error: &dyn Error) {
        eprintln!("error: {}", causes(error).join("\n  caused by: "));
    }

    /// Writes an error with its causes and, where there is one, the way out.
    pub(super) fn failure(&self, error: &dyn Error, hint: Option<&str>) {
        self.error(error);
        if let Some(hint) = hint {
            self.note(&format!("hint: {hint}"));
        }
    }

    /// Writes an error that has no cause, with the way out.
    #[expect(clippy::unused_self, reason = "whoever prints needs the handle")]
    pub(super) fn plain_error(&self, message: &str, hint: &str) {
        eprintln!("error: {message}\nhint: {hint}");
    }

    /// Writes a line about the data to stderr.
    #[expect(clippy::unused_self, reason = "whoever prints needs the handle")]
    pub(super) fn note(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Writes diagnostics to stderr for people.
    pub(super) fn diagnostics(&self, found: &[Diagnostic]) {
        let look = Look { colour: self.color, unicode: true, width: WIDTH };
        eprintln!("{}{}", diagnostics::render(found, look), diagnostics::summary(found));
    }
}

/// Returns an error and its causes, each thought once and without secrets.
pub(super) fn causes(error: &dyn Error) -> Vec<String> {
    let mut texts: Vec<String> = vec![without_secrets(&error.to_string())];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = without_secrets(&cause.to_string());
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts
}

/// Takes the queries out of all URLs of a text: they may hold signatures that open a store.
pub(super) fn without_secrets(text: &str) -> String {
    let mut words = text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | ')'));
    words.by_ref().fold(String::with_capacity(text.len()), |mut told, word| {
        match word.split_once("://").and_then(|(_, rest)| rest.split_once('?')) {
            None => told.push_str(word),
            Some((_, query)) => {
                told.push_str(&word[..word.len() - query.len()]);
                told.push_str("[redacted]");
                let end = |c: char| c.is_whitespace() || matches!(c, '"' | ')');
                told.extend(query.chars().last().filter(|last| end(*last)));
            }
        }
        told
    })
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn signatures_in_urls_are_not_shown() {
        let shown = without_secrets(
            "GET https://x.blob.core/c/o?sv=1&sig=abc failed (\"http://y/z?X-Amz-Signature=1\") why?",
        );
        let expected =
            "GET https://x.blob.core/c/o?[redacted] failed (\"http://y/z?[redacted]\") why?";
        assert_eq!(shown, expected);
    }
}
