//! Which pairs of records are worth comparing.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use super::keys::combinations;
use super::records::{MISSING, RecordNumber, Records};
use crate::engine::{Queue, on_threads};
use crate::plan::{self, Block, Neighbours};

/// Two records, the lower number first.
pub(super) type Pair = (RecordNumber, RecordNumber);

/// The pairs that are compared.
pub(super) struct Candidates {
    /// Each once, in rising order.
    pub(super) pairs: Vec<Pair>,
    /// For each blocking rule.
    pub(super) blocks: Vec<BlockCounts>,
}

/// What a blocking rule brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlockCounts {
    /// Pairs of the rule, before those of other rules are taken off.
    pub(crate) pairs: u64,
    /// Blocks with more records than allowed.
    pub(crate) capped: u64,
    /// Pairs of those blocks that are not compared for that reason.
    pub(crate) left_out: u64,
}

/// Finds the pairs that share a block or are neighbours.
pub(super) fn candidates(threads: usize, rules: &plan::Matching, records: &Records) -> Candidates {
    let wanted = Wanted { records, within: rules.within, max_block: rules.max_block };
    let queue = Queue::new(rules.blocks.iter().enumerate());
    let work = |_| {
        let mut found = Vec::new();
        while let Some((number, block)) = queue.next() {
            found.push((number, wanted.in_block(block)));
        }
        Ok::<_, std::convert::Infallible>(found)
    };
    let Ok(found) = on_threads(threads, work);
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(number, _)| *number);
    let mut pairs = Vec::new();
    let mut blocks = Vec::with_capacity(found.len());
    for (_, (more, counts)) in found {
        pairs.extend(more);
        blocks.push(counts);
    }
    for neighbours in &rules.neighbours {
        wanted.neighbours(neighbours, &mut pairs);
    }
    pairs.sort_unstable();
    pairs.dedup();
    Candidates { pairs, blocks }
}

/// Says which pairs are wanted at all.
struct Wanted<'a> {
    records: &'a Records,
    within: bool,
    max_block: usize,
}

