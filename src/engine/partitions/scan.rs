//! The operator that reads each partition as one.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream, Statistics,
};

use super::layout::Layout;

/// Reads partitions whose rows are spread and ordered in a way that is known.
#[derive(Debug)]
pub(super) struct Partitions {
    parts: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    statistics: Arc<Statistics>,
}

impl Partitions {
    /// Makes the operator of what reads each partition; none where a part is read as several.
    ///
    /// Who goes by as many threads as there are partitions can use how they are spread; for any other number rows would
    /// have to be spread anew.
    pub(super) fn new(
        parts: &[Arc<dyn ExecutionPlan>],
        layout: &Layout,
        threads: usize,
    ) -> Result<Option<Self>> {
        let Some(first) = parts.first() else { return Ok(None) };
        if parts.iter().any(|part| part.output_partitioning().partition_count() != 1) {
            return Ok(None);
        }
        let schema = first.schema();
        let partitioning = if parts.len() == threads {
            layout.partitioning(&schema, threads)
        } else {
            Partitioning::UnknownPartitioning(parts.len())
        };
        let properties = PlanProperties::clone(first.properties())
            .with_partitioning(partitioning)
            .with_eq_properties(layout.orders(&schema));
        let statistics = parts
            .iter()
            .map(|part| StatisticsContext::new().compute(part.as_ref(), &StatisticsArgs::new()));
        let statistics: Vec<Arc<Statistics>> = statistics.collect::<Result<_>>()?;
        let statistics = Statistics::try_merge_iter(statistics.iter().map(Arc::as_ref), &schema)?;
        Ok(Some(Self {
            parts: parts.to_vec(),
            properties: Arc::new(properties),
            statistics: Arc::new(statistics),
        }))
    }
}

impl DisplayAs for Partitions {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partitions: {}", self.properties.partitioning)?;
        match self.properties.eq_properties.output_ordering() {
            Some(order) => write!(f, ", sorted by [{order}]"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for Partitions {
    fn name(&self) -> &'static str {
        "Partitions"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        // Rules must not cut a part in pieces, as they would files.
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        number: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.parts[number].execute(0, context)
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match args.partition() {
            None => Ok(Arc::clone(&self.statistics)),
            Some(number) => StatisticsContext::new()
                .compute(self.parts[number].as_ref(), &StatisticsArgs::new()),
        }
    }
}
