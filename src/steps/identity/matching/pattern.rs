//! How two records agree, field by field, in one number.

use std::convert::Infallible;

use super::blocking::Pair;
use super::compare::{Level, level};
use super::records::{MISSING, Records};
use crate::engine::{Queue, on_threads};
use crate::plan::{Comparison, ComparisonKind};

/// The levels of all comparisons of a pair, four bits each, the first lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pattern(u64);

/// Stands for a comparison that says nothing, because a value is missing.
const NOTHING: Level = 15;
const BITS: usize = 4;

impl Pattern {
    pub(super) fn of(levels: &[Level]) -> Self {
        let shifted = |(place, level): (usize, &Level)| u64::from(*level) << (BITS * place);
        Self(levels.iter().enumerate().map(shifted).sum())
    }

    /// Returns the level of a comparison, if it says anything.
    pub(super) fn level(self, comparison: usize) -> Option<usize> {
        let level = (self.0 >> (BITS * comparison)) as Level & NOTHING;
        (level != NOTHING).then_some(usize::from(level))
    }
}

/// Returns how many levels a comparison has; the last is "other", or "swapped" where fields may be swapped.
pub(super) fn levels(comparison: &Comparison) -> usize {
    comparison.kind.between() + 2 + usize::from(comparison.swaps_with.is_some())
}

/// How many pairs a thread takes at once.
const PAIRS_AT_ONCE: usize = 1024;

/// Compares the records of all pairs; what comes out stands in their order.
pub(super) fn compared(
    threads: usize,
    records: &Records,
    comparisons: &[Comparison],
    pairs: &[Pair],
) -> Vec<(Pair, Pattern)> {
    let queue = Queue::new(pairs.chunks(PAIRS_AT_ONCE).enumerate());
    let work = |_| {
        let mut found = Vec::new();
        while let Some((number, chunk)) = queue.next() {
            let compared = chunk.iter().map(|pair| (*pair, pattern(records, comparisons, *pair)));
            found.push((number, compared.collect::<Vec<_>>()));
        }
        Ok::<_, Infallible>(found)
    };
    let threads = threads.min(pairs.len().div_ceil(PAIRS_AT_ONCE));
    let Ok(found) = on_threads(threads, work);
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_unstable_by_key(|(number, _)| *number);
    found.into_iter().flat_map(|(_, compared)| compared).collect()
}

/// Compares two records.
fn pattern(records: &Records, comparisons: &[Comparison], pair: Pair) -> Pattern {
    let compared =
        comparisons.iter().map(|it| across(records, &it.kind, (it.field, it.field), pair));
    let mut levels: Vec<Level> = compared.map(|level| level.unwrap_or(NOTHING)).collect();
    for (place, comparison) in comparisons.iter().enumerate() {
        let is_told_before =
            |other: &usize| *other < place && comparisons[*other].swaps_with == Some(place);
        let Some(other) = comparison.swaps_with.filter(|other| !is_told_before(other)) else {
            continue;
        };
        let fields = [comparison.field, comparisons[other].field];
        let neither_agrees = levels[place] != 0 && levels[other] != 0;
        if neither_agrees && is_swapped(records, &comparison.kind, fields, pair) {
            // The one level tells of both fields, so the other comparison has nothing to add.
            levels[place] = comparison.kind.between() as Level + 2;
            levels[other] = NOTHING;
        }
    }
    Pattern::of(&levels)
}

/// Says whether each field is like the other field of the other record; one of the two may be missing.
fn is_swapped(
    records: &Records,
    kind: &ComparisonKind,
    [one, other]: [usize; 2],
    pair: Pair,
) -> bool {
    let found = [(one, other), (other, one)].map(|fields| across(records, kind, fields, pair));
    let is_near = |level: Level| usize::from(level) <= kind.between();
    found.iter().flatten().count() > 0 && found.iter().flatten().all(|level| is_near(*level))
}

/// Compares a field of the left record with one of the right, unless a value is missing.
fn across(
    records: &Records,
    kind: &ComparisonKind,
    (left, right): (usize, usize),
    pair: Pair,
) -> Option<Level> {
    let values = (records.value(left, pair.0), records.value(right, pair.1));
    if left == right && values.0 == values.1 && values.0 != MISSING {
        return Some(0);
    }
    let (left, right) = (records.text(left, pair.0)?, records.text(right, pair.1)?);
    Some(if left == right { 0 } else { level(kind, left, right) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{compare, records};
    use super::{Comparison, ComparisonKind, compared};

    fn levels(comparisons: &[Comparison], left: &[&str], right: &[&str]) -> Vec<Option<usize>> {
        let records = records(&[0, 0], &[left, right]);
        let pattern = compared(1, &records, comparisons, &[(0, 1)])[0].1;
        (0..comparisons.len()).map(|at| pattern.level(at)).collect()
    }

    #[test]
    fn fields_taken_for_each_other_are_told_once() {
        let similar = || ComparisonKind::JaroWinkler(vec![0.9]);
        let mut comparisons = [compare(0, similar()), compare(1, similar())];
        comparisons[0].swaps_with = Some(1);
        let swapped = [Some(3), None];
        assert_eq!(levels(&comparisons, &["tess", "beckwith"], &["beckwith", "tess"]), swapped);
        assert_eq!(levels(&comparisons, &["tess", "beckwith"], &["beckwiht", "tess"]), swapped);
        assert_eq!(levels(&comparisons, &["tess", ""], &["", "tess"]), swapped);
        assert_eq!(levels(&comparisons, &["tess", "lee"], &["tess", "ann"]), [Some(0), Some(2)]);
        assert_eq!(levels(&comparisons, &["tess", "lee"], &["lee", "ann"]), [Some(2), Some(2)]);
        assert_eq!(levels(&comparisons, &["", "lee"], &["tess", "lee"]), [None, Some(0)]);
        assert_eq!(levels(&comparisons, &["tess", ""], &["ann", ""]), [Some(2), None]);
        comparisons[0].swaps_with = None;
        comparisons[1].swaps_with = Some(0);
        let told_by_the_other = [None, Some(3)];
        let found = levels(&comparisons, &["tess", "beckwith"], &["beckwith", "tess"]);
        assert_eq!(found, told_by_the_other);
        comparisons[0].swaps_with = Some(1);
        assert_eq!(levels(&comparisons, &["tess", "beckwith"], &["beckwith", "tess"]), swapped);
    }

    #[test]
    fn case_accents_blanks_and_signs_do_not_count() {
        let comparisons = [compare(0, ComparisonKind::Exact)];
        assert_eq!(levels(&comparisons, &["Pridham-Street"], &["pridhamstreet"]), [Some(0)]);
        assert_eq!(levels(&comparisons, &["Zoë"], &["ZOE"]), [Some(0)]);
        assert_eq!(levels(&comparisons, &["Zoë"], &["-"]), [None]);
    }
}
