//! Counts keys that several rows have.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::partition;
use arrow::error::ArrowError;

use crate::engine::goes_on;

/// Counts the keys that more than one of the rows have, which come in their order.
pub(super) struct Repeats {
    columns: Vec<usize>,
    keys: u64,
    last: Option<Last>,
}

/// The key of the row that came last.
struct Last {
    key: Vec<ArrayRef>,
    /// Whether it was counted already.
    is_counted: bool,
}

impl Repeats {
    /// Begins to count; `columns` are the places of the columns of the key.
    pub(super) fn new(columns: &[usize]) -> Self {
        Self { columns: columns.to_vec(), keys: 0, last: None }
    }

    /// Returns how many keys more than one row has.
    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    /// Takes rows in.
    pub(super) fn note(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let key = self.columns.iter().map(|column| Arc::clone(batch.column(*column)));
        let key: Vec<ArrayRef> = key.collect();
        let ranges = partition(&key)?.ranges();
        let goes_on = match &self.last {
            Some(last) => goes_on(&last.key, &key)?,
            None => false,
        };
        let was_counted = self.last.as_ref().is_some_and(|last| last.is_counted);
        let mut is_counted = false;
        for (number, range) in ranges.iter().enumerate() {
            let continues = number == 0 && goes_on;
            let repeats = continues || range.len() > 1;
            is_counted = repeats || continues && was_counted;
            self.keys += u64::from(repeats && !(continues && was_counted));
        }
        let last = batch.num_rows() - 1;
        let key = key.iter().map(|column| column.slice(last, 1)).collect();
        self.last = Some(Last { key, is_counted });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::Repeats;

    type Key = (Option<i64>, Option<u8>);

    fn batch(keys: &[Key]) -> RecordBatch {
        let numbers: Int64Array = keys.iter().map(|key| key.0).collect();
        let words: StringArray =
            keys.iter().map(|key| key.1.map(|word| word.to_string())).collect();
        let places = Int64Array::from_iter_values(0..keys.len() as i64);
        RecordBatch::try_from_iter_with_nullable([
            ("place", Arc::new(places) as _, false),
            ("number", Arc::new(numbers) as _, true),
            ("word", Arc::new(words) as _, true),
        ])
        .unwrap()
    }

    proptest! {
        #[test]
        fn keys_are_counted_however_their_rows_are_cut(
            mut keys in vec((of(0_i64..4), of(0_u8..3)), 0..40),
            cuts in vec(1_usize..9, 40)
        ) {
            keys.sort_unstable();
            let mut rows: BTreeMap<Key, u64> = BTreeMap::new();
            for key in &keys {
                *rows.entry(*key).or_default() += 1;
            }
            let expected = rows.values().filter(|rows| **rows > 1).count() as u64;
            let mut repeats = Repeats::new(&[1, 2]);
            let mut rest = keys.as_slice();
            for cut in cuts {
                let (some, others) = rest.split_at(cut.min(rest.len()));
                repeats.note(&batch(some)).unwrap();
                rest = others;
            }
            prop_assert_eq!(repeats.keys(), expected);
        }
    }
}
