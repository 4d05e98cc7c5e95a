//! Putting operators of our own in the place of others.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;

/// Puts what `instead_of` returns for an operator in its place, from the leaves up; what it has nothing for stays.
pub(super) fn replaced(
    plan: Arc<dyn ExecutionPlan>,
    instead_of: impl Fn(&Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        Ok(match instead_of(&node)? {
            Some(instead) => Transformed::yes(instead),
            None => Transformed::no(node),
        })
    })
    .data()
}
