//! Diagnostics for people: the line, underlined, with advice.

use std::fmt::{self, Write};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::order::sorted;
use crate::diagnostics::place::Place;
use crate::diagnostics::{Code, Diagnostic, Label, Severity};

/// How diagnostics look on the terminal they are meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) colour: bool,
    pub(crate) unicode: bool,
    pub(crate) width: usize,
}

/// Returns all diagnostics as text, each ended by an empty line.
pub(crate) fn render(diagnostics: &[Diagnostic], look: Look) -> String {
    let handler = handler(look);
    sorted(diagnostics).into_iter().map(|diagnostic| one(&handler, diagnostic)).collect()
}

fn handler(look: Look) -> GraphicalReportHandler {
    let theme = GraphicalTheme {
        characters: if look.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        },
        styles: if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_context_lines(1)
        .with_links(false)
        // Its columns count bytes; the name of the source bears the right ones.
        .without_primary_span_start()
}

fn one(handler: &GraphicalReportHandler, diagnostic: &Diagnostic) -> String {
    drawing(handler, diagnostic).unwrap_or_else(|fmt::Error| plain(diagnostic))
}

fn drawing(
    handler: &GraphicalReportHandler,
    diagnostic: &Diagnostic,
) -> Result<String, fmt::Error> {
    let first = diagnostic.labels.first();
    let is_here = |label: &&Label| Some(&label.file.path) == first.map(|label| &label.file.path);
    let (here, elsewhere): (Vec<&Label>, Vec<&Label>) = diagnostic.labels.iter().partition(is_here);
    let mut text = String::new();
    handler.render_report(&mut text, &Shown::new(diagnostic, &here))?;
    text.push('\n');
    for label in elsewhere {
        handler.render_report(&mut text, &Shown::other_file(label))?;
        text.push('\n');
    }
    Ok(text)
}

/// Shows a diagnostic whose place cannot be drawn.
fn plain(diagnostic: &Diagnostic) -> String {
    let mut text = format!("{}\n\n  {}\n", diagnostic.code.as_str(), diagnostic.message);
    for label in &diagnostic.labels {
        let _ = writeln!(text, "  at {}", headline(label));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "  help: {help}");
    }
    text + "\n"
}

/// What miette draws: one message and its places in one file.
#[derive(Debug)]
struct Shown {
    code: Option<Code>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    source: Option<NamedSource<String>>,
}

impl Shown {
    fn new(diagnostic: &Diagnostic, labels: &[&Label]) -> Self {
        Self {
            code: Some(diagnostic.code),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            message: harmless(&diagnostic.message),
            help: diagnostic.help.as_deref().map(harmless),
            labels: labels.iter().map(|label| drawn(label)).collect(),
            source: labels.first().map(|label| source(label)),
        }
    }

    /// Makes a place in another file than the first label's, with the words of its label above.
    fn other_file(label: &Label) -> Self {
        let message =
            if label.text.is_empty() { "also here".to_owned() } else { harmless(&label.text) };
        let unnamed = Label { text: String::new(), ..label.clone() };
        Self {
            code: None,
            severity: miette::Severity::Advice,
            message,
            help: None,
            labels: vec![drawn(&unnamed)],
            source: Some(source(label)),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let code = self.code?;
        Some(Box::new(code.as_str()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() { None } else { Some(Box::new(self.labels.iter().cloned())) }
    }
}

fn source(label: &Label) -> NamedSource<String> {
    NamedSource::new(headline(label), harmless(&label.file.text))
}

fn headline(label: &Label) -> String {
    let Place { line, column } = Place::of(&label.file.text, label.span.start);
    format!("{}:{line}:{column}", label.file.path)
}

/// Underlines the first line of a label only: the rest of a long block says nothing more.
fn drawn(label: &Label) -> LabeledSpan {
    let text = &label.file.text;
    let start = text.floor_char_boundary(label.span.start);
    let end = text.floor_char_boundary(label.span.end).max(start);
    let length = text[start..end].lines().next().map_or(0, str::len);
    let words = (!label.text.is_empty()).then(|| harmless(&label.text));
    LabeledSpan::new(words, start, length)
}

/// Takes the characters out of a text that could steer a terminal, without moving the others.
fn harmless(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' => character,
        _ if character.is_ascii_control() => '?',
        // As many bytes as the control characters beyond ASCII have.
        _ if character.is_control() => '\u{bf}',
        _ => character,
    };
    text.chars().map(shown).collect()
}
