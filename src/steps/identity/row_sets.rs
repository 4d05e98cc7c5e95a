//! Which identifiers the rows of a batch bear.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::IdentityError;
use super::entries::Identifier;
use super::identifiers::{Instant, Node};
use super::interner::{Code, Interner, Nodes};
use super::kinds::Kinds;
use super::linker::LinkColumns;
use super::links::NOBODY;

/// The identifiers on the rows of a batch. Most rows bear the same ones as others, so each set of them is held once.
pub(super) struct RowSets {
    /// For each row, the number of its set.
    of_row: Box<[u32]>,
    /// For each set, where its identifiers end.
    ends: Box<[u32]>,
    /// The identifiers of each set, the best owner first.
    nodes: Box<[Node]>,
}

/// The identifiers on the rows of a batch, and when each set of them was seen.
pub(super) struct Sighting {
    sets: RowSets,
    /// For each set, the first time and the last.
    times: Box<[[Instant; 2]]>,
}

/// A set of identifiers while rows are read.
struct Found {
    hash: u64,
    /// A row that bears it.
    row: usize,
    times: [Instant; 2],
}

impl Sighting {
    /// Reads the rows of a batch; `times` tells of each since when and until when it was so.
    pub(super) fn read(
        kinds: &Kinds,
        interner: &Interner,
        columns: &LinkColumns,
        times: impl Iterator<Item = [Instant; 2]>,
    ) -> Result<Self, IdentityError> {
        let (of_row, found) = distinct(columns, times);
        let (mut ends, mut seen) = (Vec::new(), Vec::new());
        for set in &found {
            for (kind, value) in columns.of(set.row) {
                seen.push((Identifier::new(kinds, kind, value), set.times[0]));
            }
            ends.push(seen.len() as u32);
        }
        let codes: Vec<Code> = interner.note_all(kinds, &seen)?;
        // There are as many of these as batches, and they stay for long: none may have room that it does not need.
        let times = found.iter().map(|set| set.times).collect();
        let (of_row, ends, nodes) = (of_row.into(), ends.into(), codes.into());
        Ok(Self { sets: RowSets { of_row, ends, nodes }, times })
    }

    /// Returns how many sets there are.
    pub(super) fn sets(&self) -> usize {
        self.times.len()
    }

    /// Puts nodes in the place of the codes that were read.
    pub(super) fn name(&mut self, nodes: &Nodes) {
        for node in &mut self.sets.nodes {
            *node = nodes.of(*node);
        }
    }

    /// Hands over each pair of identifiers that some row bears, with the first time and the last; one that was alone comes
    /// with [`NOBODY`].
    pub(super) fn for_each_pair(&self, mut note: impl FnMut([Node; 2], [Instant; 2])) {
        for (set, times) in self.times.iter().enumerate() {
            let nodes = self.sets.set(set);
            let is_first = |place: &usize| !nodes[..*place].contains(&nodes[*place]);
            let mut distinct = (0..nodes.len()).filter(is_first);
            if let (Some(only), None) = (distinct.next(), distinct.next()) {
                note([nodes[only], NOBODY], *times);
            }
            for right in (1..nodes.len()).filter(is_first) {
                for left in (0..right).filter(is_first) {
                    note([nodes[left], nodes[right]], *times);
                }
            }
        }
    }

    /// Forgets when it was.
    pub(super) fn into_sets(self) -> RowSets {
        self.sets
    }
}

impl RowSets {
    /// Returns the identifiers of a row.
    pub(super) fn of(&self, row: usize) -> &[Node] {
        self.set(self.of_row[row] as usize)
    }

    fn set(&self, set: usize) -> &[Node] {
        let start = set.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.nodes[start as usize..self.ends[set] as usize]
    }
}

/// Tells the rows apart by what they bear: the number of each row's set, and the sets.
fn distinct(
    columns: &LinkColumns,
    times: impl Iterator<Item = [Instant; 2]>,
) -> (Vec<u32>, Vec<Found>) {
    let mut found: Vec<Found> = Vec::new();
    let mut numbers: HashTable<u32> = HashTable::new();
    let of_row = times.enumerate().map(|(row, [first, last])| {
        let hash = columns.hash(row);
        let is_same = |set: &u32| {
            let set = &found[*set as usize];
            set.hash == hash && columns.are_same(set.row, row)
        };
        match numbers.entry(hash, is_same, |set| found[*set as usize].hash) {
            Entry::Occupied(set) => {
                let times = &mut found[*set.get() as usize].times;
                *times = [times[0].min(first), times[1].max(last)];
                *set.get()
            }
            Entry::Vacant(slot) => {
                let set = found.len() as u32;
                slot.insert(set);
                found.push(Found { hash, row, times: [first, last] });
                set
            }
        }
    });
    (of_row.collect(), found)
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::{Interner, Kinds, LinkColumns, NOBODY, Sighting};
    use crate::plan;
    use crate::steps::identity::identifiers::Identifiers;

    #[test]
    fn rows_that_bear_the_same_share_a_set_and_each_pair_comes_once() {
        let mut kinds = Kinds::new(&plan::Identity::default());
        let [user, other] = ["user_id", "email"].map(|name| kinds.number(name).unwrap());
        let rows = [
            (Some("u1"), Some("a@x.org"), 5),
            (None, Some("a@x.org"), 9),
            (Some("u1"), Some("a@x.org"), 3),
            (None, None, 4),
            (Some("unknown"), Some("b@x.org"), 1),
        ];
        let column = |kind, texts: Vec<Option<&str>>| (kind, StringArray::from(texts));
        let columns = LinkColumns::new(vec![
            column(user, rows.iter().map(|row| row.0).collect()),
            // A value that a row bears twice is no pair, and makes none come twice.
            column(user, rows.iter().map(|row| row.0).collect()),
            column(other, rows.iter().map(|row| row.1).collect()),
        ]);
        let interner = Interner::new();
        let times = rows.iter().map(|row| [row.2, row.2 + 1]);
        let mut sighting = Sighting::read(&kinds, &interner, &columns, times).unwrap();
        let mut known = Identifiers::default();
        sighting.name(&interner.add_to(&mut known));
        let name = |node: u32| if node == NOBODY { "" } else { known.value(node) };
        let mut pairs = Vec::new();
        sighting.for_each_pair(|ends, times| {
            let mut ends = ends.map(name);
            ends.sort_unstable();
            pairs.push((ends, times));
        });
        let expected =
            [(["a@x.org", "u1"], [3, 6]), (["", "a@x.org"], [9, 10]), (["", "b@x.org"], [1, 2])];
        assert_eq!(pairs, expected);
        let sets = sighting.into_sets();
        let borne = |row: usize| sets.of(row).iter().map(|node| name(*node)).collect::<Vec<_>>();
        assert_eq!((0..5).map(|row| borne(row).len()).collect::<Vec<_>>(), [3, 1, 3, 0, 1]);
        assert_eq!(borne(0), borne(2));
    }
}
