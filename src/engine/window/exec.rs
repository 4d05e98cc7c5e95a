//! The operator: whole partitions in, the same rows with the functions' values out.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::partition;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, InputOrderMode,
    PlanProperties, SendableRecordBatchStream,
};
use futures::{TryStreamExt, stream};

use super::function::{Function, Partitions};
use crate::engine::groups::Groups;

/// Computes functions over the partitions of its rows, which come sorted by partition.
#[derive(Debug)]
pub(super) struct PartitionedWindow {
    /// What it stands for: the same rows in the same order, from the same input.
    stock: Arc<dyn ExecutionPlan>,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    functions: Vec<Function>,
    metrics: ExecutionPlanMetricsSet,
}

impl PartitionedWindow {
    /// Returns what can stand in the place of an operator; none where it must stay.
    pub(super) fn instead_of(stock: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let windows = windows(stock)?;
        let keys = windows.first()?.partition_by();
        let are_alike = windows.iter().all(|window| window.partition_by() == keys);
        if keys.is_empty() || !are_alike {
            return None;
        }
        let functions = windows.iter().map(Function::of).collect::<Option<Vec<_>>>()?;
        let (stock, keys) = (Arc::clone(stock), keys.to_vec());
        Some(Self { stock, keys, functions, metrics: ExecutionPlanMetricsSet::new() })
    }
}

/// Returns the functions of an operator whose rows come sorted by partition.
fn windows(node: &Arc<dyn ExecutionPlan>) -> Option<&[Arc<dyn WindowExpr>]> {
    if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        let is_sorted = window.input_order_mode == InputOrderMode::Sorted;
        return (is_sorted && window.state_observer().is_none()).then(|| window.window_expr());
    }
    node.downcast_ref::<WindowAggExec>().map(WindowAggExec::window_expr)
}

impl DisplayAs for PartitionedWindow {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartitionedWindow, for ")?;
        self.stock.fmt_as(format, f)
    }
}

impl ExecutionPlan for PartitionedWindow {
    fn name(&self) -> &'static str {
        "PartitionedWindow"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.stock.properties()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.stock.input_distribution_requirements()
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.stock.required_input_ordering()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.stock.maintains_input_order()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.stock.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.stock.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let stock = Arc::clone(&self.stock).replace_children(children, options)?;
        Ok(match Self::instead_of(&stock) {
            Some(window) => Arc::new(window),
            None => stock,
        })
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn execute(
        &self,
        number: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let batch_size = context.session_config().batch_size();
        let input = self.children()[0].execute(number, context)?;
        let rows = Rows {
            batch_size,
            groups: Groups::new(input.schema(), self.keys.clone()),
            input,
            schema: Arc::clone(&schema),
            functions: self.functions.clone(),
            ready: None,
            metrics: BaselineMetrics::new(&self.metrics, number),
        };
        let batches = stream::try_unfold(rows, async |mut rows| {
            let batch = rows.next().await?;
            Ok(batch.map(|batch| (batch, rows)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The rows of one partition of the input.
struct Rows {
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    groups: Groups,
    functions: Vec<Function>,
    batch_size: usize,
    /// What has been computed and not been told.
    ready: Option<RecordBatch>,
    metrics: BaselineMetrics,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.ready.is_none() {
            let (whole, is_end) = match self.input.try_next().await? {
                Some(batch) => (self.groups.add(batch)?, false),
                None => (self.groups.rest()?, true),
            };
            if is_end && whole.is_none() {
                return Ok(None);
            }
            self.ready = whole.map(|rows| self.computed(&rows)).transpose()?;
        }
        Ok(self.ready.take().map(|batch| self.told(&batch)))
    }

    /// Tells as many rows as a batch should have, and keeps the rest ready.
    fn told(&mut self, batch: &RecordBatch) -> RecordBatch {
        let rows = batch.num_rows().min(self.batch_size);
        if rows < batch.num_rows() {
            self.ready = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        self.metrics.record_output(rows);
        batch.slice(0, rows)
    }

    /// Adds the functions' values to rows of whole partitions.
    fn computed(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let _timer = self.metrics.elapsed_compute().timer();
        let ranges = partition(&self.groups.keys_of(rows)?)?.ranges();
        let partitions = Partitions::new(rows, &ranges);
        let mut columns = rows.columns().to_vec();
        for function in &self.functions {
            columns.push(function.evaluate(&partitions)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
