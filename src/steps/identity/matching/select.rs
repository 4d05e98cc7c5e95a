//! Which of the probable matches are kept.

use super::blocking::Pair;
use super::pattern::Pattern;
use super::records::{RecordNumber, Records};

/// A pair with the evidence for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    pub(super) pair: Pair,
    pub(super) pattern: Pattern,
    pub(super) weight: f64,
    pub(super) probability: f64,
}

/// Orders pairs from the best to the worst, in a way that is the same every night.
pub(super) fn rank(scored: &mut [Scored]) {
    scored.sort_unstable_by(|left, right| {
        right.weight.total_cmp(&left.weight).then_with(|| left.pair.cmp(&right.pair))
    });
}

/// Keeps the best matches of ranked ones.
///
/// Between two sources every record has one match at most. Within a source a match is kept where it brings two
/// groups together: every record but one of a group then has one match, and the worse ones add nothing.
pub(super) fn select(records: &Records, ranked: &[Scored]) -> Vec<Scored> {
    let mut groups = Persons::new(records.len());
    let mut taken = std::collections::HashSet::new();
    let source = |record: RecordNumber| records.sources[record as usize];
    let mut is_best = |scored: &&Scored| {
        let (left, right) = scored.pair;
        if source(left) == source(right) {
            return groups.join(left, right);
        }
        let ends = [(left, source(right)), (right, source(left))];
        let is_free = ends.iter().all(|end| !taken.contains(end));
        if is_free {
            taken.extend(ends);
        }
        is_free
    };
    ranked.iter().filter(|scored| is_best(scored)).copied().collect()
}

/// So many pairs that were not taken are told.
const MOST_MISSED: usize = 1000;

/// Returns the best of the pairs that were not taken, though not those of records that are one person by other matches.
pub(super) fn missed(
    records: &Records,
    chosen: &[Scored],
    scored: impl Iterator<Item = Scored>,
) -> Vec<Scored> {
    let mut persons = Persons::new(records.len());
    for Scored { pair: (left, right), .. } in chosen {
        persons.join(*left, *right);
    }
    let persons = persons.leaders();
    let is_apart =
        |scored: &Scored| persons[scored.pair.0 as usize] != persons[scored.pair.1 as usize];
    let mut best = Vec::new();
    for scored in scored.filter(is_apart) {
        best.push(scored);
        if best.len() == 2 * MOST_MISSED {
            rank(&mut best);
            best.truncate(MOST_MISSED);
        }
    }
    rank(&mut best);
    best.truncate(MOST_MISSED);
    best
}

/// Groups of records.
pub(super) struct Persons(Vec<RecordNumber>);

impl Persons {
    pub(super) fn new(records: usize) -> Self {
        Self((0..records as RecordNumber).collect())
    }

    /// Says whether two records were in different groups, which are one from now on.
    pub(super) fn join(&mut self, left: RecordNumber, right: RecordNumber) -> bool {
        let (left, right) = (self.find(left), self.find(right));
        // The lower number leads, so who leads does not depend on the order of joining.
        self.0[left.max(right) as usize] = left.min(right);
        left != right
    }

    /// Returns for each record the one that leads its group.
    pub(super) fn leaders(mut self) -> Vec<RecordNumber> {
        (0..self.0.len() as RecordNumber).map(|record| self.find(record)).collect()
    }

    fn find(&mut self, record: RecordNumber) -> RecordNumber {
        let mut record = record;
        loop {
            let parent = self.0[record as usize];
            if parent == record {
                return record;
            }
            let grandparent = self.0[parent as usize];
            self.0[record as usize] = grandparent;
            record = grandparent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::compared;
    use super::super::tests::records;
    use super::{Pair, Scored, rank, select};

    fn chosen(sources: &[u8], weights: &[(Pair, f64)]) -> Vec<Pair> {
        let rows: Vec<&[&str]> = sources.iter().map(|_| &["x"][..]).collect();
        let records = records(sources, &rows);
        let pattern = compared(1, &records, &[], &[(0, 1)])[0].1;
        let scored = |(pair, weight): &(Pair, f64)| Scored {
            pair: *pair,
            pattern,
            weight: *weight,
            probability: 1.0,
        };
        let mut scored: Vec<Scored> = weights.iter().map(scored).collect();
        rank(&mut scored);
        select(&records, &scored).iter().map(|scored| scored.pair).collect()
    }

    #[test]
    fn within_a_source_the_best_matches_form_trees() {
        let weights = [((0, 1), 9.0), ((1, 2), 8.0), ((0, 2), 7.0), ((3, 4), 5.0), ((2, 3), 1.0)];
        assert_eq!(chosen(&[0; 5], &weights), [(0, 1), (1, 2), (3, 4), (2, 3)]);
    }

    #[test]
    fn between_two_sources_the_best_match_of_both_ends_is_kept() {
        let weights = [((0, 2), 9.0), ((0, 3), 8.0), ((1, 2), 7.0), ((1, 3), 6.0)];
        assert_eq!(chosen(&[0, 0, 1, 1], &weights), [(0, 2), (1, 3)]);
        assert_eq!(chosen(&[0, 0, 1, 2], &weights), [(0, 2), (0, 3)]);
    }

    #[test]
    fn equal_weights_are_taken_in_the_order_of_the_records() {
        assert_eq!(chosen(&[0, 1, 1], &[((0, 2), 1.0), ((0, 1), 1.0)]), [(0, 1)]);
    }
}