impl Wanted<'_> {
    fn in_block(&self, block: &Block) -> (Vec<Pair>, BlockCounts) {
        let filed = self.filed(block);
        let (mut pairs, mut counts) = (Vec::new(), BlockCounts::default());
        for block in filed.chunk_by(|left, right| left.0 == right.0) {
            let block: Vec<RecordNumber> = block.iter().map(|(_, record)| *record).collect();
            if block.len() <= self.max_block {
                self.pair_up(&block, block.len(), &mut pairs);
            } else {
                let before = pairs.len();
                self.pair_up(&self.by_content(&block), self.reach(block.len()), &mut pairs);
                counts.capped += 1;
                counts.left_out += self.wanted_in(&block) - (pairs.len() - before) as u64;
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        counts.pairs = pairs.len() as u64;
        (pairs, counts)
    }

    /// Returns with how many that follow a record of a big block is compared: no more pairs in all than in the
    /// biggest block allowed, but one for each record.
    fn reach(&self, records: usize) -> usize {
        (self.max_block * self.max_block / (2 * records)).max(1)
    }

    /// Brings records with like values together.
    fn by_content(&self, block: &[RecordNumber]) -> Vec<RecordNumber> {
        let content = |record: &RecordNumber| {
            let fields = 0..self.records.fields.len();
            (fields.map(|field| self.records.value(field, *record)).collect::<Vec<_>>(), *record)
        };
        let mut ordered = block.to_vec();
        ordered.sort_by_cached_key(content);
        ordered
    }

    /// Returns how many pairs of a block are wanted.
    fn wanted_in(&self, block: &[RecordNumber]) -> u64 {
        let is_own = |record: &&RecordNumber| self.source(**record) == 0;
        let own = block.iter().filter(is_own).count() as u64;
        let others = block.len() as u64 - own;
        own * others + if self.within { own * own.saturating_sub(1) / 2 } else { 0 }
    }

    /// Returns the records by the digests of their keys; those of one block stand together.
    fn filed(&self, block: &Block) -> Vec<(u64, RecordNumber)> {
        let records = 0..self.records.len() as RecordNumber;
        let filed = records.flat_map(|record| {
            let keys = combinations(self.records, &block.keys, record);
            keys.into_iter().map(move |key| (digest(&key), record))
        });
        let mut filed: Vec<(u64, RecordNumber)> = filed.collect();
        filed.sort_unstable();
        filed.dedup();
        filed
    }

    /// Pairs each record with so many that follow it.
    fn pair_up(&self, order: &[RecordNumber], reach: usize, pairs: &mut Vec<Pair>) {
        for (place, left) in order.iter().enumerate() {
            let following = order[place + 1..].iter().take(reach);
            let both = following.map(|right| (*left.min(right), *left.max(right)));
            pairs.extend(both.filter(|(left, right)| self.wants(*left, *right)));
        }
    }

    fn neighbours(&self, rule: &Neighbours, pairs: &mut Vec<Pair>) {
        // Values are numbered in the order of their texts.
        let key = |record: &RecordNumber| {
            let value = |field: &usize| self.records.value(*field, *record);
            (rule.by.iter().map(value).collect::<Vec<_>>(), *record)
        };
        let is_known = |record: &RecordNumber| {
            rule.by.first().is_some_and(|field| self.records.value(*field, *record) != MISSING)
        };
        let mut order: Vec<RecordNumber> =
            (0..self.records.len() as RecordNumber).filter(is_known).collect();
        order.sort_by_cached_key(key);
        self.pair_up(&order, rule.window, pairs);
    }

    /// Says whether two records are of sources that are compared; the source with the rules has the lower numbers.
    fn wants(&self, left: RecordNumber, right: RecordNumber) -> bool {
        self.source(left) == 0 && (self.within || self.source(right) != 0)
    }

    fn source(&self, record: RecordNumber) -> u8 {
        self.records.sources[record as usize]
    }
}

fn digest(key: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{block, key, records, rules};
    use super::{BlockCounts, Candidates, candidates};
    use crate::plan::{KeyFunction, Matching, Neighbours};

    fn by(fields: &[usize]) -> Vec<crate::plan::Block> {
        fields.iter().map(|field| block(vec![key(KeyFunction::Whole, &[*field])])).collect()
    }

    #[test]
    fn records_that_share_blocks_are_compared_once() {
        let rules = rules(&["a", "b"], by(&[0, 1]), Vec::new());
        let records = records(&[0; 4], &[&["x", "1"], &["x", "1"], &["y", "1"], &["z", ""]]);
        let Candidates { pairs, blocks } = candidates(2, &rules, &records);
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
        let counts = |pairs| BlockCounts { pairs, capped: 0, left_out: 0 };
        assert_eq!(blocks, [counts(1), counts(3)]);
    }

    #[test]
    fn a_block_that_is_too_big_is_cut_and_what_is_left_out_counted() {
        let rules = Matching { max_block: 10, ..rules(&["a", "b"], by(&[0]), Vec::new()) };
        let names: Vec<String> = (0..50).map(|number| format!("n{:02}", number * 7 % 50)).collect();
        let rows: Vec<[&str; 2]> = names.iter().map(|name| ["x", name.as_str()]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
        let Candidates { pairs, blocks } = candidates(1, &rules, &records(&[0; 50], &rows));
        assert_eq!(blocks, [BlockCounts { pairs: 49, capped: 1, left_out: 50 * 49 / 2 - 49 }]);
        let is_near = |(left, right): &(u32, u32)| {
            let number = |record: &u32| record * 7 % 50;
            number(left).abs_diff(number(right)) == 1
        };
        assert!(pairs.iter().all(is_near), "the records most alike are the ones compared");
    }

    #[test]
    fn neighbours_stand_near_each_other_in_their_order() {
        let near = Neighbours { by: vec![0], window: 1 };
        let rules = Matching { neighbours: vec![near], ..rules(&["a"], Vec::new(), Vec::new()) };
        let records = records(&[0; 4], &[&["smith"], &["jones"], &["smyth"], &[""]]);
        assert_eq!(candidates(1, &rules, &records).pairs, [(0, 1), (0, 2)]);
    }

    #[test]
    fn records_of_other_sources_are_compared_with_the_own_only() {
        let records = records(&[0, 0, 1, 1], &[&["x"], &["x"], &["x"], &["x"]]);
        let within = rules(&["a"], by(&[0]), Vec::new());
        let across = Matching { within: false, ..within.clone() };
        assert_eq!(candidates(1, &across, &records).pairs, [(0, 2), (0, 3), (1, 2), (1, 3)]);
        assert_eq!(candidates(1, &within, &records).pairs.len(), 5);
    }
}
