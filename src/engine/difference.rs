//! How the rows of a table differ from those it had.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, TableSource, lit,
};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use super::KeySet;

const TIMES: &str = "_times";

/// Makes a query for the rows, in some columns, that one of two tables has more often than the other.
///
/// Rows are compared as they are, not by digests of them, so no two are ever taken for one.
pub(crate) fn difference(
    before: Arc<dyn TableProvider>,
    after: &Arc<dyn TableSource>,
    columns: &[String],
) -> Result<LogicalPlan> {
    let counted = |table: Arc<dyn TableSource>, times: i64| {
        let counted = columns.iter().map(|name| named(name));
        let counted = counted.chain([lit(times).alias(TIMES)]);
        LogicalPlanBuilder::scan("side", table, None)?.project(counted.collect::<Vec<_>>())
    };
    let before = counted(provider_as_source(before), -1)?;
    let after = counted(Arc::clone(after), 1)?.build()?;
    let all: Vec<Expr> = columns.iter().map(|name| named(name)).collect();
    before
        .union(after)?
        .aggregate(all.clone(), [sum(named(TIMES)).alias(TIMES)])?
        .filter(named(TIMES).not_eq(lit(0_i64)))?
        .project(if all.is_empty() { vec![named(TIMES)] } else { all })?
        .build()
}

/// Makes a query for the rows in which a column is at least a value.
pub(crate) fn rows_from(
    table: &Arc<dyn TableSource>,
    column: &str,
    least: ScalarValue,
) -> Result<LogicalPlan> {
    let rows = LogicalPlanBuilder::scan("rows", Arc::clone(table), None)?;
    let data_type: DataType = named(column).get_type(rows.schema())?;
    let least = lit(least).cast_to(&data_type, rows.schema())?;
    rows.filter(named(column).gt_eq(least))?.build()
}

/// Returns the customers in some columns of what a query yields.
pub(crate) async fn keys_of(
    session: &SessionContext,
    query: LogicalPlan,
    columns: &[&str],
) -> Result<KeySet> {
    let query = LogicalPlanBuilder::from(query)
        .project(columns.iter().map(|column| named(column)).collect::<Vec<_>>())?
        .distinct()?
        .build()?;
    let mut rows = session.execute_logical_plan(query).await?.execute_stream().await?;
    let mut keys = KeySet::default();
    while let Some(batch) = rows.try_next().await? {
        for column in batch.columns() {
            keys.add(column.as_ref())?;
        }
    }
    Ok(keys)
}

/// Says whether a query yields anything.
pub(crate) async fn has_rows(session: &SessionContext, query: LogicalPlan) -> Result<bool> {
    let first = session.execute_logical_plan(query).await?.limit(0, Some(1))?;
    Ok(first.collect().await?.iter().any(|batch| batch.num_rows() > 0))
}

fn named(column: &str) -> Expr {
    Expr::Column(Column::new_unqualified(column))
}
