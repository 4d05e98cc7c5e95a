//! Lets the rows of each key compete for survival.
//!
//! Partitions are judged one by one, by any thread, in any order. Only what a contest needs is known of a row; the row
//! itself stays where it is.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use super::bucket::{Bucket, Buckets, Entry, Origin, holder};
use super::marks::Marks;
use super::spill::SpillError;
use crate::plan::Keep;

/// How rows are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) keep: Keep,
    pub(super) orders_are_bytes: bool,
    /// Rows further apart than so many days are no copies of each other.
    pub(super) window_days: Option<u32>,
    /// The object of each new part.
    pub(super) objects: &'a [u32],
}

/// The contest of the keys of one partition.
pub(super) struct Contest<'a> {
    buckets: Vec<Cow<'a, Bucket>>,
    terms: Terms<'a>,
}

/// Names an entry of a contest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rival {
    bucket: u32,
    entry: u32,
}

/// What contests have brought, by the places of objects in the order of paths.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Pairs of objects: rows of the first beat rows of the second.
    pub(super) beaten: BTreeSet<(u32, u32)>,
    /// How many rows of the former table each object loses.
    pub(super) superseded: BTreeMap<u32, u64>,
}

impl Outcome {
    /// Adds what other contests have brought.
    pub(super) fn add(&mut self, other: Self) {
        self.beaten.extend(other.beaten);
        for (object, rows) in other.superseded {
            *self.superseded.entry(object).or_default() += rows;
        }
    }
}

impl<'a> Contest<'a> {
    pub(super) fn new(
        all: &'a [Buckets],
        partition: usize,
        terms: Terms<'a>,
    ) -> Result<Self, SpillError> {
        let buckets = all.iter().map(|buckets| buckets.bucket(partition));
        Ok(Self { buckets: buckets.collect::<Result<_, _>>()?, terms })
    }

    /// Clears the mark of every row but the best of its copies.
    pub(super) fn judge(&self, marks: &Marks) -> Outcome {
        let mut rivals = self.rivals();
        rivals.sort_unstable_by_key(|rival| (self.entry(*rival).key, self.day(*rival)));
        let mut outcome = Outcome::default();
        for copies in rivals.chunk_by(|left, right| self.are_copies(*left, *right)) {
            self.judge_copies(copies, marks, &mut outcome);
        }
        outcome
    }

    fn judge_copies(&self, copies: &[Rival], marks: &Marks, outcome: &mut Outcome) {
        let compare = |left: &&Rival, right: &&Rival| self.compare(**left, **right);
        let best = match self.terms.keep {
            Keep::Last => copies.iter().max_by(compare),
            Keep::First => copies.iter().min_by(compare),
        };
        let Some(winner) = best else { return };
        for loser in copies.iter().filter(|rival| *rival != winner) {
            let Entry { part, row, .. } = *self.entry(*loser);
            marks.clear(part, row);
            let pair = (self.origin(*winner).object, self.origin(*loser).object);
            if pair.0 != pair.1 {
                outcome.beaten.insert(pair);
            }
            if self.is_former(*loser) {
                *outcome.superseded.entry(pair.1).or_default() += 1;
            }
        }
    }

    /// Returns the rows whose key others have too.
    fn rivals(&self) -> Vec<Rival> {
        let rows = self.buckets.iter().map(|bucket| bucket.entries.len()).sum();
        // The first row of each key, and whether it is known to have rivals.
        let mut first: HashTable<(Rival, bool)> = HashTable::with_capacity(rows);
        let mut rivals = Vec::new();
        for rival in self.all() {
            let key = self.entry(rival).key;
            let slot = first.entry(
                key[1],
                |(other, _)| self.entry(*other).key == key,
                |(other, _)| self.entry(*other).key[1],
            );
            match slot {
                Slot::Vacant(slot) => {
                    slot.insert((rival, false));
                }
                Slot::Occupied(mut slot) => {
                    let (holder, is_known) = slot.get_mut();
                    if !std::mem::replace(is_known, true) {
                        rivals.push(*holder);
                    }
                    rivals.push(rival);
                }
            }
        }
        rivals
    }

    fn all(&self) -> impl Iterator<Item = Rival> {
        let buckets = (0..).zip(&self.buckets);
        buckets.flat_map(|(bucket, entries)| {
            (0..entries.entries.len() as u32).map(move |entry| Rival { bucket, entry })
        })
    }

    fn entry(&self, rival: Rival) -> &Entry {
        &self.buckets[rival.bucket as usize].entries[rival.entry as usize]
    }

    fn day(&self, rival: Rival) -> i32 {
        match self.terms.window_days {
            Some(_) => self.buckets[rival.bucket as usize].days[rival.entry as usize],
            None => 0,
        }
    }

    /// Says whether two rivals that follow each other by date are copies of one row.
    fn are_copies(&self, left: Rival, right: Rival) -> bool {
        let apart = || self.day(right).abs_diff(self.day(left));
        self.entry(left).key == self.entry(right).key
            && self.terms.window_days.is_none_or(|days| apart() <= days)
    }

    /// Says whether a row is one of the former table.
    fn is_former(&self, rival: Rival) -> bool {
        !self.buckets[rival.bucket as usize].origins.is_empty()
    }

    /// Tells where a row comes from; within an object, rows are in the order of its records.
    fn origin(&self, rival: Rival) -> Origin {
        let Entry { part, row, .. } = *self.entry(rival);
        let origins = &self.buckets[rival.bucket as usize].origins;
        let new = || Origin { object: self.terms.objects[part as usize], record: i64::from(row) };
        origins.get(rival.entry as usize).copied().unwrap_or_else(new)
    }

    /// Compares two rows of one key; no two rows are equal.
    fn compare(&self, left: Rival, right: Rival) -> Ordering {
        let orders = [left, right].map(|rival| self.entry(rival).order);
        let compared = if self.terms.orders_are_bytes {
            let [left, right] = orders.map(|order| self.buckets[holder(order)].parked(order));
            left.cmp(right)
        } else {
            orders[0].cmp(&orders[1])
        };
        compared.then_with(|| self.origin(left).cmp(&self.origin(right)))
    }
}
