//! Finds the operators that can be replaced.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::exec::PartitionedWindow;
use crate::engine::replace::replaced;

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
        replaced(plan, |node| {
            let window = PartitionedWindow::instead_of(node);
            Ok(window.map(|window| Arc::new(window) as Arc<dyn ExecutionPlan>))
        })
    }

    fn name(&self) -> &'static str {
        "PartitionedWindows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
