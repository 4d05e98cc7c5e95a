//! One mark for each row; threads may clear marks at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::buffer::{BooleanBuffer, Buffer};

/// One mark for each row of each part.
pub(super) struct Marks(Vec<Vec<AtomicU64>>);

impl Marks {
    /// Marks every row of parts with so many rows.
    pub(super) fn all(rows: impl Iterator<Item = usize>) -> Self {
        let words = |rows: usize| (0..rows.div_ceil(64)).map(|_| AtomicU64::new(u64::MAX));
        Self(rows.map(|rows| words(rows).collect()).collect())
    }

    pub(super) fn clear(&self, part: u32, row: u32) {
        let word = &self.0[part as usize][row as usize / 64];
        word.fetch_and(!(1 << (row % 64)), Ordering::Relaxed);
    }

    /// Returns the marks of parts with so many rows.
    pub(super) fn masks(&self, rows: impl Iterator<Item = usize>) -> Vec<BooleanBuffer> {
        let words = self.0.iter().zip(rows);
        words.map(|(words, rows)| mask(words, rows)).collect()
    }
}

fn mask(words: &[AtomicU64], rows: usize) -> BooleanBuffer {
    let words = words.iter().map(|word| word.load(Ordering::Relaxed));
    let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    BooleanBuffer::new(Buffer::from(bytes), 0, rows)
}
