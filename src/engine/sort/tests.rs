//! Holds the operator against the engine's own sort.

use datafusion::prelude::SessionContext;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use crate::engine::fixtures::{self, Row, batches, session_of_batches};
use crate::engine::session::stock_session;

/// Rows that come sorted by key, and are sorted again by more.
const SORTED: &str = "SELECT * FROM (SELECT *, COUNT(*) OVER (PARTITION BY key) AS rows FROM t)";

/// Such rows beside others that come in no order, under other names.
const UNITED: &str = "SELECT key, word, value, place, rows + 1 AS rows FROM \
    (SELECT key, word, value, place, COUNT(*) OVER (PARTITION BY key) AS rows FROM t \
     UNION ALL SELECT value, word, key, place, 7 FROM t)";

/// Orders of which the rows are in the first part.
const PARTLY: [&str; 4] = [
    "key, value DESC, place",
    "key, word, value NULLS FIRST, place DESC",
    "key, word DESC NULLS LAST, place",
    "key, rows, value, word, place",
];

/// Orders of which they are not.
const OTHERS: [&str; 3] =
    ["key DESC, value, place", "word, key, place", "key, value, place LIMIT 3"];

async fn answer(session: &SessionContext, parts: &[Vec<Row>], sql: &str) -> (String, String) {
    fixtures::answer(session, batches(parts), sql).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn rows_are_sorted_as_by_the_engine(
        parts in vec(vec((of(0_i64..4), of(0_u8..3), of(-2_i64..4)), 1..12), 1..6),
        batch_size in 1_usize..9
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (ours, stock) = (session_of_batches(batch_size), stock_session(batch_size));
        for rows in [SORTED, UNITED] {
            for order in PARTLY.iter().chain(&OTHERS) {
                let sql = format!("{rows} ORDER BY {order}, rows");
                let sql = sql.replace("LIMIT 3, rows", "LIMIT 3");
                let (found, _) = runtime.block_on(answer(&ours, &parts, &sql));
                let (expected, _) = runtime.block_on(answer(&stock, &parts, &sql));
                prop_assert_eq!(found, expected, "{}", sql);
            }
        }
    }
}

#[tokio::test]
async fn sorts_of_rows_that_are_sorted_in_part_are_replaced_and_no_others() {
    let parts = [vec![(Some(1), Some(1), Some(1))]];
    for (orders, is_replaced) in [(PARTLY.as_slice(), true), (&OTHERS, false)] {
        for order in orders {
            let sql = format!("{SORTED} ORDER BY {order}");
            let (_, plan) = answer(&session_of_batches(8192), &parts, &sql).await;
            assert_eq!(plan.contains("GroupSort"), is_replaced, "{order}: {plan}");
        }
    }
}

#[tokio::test]
async fn a_union_is_sorted_branch_by_branch() {
    let parts = [vec![(Some(1), Some(1), Some(1))]];
    let sql = format!("{UNITED} ORDER BY {}", PARTLY[0]);
    let (_, plan) = answer(&session_of_batches(8192), &parts, &sql).await;
    let steps: Vec<&str> = plan.lines().map(str::trim_start).collect();
    let place = |step: &str| steps.iter().position(|line| line.starts_with(step)).expect(step);
    assert!(place("UnionExec") < place("GroupSort"), "{plan}");
    assert!(steps[place("SortPreservingMergeExec") + 1].starts_with("UnionExec"), "{plan}");
}

#[tokio::test]
async fn rows_that_come_in_order_are_not_sorted_at_all() {
    let parts = [vec![(Some(1), Some(1), Some(1))]];
    let numbered = "SELECT key, n FROM (SELECT key, ROW_NUMBER() OVER (PARTITION BY key ORDER BY place) AS n FROM t)";
    let sql = format!("{numbered} UNION ALL {numbered} ORDER BY key, n");
    let (_, plan) = answer(&session_of_batches(8192), &parts, &sql).await;
    let sorts = plan.lines().filter(|line| line.trim_start().starts_with("SortExec"));
    // Those that the windows need, one in each branch.
    assert_eq!((sorts.count(), plan.matches("GroupSort").count()), (2, 0), "{plan}");
}

#[tokio::test]
async fn a_group_that_is_too_large_to_be_held_is_sorted_with_all_behind_it() {
    let of_key = |key: i64, rows: i64| {
        (0..rows).map(move |row| (Some(key), Some((row % 3) as u8), Some(row * 7 % 11)))
    };
    let rows: Vec<Row> =
        of_key(0, 3).chain(of_key(1, 200)).chain(of_key(2, 5)).chain(of_key(3, 90)).collect();
    let sql = format!("{SORTED} ORDER BY {}", PARTLY[0]);
    let parts = [rows];
    let (found, plan) = answer(&session_of_batches(4), &parts, &sql).await;
    assert!(plan.contains("GroupSort"), "{plan}");
    assert_eq!(found, answer(&stock_session(4), &parts, &sql).await.0);
}
