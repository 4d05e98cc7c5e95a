//! Names of sources, by small numbers.

use crate::plan;

/// Names that were seen, numbered in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(Vec<Box<str>>);

impl Origins {
    /// Numbers the sources of the rules first, by their names, so that their numbers are the same every night.
    pub(super) fn new(rules: &plan::Identity) -> Self {
        let names = rules.sources.iter().map(|source| source.name.as_str());
        let mut names: Vec<Box<str>> = names.map(Into::into).collect();
        names.sort_unstable();
        Self(names)
    }

    /// Returns the number of a name, known or new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        let position = self.0.iter().position(|known| **known == *name);
        let number = position.unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len() - 1
        });
        number as u32
    }

    pub(super) fn name(&self, number: u32) -> &str {
        &self.0[number as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}
