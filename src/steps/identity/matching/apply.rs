//! Finds records that are of one person though they share no identifier.

use arrow::array::RecordBatch;

use super::super::IdentityError;
use super::super::kinds::Kinds;
use super::gather::{Gathered, Origin, gather};
use super::score::{Outcome, score};
use super::select::Scored;
use super::tables::{self, Judged};
use crate::engine::Context;
use crate::names::IdentifierType;
use crate::plan;
use crate::steps::dedupe::Deduped;

/// What fuzzy matching found in a night.
#[derive(Default)]
pub(crate) struct Matches {
    pub(in super::super) best_first: Vec<Match>,
    /// Their tables, by name; none where no source has rules.
    pub(in super::super) tables: Vec<(&'static str, RecordBatch)>,
    pub(in super::super) counts: Option<MatchCounts>,
}

/// Two records that are taken to be of one person.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Match {
    /// The type and value of the identifiers that name the records.
    pub(in super::super) ends: [(IdentifierType, Box<str>); 2],
    /// How many bits of evidence there are for it.
    pub(in super::super) weight: f64,
}

/// Tells the outcome in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MatchCounts {
    /// Pairs of records that were compared.
    pub(crate) compared: u64,
    pub(crate) matched: u64,
    /// Blocks with more records than allowed.
    pub(crate) capped: u64,
    /// Pairs of such blocks that no rule compared for that reason.
    pub(crate) left_out: u64,
    /// Sources whose estimate still moved when it was given up.
    pub(crate) unsettled: u64,
}

/// Compares the records of every source that has rules for it.
pub(in super::super) fn matches(
    ctx: &Context,
    kinds: &Kinds,
    deduped: &[Deduped],
) -> Result<Matches, IdentityError> {
    let mut found = Matches::default();
    let mut judged = tables::Tables::default();
    for own in deduped {
        let source = &own.cleaned.source;
        let Some(rules) = &source.matching else { continue };
        let gathered = gather(kinds, rules, own, deduped)?;
        let outcome = score(ctx.threads, rules, &gathered.records);
        let named = outcome.chosen.iter().map(|scored| named(rules, &gathered, scored));
        found.best_first.extend(named);
        found.counts.get_or_insert_default().add(&outcome);
        judged.add(&Judged { source, rules, gathered: &gathered, outcome: &outcome });
    }
    rank(&mut found.best_first);
    if found.counts.is_some() {
        found.tables = judged.finish()?;
    }
    Ok(found)
}

/// Orders matches from the best to the worst, in a way that is the same every night.
fn rank(matches: &mut [Match]) {
    matches.sort_unstable_by(|left, right| {
        right.weight.total_cmp(&left.weight).then_with(|| left.ends.cmp(&right.ends))
    });
}

fn named(rules: &plan::Matching, gathered: &Gathered, scored: &Scored) -> Match {
    let (left, right) = scored.pair;
    let end = |origin: &Origin| (record_type(rules, origin.source).clone(), origin.name.clone());
    let ends = [left, right].map(|record| end(&gathered.origins[record as usize]));
    Match { ends, weight: scored.weight }
}

/// Returns the type of identifier that names the records of a source.
pub(super) fn record_type(rules: &plan::Matching, source: u8) -> &IdentifierType {
    match source.checked_sub(1).and_then(|other| rules.others.get(usize::from(other))) {
        Some(other) => &other.record.identifier,
        None => &rules.record.identifier,
    }
}

impl MatchCounts {
    fn add(&mut self, outcome: &Outcome<'_>) {
        self.compared += outcome.pairs;
        self.unsettled += u64::from(!outcome.scorer.has_settled);
        self.matched += outcome.chosen.len() as u64;
        self.capped += outcome.blocks.iter().map(|block| block.capped).sum::<u64>();
        self.left_out += outcome.blocks.iter().map(|block| block.left_out).sum::<u64>();
    }
}
