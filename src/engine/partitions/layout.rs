//! How rows are spread over partitions and ordered within them.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};

/// How the rows of a table are spread over its partitions, and in which orders each of these has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// The columns by whose hash rows are spread; none where that is not known.
    spread_by: Vec<usize>,
    orders: Vec<Vec<(usize, SortOptions)>>,
}

impl Layout {
    /// Returns the layout of what a plan yields, as far as it goes by columns.
    pub(crate) fn of(plan: &dyn ExecutionPlan) -> Self {
        let spread_by = match plan.output_partitioning() {
            Partitioning::Hash(keys, _) => keys.iter().map(place).collect(),
            _ => None,
        };
        let orders = plan.equivalence_properties().oeq_class().iter();
        let orders = orders.map(|order| {
            order.iter().map_while(|by| Some((place(&by.expr)?, by.options))).collect()
        });
        Self::new(spread_by, orders)
    }

    /// Leaves out what tells nothing.
    fn new(
        spread_by: Option<Vec<usize>>,
        orders: impl Iterator<Item = Vec<(usize, SortOptions)>>,
    ) -> Self {
        let orders = orders.filter(|order| !order.is_empty()).collect();
        Self { spread_by: spread_by.unwrap_or_default(), orders }
    }

    /// Returns what is left of it where only some of the columns are read.
    pub(super) fn projected(&self, projection: &[usize]) -> Self {
        let place = |column: &usize| projection.iter().position(|read| read == column);
        let orders = self.orders.iter().map(|order| {
            order.iter().map_while(|(column, by)| Some((place(column)?, *by))).collect()
        });
        Self::new(self.spread_by.iter().map(place).collect(), orders)
    }

    /// Tells the engine how `count` partitions are spread.
    pub(super) fn partitioning(&self, schema: &SchemaRef, count: usize) -> Partitioning {
        if self.spread_by.is_empty() {
            return Partitioning::UnknownPartitioning(count);
        }
        let keys = self.spread_by.iter().map(|place| column(schema, *place));
        Partitioning::Hash(keys.collect(), count)
    }

    /// Tells the engine in which orders rows come.
    pub(super) fn orders(&self, schema: &SchemaRef) -> EquivalenceProperties {
        let orders =
            self.orders.iter().filter_map(|order| {
                let columns = order.iter();
                LexOrdering::new(columns.map(|(place, options)| {
                    PhysicalSortExpr::new(column(schema, *place), *options)
                }))
            });
        EquivalenceProperties::new_with_orderings(Arc::clone(schema), orders)
    }
}

fn column(schema: &SchemaRef, place: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(schema.field(place).name(), place))
}

fn place(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    expression.downcast_ref::<Column>().map(Column::index)
}
