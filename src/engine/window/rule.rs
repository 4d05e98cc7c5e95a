//! Finds the operators that can be replaced.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::exec::PartitionedWindow;

/// Puts operators that work on all partitions of a batch in the place of those that work on one after the other.
///
/// It must be the last rule: what it leaves is as sorted and as spread as what it found.
#[derive(Debug)]
pub(in crate::engine) struct PartitionedWindows;

impl PhysicalOptimizerRule for PartitionedWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match PartitionedWindow::instead_of(&node) {
                Some(window) => Transformed::yes(Arc::new(window)),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "PartitionedWindows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
