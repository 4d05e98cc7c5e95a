//! Rows that come sorted by some keys, put together to whole groups.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{concat_batches, partition};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;

use super::key::goes_on;

/// Gathers rows until no further row can have the same keys.
pub(super) struct Groups {
    schema: SchemaRef,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Rows of the last group so far, and of whole ones before it.
    pending: Vec<RecordBatch>,
}

impl Groups {
    pub(super) fn new(schema: SchemaRef, keys: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { schema, keys, pending: Vec::new() }
    }

    /// Adds rows, and returns those of groups that are known to be whole.
    pub(super) fn add(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let keys = self.keys_of(&batch)?;
        let last = partition(&keys)?.ranges().last().map_or(0, |range| range.start);
        if last > 0 {
            self.pending.push(batch.slice(0, last));
            let whole = self.taken()?;
            self.pending.push(batch.slice(last, batch.num_rows() - last));
            return Ok(Some(whole));
        }
        let whole = match self.pending.last() {
            Some(before) if !goes_on(&self.keys_of(before)?, &keys)? => Some(self.taken()?),
            _ => None,
        };
        self.pending.push(batch);
        Ok(whole)
    }

    /// Returns the rows of the last group, behind which nothing comes.
    pub(super) fn rest(&mut self) -> Result<Option<RecordBatch>> {
        if self.pending.is_empty() { Ok(None) } else { self.taken().map(Some) }
    }

    /// Returns how many batches of the group that may go on are held.
    pub(super) fn held(&self) -> usize {
        self.pending.len()
    }

    /// Gives up the group that may go on; returns its rows as they came.
    pub(super) fn given_up(&mut self) -> Vec<RecordBatch> {
        std::mem::take(&mut self.pending)
    }

    pub(super) fn keys_of(&self, rows: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let keys = self.keys.iter();
        keys.map(|key| key.evaluate(rows)?.into_array(rows.num_rows())).collect()
    }

    fn taken(&mut self) -> Result<RecordBatch> {
        let pending = std::mem::take(&mut self.pending);
        match pending.as_slice() {
            [only] => Ok(only.clone()),
            several => Ok(concat_batches(&self.schema, several)?),
        }
    }
}
