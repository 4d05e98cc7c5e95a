//! The operator: rows in groups in, the same rows in order out.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::SortColumn;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{LexOrdering, OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions, apply_expression_roots,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
    Statistics,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::group::sorted;
use crate::engine::groups::Groups;

/// How many batches of one group are held. A larger one is left to the engine's own sort, which may spill.
const MOST_HELD: usize = 16;

/// Sorts rows that come sorted by the first of its columns.
#[derive(Debug, Clone)]
pub(super) struct GroupSort {
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    /// By how many of the columns rows come sorted.
    sorted: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl GroupSort {
    /// Stands for a sort whose rows come sorted by the first `sorted` of its columns.
    pub(super) fn new(sort: &SortExec, sorted: usize) -> Self {
        Self {
            input: Arc::clone(sort.input()),
            order: sort.expr().clone(),
            sorted,
            properties: Arc::clone(sort.properties()),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn groups(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.order[..self.sorted].iter().map(|column| Arc::clone(&column.expr)).collect()
    }
}

impl DisplayAs for GroupSort {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupSort: expr=[{}], sorted={}", self.order, self.sorted)
    }
}

impl ExecutionPlan for GroupSort {
    fn name(&self) -> &'static str {
        "GroupSort"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let groups = LexOrdering::new(self.order[..self.sorted].to_vec());
        vec![groups.map(OrderingRequirements::from)]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.order.iter().map(|column| &column.expr), f)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return internal_err!("a sort has an input") };
        let sort = SortExec::new(self.order.clone(), input).with_preserve_partitioning(true);
        Ok(Arc::new(Self::new(&sort, self.sorted)))
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
        let input = self.input.execute(number, Arc::clone(&context))?;
        let rows = Rows {
            groups: Groups::new(input.schema(), self.groups()),
            input: Some(input),
            rest: None,
            order: self.order.clone(),
            sorted: self.sorted,
            context,
            metrics: BaselineMetrics::new(&self.metrics, number),
        };
        let batches = stream::try_unfold(rows, async |mut rows| {
            let batch = rows.next().await?;
            Ok(batch.map(|batch| (batch, rows)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// The rows of one partition of the input.
struct Rows {
    /// None when it has ended, or is sorted as a whole.
    input: Option<SendableRecordBatchStream>,
    groups: Groups,
    /// What the engine sorts, behind all groups before.
    rest: Option<SendableRecordBatchStream>,
    order: LexOrdering,
    sorted: usize,
    context: Arc<TaskContext>,
    metrics: BaselineMetrics,
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(mut input) = self.input.take() {
            let whole = match input.try_next().await? {
                None => self.groups.rest()?,
                Some(batch) => {
                    let whole = self.groups.add(batch)?;
                    if self.groups.held() > MOST_HELD {
                        self.rest = Some(self.left_to_the_engine(input)?);
                    } else {
                        self.input = Some(input);
                    }
                    whole
                }
            };
            if let Some(whole) = whole {
                return self.in_order(&whole).map(Some);
            }
        }
        match &mut self.rest {
            Some(rest) => rest.try_next().await,
            None => Ok(None),
        }
    }

    /// Puts the rows of whole groups in order.
    fn in_order(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let _timer = self.metrics.elapsed_compute().timer();
        let columns = self.order[self.sorted..].iter();
        let columns = columns.map(|column| column.evaluate_to_sort_column(rows));
        let columns: Vec<SortColumn> = columns.collect::<Result<_>>()?;
        let rows = sorted(rows, &self.groups.keys_of(rows)?, columns)?;
        self.metrics.record_output(rows.num_rows());
        Ok(rows)
    }

    /// Lets the engine sort the group that is too large and all that come behind it.
    fn left_to_the_engine(
        &mut self,
        input: SendableRecordBatchStream,
    ) -> Result<SendableRecordBatchStream> {
        let schema = input.schema();
        let pending = stream::iter(self.groups.given_up()).map(Ok);
        let rows = RecordBatchStreamAdapter::new(Arc::clone(&schema), pending.chain(input));
        let rows =
            Arc::new(Once { schema: Arc::clone(&schema), rows: Mutex::new(Some(Box::pin(rows))) });
        let source = StreamingTableExec::try_new(schema, vec![rows], None, [], false, None)?;
        let sort = SortExec::new(self.order.clone(), Arc::new(source));
        sort.execute(0, Arc::clone(&self.context))
    }
}

/// Rows that can be read once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            let none = stream::once(async { internal_err!("rows are read once") });
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), none))
        })
    }
}
