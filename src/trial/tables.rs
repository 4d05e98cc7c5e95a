//! The tables of a test: what is given, and what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

use crate::engine::{Parameters, Select, Tables, in_stored_types, plan_select};
use crate::plan::{self, Fixture, Plan, Stage, UnitTest};

/// What tables are made from.
pub(super) struct Given<'a> {
    pub(super) plan: &'a Plan,
    pub(super) session: &'a SessionContext,
    pub(super) parameters: &'a Parameters,
}

impl Given<'_> {
    /// Returns the tables a test may read.
    ///
    /// A stage that is not given is computed from what is; a source that is not given is empty.
    pub(super) async fn tables(&self, test: &UnitTest) -> Result<Tables> {
        let mut tables = self.sources()?;
        for (name, schema, fixture) in &test.given {
            let rows = rows_of(fixture, self.session).await?;
            let batch = completed(&rows, schema)?;
            insert(&mut tables, name, schema, vec![batch])?;
        }
        let given: BTreeSet<&str> = test.given.iter().map(|(name, ..)| name.as_str()).collect();
        for stage in self.on_the_way(&test.select, &given) {
            let query =
                plan_select(&self.session.state(), &tables, self.parameters, &stage.select)?;
            let frame = DataFrame::new(self.session.state(), query);
            let rows = in_stored_types(frame, &stage.schema)?.collect().await?;
            insert(&mut tables, stage.name.as_str(), &stage.schema, rows)?;
        }
        Ok(tables)
    }

    /// Returns a table without rows for each source, and those that stand in the pipeline.
    fn sources(&self) -> Result<Tables> {
        let mut tables = self.plan.constant_tables()?;
        for source in &self.plan.sources {
            insert(&mut tables, source.name.as_str(), &source.table_schema(), vec![])?;
        }
        let customers = plan::identity_customers_schema();
        insert(&mut tables, plan::IDENTITY_CUSTOMERS, &customers, vec![])?;
        Ok(tables)
    }

    /// Returns the stages between what is given and what is asked, in order of their dependencies.
    fn on_the_way(&self, asked: &Select, given: &BTreeSet<&str>) -> Vec<&Stage> {
        let stages = || self.plan.stages.iter().chain(&self.plan.idle).map(AsRef::as_ref);
        let mut needed: BTreeSet<&str> = asked.tables.iter().map(String::as_str).collect();
        let mut on_the_way: Vec<&Stage> = Vec::new();
        // Each stage stands after those it reads, so that going backwards meets every reader first.
        for stage in stages().collect::<Vec<_>>().into_iter().rev() {
            let name = stage.name.as_str();
            if needed.contains(name) && !given.contains(name) {
                needed.extend(stage.select.tables.iter().map(String::as_str));
                on_the_way.push(stage);
            }
        }
        on_the_way.reverse();
        on_the_way
    }
}

/// Returns the rows of a fixture; those of SQL in the types of the columns they are for.
pub(super) async fn rows_of(fixture: &Fixture, session: &SessionContext) -> Result<RecordBatch> {
    match fixture {
        Fixture::Rows(rows) => Ok(rows.clone()),
        Fixture::Sql(select, schema) => {
            let none = Parameters::default();
            let query = plan_select(&session.state(), &Tables::new(), &none, select)?;
            let yielded: SchemaRef = Arc::clone(query.schema().inner());
            let rows = DataFrame::new(session.state(), query).collect().await?;
            completed(&concat_batches(&yielded, &rows)?, schema)
        }
    }
}

/// Brings rows to a schema: columns by name, in its types; those that are not there hold nothing.
fn completed(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| column(rows, field));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn column(rows: &RecordBatch, field: &Field) -> Result<ArrayRef> {
    match rows.column_by_name(field.name()) {
        Some(column) => {
            // What does not fit is an error, not a NULL.
            let options = CastOptions { safe: false, ..CastOptions::default() };
            Ok(cast_with_options(column, field.data_type(), &options)?)
        }
        None if field.is_nullable() => Ok(new_null_array(field.data_type(), rows.num_rows())),
        None => ScalarValue::new_default(field.data_type())?.to_array_of_size(rows.num_rows()),
    }
}

fn insert(
    tables: &mut Tables,
    name: &str,
    schema: &SchemaRef,
    rows: Vec<RecordBatch>,
) -> Result<()> {
    let table = MemTable::try_new(Arc::clone(schema), vec![rows])?;
    tables.insert(name.to_owned(), provider_as_source(Arc::new(table)));
    Ok(())
}
