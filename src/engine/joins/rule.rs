//! Chooses the sides of hash joins, and sorts the sides of those that would hold too much.

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};

use super::size::bytes;
use crate::engine::replace::replaced;

/// A side of at most so many bytes is held once for all threads; of a larger one, each holds its part.
const HELD_TOGETHER: usize = 64 << 20;

/// Lets hash joins hold the smaller of their sides, and none that is larger than `most` bytes.
///
/// It must come after the rule that chooses by statistics and before those that spread and sort rows.
#[derive(Debug)]
pub(in crate::engine) struct BoundedJoins {
    pub(in crate::engine) most: usize,
}

impl PhysicalOptimizerRule for BoundedJoins {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        replaced(plan, |node| {
            node.downcast_ref::<HashJoinExec>().map_or(Ok(None), |join| self.bounded(join))
        })
    }

    fn name(&self) -> &'static str {
        "BoundedJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl BoundedJoins {
    /// Returns the join that takes the place of another, unless that may stay as it is.
    fn bounded(&self, join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (left, right) = (bytes(join.left().as_ref()), bytes(join.right().as_ref()));
        let (Some(held), Some(other)) = (left, right) else { return Ok(None) };
        // Sides that are about as large are left to statistics, which know more of them than how many rows there are.
        let swaps = held > other.saturating_mul(2) && may_swap(join);
        let held = if swaps { other } else { held };
        if held > self.most && may_sort(join) {
            return Ok(Some(Arc::new(sorted(join)?)));
        }
        let mode = if held > HELD_TOGETHER {
            PartitionMode::Partitioned
        } else {
            PartitionMode::CollectLeft
        };
        if swaps { join.swap_inputs(mode).map(Some) } else { Ok(None) }
    }
}

fn may_swap(join: &HashJoinExec) -> bool {
    join.join_type().supports_swap() && !join.null_aware
}

/// Says whether sorting both sides answers the same for certain. Semi and anti joins, and conditions beside the keys, are
/// where sorted joins of the engine have gone wrong before.
fn may_sort(join: &HashJoinExec) -> bool {
    matches!(join.join_type(), JoinType::Inner | JoinType::Left | JoinType::Right)
        && join.filter().is_none()
        && join.projection.is_none()
}

fn sorted(join: &HashJoinExec) -> Result<SortMergeJoinExec> {
    let on = join.on().to_vec();
    let order = vec![SortOptions::default(); on.len()];
    let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
    SortMergeJoinExec::try_new(
        left,
        right,
        on,
        None,
        *join.join_type(),
        order,
        join.null_equality(),
    )
}
