//! What finds too little memory beside others is computed once more, by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

use super::audit::evaluate;
use super::transform::{Advance, StagedTable, TransformError, Why, transform_over};
use crate::engine::{Context, Parameters, Resources, Tables, session};
use crate::plan::{self, Plan};
use crate::report::{Event, Listener};
use crate::steps::fixtures::{context, tiny_plan};

fn plan() -> Plan {
    let query = "SELECT numbers FROM fact_last WHERE numbers < 0";
    let check = format!("checks: [{{ name: none_is_negative, query: '{query}' }}]");
    tiny_plan(&[
        ("sql/numbers.sql", "SELECT number FROM orders"),
        ("sql/fact_last.sql", "SELECT count(*) AS numbers FROM numbers"),
        ("sql/fact_last.yaml", &format!("description: How many there are.\n{check}\n")),
    ])
}

/// A table for which there is too little memory the first times it is read.
#[derive(Debug)]
struct Heavy {
    rows: MemTable,
    /// How many times there is too little.
    times: usize,
    /// On how many threads it was read.
    threads: Arc<[AtomicUsize; 4]>,
    reads: AtomicUsize,
}

#[async_trait]
impl TableProvider for Heavy {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        self.threads[read].store(state.config().target_partitions(), Ordering::Relaxed);
        if read < self.times {
            let error = DataFusionError::ResourcesExhausted("too little".to_owned());
            return Err(error.context("a sort"));
        }
        self.rows.scan(state, projection, filters, limit).await
    }
}

/// On how many threads a table was read, each time that it was.
type Reads = Arc<[AtomicUsize; 4]>;

fn threads(reads: &Reads) -> Vec<usize> {
    let threads = reads.iter().map(|threads| threads.load(Ordering::Relaxed));
    threads.filter(|threads| *threads > 0).collect()
}

/// Makes a table of one column that there is too little memory for so many times.
fn heavy(column: &str, values: &[i64], times: usize) -> (Heavy, Reads) {
    let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Int64, false)]));
    let rows = Arc::new(Int64Array::from(values.to_vec()));
    let rows = RecordBatch::try_new(Arc::clone(&schema), vec![rows]).unwrap();
    let rows = MemTable::try_new(schema, vec![vec![rows]]).unwrap();
    let threads = Reads::default();
    let reads = AtomicUsize::new(0);
    (Heavy { rows, times, threads: Arc::clone(&threads), reads }, threads)
}

/// Computes stages over a table that there is too little memory for so many times, and audits them over such a table.
struct Night {
    plan: Plan,
    work: tempfile::TempDir,
    tables: Tables,
    begun_again: Arc<BegunAgain>,
}

/// Notes what was begun once more.
#[derive(Default)]
struct BegunAgain(Mutex<Vec<String>>);

impl Listener for BegunAgain {
    fn on(&self, event: &Event<'_>) {
        if let Event::BegunAgain { subject, .. } = event {
            self.0.lock().unwrap().push((*subject).to_owned());
        }
    }
}

impl Night {
    fn new() -> Self {
        Self {
            plan: plan(),
            work: tempfile::tempdir().unwrap(),
            tables: Tables::new(),
            begun_again: Arc::default(),
        }
    }

    fn reads(&mut self, name: &str, heavy: Heavy) {
        self.tables.insert(name.to_owned(), provider_as_source(Arc::new(heavy)));
    }

    fn session(&self) -> SessionContext {
        let spill = self.work.path().join("spill");
        let resources = Resources { threads: 2, memory: 1 << 30, spill: &spill };
        session(&resources, self.plan.timezone).unwrap()
    }

    fn parameters(&self) -> Parameters {
        let as_of = context(self.work.path(), 2).as_of;
        plan::parameters(as_of, &self.plan.currency, &self.plan.variables)
    }

    fn context(&self) -> Context {
        let listener: Arc<dyn Listener> = Arc::<BegunAgain>::clone(&self.begun_again);
        Context { listener, ..context(self.work.path(), 2) }
    }

    async fn staged(&mut self) -> Result<Vec<StagedTable>, TransformError> {
        let ctx = self.context();
        let session = self.session();
        let (parameters, advance) = (self.parameters(), Arc::new(Advance::none(Why::Asked)));
        let stages = &self.plan.stages;
        transform_over(&ctx, &session, &mut self.tables, &parameters, stages, &advance).await
    }
}

#[tokio::test]
async fn a_stage_that_finds_too_little_memory_is_computed_once_more_on_one_thread() {
    let (orders, reads) = heavy("number", &[1, 2, 3], 1);
    let mut night = Night::new();
    night.reads("orders", orders);
    let staged = night.staged().await.unwrap();
    let rows: Vec<u64> = staged.iter().map(StagedTable::rows).collect();
    assert_eq!((rows, threads(&reads)), (vec![3, 1], vec![2, 1]));
    assert_eq!(*night.begun_again.0.lock().unwrap(), ["numbers"]);
}

#[tokio::test]
async fn a_stage_that_finds_too_little_memory_by_itself_ends_the_run() {
    let (orders, reads) = heavy("number", &[1, 2, 3], 2);
    let mut night = Night::new();
    night.reads("orders", orders);
    let error = night.staged().await.unwrap_err();
    assert_eq!((error.stage.as_str(), threads(&reads)), ("numbers", vec![2, 1]));
}

#[tokio::test]
async fn a_check_that_finds_too_little_memory_is_evaluated_once_more_on_one_thread() {
    let mut night = Night::new();
    night.reads("orders", heavy("number", &[1, 2, 3], 0).0);
    let staged = night.staged().await.unwrap();
    let (session, parameters, ctx) = (night.session(), night.parameters(), night.context());
    for (times, expected) in [(1, Some(1)), (2, None)] {
        let (totals, reads) = heavy("numbers", &[-1], times);
        night.reads("fact_last", totals);
        let reports = evaluate(&ctx, &session, &night.tables, &parameters, &staged).await;
        let failures = reports.ok().map(|reports| reports.iter().map(|it| it.failures).sum());
        assert_eq!((failures, threads(&reads)), (expected, vec![2, 1]));
    }
    assert_eq!(*night.begun_again.0.lock().unwrap(), ["fact_last", "fact_last"]);
}

#[tokio::test]
async fn checks_of_rows_and_of_the_key_of_a_mart_are_made_while_it_is_written() {
    let rules = "columns:\n  number:\n    type: integer\n    checks: [{ not_null: true }, { unique: true }, { range: { max: 2 } }]\n";
    let mut night = Night::new();
    night.plan = tiny_plan(&[
        ("sql/fact_last.sql", "SELECT number FROM orders"),
        ("sql/fact_last.yaml", &format!("description: Numbers.\n{rules}")),
    ]);
    night.reads("orders", heavy("number", &[1, 3, 3, 4], 0).0);
    let staged = night.staged().await.unwrap();
    let (session, parameters, ctx) = (night.session(), night.parameters(), night.context());
    // Whoever asked the table would find none of the mistakes.
    let (empty, reads) = heavy("number", &[], 0);
    night.reads("fact_last", empty);
    let reports = evaluate(&ctx, &session, &night.tables, &parameters, &staged).await.unwrap();
    let failures: Vec<u64> = reports.iter().map(|report| report.failures).collect();
    assert_eq!((failures, threads(&reads)), (vec![0, 1, 3], vec![]));
}
