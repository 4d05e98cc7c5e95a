//! Finds the operators that can be replaced.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use super::exec::PartitionedWindow;
use super::function::Function;

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
            Ok(match instead_of(&node) {
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

/// Returns what can stand in the place of an operator; none where it must stay.
pub(super) fn instead_of(node: &Arc<dyn ExecutionPlan>) -> Option<PartitionedWindow> {
    let windows = windows(node)?;
    let keys = windows.first()?.partition_by();
    let are_alike = windows.iter().all(|window| window.partition_by() == keys);
    if keys.is_empty() || !are_alike {
        return None;
    }
    let functions = windows.iter().map(Function::of).collect::<Option<Vec<_>>>()?;
    Some(PartitionedWindow::new(Arc::clone(node), keys.to_vec(), functions))
}

/// Returns the functions of an operator whose rows come sorted by partition.
fn windows(node: &Arc<dyn ExecutionPlan>) -> Option<&[Arc<dyn WindowExpr>]> {
    if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        let is_sorted = window.input_order_mode == InputOrderMode::Sorted;
        return (is_sorted && window.state_observer().is_none()).then(|| window.window_expr());
    }
    node.downcast_ref::<WindowAggExec>().map(WindowAggExec::window_expr)
}
