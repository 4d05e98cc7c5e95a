//! Files that are to be written.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;

use crate::diagnostics::Diagnostics;

/// Files that are to be written, and what is to be done with them.
#[derive(Debug)]
pub(in crate::cli) struct Draft {
    /// Path below the project's root, and text.
    pub(super) files: Vec<(String, String)>,
    /// A file that is there already and gets more text.
    pub(super) grown: Option<(String, String)>,
    /// What the author does next, one line each.
    pub(in crate::cli) next: Vec<String>,
}

/// Says why there is no draft.
pub(in crate::cli) enum NoDraft {
    Mistakes(Diagnostics),
    /// The command line asks for something that cannot be.
    Usage {
        message: String,
        hint: String,
    },
    Infer(crate::infer::InferError),
    File(String, io::Error),
}

impl From<Diagnostics> for NoDraft {
    fn from(found: Diagnostics) -> Self {
        Self::Mistakes(found)
    }
}

pub(super) fn usage(message: String, hint: impl Into<String>) -> NoDraft {
    NoDraft::Usage { message, hint: hint.into() }
}

impl Draft {
    /// Writes the files and returns their paths; writes nothing where one of them is there already.
    pub(in crate::cli) fn write(&self, project: &Path) -> Result<Vec<String>, NoDraft> {
        for (path, _) in &self.files {
            if project.join(path).exists() {
                let hint = "choose another name, or remove the file";
                return Err(usage(format!("`{path}` is there already"), hint));
            }
        }
        let mut written = Vec::new();
        for (path, text) in &self.files {
            create(&project.join(path), text)
                .map_err(|error| NoDraft::File(path.clone(), error))?;
            written.push(path.clone());
        }
        if let Some((path, text)) = &self.grown {
            replace(&project.join(path), text)
                .map_err(|error| NoDraft::File(path.clone(), error))?;
            written.push(path.clone());
        }
        Ok(written)
    }
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Puts a new text in place of a file's, so that the file is whole at any time.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("yaml.new");
    create(&beside, text)?;
    fs::rename(beside, path)
}

/// Reads a name, or says why it is none.
pub(super) fn name<T>(text: &str) -> Result<T, NoDraft>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|reason| {
        usage(format!("`{text}` is no name: {reason}"), "choose a name such as `weekly_orders`")
    })
}

/// Returns the line that tells editors the schema of a file, where the project has the schemas.
pub(super) fn schema_line(project: &Path, path: &str, kind: &str) -> String {
    let schema = format!("schemas/{kind}.schema.json");
    if !project.join(&schema).exists() {
        return String::new();
    }
    let up = "../".repeat(path.matches('/').count());
    format!("# yaml-language-server: $schema={up}{schema}\n")
}
