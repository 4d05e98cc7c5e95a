//! Reads a tree as a type and finds every place where it does not fit.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::node::Node;
use super::problem::Problem;
use super::tree::Tree;

/// One place where a document does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Leads to the value that is wrong; for a missing key, to the mapping that lacks it.
    pub(super) path: Vec<String>,
    pub(super) problem: Problem,
}

/// A file with more mistakes than these is not a file with mistakes, but another kind of file.
const MOST_MISTAKES: usize = 100;

/// Reads a tree as a type, or says everything that is wrong with it.
///
/// Serde stops at the first mistake. So each mistake is taken out of the tree, leaving a hole that fits
/// everywhere, and the tree is read again: what remains wrong is another mistake, not a consequence.
pub(super) fn read<T: DeserializeOwned>(mut tree: Tree) -> Result<T, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    loop {
        match serde_path_to_error::deserialize(Node(&tree)) {
            Ok(value) if mistakes.is_empty() => return Ok(value),
            Ok(_) => return Err(mistakes),
            Err(error) => {
                let path = segments(error.path());
                let problem = error.into_inner();
                let was_mended = mend(&mut tree, &path, &problem);
                mistakes.push(Mistake { path, problem });
                if !was_mended || mistakes.len() == MOST_MISTAKES {
                    return Err(mistakes);
                }
            }
        }
    }
}

fn segments(path: &Path) -> Vec<String> {
    let text = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    };
    path.iter().map_while(text).collect()
}

/// Changes the tree so that the problem is gone; says whether that was possible.
fn mend(tree: &mut Tree, path: &[String], problem: &Problem) -> bool {
    match problem {
        Problem::UnknownKey { key, .. } => mend_unknown_key(tree, path, key),
        Problem::MissingKey { key } => mend_missing_key(tree, path, key),
        _ => match tree.get_mut(path) {
            Some(place) => std::mem::replace(place, Tree::Hole) != Tree::Hole,
            None => false,
        },
    }
}

fn mend_unknown_key(tree: &mut Tree, path: &[String], key: &str) -> bool {
    let parent = path.split_last().map_or(path, |(_, parent)| parent);
    let Some(Tree::Map(entries)) = tree.get_mut(parent) else {
        return false;
    };
    let before = entries.len();
    entries.retain(|(other, _)| other != key);
    entries.len() < before
}

fn mend_missing_key(tree: &mut Tree, path: &[String], key: &str) -> bool {
    let Some(Tree::Map(entries)) = tree.get_mut(path) else {
        return false;
    };
    entries.push((key.to_owned(), Tree::Hole));
    true
}
