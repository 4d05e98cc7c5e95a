//! What the rows of a plan are made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, Join, Limit, LogicalPlan, TableScan, Union, Unnest,
    Values, Window,
};

use super::expression::{sort_keys, trace, traces};
use super::origin::{Origin, Origins, Trace};
use super::scope::{Relation, Scope};

/// Returns what the columns of a plan are made of; `outer` is the query around it, where there is one.
pub(super) fn relation(plan: &LogicalPlan, outer: Option<&Scope<'_>>) -> Result<Relation> {
    match plan {
        LogicalPlan::TableScan(scan) => scanned(scan, outer),
        LogicalPlan::Projection(projection) => {
            let input = relation(&projection.input, outer)?;
            let columns = each(&projection.expr, Scope { relation: &input, outer })?;
            Ok(Relation { schema: Arc::clone(&projection.schema), columns, ..input })
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let input = relation(&alias.input, outer)?;
            Ok(Relation { schema: Arc::clone(&alias.schema), ..input })
        }
        LogicalPlan::Filter(filter) => {
            chosen(&filter.input, std::slice::from_ref(&filter.predicate), outer)
        }
        LogicalPlan::Aggregate(aggregate) => aggregated(aggregate, outer),
        LogicalPlan::Window(window) => windowed(window, outer),
        LogicalPlan::Join(join) => joined(join, outer),
        LogicalPlan::Union(union) => united(union, outer),
        LogicalPlan::Distinct(Distinct::All(input)) => distinct(input, outer),
        LogicalPlan::Distinct(Distinct::On(distinct)) => distinct_on(distinct, outer),
        LogicalPlan::Limit(limit) => limited(limit, outer),
        LogicalPlan::Values(values) => listed(values, outer),
        LogicalPlan::Unnest(unnest) => unnested(unnest, outer),
        LogicalPlan::Sort(sort) => {
            let mut input = relation(&sort.input, outer)?;
            let keys = sort_keys(&sort.expr, Scope { relation: &input, outer })?;
            input.ordered_by = keys.everything();
            Ok(input)
        }
        LogicalPlan::Repartition(repartition) => relation(&repartition.input, outer),
        LogicalPlan::Subquery(query) => relation(&query.subquery, outer),
        other => anything(other, outer),
    }
}

fn each(expressions: &[Expr], scope: Scope<'_>) -> Result<Vec<Trace>> {
    expressions.iter().map(|expression| trace(expression, scope)).collect()
}

fn scanned(scan: &TableScan, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let table = scan.table_name.table();
    let fields = scan.projected_schema.fields().iter();
    let input = Relation {
        schema: Arc::clone(&scan.projected_schema),
        columns: fields.map(|field| Trace::of(Origin::column(table, field.name()))).collect(),
        chosen_by: Origins::new(),
        ordered_by: Origins::new(),
        tables: BTreeSet::from([table.to_owned()]),
    };
    let filters = traces(&scan.filters, Scope { relation: &input, outer })?;
    Ok(Relation { chosen_by: filters.everything(), ..input })
}

/// Returns the rows of a plan that conditions choose.
fn chosen(input: &LogicalPlan, conditions: &[Expr], outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(input, outer)?;
    let conditions = traces(conditions, Scope { relation: &input, outer })?;
    input.chosen_by.extend(conditions.everything());
    Ok(input)
}

/// A group is one row, so what is grouped by decides which rows there are.
fn aggregated(aggregate: &Aggregate, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(&aggregate.input, outer)?;
    let scope = Scope { relation: &input, outer };
    let groups = grouping_set_to_exprlist(&aggregate.group_expr)?;
    let mut columns = Vec::with_capacity(aggregate.schema.fields().len());
    for group in groups {
        columns.push(trace(group, scope)?);
    }
    let grouped_by = traces(&aggregate.group_expr, scope)?;
    let results = each(&aggregate.aggr_expr, scope)?;
    // Between groups and results may stand the number of the grouping set.
    columns.resize(aggregate.schema.fields().len() - results.len(), grouped_by.clone());
    columns.extend(results);
    input.chosen_by.extend(grouped_by.everything());
    Ok(Relation { schema: Arc::clone(&aggregate.schema), columns, ..input })
}

fn windowed(window: &Window, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(&window.input, outer)?;
    let results = each(&window.window_expr, Scope { relation: &input, outer })?;
    input.columns.extend(results);
    input.schema = Arc::clone(&window.schema);
    Ok(input)
}

