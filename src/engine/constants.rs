//! Constants stay out of sorts.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Sort, SortExpr};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Adds constants to rows behind the sort instead of before it.
///
/// Nearly every mart says in each row which night and which rules it is of. A sort that carries such columns moves them
/// around, and spills them, for nothing.
#[derive(Debug)]
pub(super) struct ConstantsBehindSorts;

impl OptimizerRule for ConstantsBehindSorts {
    fn name(&self) -> &'static str {
        "constants_behind_sorts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let divided = match &plan {
            LogicalPlan::Sort(sort) => divided(sort)?,
            _ => None,
        };
        Ok(divided.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// Divides a sort of rows with constants: first the sort without them, then the rows with them.
fn divided(sort: &Sort) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Projection(rows) = &*sort.input else { return Ok(None) };
    let (constants, others): (Vec<&Expr>, Vec<&Expr>) =
        rows.expr.iter().partition(|expr| is_constant(expr));
    if constants.is_empty() || others.is_empty() {
        return Ok(None);
    }
    let others = others.into_iter().cloned().collect();
    let others = Projection::try_new(others, Arc::clone(&rows.input))?;
    // To sort by a constant is not to sort at all; by more than a column nobody sorts here.
    let is_there = |by: &SortExpr| match &by.expr {
        Expr::Column(column) => others.schema.has_column(column),
        _ => true,
    };
    let order: Vec<SortExpr> = sort.expr.iter().filter(|by| is_there(by)).cloned().collect();
    let reads_others = |by: &SortExpr| {
        by.expr.column_refs().into_iter().all(|column| others.schema.has_column(column))
    };
    if order.is_empty() || !order.iter().all(reads_others) {
        return Ok(None);
    }
    let columns = rows.schema.columns().into_iter().zip(&rows.expr);
    let columns = columns.map(
        |(column, expr)| {
            if is_constant(expr) { expr.clone() } else { Expr::Column(column) }
        },
    );
    let columns: Vec<Expr> = columns.collect();
    let others = LogicalPlan::Projection(others);
    let sorted = LogicalPlan::Sort(Sort { expr: order, input: others.into(), fetch: sort.fetch });
    let schema = Arc::clone(&rows.schema);
    let whole = Projection::try_new_with_schema(columns, sorted.into(), schema)?;
    Ok(Some(LogicalPlan::Projection(whole)))
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_constant(&alias.expr),
        Expr::Literal(..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::SessionContext;

    use super::super::session::planning_session;

    const ROWS: &str = "(VALUES (3, 'c'), (1, 'a'), (2, 'b')) AS t(number, word)";

    async fn plan(session: &SessionContext, sql: &str) -> String {
        let frame = session.sql(sql).await.unwrap();
        let plan = session.state().optimize(frame.logical_plan()).unwrap();
        plan.display_indent().to_string()
    }

    async fn answer(session: &SessionContext, sql: &str) -> String {
        let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    #[tokio::test]
    async fn a_sort_carries_no_constants() {
        let session = planning_session(chrono_tz::UTC);
        let sql = format!(
            "SELECT word, DATE '2026-01-31' AS night, number, '2' AS version FROM {ROWS} ORDER BY night, number"
        );
        let plan = plan(&session, &sql).await;
        let sort = plan.split_once("Sort:").unwrap().1;
        assert!(!sort.contains("version") && !sort.contains("night"), "{plan}");
        assert_eq!(
            answer(&session, &sql).await,
            "\
+------+------------+--------+---------+
| word | night      | number | version |
+------+------------+--------+---------+
| a    | 2026-01-31 | 1      | 2       |
| b    | 2026-01-31 | 2      | 2       |
| c    | 2026-01-31 | 3      | 2       |
+------+------------+--------+---------+"
        );
    }

    #[tokio::test]
    async fn a_sort_by_what_is_no_column_or_of_constants_alone_stays_as_it_is() {
        let session = planning_session(chrono_tz::UTC);
        for sql in [
            format!("SELECT number, '2' AS version FROM {ROWS} ORDER BY concat(version, word)"),
            format!("SELECT '1' AS one, '2' AS version FROM {ROWS} ORDER BY one"),
        ] {
            assert!(plan(&session, &sql).await.contains("Sort:"), "{sql}");
            answer(&session, &sql).await;
        }
    }
}
