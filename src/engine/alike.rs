//! Rows that have the same values.

use std::hash::{BuildHasher, Hash, Hasher};

use arrow::array::{Array, StringArray};
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// The rows of a batch, grouped by their values in some columns; a value that two rows lack is the same.
///
/// Groups are numbered in the order of their first rows.
pub(crate) struct Alike {
    /// The group of each row.
    pub(crate) group_of: Vec<u32>,
    /// The first row of each group.
    pub(crate) first_rows: Vec<usize>,
}

impl Alike {
    /// Groups `rows` rows by columns of texts.
    pub(crate) fn of(columns: &[&StringArray], rows: usize) -> Self {
        let hashes: Vec<u64> = (0..rows).map(|row| hash(columns, row)).collect();
        let mut alike = Self { group_of: Vec::with_capacity(rows), first_rows: Vec::new() };
        let mut groups: HashTable<u32> = HashTable::new();
        for (row, hash) in hashes.iter().enumerate() {
            let first_rows = &alike.first_rows;
            let is_same = |group: &u32| are_same(columns, first_rows[*group as usize], row);
            let hash_of = |group: &u32| hashes[first_rows[*group as usize]];
            let next = first_rows.len() as u32;
            let group = *groups.entry(*hash, is_same, hash_of).or_insert(next).get();
            if group == next {
                alike.first_rows.push(row);
            }
            alike.group_of.push(group);
        }
        alike
    }
}

fn hash(columns: &[&StringArray], row: usize) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    for column in columns {
        column.is_valid(row).then(|| column.value(row)).hash(&mut hasher);
    }
    hasher.finish()
}

fn are_same(columns: &[&StringArray], left: usize, right: usize) -> bool {
    columns.iter().all(|column| match (column.is_valid(left), column.is_valid(right)) {
        (true, true) => column.value(left) == column.value(right),
        (left, right) => left == right,
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, StringArray};
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::Alike;

    proptest! {
        #[test]
        fn rows_are_of_one_group_where_all_their_values_are_the_same(
            rows in vec((of(0_u8..3), of(any::<bool>())), 0..60)
        ) {
            let numbers: StringArray = rows.iter().map(|row| row.0.map(|it| it.to_string())).collect();
            let words: StringArray = rows.iter().map(|row| row.1.map(|it| it.to_string())).collect();
            prop_assert_eq!(numbers.len(), rows.len());
            let alike = Alike::of(&[&numbers, &words], rows.len());
            let mut first_rows = Vec::new();
            for (row, values) in rows.iter().enumerate() {
                let first = rows.iter().position(|other| other == values).unwrap();
                if first == row {
                    first_rows.push(row);
                }
                prop_assert_eq!(alike.first_rows[alike.group_of[row] as usize], first);
            }
            prop_assert_eq!(alike.first_rows, first_rows);
        }
    }
}
