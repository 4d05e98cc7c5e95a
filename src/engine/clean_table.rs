//! Clean tables as SQL sees them: rows of many files, each with the customer it belongs to today.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, plan_err};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, col, lit, when,
};
use url::Url;

use super::customers::{Customers, customer_of};
use super::{FileSummary, table_of_files, table_of_urls};

/// A clean table in files.
pub(crate) struct CleanFiles<'a> {
    /// The columns of the files.
    pub(crate) stored: SchemaRef,
    /// The column of identifiers and the column of customers that takes its place, where rows bear identifiers.
    pub(crate) identity: Option<(&'a str, &'a str)>,
    /// Files of the work folder.
    pub(crate) local: Vec<FileSummary>,
    /// Files in stores the session knows.
    pub(crate) remote: Vec<Url>,
}

/// Makes a table of the files, in which rows find their customers when they are read.
pub(crate) fn clean_table(
    files: &CleanFiles<'_>,
    customers: &Arc<Customers>,
) -> Result<Arc<dyn TableProvider>> {
    let columns = files.stored.fields().iter().map(|field| match files.identity {
        Some((identifiers, customer)) if field.name() == identifiers => {
            customer_of(Arc::clone(customers)).call(vec![col(field.name())]).alias(customer)
        }
        _ => col(field.name()),
    });
    let columns: Vec<Expr> = columns.collect();
    let plan: LogicalPlan = rows(files)?.project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Makes the query that tells what it would mean to look customers up in `after` instead of `before`.
///
/// It yields one row: how many rows have a customer and would have another one, then for each of `columns` the sum over
/// these rows and the sum over all rows.
pub(crate) fn customers_compared(
    files: &CleanFiles<'_>,
    [before, after]: &[Arc<Customers>; 2],
    columns: &[String],
) -> Result<LogicalPlan> {
    let Some((identifiers, _)) = files.identity else {
        return plan_err!("rows without identifiers have no customers");
    };
    let customer = |customers: &Arc<Customers>, name| {
        customer_of(Arc::clone(customers)).call(vec![col(identifiers)]).alias(name)
    };
    let quoted = |name: &String| Expr::Column(Column::new_unqualified(name.as_str()));
    let found = [customer(before, BEFORE), customer(after, AFTER)];
    let found = found.into_iter().chain(columns.iter().map(quoted));
    let moves = || {
        let differs = binary_expr(col(BEFORE), Operator::IsDistinctFrom, col(AFTER));
        col(BEFORE).is_not_null().and(differs)
    };
    let mut sums = vec![sum(when(moves(), lit(1_i64)).end()?).alias("rows")];
    for column in columns {
        sums.push(sum(when(moves(), quoted(column)).end()?).alias(format!("{column} moved")));
        sums.push(sum(quoted(column)).alias(format!("{column} in all")));
    }
    let none: Vec<Expr> = Vec::new();
    rows(files)?.project(found.collect::<Vec<_>>())?.aggregate(none, sums)?.build()
}

/// Makes the query for the rows whose customers differ between two lookups, with both customers in the columns
/// [`MOVED`].
pub(crate) fn customers_moved(
    files: &CleanFiles<'_>,
    [before, after]: &[Arc<Customers>; 2],
) -> Result<LogicalPlan> {
    let Some((identifiers, _)) = files.identity else {
        return plan_err!("rows without identifiers have no customers");
    };
    let customer = |customers: &Arc<Customers>, name| {
        customer_of(Arc::clone(customers)).call(vec![col(identifiers)]).alias(name)
    };
    rows(files)?
        .project([customer(before, BEFORE), customer(after, AFTER)])?
        .filter(binary_expr(col(BEFORE), Operator::IsDistinctFrom, col(AFTER)))?
        .build()
}

/// The columns of two customers of one row.
pub(crate) const MOVED: &[&str] = &[BEFORE, AFTER];

/// The names under which the customers of two nights stand side by side.
const BEFORE: &str = "_customer_before";
const AFTER: &str = "_customer_after";

/// Reads all files of a clean table.
fn rows(files: &CleanFiles<'_>) -> Result<LogicalPlanBuilder> {
    let local = table_of_files(&files.stored, &files.local)?;
    if files.remote.is_empty() {
        return scan(local);
    }
    let remote = scan(table_of_urls(&files.stored, &files.remote)?)?;
    if files.local.is_empty() { Ok(remote) } else { remote.union(scan(local)?.build()?) }
}

fn scan(table: Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    LogicalPlanBuilder::scan("files", provider_as_source(table), None)
}