fn joined(join: &Join, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let left = relation(&join.left, outer)?;
    let left_scope = Scope { relation: &left, outer };
    // A lateral join refers to its left side as to a query around it.
    let right = relation(&join.right, Some(&left_scope))?;
    let right_scope = Scope { relation: &right, outer };
    let both = Relation {
        schema: Arc::new(left.schema.join(&right.schema)?),
        columns: left.columns.iter().chain(&right.columns).cloned().collect(),
        chosen_by: left.chosen_by.union(&right.chosen_by).cloned().collect(),
        ordered_by: Origins::new(),
        tables: left.tables.union(&right.tables).cloned().collect(),
    };
    let mut on = traces(join.on.iter().map(|(left, _)| left), left_scope)?;
    on.absorb(traces(join.on.iter().map(|(_, right)| right), right_scope)?);
    on.absorb(traces(&join.filter, Scope { relation: &both, outer })?);
    let (columns, tables) = kept(join.join_type, &left, &right, &on, &both);
    let mut chosen_by = both.chosen_by;
    chosen_by.extend(on.everything());
    let ordered_by = Origins::new();
    Ok(Relation { schema: Arc::clone(&join.schema), columns, chosen_by, ordered_by, tables })
}

/// Returns the columns and tables of the sides that a join keeps.
fn kept(
    kind: JoinType,
    left: &Relation,
    right: &Relation,
    on: &Trace,
    both: &Relation,
) -> (Vec<Trace>, BTreeSet<String>) {
    let with_mark = |side: &Relation| {
        let columns = side.columns.iter().chain([on]).cloned().collect();
        (columns, side.tables.clone())
    };
    match kind {
        JoinType::LeftSemi | JoinType::LeftAnti => (left.columns.clone(), left.tables.clone()),
        JoinType::RightSemi | JoinType::RightAnti => (right.columns.clone(), right.tables.clone()),
        JoinType::LeftMark => with_mark(left),
        JoinType::RightMark => with_mark(right),
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            (both.columns.clone(), both.tables.clone())
        }
    }
}

fn united(union: &Union, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut all = nothing(&union.schema);
    for input in &union.inputs {
        let input = relation(input, outer)?;
        all.chosen_by.extend(input.chosen_by);
        all.tables.extend(input.tables);
        for (column, more) in all.columns.iter_mut().zip(input.columns) {
            column.absorb(more);
        }
    }
    Ok(all)
}

/// Of rows that are equal in all columns one is kept, so every column decides about every row.
fn distinct(input: &LogicalPlan, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(input, outer)?;
    let columns = input.columns.iter().cloned().flat_map(Trace::everything);
    input.chosen_by.extend(columns);
    Ok(input)
}

fn distinct_on(distinct: &DistinctOn, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(&distinct.input, outer)?;
    let scope = Scope { relation: &input, outer };
    let columns = each(&distinct.select_expr, scope)?;
    let mut chosen_by = traces(&distinct.on_expr, scope)?;
    chosen_by.absorb(sort_keys(distinct.sort_expr.as_deref().unwrap_or_default(), scope)?);
    input.chosen_by.extend(chosen_by.everything());
    Ok(Relation { schema: Arc::clone(&distinct.schema), columns, ..input })
}

fn limited(limit: &Limit, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut input = relation(&limit.input, outer)?;
    input.chosen_by.extend(input.ordered_by.iter().cloned());
    let bounds = limit.skip.iter().chain(&limit.fetch).map(AsRef::as_ref);
    let bounds = traces(bounds, Scope { relation: &input, outer })?;
    input.chosen_by.extend(bounds.everything());
    Ok(input)
}

fn listed(values: &Values, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut all = nothing(&values.schema);
    let none = nothing(&values.schema);
    for row in &values.values {
        let row = each(row, Scope { relation: &none, outer })?;
        for (column, more) in all.columns.iter_mut().zip(row) {
            column.absorb(more);
        }
    }
    Ok(all)
}

fn unnested(unnest: &Unnest, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let input = relation(&unnest.input, outer)?;
    let made_of = |index: &usize| input.columns.get(*index).cloned().unwrap_or_default();
    let columns = unnest.dependency_indices.iter().map(made_of).collect();
    Ok(Relation { schema: Arc::clone(&unnest.schema), columns, ..input })
}

/// A node nobody has told about: every column may be made of everything that goes in.
fn anything(plan: &LogicalPlan, outer: Option<&Scope<'_>>) -> Result<Relation> {
    let mut all = nothing(plan.schema());
    let mut value = Trace::default();
    for input in plan.inputs() {
        let input = relation(input, outer)?;
        value.absorb(input.rows());
        input.columns.into_iter().for_each(|column| value.absorb(column));
        all.chosen_by.extend(input.chosen_by);
        all.tables.extend(input.tables);
    }
    all.columns.iter_mut().for_each(|column| column.absorb(value.clone()));
    Ok(all)
}

fn nothing(schema: &DFSchemaRef) -> Relation {
    Relation {
        schema: Arc::clone(schema),
        columns: vec![Trace::default(); schema.fields().len()],
        chosen_by: Origins::new(),
        ordered_by: Origins::new(),
        tables: BTreeSet::new(),
    }
}
