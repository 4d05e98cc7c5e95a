//! The objects that rows come from: they decide between copies of equal order, the same on every night.

use std::collections::BTreeSet;

use super::ObjectPath;

/// The objects a row may come from, in the order of their paths.
pub(super) struct Objects(Vec<ObjectPath>);

impl Objects {
    pub(super) fn new(paths: BTreeSet<ObjectPath>) -> Self {
        Self(paths.into_iter().collect())
    }

    pub(super) fn path(&self, number: u32) -> &ObjectPath {
        &self.0[number as usize]
    }

    /// Returns the place of an object in the order of paths.
    pub(super) fn number(&self, path: &str) -> Option<u32> {
        self.0.binary_search_by(|known| (**known).cmp(path)).ok().map(|number| number as u32)
    }
}
