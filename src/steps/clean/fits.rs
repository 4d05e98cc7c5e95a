//! Counts how well the values of each column fit its type.

use arrow::array::{Array, ArrayRef};

use super::faults::Faults;
use crate::plan;

/// How many values must be there before their type is judged.
const JUDGED: u64 = 3;

/// How well the values of each column fit its type.
#[derive(Debug, Clone, Default)]
pub(super) struct Fits(Vec<Fit>);

#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    present: u64,
    misfits: u64,
}

impl Fits {
    /// Counts the values of cleaned columns.
    pub(super) fn of(columns: &[ArrayRef], faults: &Faults) -> Self {
        let columns = columns.iter().enumerate();
        let fits = columns.map(|(index, column)| {
            let refused = faults.refused(index);
            let valid = (column.len() - column.null_count()) as u64;
            Fit { present: valid + refused.by_any_rule, misfits: refused.by_type }
        });
        Self(fits.collect())
    }

    /// Adds what was counted in another batch.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), Fit::default());
        for (sum, fit) in self.0.iter_mut().zip(&other.0) {
            sum.present += fit.present;
            sum.misfits += fit.misfits;
        }
    }

    /// Returns the raw fields of which most values are not of their column's type.
    pub(super) fn misfits(&self, source: &plan::Source) -> Vec<String> {
        let columns = source.columns.iter().zip(&self.0);
        let misfits =
            columns.filter(|(_, fit)| fit.present >= JUDGED && fit.misfits * 2 > fit.present);
        misfits.map(|(column, _)| column.from.clone()).collect()
    }
}
