//! How large the sides of joins are, as far as that can be told beforehand.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::JoinType;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::union::UnionExec;

/// What a text is taken to take: an id or a name, and where it begins.
const TEXT: usize = 28;
/// What a hash table takes for a row beside the row.
const ENTRY: usize = 16;

/// Returns how many bytes the rows of a plan take at most in a hash table; nothing where that cannot be told.
pub(super) fn bytes(plan: &dyn ExecutionPlan) -> Option<usize> {
    Some(rows(plan)?.saturating_mul(width(&plan.schema()) + ENTRY))
}

/// Returns how many rows a plan yields at most where every join has a side with unique keys.
pub(super) fn rows(plan: &dyn ExecutionPlan) -> Option<usize> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return joined(*join.join_type(), join.left().as_ref(), join.right().as_ref());
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        return joined(join.join_type(), join.left().as_ref(), join.right().as_ref());
    }
    if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
        return Some(rows(join.left().as_ref())?.saturating_mul(rows(join.right().as_ref())?));
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        return joined(*join.join_type(), join.left().as_ref(), join.right().as_ref());
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>()
        && aggregate.group_expr().is_empty()
    {
        return Some(1);
    }
    let children = plan.children();
    if plan.downcast_ref::<UnionExec>().is_some() {
        return children.into_iter().map(|child| rows(child.as_ref())).sum();
    }
    let rows = match children.as_slice() {
        // Whatever else has one input yields no more rows than that, but for what unfolds lists.
        [child] => rows(child.as_ref())?,
        _ => known(plan)?,
    };
    Some(plan.fetch().map_or(rows, |most| rows.min(most)))
}

fn joined(kind: JoinType, left: &dyn ExecutionPlan, right: &dyn ExecutionPlan) -> Option<usize> {
    match kind {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => rows(left),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => rows(right),
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            Some(rows(left)?.max(rows(right)?))
        }
    }
}

/// Returns how many rows a table has by its own account.
fn known(plan: &dyn ExecutionPlan) -> Option<usize> {
    let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new()).ok()?;
    statistics.num_rows.get_value().copied()
}

/// Returns how many bytes a row of a schema takes, roughly.
fn width(schema: &Schema) -> usize {
    let of = |kind: &DataType| kind.primitive_width().unwrap_or(TEXT);
    schema.fields().iter().map(|field| of(field.data_type())).sum()
}
