//! Stages, and files of rows.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionContext, col};
use tokio::runtime::Runtime;

use super::told;
use crate::engine::{
    self, Parameters, ParquetFile, ParquetOptions, Resources, Select, plan_select, session,
};
use crate::plan::{self, Variable};
use crate::zone::AsOf;

const TIMEZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;
const MEMORY: usize = 1 << 30;

/// The value of a variable.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A text.
    Text(&'static str),
    /// A whole number.
    Whole(i64),
}

/// Tables in memory, and a session as a run has it.
pub struct Tables {
    runtime: Runtime,
    session: SessionContext,
    known: engine::Tables,
    parameters: Parameters,
}

/// A query that is planned.
pub struct Query {
    runtime: Runtime,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
}

/// Rows that are to be published.
pub struct Rows {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Tables {
    /// Makes a session with variables of a pipeline and without tables.
    pub fn new(variables: &[(&str, Value)]) -> Result<Self, String> {
        // Whatever an operator spawns runs on the thread that waits.
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(told)?;
        let resources = Resources { threads: 1, memory: MEMORY, spill: &std::env::temp_dir() };
        let session = session(&resources, TIMEZONE).map_err(told)?;
        let date = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap_or_default();
        let variables: Vec<Variable> = variables.iter().map(variable).collect::<Result<_, _>>()?;
        let parameters = plan::parameters(AsOf::midnight(date, TIMEZONE), "CNY", &variables);
        Ok(Self { runtime, session, known: engine::Tables::new(), parameters })
    }

    /// Adds the rows of a query over series, which come sorted by these columns.
    pub fn generate(&mut self, name: &str, sql: &str, sorted_by: &[&str]) -> Result<(), String> {
        let frame = self.runtime.block_on(self.session.sql(sql)).map_err(told)?;
        self.add(name, frame, sorted_by)
    }

    /// Adds the rows of a stage that reads the tables so far.
    pub fn compute(&mut self, name: &str, sql: &str) -> Result<(), String> {
        let frame = self.frame(sql)?;
        self.add(name, frame, &[])
    }

    /// Plans a stage that reads the tables.
    pub fn query(self, sql: &str) -> Result<Query, String> {
        let frame = self.frame(sql)?;
        let task = Arc::new(frame.task_ctx());
        let plan = self.runtime.block_on(frame.create_physical_plan()).map_err(told)?;
        Ok(Query { runtime: self.runtime, plan, task })
    }

    /// Computes the rows of a stage that reads the tables.
    pub fn rows(self, sql: &str) -> Result<Rows, String> {
        let frame = self.frame(sql)?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = self.runtime.block_on(frame.collect()).map_err(told)?;
        Ok(Rows { schema, batches })
    }

    fn frame(&self, sql: &str) -> Result<DataFrame, String> {
        let select = Select::parse(sql).map_err(|error| format!("{error:?}"))?;
        let state = self.session.state();
        let plan = plan_select(&state, &self.known, &self.parameters, &select).map_err(told)?;
        Ok(DataFrame::new(state, plan))
    }

    fn add(&mut self, name: &str, frame: DataFrame, sorted_by: &[&str]) -> Result<(), String> {
        let schema = Arc::clone(frame.schema().inner());
        let batches = self.runtime.block_on(frame.collect()).map_err(told)?;
        let order = sorted_by.iter().map(|column| col(*column).sort(true, false)).collect();
        let table = MemTable::try_new(schema, vec![batches]).map_err(told)?;
        let table = table.with_sort_order(vec![order]);
        self.known.insert(name.to_owned(), provider_as_source(Arc::new(table)));
        Ok(())
    }
}

impl Query {
    /// Computes the query; returns how many rows it yields.
    pub fn run(&self) -> Result<u64, String> {
        // What a join has built would else be there the second time.
        let plan = reset_plan_states(Arc::clone(&self.plan)).map_err(told)?;
        let rows = self.runtime.block_on(collect(plan, Arc::clone(&self.task))).map_err(told)?;
        Ok(rows.iter().map(|batch| batch.num_rows() as u64).sum())
    }
}

impl Rows {
    /// Writes the rows to a file as it is published; returns how many there are.
    pub fn write(&self, path: &Path) -> Result<u64, String> {
        let file = ParquetFile::create(path, &self.schema, ParquetOptions::published());
        let mut file = file.map_err(told)?;
        for batch in &self.batches {
            file.write(batch).map_err(told)?;
        }
        Ok(file.finish().map_err(told)?.rows)
    }
}

fn variable((name, value): &(&str, Value)) -> Result<Variable, String> {
    let value = match value {
        Value::Text(text) => ScalarValue::from(*text),
        Value::Whole(number) => ScalarValue::from(*number),
    };
    Ok(Variable { name: name.parse().map_err(told)?, value })
}
