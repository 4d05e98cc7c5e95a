//! A store that fails anywhere in a night ends it with a status that says what to do, and never with wrong tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use chrono::{DateTime, TimeDelta};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{ErrorClass, Options, Purpose, RunError, execute};
use crate::engine::{Context, Root, SpoolBudget};
use crate::names::RunId;
use crate::plan::Plan;
use crate::report::{Event, Header, Listener, RunReport, Status};
use crate::steps::fixtures::plan_of;
use crate::warehouse::fault::{Fault, FaultStore};
use crate::warehouse::{Claim, Claimed, Warehouse, Zone, claim};
use crate::zone::AsOf;

const PIPELINE: &str = "
version: 1
name: tiny
timezone: UTC
currency: CNY
stages: [sql]
sources:
  orders:
    path: orders/dt={date}/*.csv
    format: csv
    columns:
      order_id: { type: string, required: true }
      placed_at: { type: timestamp, formats: [rfc3339], required: true }
      amount: { type: 'decimal(18,2)', required: true }
    event_time: placed_at
    dedupe: { key: [order_id], keep: last, order_by: [placed_at] }
publish: [fact_totals]
";

const TOTALS: &str = "
SELECT count(*) AS orders, CAST(sum(amount) AS DECIMAL(28, 2)) AS amount
FROM orders WHERE placed_at < $as_of
";

struct Deaf;

impl Listener for Deaf {
    fn on(&self, _event: &Event<'_>) {}
}

fn plan() -> Plan {
    plan_of(PIPELINE, &[("sql/fact_totals.sql", TOTALS)])
}

pub(super) fn root(store: &Arc<dyn ObjectStore>, prefix: &str) -> Root {
    let (store, prefix) = (Arc::clone(store), Path::from(prefix));
    Root { store, prefix, url: "memory:///".parse().unwrap() }
}

/// Runs such a night, and says how it ended.
async fn night(
    store: &Arc<dyn ObjectStore>,
    plan: &Plan,
    day: u32,
    second: i64,
) -> Result<Status, RunError> {
    let options = options();
    told_night(store, plan, (day, second), &options).await.map(|(status, _)| status)
}

/// How a night is run when nothing else is said.
pub(super) fn options() -> Options {
    Options {
        force: false,
        full_refresh: false,
        allow_incomplete: false,
        replayed: None,
        purpose: Purpose::Publish,
        identity_key: vec![7; 32],
    }
}

/// Runs the night that ends on a day of January 2026, under the lease, at a second of a clock of its own.
pub(super) async fn told_night(
    store: &Arc<dyn ObjectStore>,
    plan: &Plan,
    (day, second): (u32, i64),
    options: &Options,
) -> Result<(Status, RunReport), RunError> {
    let run_id = format!("r{second}");
    let opened = Warehouse::open(root(store, "w"), &plan.name);
    let asked = Claim {
        owner: run_id.clone(),
        run_id: run_id.clone(),
        host: None,
        pid: 1,
        duration: TimeDelta::seconds(60),
        clock: Arc::new(move || DateTime::from_timestamp(second, 0).unwrap()),
    };
    let claimed = claim(opened.root(), opened.layout(), asked).await?;
    let Claimed::Held(lease) = claimed else { panic!("the lease of the run before has run out") };
    let date = format!("2026-01-{day:02}").parse().unwrap();
    let work = tempfile::tempdir().unwrap();
    let ctx = Context {
        run_id: RunId::new(&run_id),
        as_of: AsOf::midnight(date, plan.timezone),
        raw: root(store, "raw"),
        work: work.path().to_owned(),
        threads: 1,
        memory: 1 << 28,
        spools: SpoolBudget::new(usize::MAX),
        kept: SpoolBudget::new(usize::MAX),
        listener: Arc::new(Deaf),
    };
    let mut report = RunReport::begun(Header {
        run_id,
        pipeline: plan.name.to_string(),
        as_of: date,
        environment: "test".to_owned(),
        started_at: DateTime::from_timestamp(second, 0).unwrap(),
        raw: String::new(),
        warehouse: String::new(),
    });
    let status = execute(&ctx, plan, &opened.under(lease), options, &mut report).await?;
    Ok((status, report))
}

/// Returns what readers that go by `CURRENT` see of every table.
async fn seen(store: &Arc<dyn ObjectStore>, plan: &Plan) -> BTreeMap<&'static str, String> {
    let warehouse = Warehouse::open(root(store, "w"), &plan.name);
    let current = warehouse.current().await.unwrap().unwrap();
    let mut tables = BTreeMap::new();
    for (zone, name) in [(Zone::Marts, "fact_totals"), (Zone::Clean, "orders")] {
        let rows = warehouse.table(&current, zone, name).await.unwrap();
        tables.insert(name, pretty_format_batches(&rows).unwrap().to_string());
    }
    tables
}

async fn raw_days(store: &InMemory, days: u32) {
    for day in 1..=days {
        let line = format!("o{day},2026-01-{day:02}T10:00:00Z,{day}.50\n");
        let text = format!("order_id,placed_at,amount\n{line}");
        let path = Path::from(format!("raw/orders/dt=2026-01-{day:02}/a.csv"));
        store.put(&path, text.into_bytes().into()).await.unwrap();
    }
}

/// A first night, what it shows, and what an undisturbed second one does.
struct Nights {
    plan: Plan,
    memory: InMemory,
    first: BTreeMap<&'static str, String>,
    second: BTreeMap<&'static str, String>,
}

impl Nights {
    async fn new() -> Self {
        let (plan, memory) = (plan(), InMemory::new());
        raw_days(&memory, 2).await;
        let store: Arc<dyn ObjectStore> = Arc::new(memory.clone());
        assert_eq!(night(&store, &plan, 2, 0).await.unwrap(), Status::Published);
        let first = seen(&store, &plan).await;
        let undisturbed: Arc<dyn ObjectStore> = Arc::new(memory.fork());
        assert_eq!(night(&undisturbed, &plan, 3, 100).await.unwrap(), Status::Published);
        let second = seen(&undisturbed, &plan).await;
        assert_ne!(first, second);
        Self { plan, memory, first, second }
    }

    /// Runs the second night while an operation fails, looks, and runs it again; false where there was none to fail.
    async fn survive(&self, fault: Fault, number: usize, for_good: bool) -> bool {
        let faulty = FaultStore::new(self.memory.fork(), fault, number, for_good);
        let store: Arc<dyn ObjectStore> = Arc::<FaultStore>::clone(&faulty);
        let end = night(&store, &self.plan, 3, 100).await;
        if !faulty.heal() {
            return false;
        }
        let what = format!("{fault:?} at {number}, for good: {for_good}: {end:?}");
        let shown = seen(&store, &self.plan).await;
        match end {
            Ok(status) => {
                assert_eq!(status, Status::Published, "{what}");
                assert_eq!(shown, self.second, "{what}");
            }
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Transient, "{what}");
                assert!(shown == self.first || shown == self.second, "{what}: {shown:?}");
            }
        }
        night(&store, &self.plan, 3, 200).await.unwrap();
        assert_eq!(seen(&store, &self.plan).await, self.second, "{what}");
        true
    }
}

/// Fails operations of a night, each way at every few of them: `MARTLET_SWEEP_STEP` says at every which one.
async fn sweep(for_good: bool) {
    let nights = Nights::new().await;
    let step = crate::fuzz::count_from("MARTLET_SWEEP_STEP", Fault::ALL.len());
    for (first, fault) in Fault::ALL.iter().enumerate() {
        let mut number = first % step;
        while nights.survive(*fault, number, for_good).await {
            number += step;
        }
        assert!(number > 40, "only {number} operations");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_once_ends_a_night_cleanly() {
    sweep(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_for_good_ends_a_night_cleanly() {
    sweep(true).await;
}
