//! Small tables that commands put together themselves.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::error::ArrowError;

/// A table of named columns of equal length.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<(&'static str, ArrayRef)>,
}

impl Table {
    /// Adds a column of texts.
    pub(super) fn text(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = Option<String>>,
    ) -> Self {
        let values: StringArray = values.into_iter().collect();
        self.columns.push((name, Arc::new(values)));
        self
    }

    /// Adds a column of whole numbers.
    pub(super) fn number(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = Option<u64>>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.map(u64::cast_signed));
        self.columns.push((name, Arc::new(values.collect::<Int64Array>())));
        self
    }

    pub(super) fn batch(self) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.into_iter().map(|(name, values)| (name, values, true));
        RecordBatch::try_from_iter_with_nullable(columns)
    }
}
