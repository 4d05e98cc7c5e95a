//! Counts rows of which conditions are true, on their way to somewhere else.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::builder::LogicalTableSource;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, TableSource};
use datafusion::physical_plan::PhysicalExpr;

use super::sql::{Parameters, Select, Tables, plan_select};

/// The conditions of a query that counts the rows of one table, each as `count(*) FILTER (WHERE …)`, and how many rows
/// they were true of.
pub(crate) struct RowCounts(Vec<(Arc<dyn PhysicalExpr>, u64)>);

impl RowCounts {
    /// Begins to count what a query counts of the rows of a table; nothing where it asks for anything else.
    pub(crate) fn of(
        state: &SessionState,
        (table, schema): (&str, &SchemaRef),
        parameters: &Parameters,
        counting: &Select,
    ) -> Result<Option<Self>> {
        let source: Arc<dyn TableSource> = Arc::new(LogicalTableSource::new(Arc::clone(schema)));
        let tables = Tables::from([(table.to_owned(), source)]);
        let plan = plan_select(state, &tables, parameters, counting)?;
        let Some(aggregate) = aggregate(&plan) else { return Ok(None) };
        let rows = aggregate.input.schema();
        let conditions = aggregate.aggr_expr.iter().map(condition);
        let Some(conditions) = conditions.collect::<Option<Vec<Expr>>>() else { return Ok(None) };
        let counts = conditions
            .into_iter()
            .map(|condition| Ok((state.create_physical_expr(condition, rows)?, 0)));
        Ok(Some(Self(counts.collect::<Result<_>>()?)))
    }

    /// Takes rows of the table in.
    pub(crate) fn note(&mut self, rows: &RecordBatch) -> Result<()> {
        for (condition, count) in &mut self.0 {
            let answers = condition.evaluate(rows)?.into_array(rows.num_rows())?;
            *count += answers.as_boolean_opt().map_or(0, |answers| answers.true_count() as u64);
        }
        Ok(())
    }

    /// Returns of how many rows each condition was true.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|(_, count)| *count)
    }
}

/// Returns the counts of a query, if it yields them as they are, one after the other, of all rows of a table.
fn aggregate(plan: &LogicalPlan) -> Option<&Aggregate> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    let LogicalPlan::Aggregate(aggregate) = &*projection.input else { return None };
    let is_plain = aggregate.group_expr.is_empty()
        && matches!(&*aggregate.input, LogicalPlan::TableScan(_))
        && projection.expr.len() == aggregate.aggr_expr.len();
    let names = aggregate.schema.fields().iter();
    let mut yielded = projection.expr.iter().zip(names);
    let is_same = |(expression, field): (&Expr, &Arc<arrow::datatypes::Field>)| matches!(expression.clone().unalias_nested().data, Expr::Column(column) if column.name == *field.name());
    (is_plain && yielded.all(is_same)).then_some(aggregate)
}

/// Returns the condition of a count of rows.
fn condition(expression: &Expr) -> Option<Expr> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expression.clone().unalias()
    else {
        return None;
    };
    let counts_rows = matches!(&params.args[..], [Expr::Literal(value, _)] if !value.is_null());
    let filter = *params.filter?;
    (func.name() == "count" && counts_rows && !params.distinct).then_some(filter)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::common::ScalarValue;

    use super::RowCounts;
    use crate::engine::{Parameters, Select, planning_session};

    fn rows(numbers: &[Option<i64>]) -> RecordBatch {
        let words: StringArray =
            numbers.iter().map(|number| number.map(|it| it.to_string())).collect();
        let numbers: Int64Array = numbers.iter().copied().collect();
        let numbers: ArrayRef = Arc::new(numbers);
        let columns = [("number", numbers, true), ("word", Arc::new(words), true)];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn counted(sql: &str) -> Option<Vec<u64>> {
        let state = planning_session(chrono_tz::UTC).state();
        let most = ("most".to_owned(), ScalarValue::Int64(Some(2)));
        let parameters = Parameters::new(vec![most]);
        let select = Select::parse(sql).unwrap();
        let batches = [rows(&[Some(1), None, Some(3)]), rows(&[]), rows(&[Some(4), Some(2)])];
        let table = ("t", &batches[0].schema());
        let mut counts = RowCounts::of(&state, table, &parameters, &select).unwrap()?;
        for batch in &batches {
            counts.note(batch).unwrap();
        }
        Some(counts.counts().collect())
    }

    #[test]
    fn conditions_are_counted_batch_by_batch() {
        let sql = "SELECT count(*) FILTER (WHERE number IS NULL) AS a, \
            count(*) FILTER (WHERE number > $most) AS b, \
            count(*) FILTER (WHERE word NOT IN ('1', '2')) AS c, \
            count(*) FILTER (WHERE false) AS d FROM t";
        // What is unknown of a row is not true of it.
        assert_eq!(counted(sql), Some(vec![1, 2, 2, 0]));
    }

    #[test]
    fn what_counts_anything_else_is_left_to_a_query() {
        for sql in [
            "SELECT count(*) AS a FROM t",
            "SELECT count(number) FILTER (WHERE number > 1) AS a FROM t",
            "SELECT sum(number) FILTER (WHERE number > 1) AS a FROM t",
            "SELECT count(*) FILTER (WHERE number > 1) + 1 AS a FROM t",
            "SELECT count(*) FILTER (WHERE number > 1) AS a FROM t WHERE number < 3",
            "SELECT count(*) FILTER (WHERE number > 1) AS a, count(*) FILTER (WHERE number > 1) AS b FROM t",
        ] {
            assert_eq!(counted(sql), None, "{sql}");
        }
    }
}
