//! Tables of a run that stay in memory while there is room for them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use super::spool::{SpoolBudget, size_of_rows};

/// Where rows are kept: no more than a budget, and out of the memory that queries share.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) budget: SpoolBudget,
    pub(crate) pool: Arc<dyn MemoryPool>,
}

/// Rows of one table in memory; their room is given back when they are dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    taken: usize,
    budget: SpoolBudget,
    reservation: MemoryReservation,
}

impl Keeper {
    /// Begins to keep rows of `schema`.
    pub(crate) fn keep(&self, schema: &SchemaRef) -> Kept {
        Kept {
            schema: Arc::clone(schema),
            batches: Vec::new(),
            taken: 0,
            budget: self.budget.clone(),
            reservation: MemoryConsumer::new("stages kept in memory").register(&self.pool),
        }
    }
}

impl Kept {
    /// Adds rows; says whether there was room for them.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<bool, ArrowError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
        let bytes = size_of_rows(&batch, self.batches.last());
        if !self.budget.take(bytes) {
            return Ok(false);
        }
        self.taken += bytes;
        let has_room = self.reservation.try_grow(bytes).is_ok();
        if has_room {
            self.batches.push(batch);
        }
        Ok(has_room)
    }

    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    pub(crate) fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};

    use super::{Keeper, SpoolBudget};

    /// Returns how many of ten batches of 800 bytes are kept.
    fn kept(budget: &SpoolBudget, memory: usize) -> usize {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(memory));
        let keeper = Keeper { budget: budget.clone(), pool: Arc::clone(&pool) };
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]));
        let batch = || {
            let numbers = Arc::new(Int64Array::from_iter_values(0..100));
            RecordBatch::try_new(Arc::clone(&schema), vec![numbers]).unwrap()
        };
        let mut kept = keeper.keep(&schema);
        while kept.batches().len() < 10 && kept.add(&batch()).unwrap() {}
        assert_eq!(kept.rows(), kept.batches().len() as u64 * 100);
        assert!(pool.reserved() > 0);
        let count = kept.batches().len();
        drop(kept);
        assert_eq!(pool.reserved(), 0);
        count
    }

    #[test]
    fn rows_are_kept_while_budget_and_memory_last_and_give_their_room_back() {
        let budget = SpoolBudget::new(5_000);
        for _ in 0..2 {
            assert_eq!(kept(&budget, 100_000), 6);
            assert_eq!(kept(&budget, 3_000), 3);
        }
        assert_eq!(kept(&SpoolBudget::new(100_000), 100_000), 10);
    }
}
