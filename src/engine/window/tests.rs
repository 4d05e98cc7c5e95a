//! Holds the operators against the engine's own.

use std::sync::Arc;

use arrow::array::{Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use crate::engine::session::{planning_session, stock_session};

type Row = (Option<i64>, Option<u8>, Option<i64>);

/// Makes rows with a number of their own each, by which they are in order.
fn batch(first: usize, rows: &[Row]) -> RecordBatch {
    let keys: Int64Array = rows.iter().map(|row| row.0).collect();
    let words: StringArray =
        rows.iter().map(|row| row.1.map(|word| "ab".repeat(word as usize))).collect();
    let values: Int64Array = rows.iter().map(|row| row.2).collect();
    let money: Decimal128Array = rows.iter().map(|row| row.2.map(i128::from)).collect();
    let places = Int64Array::from_iter_values((first..).take(rows.len()).map(|row| row as i64));
    RecordBatch::try_from_iter_with_nullable([
        ("key", Arc::new(keys) as _, true),
        ("word", Arc::new(words) as _, true),
        ("value", Arc::new(values) as _, true),
        ("money", Arc::new(money.with_precision_and_scale(18, 4).unwrap()) as _, true),
        ("place", Arc::new(places) as _, true),
    ])
    .unwrap()
}

async fn answer(session: &SessionContext, parts: &[Vec<Row>], sql: &str) -> (String, String) {
    let mut first = 0;
    let batches = parts.iter().map(|rows| {
        let batch = batch(first, rows);
        first += rows.len();
        batch
    });
    let batches: Vec<RecordBatch> = batches.collect();
    let table = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
    session.deregister_table("t").unwrap();
    session.register_table("t", Arc::new(table)).unwrap();
    let frame = session.sql(sql).await.unwrap();
    let plan = frame.clone().create_physical_plan().await.unwrap();
    let plan = displayable(plan.as_ref()).indent(false).to_string();
    let answer = frame.collect().await.unwrap();
    (pretty_format_batches(&answer).unwrap().to_string(), plan)
}

/// Windows that are known.
const KNOWN: [&str; 9] = [
    "ROW_NUMBER() OVER (PARTITION BY key ORDER BY place)",
    "ROW_NUMBER() OVER (PARTITION BY key, word ORDER BY place DESC)",
    "LAG(word) OVER (PARTITION BY key ORDER BY place)",
    "LEAD(value) OVER (PARTITION BY word, key ORDER BY value DESC NULLS LAST, place)",
    "COUNT(*) OVER (PARTITION BY key)",
    "MAX(word) OVER (PARTITION BY key)",
    "SUM(money) OVER (PARTITION BY word)",
    "SUM(money) OVER (PARTITION BY key ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "SUM(value) OVER (PARTITION BY key ORDER BY value, place ROWS UNBOUNDED PRECEDING)",
];

/// Windows that are left to the engine, and answered by it.
const OTHERS: [&str; 9] = [
    "LAG(value, 2) OVER (PARTITION BY key ORDER BY place)",
    "LAG(value) IGNORE NULLS OVER (PARTITION BY key ORDER BY place)",
    "RANK() OVER (PARTITION BY key ORDER BY value)",
    "SUM(value) OVER (PARTITION BY key ORDER BY value)",
    "SUM(value) OVER (PARTITION BY key ORDER BY place ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "SUM(value) FILTER (WHERE value > 1) OVER (PARTITION BY key)",
    "COUNT(DISTINCT value) OVER (PARTITION BY key)",
    "SUM(value) OVER ()",
    "FIRST_VALUE(word) OVER (PARTITION BY key ORDER BY place)",
];

/// Makes sessions with batches of so few rows that partitions lie across them: ours, and the engine's own.
fn sessions(batch_size: usize) -> [SessionContext; 2] {
    let ours = planning_session(chrono_tz::UTC);
    let sizes = ours.state_ref();
    let mut state = sizes.write();
    *state.config_mut() = state.config().clone().with_batch_size(batch_size);
    drop(state);
    [ours, stock_session(batch_size)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn windows_are_as_the_engines_own(
        parts in vec(vec((of(0_i64..4), of(0_u8..3), of(-2_i64..4)), 1..12), 1..6),
        batch_size in 1_usize..9
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let [ours, stock] = sessions(batch_size);
        for windows in KNOWN.iter().chain(&OTHERS).collect::<Vec<_>>().chunks(3) {
            let windows = windows.iter().enumerate();
            let columns: Vec<String> =
                windows.map(|(number, window)| format!("{window} AS w{number}")).collect();
            let sql = format!("SELECT place, {} FROM t ORDER BY place", columns.join(", "));
            let (found, _) = runtime.block_on(answer(&ours, &parts, &sql));
            let (expected, _) = runtime.block_on(answer(&stock, &parts, &sql));
            prop_assert_eq!(found, expected, "{}", sql);
        }
        // Two that share a sort, one of which the engine turns round.
        let sql = "SELECT place, LAG(word) OVER (PARTITION BY key ORDER BY place) AS before, \
                   LEAD(word) OVER (PARTITION BY key ORDER BY place DESC) AS behind, \
                   ROW_NUMBER() OVER (PARTITION BY key ORDER BY place) AS n FROM t ORDER BY place";
        let (found, _) = runtime.block_on(answer(&ours, &parts, sql));
        prop_assert_eq!(found, runtime.block_on(answer(&stock, &parts, sql)).0);
    }
}

#[tokio::test]
async fn windows_that_are_known_are_replaced_and_no_others() {
    let [ours, _] = sessions(8192);
    let parts = vec![vec![(Some(1), Some(1), Some(1))]];
    for (windows, is_known) in [(&KNOWN, true), (&OTHERS, false)] {
        for window in windows {
            let sql = format!("SELECT place, {window} AS w FROM t");
            let (_, plan) = answer(&ours, &parts, &sql).await;
            assert_eq!(plan.contains("PartitionedWindow"), is_known, "{window}: {plan}");
        }
    }
}
