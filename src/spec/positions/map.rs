//! The map from path to place.

use std::ops::Range;

/// Where each key and value of a text stands.
///
/// A path is the keys from the top of the file downwards; an item of a list goes by its index,
/// written in decimal: `["sources", "web", "checks", "0"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PositionMap {
    root: Node,
}

/// One value and the key it stands under; for the item of a list, the key is the item itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) segment: String,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) children: Vec<Self>,
}

impl PositionMap {
    pub(super) fn new(root: Node) -> Self {
        Self { root }
    }

    /// Returns where the value at `path` stands, or else its nearest parent's key.
    pub(crate) fn value(&self, path: &[&str]) -> Range<usize> {
        match self.find(path) {
            (node, true) => node.value.clone(),
            (node, false) => node.key.clone(),
        }
    }

    /// Returns where the key at the end of `path` stands, or else its nearest parent's key.
    pub(crate) fn key(&self, path: &[&str]) -> Range<usize> {
        self.find(path).0.key.clone()
    }

    /// Walks down as far as the text goes, and says whether that is the whole way.
    fn find(&self, path: &[&str]) -> (&Node, bool) {
        let mut node = &self.root;
        for segment in path {
            match node.child(segment) {
                Some(child) => node = child,
                None => return (node, false),
            }
        }
        (node, true)
    }
}

impl Node {
    fn child(&self, segment: &str) -> Option<&Self> {
        let is_meant = |child: &&Self| child.segment == segment;
        let by_index = segment.parse::<usize>().ok();
        by_index
            .and_then(|index| self.children.get(index).filter(is_meant))
            .or_else(|| self.children.iter().find(is_meant))
    }
}
