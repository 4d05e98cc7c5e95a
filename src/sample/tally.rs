//! What was made, and what was planted in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::source::Source;

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// By the name of the source in the pipeline.
    pub(crate) sources: BTreeMap<&'static str, SourceSummary>,
}

/// What was made of one source: rows = first + versions + duplicates + dirty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct SourceSummary {
    pub(crate) files: u64,
    /// Bytes as stored.
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// Rows that are the first of their key: so many rows are left when all is well.
    pub(crate) first: u64,
    /// Rows that tell a newer state of a key.
    pub(crate) versions: u64,
    /// Rows delivered again.
    pub(crate) duplicates: u64,
    /// Good rows in the folder of a later day than theirs.
    pub(crate) late: u64,
    /// Broken rows by what is wrong with them.
    pub(crate) dirty: BTreeMap<&'static str, u64>,
}

/// What a delivered row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    First,
    Version,
    Duplicate,
    Dirty(&'static str),
}

impl SourceSummary {
    pub(super) fn count(&mut self, delivered: Delivered) {
        self.rows += 1;
        match delivered {
            Delivered::First => self.first += 1,
            Delivered::Version => self.versions += 1,
            Delivered::Duplicate => self.duplicates += 1,
            Delivered::Dirty(flaw) => *self.dirty.entry(flaw).or_default() += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.rows += other.rows;
        self.first += other.first;
        self.versions += other.versions;
        self.duplicates += other.duplicates;
        self.late += other.late;
        for (flaw, count) in &other.dirty {
            *self.dirty.entry(flaw).or_default() += count;
        }
    }
}

/// What a campaign did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) treated: u64,
    pub(super) control: u64,
    /// Purchases that would not have happened without it.
    pub(super) caused: u64,
    /// What their items brought in, less discounts, in fen.
    pub(super) caused_fen: i64,
}

/// The sums of a part of the work.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sources: BTreeMap<Source, SourceSummary>,
    pub(super) effects: Vec<Effect>,
}

impl Tally {
    pub(super) fn new(campaigns: usize) -> Self {
        Self { sources: BTreeMap::new(), effects: vec![Effect::default(); campaigns] }
    }

    pub(super) fn of(&mut self, source: Source) -> &mut SourceSummary {
        self.sources.entry(source).or_default()
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (source, summary) in &other.sources {
            self.of(*source).add(summary);
        }
        for (sum, effect) in self.effects.iter_mut().zip(&other.effects) {
            sum.treated += effect.treated;
            sum.control += effect.control;
            sum.caused += effect.caused;
            sum.caused_fen += effect.caused_fen;
        }
    }

    pub(super) fn summary(&self) -> Summary {
        let named = |(source, summary): (&Source, &SourceSummary)| (source.name(), summary.clone());
        Summary { sources: self.sources.iter().map(named).collect() }
    }
}
