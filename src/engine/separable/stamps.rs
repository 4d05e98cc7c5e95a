//! Which columns of a query are the night and nothing else.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

use super::expressions::without_alias;
use super::{Ground, Night, Stamps};

/// Returns the columns that hold the night in every row; of a query that cannot be followed, none.
pub(crate) fn stamps(plan: &LogicalPlan, ground: &Ground) -> Stamps {
    let fields = plan.schema().fields().iter();
    let found = fields.zip(columns(plan, ground));
    found.filter_map(|(field, night)| Some((field.name().clone(), night?))).collect()
}

/// Says of each column in which form it is the night.
fn columns(plan: &LogicalPlan, ground: &Ground) -> Vec<Option<Night>> {
    let none = |plan: &LogicalPlan| vec![None; plan.schema().fields().len()];
    match plan {
        LogicalPlan::Projection(it) => yielded(&it.expr, &it.input, ground),
        LogicalPlan::TableScan(it) => {
            let input = ground.inputs.get(it.table_name.table());
            let fields = plan.schema().fields().iter();
            fields.map(|field| input?.stamps.get(field.name()).copied()).collect()
        }
        LogicalPlan::Filter(it) => columns(&it.input, ground),
        LogicalPlan::Sort(it) => columns(&it.input, ground),
        LogicalPlan::Limit(it) => columns(&it.input, ground),
        LogicalPlan::SubqueryAlias(it) => columns(&it.input, ground),
        LogicalPlan::Distinct(Distinct::All(input)) => columns(input, ground),
        LogicalPlan::Window(it) => {
            let mut all = columns(&it.input, ground);
            all.resize(plan.schema().fields().len(), None);
            all
        }
        LogicalPlan::Aggregate(it) => {
            let mut all = yielded(&it.group_expr, &it.input, ground);
            all.resize(plan.schema().fields().len(), None);
            let is_plain = it.group_expr.iter().all(|part| !matches!(part, Expr::GroupingSet(_)));
            if is_plain { all } else { none(plan) }
        }
        LogicalPlan::Join(it) => {
            let (left, right) = (columns(&it.left, ground), columns(&it.right, ground));
            match it.join_type {
                JoinType::Inner => [left, right].concat(),
                JoinType::Left => [left, none(&it.right)].concat(),
                JoinType::Right => [none(&it.left), right].concat(),
                JoinType::LeftSemi | JoinType::LeftAnti => left,
                JoinType::RightSemi | JoinType::RightAnti => right,
                _ => none(plan),
            }
        }
        LogicalPlan::Union(it) => {
            let mut branches = it.inputs.iter().map(|branch| columns(branch, ground));
            let first = branches.next().unwrap_or_default();
            branches.fold(first, |all, branch| {
                let same =
                    |(one, other): (Option<Night>, Option<Night>)| one.filter(|_| one == other);
                all.into_iter().zip(branch).map(same).collect()
            })
        }
        plan => none(plan),
    }
}

fn yielded(parts: &[Expr], input: &LogicalPlan, ground: &Ground) -> Vec<Option<Night>> {
    let columns = columns(input, ground);
    let night = |part: &Expr| match without_alias(part) {
        Expr::Column(column) => *columns.get(input.schema().maybe_index_of_column(column)?)?,
        Expr::Placeholder(parameter) => ground.night(parameter),
        _ => None,
    };
    parts.iter().map(night).collect()
}
