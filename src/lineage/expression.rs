//! What an expression is made of.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, Case, Sort, WindowFunction};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::origin::Trace;
use super::relation::relation;
use super::scope::Scope;

/// Returns what an expression over the columns of `scope` is made of.
pub(super) fn trace(expression: &Expr, scope: Scope<'_>) -> Result<Trace> {
    match expression {
        Expr::Column(column) => scope.column(column),
        Expr::OuterReferenceColumn(_, column) => scope.outer_column(column),
        Expr::Case(case) => choice(case, scope),
        Expr::AggregateFunction(call) => aggregate(call, scope),
        Expr::WindowFunction(call) => window(call, scope),
        Expr::ScalarSubquery(query) => looked_up(&query.subquery, scope),
        Expr::Exists(exists) => existence(&exists.subquery.subquery, scope),
        Expr::InSubquery(query) => {
            let mut found = trace(&query.expr, scope)?;
            found.absorb(looked_up(&query.subquery.subquery, scope)?);
            Ok(found)
        }
        Expr::SetComparison(comparison) => {
            let mut found = trace(&comparison.expr, scope)?;
            found.absorb(looked_up(&comparison.subquery.subquery, scope)?);
            Ok(found)
        }
        other => parts(other, scope),
    }
}

/// Returns what several expressions are made of together.
pub(super) fn traces<'a>(
    expressions: impl IntoIterator<Item = &'a Expr>,
    scope: Scope<'_>,
) -> Result<Trace> {
    let mut all = Trace::default();
    for expression in expressions {
        all.absorb(trace(expression, scope)?);
    }
    Ok(all)
}

/// Returns what sort keys are made of.
pub(super) fn sort_keys(keys: &[Sort], scope: Scope<'_>) -> Result<Trace> {
    traces(keys.iter().map(|key| &key.expr), scope)
}

fn parts(expression: &Expr, scope: Scope<'_>) -> Result<Trace> {
    let mut all = Trace::default();
    expression.apply_children(|part| {
        all.absorb(trace(part, scope)?);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(all)
}

/// A `CASE` has the value of its branches; what it is chosen by influences it.
///
/// A choice between constants has no other value than what it is chosen by.
fn choice(case: &Case, scope: Scope<'_>) -> Result<Trace> {
    let branches = case.when_then_expr.iter().map(|(_, then)| then);
    let mut all = traces(branches.chain(&case.else_expr).map(AsRef::as_ref), scope)?;
    let conditions = case.when_then_expr.iter().map(|(when, _)| when);
    let chosen = traces(conditions.chain(&case.expr).map(AsRef::as_ref), scope)?;
    if all.value.is_empty() {
        all.absorb(chosen);
    } else {
        all.influenced_by(chosen);
    }
    Ok(all)
}

/// An aggregate has the value of its arguments; without any column in them, it counts rows.
fn aggregate(call: &AggregateFunction, scope: Scope<'_>) -> Result<Trace> {
    let mut all = traces(&call.params.args, scope)?;
    if all.value.is_empty() {
        all.absorb(scope.relation.rows());
    }
    all.influenced_by(traces(call.params.filter.as_deref(), scope)?);
    all.influenced_by(sort_keys(&call.params.order_by, scope)?);
    Ok(all)
}

/// A window function has the value of its arguments; a rank has none, and is made of what it is ordered by.
fn window(call: &WindowFunction, scope: Scope<'_>) -> Result<Trace> {
    let params = &call.params;
    let mut all = traces(&params.args, scope)?;
    let order = sort_keys(&params.order_by, scope)?;
    if !all.value.is_empty() {
        all.influenced_by(order);
    } else if order.value.is_empty() {
        all.absorb(scope.relation.rows());
    } else {
        all.absorb(order);
    }
    all.influenced_by(traces(&params.partition_by, scope)?);
    all.influenced_by(traces(params.filter.as_deref(), scope)?);
    Ok(all)
}

/// A subquery used as a value is its first column, influenced by what chooses its rows.
fn looked_up(query: &LogicalPlan, scope: Scope<'_>) -> Result<Trace> {
    let found = relation(query, Some(&scope))?;
    let mut all = found.columns.into_iter().next().unwrap_or_default();
    all.influences.extend(found.chosen_by);
    Ok(all)
}

fn existence(query: &LogicalPlan, scope: Scope<'_>) -> Result<Trace> {
    let found = relation(query, Some(&scope))?;
    let mut all = found.rows();
    all.influences.extend(found.chosen_by);
    Ok(all)
}
