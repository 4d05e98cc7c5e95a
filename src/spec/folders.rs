//! The folders of stages that a pipeline names.

use std::ops::Range;

use super::source_tree::{SourceTree, is_stage};
use super::yaml::{self, Tree};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};

/// A folder of stages, relative to the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StageFolder {
    /// Without `.` parts and without a slash at the end.
    pub(crate) path: String,
    /// Where the pipeline names it.
    pub(crate) place: Range<usize>,
}

/// Returns the folders a pipeline names, as far as its text can be read, and those that lead outside.
///
/// Whoever gathers the texts of a project asks this first, to know where to look.
pub(crate) fn named(pipeline: &SourceFile) -> (Vec<StageFolder>, Diagnostics) {
    let (tree, positions, _) = yaml::parse_tree(pipeline);
    let stages = tree.as_ref().and_then(|tree| tree.get("stages"));
    let Some(Tree::List(items)) = stages else {
        return (Vec::new(), Vec::new());
    };
    let mut folders = Vec::new();
    let mut diagnostics = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Tree::Text(text) = item else { continue };
        let place = positions.value(&["stages", &index.to_string()]);
        match normalized(text) {
            Ok(path) => folders.push(StageFolder { path, place }),
            Err(diagnostic) => diagnostics.push(diagnostic.at(pipeline, place)),
        }
    }
    (folders, diagnostics)
}

/// Says why no stages can be read from a folder.
pub(super) fn problem(tree: &SourceTree, folder: &StageFolder) -> Option<Diagnostic> {
    let path = &folder.path;
    if !tree.has_folder(path) {
        let message = format!("the folder `{path}` does not exist");
        return Some(Diagnostic::error(Code::FileUnreadable, message));
    }
    let has_stage = tree.paths_below(path).any(is_stage);
    (!has_stage).then(|| {
        let message = format!("the folder `{path}` holds no `.sql` file");
        Diagnostic::error(Code::FolderEmpty, message)
            .help("put a stage into it, or take it out of `stages`")
    })
}

fn normalized(text: &str) -> Result<String, Diagnostic> {
    let outside = text.starts_with('/') || text.contains(['\\', ':', '\0']);
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if outside || parts.contains(&"..") {
        let message = format!("the folder `{text}` may lie outside the project");
        return Err(Diagnostic::error(Code::PathOutside, message)
            .help("name a folder relative to the project's root, such as `sql/marts`"));
    }
    if parts.is_empty() {
        let message = format!("`{text}` is the project's root itself");
        return Err(Diagnostic::error(Code::BadValue, message)
            .help("name a folder below it, such as `sql/marts`"));
    }
    Ok(parts.join("/"))
}
