//! Parses a text and puts each mistake at its place.

use serde::de::DeserializeOwned;

use super::problem::{Found, Problem};
use super::shape::{self, Mistake};
use super::tree::Tree;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile, nearest};
use crate::spec::positions::{self, PositionMap};

/// Parses a text as a type; without the value, there is at least one diagnostic.
pub(crate) fn parse<T: DeserializeOwned>(
    file: &SourceFile,
) -> (Option<T>, PositionMap, Diagnostics) {
    let (tree, positions, diagnostics) = parse_tree(file);
    read_shape(file, tree, positions, diagnostics)
}

/// Parses a text as a type of which every key may be left out, so that an empty file is one too.
pub(crate) fn parse_optional<T: DeserializeOwned>(
    file: &SourceFile,
) -> (Option<T>, PositionMap, Diagnostics) {
    let (tree, positions, diagnostics) = parse_tree(file);
    let tree = tree.map(|tree| match tree {
        Tree::Null => Tree::Map(Vec::new()),
        other => other,
    });
    read_shape(file, tree, positions, diagnostics)
}

fn read_shape<T: DeserializeOwned>(
    file: &SourceFile,
    tree: Option<Tree>,
    positions: PositionMap,
    mut diagnostics: Diagnostics,
) -> (Option<T>, PositionMap, Diagnostics) {
    let Some(tree) = tree else {
        return (None, positions, diagnostics);
    };
    match shape::read(tree) {
        Ok(value) if diagnostics.is_empty() => (Some(value), positions, diagnostics),
        Ok(_) => (None, positions, diagnostics),
        Err(mistakes) => {
            diagnostics.extend(Report::new(file, &positions, &mistakes).diagnostics());
            (None, positions, diagnostics)
        }
    }
}

/// Parses a text without a type; a repeated key is reported and its first value kept.
pub(crate) fn parse_tree(file: &SourceFile) -> (Option<Tree>, PositionMap, Diagnostics) {
    let (positions, mut diagnostics) = positions::read(file);
    if diagnostics.iter().any(|diagnostic| diagnostic.code != Code::YamlDuplicateKey) {
        return (None, positions, diagnostics);
    }
    match serde_yaml::from_str::<Tree>(&file.text) {
        Ok(mut tree) => {
            if !diagnostics.is_empty() {
                tree.forget_repeats();
            }
            (Some(tree), positions, diagnostics)
        }
        Err(error) => {
            diagnostics.push(syntax_error(file, &error));
            (None, positions, diagnostics)
        }
    }
}

/// Reports what only the second of the two YAML parsers minds.
fn syntax_error(file: &SourceFile, error: &serde_yaml::Error) -> Diagnostic {
    let start = error
        .location()
        .map_or(0, |location| positions::byte_of_character(&file.text, location.index()));
    Diagnostic::error(Code::YamlSyntax, format!("this is no YAML: {error}")).at(file, start..start)
}

/// The mistakes of one file on their way to diagnostics.
struct Report<'a> {
    file: &'a SourceFile,
    positions: &'a PositionMap,
    mistakes: &'a [Mistake],
}

impl<'a> Report<'a> {
    fn new(file: &'a SourceFile, positions: &'a PositionMap, mistakes: &'a [Mistake]) -> Self {
        Self { file, positions, mistakes }
    }

    fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        self.mistakes
            .iter()
            .filter(|mistake| !self.is_misspelt(mistake))
            .map(|mistake| self.diagnostic(mistake))
    }

    /// Says whether the missing key is there under a name that has been reported as unknown.
    fn is_misspelt(&self, mistake: &Mistake) -> bool {
        let Problem::MissingKey { key: missing } = mistake.problem else {
            return false;
        };
        self.mistakes.iter().any(|other| match &other.problem {
            Problem::UnknownKey { key, allowed } => {
                other.path.split_last().map(|(_, parent)| parent) == Some(&mistake.path)
                    && nearest(key, allowed.iter().copied()) == Some(missing)
            }
            _ => false,
        })
    }

    fn diagnostic(&self, mistake: &Mistake) -> Diagnostic {
        let path: Vec<&str> = mistake.path.iter().map(String::as_str).collect();
        match &mistake.problem {
            Problem::UnknownKey { key, allowed } => self.unknown_key(&path, key, allowed),
            Problem::MissingKey { key } => self.missing_key(&path, key),
            Problem::WrongType { found, expected } => self.wrong_type(&path, found, expected),
            Problem::UnknownWord { word, allowed } => self.unknown_word(&path, word, allowed),
            Problem::Other(text) => Diagnostic::error(
                Code::BadValue,
                format!("{} cannot be read: {text}", subject(&path)),
            )
            .at(self.file, self.positions.value(&path)),
        }
    }

    fn unknown_key(&self, path: &[&str], key: &str, allowed: &[&str]) -> Diagnostic {
        let parent = path.split_last().map_or(path, |(_, parent)| parent);
        let message = format!("unknown key `{key}` {}", place(parent));
        Diagnostic::error(Code::UnknownKey, message)
            .at(self.file, self.positions.key(path))
            .help(choice(key, allowed))
    }

    fn missing_key(&self, path: &[&str], key: &str) -> Diagnostic {
        let message = format!("missing key `{key}` {}", place(path));
        Diagnostic::error(Code::MissingKey, message).at(self.file, self.positions.key(path))
    }

    fn wrong_type(&self, path: &[&str], found: &Found, expected: &str) -> Diagnostic {
        let message = format!("{} must be {expected}, but is {}", subject(path), found.words);
        let diagnostic =
            Diagnostic::error(Code::WrongType, message).at(self.file, self.positions.value(path));
        match &found.quoted {
            Some(quoted) if expected == "text" => {
                diagnostic.help(format!("put it in quotes: `{quoted}`"))
            }
            _ => diagnostic,
        }
    }

    fn unknown_word(&self, path: &[&str], word: &str, allowed: &[&str]) -> Diagnostic {
        let message = format!("{} cannot be `{word}`", subject(path));
        Diagnostic::error(Code::BadValue, message)
            .at(self.file, self.positions.value(path))
            .help(choice(word, allowed))
    }
}

/// Names the right word, or all of them where none is near.
fn choice(word: &str, allowed: &[&str]) -> String {
    if let Some(right) = nearest(word, allowed.iter().copied()) {
        return format!("did you mean `{right}`?");
    }
    let listed: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
    format!("what may stand here: {}", listed.join(", "))
}

fn place(path: &[&str]) -> String {
    match path {
        [] => "at the top level".to_owned(),
        _ => format!("in `{}`", path.join(".")),
    }
}

fn subject(path: &[&str]) -> String {
    match path {
        [] => "the file".to_owned(),
        _ => format!("`{}`", path.join(".")),
    }
}
