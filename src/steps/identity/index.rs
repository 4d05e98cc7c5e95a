//! Finds the numbers of things by their hashes.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Numbers of things by the hashes of these.
///
/// Half of its hash lies beside each number. So nothing is looked at but what most probably is meant, and nothing at all
/// when the table grows: things lie anywhere in memory, and each look at one is a wait.
#[derive(Default, Clone)]
pub(super) struct Index(HashTable<Numbered>);

#[derive(Clone, Copy)]
struct Numbered {
    hash: u32,
    number: u32,
}

/// Spreads half a hash over all bits, of which the table looks at the lowest and the highest.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first number under a hash: most probably the one that is looked for.
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let hash = hash as u32;
        self.0.find(spread(hash), |one| one.hash == hash).map(|one| one.number)
    }

    /// Returns the number of the thing with this hash that `is_same` knows.
    pub(super) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash as u32;
        let found = self.0.find(spread(hash), |one| one.hash == hash && is_same(one.number));
        found.map(|one| one.number)
    }

    /// Returns the number of the thing with this hash that `is_same` knows; where there is none, it gets `number`.
    pub(super) fn find_or_insert(
        &mut self,
        hash: u64,
        is_same: impl Fn(u32) -> bool,
        number: u32,
    ) -> Option<u32> {
        let hash = hash as u32;
        let is_same = |one: &Numbered| one.hash == hash && is_same(one.number);
        match self.0.entry(spread(hash), is_same, |one| spread(one.hash)) {
            Entry::Occupied(found) => Some(found.get().number),
            Entry::Vacant(place) => {
                place.insert(Numbered { hash, number });
                None
            }
        }
    }

    /// Adds to all numbers; whether they then still fit is for others to check.
    pub(super) fn shift(&mut self, by: u32) {
        self.0.iter_mut().for_each(|one| one.number = one.number.wrapping_add(by));
    }
}

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn things_whose_halves_of_hashes_are_alike_are_told_apart() {
        let things = [7_u64, 7 | 1 << 40, 8, 7 | 2 << 40];
        let mut index = Index::default();
        for (number, thing) in (0..).zip(things) {
            let is_same = |other: u32| things[other as usize] == thing;
            assert_eq!(index.find_or_insert(thing, is_same, number), None);
            assert_eq!(index.find_or_insert(thing, is_same, 99), Some(number));
        }
        index.shift(10);
        for (number, thing) in (10..).zip(things) {
            let is_same = |other: u32| things[other as usize - 10] == thing;
            assert_eq!(index.find(thing, is_same), Some(number));
        }
        assert!(index.likely(8) == Some(12) && index.likely(9).is_none());
        assert_eq!(index.find(7, |_| false), None);
    }
}
