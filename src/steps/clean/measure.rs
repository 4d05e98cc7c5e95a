//! Cleans batches that lie ready, on the calling thread; for the benchmark.

use std::sync::Arc;

use arrow::array::StringArray;

use super::batch::{Cleaner, RawPiece};
use super::rules::Rules;
use super::{CleanErrorKind, RateTables};
use crate::plan;
use crate::steps::extract::{RawBatch, SourceObject};

/// Batches and the rules for them.
pub(crate) struct MeasuredBatches {
    rules: Rules,
    pieces: Vec<RawPiece>,
}

impl MeasuredBatches {
    pub(crate) fn new(
        source: &Arc<plan::Source>,
        rates: &RateTables,
        batches: Vec<(Arc<SourceObject>, RawBatch)>,
    ) -> Result<Self, CleanErrorKind> {
        let pieces = batches.into_iter().map(|(object, raw)| {
            let paths = std::iter::repeat_n(&*object.path, raw.rows());
            RawPiece { paths: StringArray::from_iter_values(paths), object, raw }
        });
        Ok(Self { pieces: pieces.collect(), rules: Rules::compile(source, rates)? })
    }

    /// Cleans all batches, with parsers that have seen nothing before; returns how many rows keep all rules.
    pub(crate) fn clean(&self) -> Result<u64, CleanErrorKind> {
        let mut cleaner = Cleaner::new(&self.rules)?;
        let mut kept = 0;
        for piece in &self.pieces {
            kept += cleaner.clean(piece)?.rows.num_rows() as u64;
        }
        Ok(kept)
    }
}
