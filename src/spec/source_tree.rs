//! The texts of a project.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostics::SourceFile;

/// The texts of a project and the folders they lie in, by path relative to the project's root.
///
/// Paths have `/` between their parts on every system and no `.` or `..` in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceTree {
    files: BTreeMap<Arc<str>, Arc<str>>,
    folders: BTreeSet<String>,
}

impl SourceTree {
    /// Adds a text and the folders it lies in.
    pub(crate) fn insert(&mut self, path: &str, text: &str) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.insert_folder(folder);
        }
        self.files.insert(path.into(), text.into());
    }

    /// Adds a folder, which may be empty, and those it lies in.
    pub(crate) fn insert_folder(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(end, _)| end);
        let parents = ends.map(|end| &path[..end]);
        self.folders.extend(parents.chain([path]).map(str::to_owned));
    }

    pub(crate) fn file(&self, path: &str) -> Option<SourceFile> {
        let (path, text) = self.files.get_key_value(path)?;
        Some(SourceFile { path: Arc::clone(path), text: Arc::clone(text) })
    }

    pub(crate) fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// Returns the paths of all texts below a folder, in order.
    pub(crate) fn paths_below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{folder}/");
        self.files.keys().map(AsRef::as_ref).filter(move |path: &&str| path.starts_with(&prefix))
    }
}

/// Returns the ending of a file's name, without its dot.
pub(crate) fn ending(path: &str) -> Option<&str> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.rsplit_once('.').map(|(_, ending)| ending)
}

/// Says whether a file is a stage by its name.
pub(super) fn is_stage(path: &str) -> bool {
    ending(path) == Some("sql")
}
