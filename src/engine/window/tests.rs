//! Holds the operators against the engine's own.

use datafusion::prelude::SessionContext;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use crate::engine::fixtures::{self, Row, batches, session_of_batches};
use crate::engine::session::stock_session;

async fn answer(session: &SessionContext, parts: &[Vec<Row>], sql: &str) -> (String, String) {
    fixtures::answer(session, batches(parts), sql).await
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn windows_are_as_the_engines_own(
        parts in vec(vec((of(0_i64..4), of(0_u8..3), of(-2_i64..4)), 1..12), 1..6),
        batch_size in 1_usize..9
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (ours, stock) = (session_of_batches(batch_size), stock_session(batch_size));
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
    let ours = session_of_batches(8192);
    let parts = vec![vec![(Some(1), Some(1), Some(1))]];
    for (windows, is_known) in [(&KNOWN, true), (&OTHERS, false)] {
        for window in windows {
            let sql = format!("SELECT place, {window} AS w FROM t");
            let (_, plan) = answer(&ours, &parts, &sql).await;
            assert_eq!(plan.contains("PartitionedWindow"), is_known, "{window}: {plan}");
        }
    }
}
