//! Nights whose stages go on customer by customer leave what nights that compute all of them leave.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::plan::{self, Plan};
use crate::report::IncrementalReport;
use crate::run::Options;
use crate::run::tests::{options, root, told_night};
use crate::spec::{self, SourceTree};
use crate::warehouse::{Warehouse, Zone};

const PIPELINE: &str = "
version: 1
name: tiny
timezone: UTC
currency: CNY
variables: { least: 0 }
stages: [sql]
sources:
  visits:
    path: visits/dt={date}/*.csv
    format: csv
    null_if: ['']
    columns:
      visit_id: { type: string, required: true }
      at: { type: timestamp, formats: [rfc3339], required: true }
      cookie: { type: string }
      email: { type: string }
      campaign: { type: string }
    event_time: at
    dedupe: { key: [visit_id], keep: last, order_by: [at] }
  orders:
    load: upsert
    path: orders/dt={date}/*.csv
    format: csv
    null_if: ['']
    columns:
      order_id: { type: string, required: true }
      day: { type: date, required: true }
      email: { type: string }
      amount: { type: integer, required: true }
    dedupe: { key: [order_id], keep: last, order_by: [amount] }
  campaigns:
    load: replace
    path: campaigns/dt={date}/*.csv
    format: csv
    columns:
      campaign: { type: string, required: true }
      channel: { type: string, required: true }
identity:
  identifiers: { email: { priority: 1 }, cookie: { priority: 2 } }
  links: { visits: { cookie: cookie, email: email }, orders: { email: email } }
publish: [dim_campaigns, fact_touches, fact_orders, fact_people, fact_spenders]
";

/// Each with whether it goes on customer by customer.
const STAGES: &[(&str, bool, &str)] = &[
    ("dim_campaigns", false, "SELECT campaign, channel, $as_of AS as_of FROM campaigns"),
    (
        "sessions",
        true,
        "SELECT customer_id, campaign, MIN(at) AS started_at, COUNT(*) AS visits, $as_of_date AS night
         FROM visits WHERE at < $as_of GROUP BY customer_id, campaign",
    ),
    (
        "fact_touches",
        true,
        "SELECT t.customer_id, t.what, t.at, t.n, c.channel, t.night,
            CAST(ROW_NUMBER() OVER (PARTITION BY t.customer_id ORDER BY t.at, t.what, t.n, c.channel) AS BIGINT) AS place,
            $as_of AS as_of
         FROM (
            SELECT customer_id, campaign AS what, campaign, started_at AS at, visits AS n, night FROM sessions
            UNION ALL
            SELECT customer_id, order_id, NULL, CAST(day AS TIMESTAMPTZ), amount, $as_of_date FROM orders
            WHERE day < $as_of_date AND amount >= $least
         ) AS t
         LEFT JOIN dim_campaigns AS c ON c.campaign = t.campaign",
    ),
    // Not by customer: an order is numbered among all.
    (
        "fact_orders",
        false,
        "SELECT order_id, customer_id, day, amount, ROW_NUMBER() OVER (ORDER BY day, order_id) AS number,
            $as_of_date AS night
         FROM orders WHERE day < $as_of_date",
    ),
    (
        "spending",
        true,
        "SELECT o.customer_id, SUM(o.amount) AS amount, MAX(o.number) AS number, MAX(k.campaigns) AS campaigns
         FROM fact_orders AS o CROSS JOIN (SELECT COUNT(*) AS campaigns FROM campaigns) AS k
         WHERE o.customer_id IS NOT NULL GROUP BY o.customer_id",
    ),
    ("fact_spenders", true, "SELECT customer_id, amount, number, campaigns FROM spending WHERE amount > 3"),
    (
        "fact_people",
        true,
        "SELECT p.customer_id, p.first_seen, p.identifiers, t.touches, t.last_at, $as_of AS as_of
         FROM identity_customers AS p
         LEFT JOIN (
            SELECT customer_id, COUNT(*) AS touches, MAX(at) FILTER (WHERE at < $as_of) AS last_at
            FROM fact_touches GROUP BY customer_id
         ) AS t ON t.customer_id = p.customer_id",
    ),
];

fn plan(least: i64) -> Plan {
    let mut tree = SourceTree::default();
    tree.insert("pipelines/tiny.yaml", &PIPELINE.replace("least: 0", &format!("least: {least}")));
    for (name, is_incremental, sql) in STAGES {
        tree.insert(&format!("sql/{name}.sql"), sql);
        if *is_incremental {
            tree.insert(&format!("sql/{name}.yaml"), "incremental: { by: customer_id }\n");
        }
    }
    plan::resolve(&spec::load(&tree, "pipelines/tiny.yaml").unwrap()).unwrap()
}

/// A visit: its number, the day and hour it was made, who made it, and the campaign that led to it.
type Visit = (u8, u8, Option<u8>, Option<u8>, Option<u8>);
/// An order: its number, its day, who made it, and its amount.
type Order = (u8, u8, Option<u8>, u8);

/// What is exported before a night.
#[derive(Debug, Clone)]
enum Export {
    /// An object of a day by its number, new or changed.
    Visits(u8, u8, Vec<Visit>),
    Orders(u8, u8, Vec<Order>),
    /// The channels of all campaigns.
    Campaigns(Vec<u8>),
    /// The campaigns are exported again as they were.
    SameCampaigns,
}

/// A night: its day, what was exported before, and whether the rules are others.
type Night = (u32, Vec<Export>, bool);

fn visits(rows: &[Visit]) -> String {
    let mut text = "visit_id,at,cookie,email,campaign\n".to_owned();
    for (number, hour, cookie, email, campaign) in rows {
        let told =
            |kind: char, it: &Option<u8>| it.map(|it| format!("{kind}{it}")).unwrap_or_default();
        let (day, hour) = (1 + hour / 4, 6 * (hour % 4));
        let (cookie, email) = (told('c', cookie), told('e', email));
        let campaign = told('k', campaign);
        let at = format!("2026-01-{day:02}T{hour:02}:00:00Z");
        writeln!(text, "v{number},{at},{cookie},{email},{campaign}").unwrap();
    }
    text
}

fn orders(rows: &[Order]) -> String {
    let mut text = "order_id,day,email,amount\n".to_owned();
    for (number, day, email, amount) in rows {
        let email = email.map(|it| format!("e{it}")).unwrap_or_default();
        writeln!(text, "o{number},2026-01-{:02},{email},{amount}", 1 + day).unwrap();
    }
    text
}

/// A store in which nights go on, and one in which every night computes all.
struct Both {
    stores: [InMemory; 2],
    plans: [Plan; 2],
    second: i64,
    channels: String,
    advanced: BTreeMap<String, usize>,
}

impl Both {
    fn new() -> Self {
        Self {
            stores: [InMemory::new(), InMemory::new()],
            plans: [plan(0), plan(2)],
            second: 0,
            channels: "campaign,channel\nk0,a\nk1,b\n".to_owned(),
            advanced: BTreeMap::new(),
        }
    }

    async fn export(&mut self, night: u32, export: &Export) {
        let campaigns = format!("campaigns/dt=2026-01-{:02}/all", night - 1);
        let object = |source: &str, day: &u8, number: &u8| {
            format!("{source}/dt=2026-01-{:02}/{number}", 1 + day)
        };
        let (path, text) = match export {
            Export::Visits(day, number, rows) => (object("visits", day, number), visits(rows)),
            Export::Orders(day, number, rows) => (object("orders", day, number), orders(rows)),
            Export::Campaigns(channels) => {
                let rows = channels.iter().enumerate();
                let rows = rows.map(|(number, channel)| format!("k{number},ch{channel}\n"));
                self.channels = format!("campaign,channel\n{}", rows.collect::<String>());
                (campaigns, self.channels.clone())
            }
            Export::SameCampaigns => (campaigns, self.channels.clone()),
        };
        for store in &self.stores {
            let path = Path::from(format!("raw/{path}.csv"));
            store.put(&path, text.clone().into_bytes().into()).await.unwrap();
        }
    }

    /// Runs a night on both sides, and holds the tables that readers see against each other.
    async fn night(&mut self, (day, exports, is_other): &Night) {
        for export in exports {
            self.export(*day, export).await;
        }
        self.second += 100;
        let plan = &self.plans[usize::from(*is_other)];
        let mut seen = Vec::new();
        for (store, force) in self.stores.iter().zip([false, true]) {
            let store: Arc<dyn ObjectStore> = Arc::new(store.clone());
            let options = Options { force, ..options() };
            let ended = told_night(&store, plan, (*day, self.second), &options).await;
            let (_, report) = ended.unwrap();
            let advanced = report.incremental.iter().filter(|it| it.whole.is_none());
            for IncrementalReport { stage, .. } in advanced.filter(|it| it.taken_over > 0) {
                assert!(!force);
                *self.advanced.entry(stage.clone()).or_default() += 1;
            }
            seen.push(tables(&store, plan).await);
        }
        let [advanced, whole] = seen.try_into().unwrap();
        assert_eq!(advanced, whole, "the night {day}");
    }
}

/// Returns the rows of all stages that are kept, in an order that does not tell how they were computed.
async fn tables(store: &Arc<dyn ObjectStore>, plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let warehouse = Warehouse::open(root(store, "w"), &plan.name);
    let current = warehouse.current().await.unwrap().unwrap();
    let mut tables = BTreeMap::new();
    for zone in [Zone::Marts, Zone::Stages] {
        for (name, _) in current.tables(zone) {
            let rows = warehouse.table(&current, zone, name).await.unwrap();
            let text = pretty_format_batches(&rows).unwrap().to_string();
            // Columns are as wide as their widest value in any row.
            let mut rows: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
            rows.sort();
            tables.insert(name.to_owned(), rows);
        }
    }
    let kept = STAGES.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(tables.keys().cloned().collect::<Vec<_>>(), {
        let mut kept: Vec<String> = kept.collect();
        kept.sort();
        kept
    });
    tables
}

/// Many customers, so that on most nights most of them stay as they are.
fn first_night() -> Night {
    let visit = |it: u8| (it, it % 7, Some(it), it.is_multiple_of(3).then_some(it), Some(it % 2));
    let order = |it: u8| (it, it % 3, Some(3 * it), 1 + it % 5);
    let exports = vec![
        Export::Visits(0, 0, (0..12).map(visit).collect()),
        Export::Visits(1, 0, (12..24).map(visit).collect()),
        Export::Orders(0, 0, (0..8).map(order).collect()),
        Export::Campaigns(vec![0, 1]),
    ];
    (3, exports, false)
}

fn any_export() -> impl Strategy<Value = Export> {
    let who = || prop::option::weighted(0.8, 0_u8..26);
    let email =
        || prop::option::weighted(0.5, prop::sample::select(vec![0_u8, 3, 6, 9, 12, 25, 26]));
    // Some repeat others, some come late, some are ahead of their night.
    let number = |known: u8| prop_oneof![1 => 0..known, 4 => known..250];
    let visit = (number(24), 0_u8..24, who(), email(), prop::option::of(0_u8..3));
    let order = (number(8), 0_u8..7, email(), 0_u8..9);
    // Most objects are new.
    let object = || (0_u8..5, 0_u8..12);
    prop_oneof![
        5 => (object(), vec(visit, 0..4)).prop_map(|((day, it), rows)| Export::Visits(day, it, rows)),
        3 => (object(), vec(order, 0..3)).prop_map(|((day, it), rows)| Export::Orders(day, it, rows)),
        1 => vec(0_u8..3, 2..4).prop_map(Export::Campaigns),
        2 => Just(Export::SameCampaigns),
    ]
}

/// Some nights, most of them later than the one before.
fn any_nights() -> impl Strategy<Value = Vec<Night>> {
    let step = prop::sample::select(vec![1_i32, 1, 1, 1, 0, -1, 2]);
    let is_other = prop::bool::weighted(0.15);
    vec((step, vec(any_export(), 0..3), is_other), 2..6).prop_map(|nights| {
        let mut day: i32 = 3;
        let night = |(step, exports, is_other): (i32, Vec<Export>, bool)| {
            day = (day + step).clamp(3, 9);
            (day.unsigned_abs(), exports, is_other)
        };
        nights.into_iter().map(night).collect()
    })
}

#[test]
fn nights_that_go_on_leave_what_whole_nights_leave() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: u32::try_from(crate::fuzz::count_from("MARTLET_ADVANCE_CASES", 3)).unwrap(),
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    });
    let advanced = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
    let ended = runner.run(&any_nights(), |nights| {
        let runtime = Runtime::new().unwrap();
        let mut both = Both::new();
        runtime.block_on(both.night(&first_night()));
        for night in &nights {
            runtime.block_on(both.night(night));
        }
        for (stage, times) in both.advanced {
            *advanced.borrow_mut().entry(stage).or_default() += times;
        }
        Ok(())
    });
    ended.unwrap();
    // All of it would be true of nights that never go on.
    let expected = STAGES.iter().filter(|stage| stage.1);
    for (stage, ..) in expected {
        let times = advanced.borrow().get(*stage).copied().unwrap_or_default();
        assert!(times > 0, "{stage} went on {times} times: {advanced:?}");
    }
}
