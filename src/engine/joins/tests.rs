//! Joins hold their smaller side, and answer as the engine's own do however little they may hold.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};
use datafusion::prelude::SessionContext;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::size::rows;
use crate::engine::session::{bounded_session, stock_session};

type Row = (Option<i64>, Option<bool>);

const ORDERS: i64 = 100;
const MODELS: i64 = 8;
const TOUCHES: i64 = 5;
const CREDITS: &str = "
SELECT touches.touch, orders.word, rests.word AS rest FROM touches
INNER JOIN orders ON orders.number = touches.number
INNER JOIN rests ON rests.number = touches.number AND rests.model = touches.model";

fn table(session: &SessionContext, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    session.register_batch(name, batch).unwrap();
}

fn numbers(of: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(of))
}

fn words(of: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(of.map(|number| number.to_string())))
}

/// Makes orders, what each model leaves of them, and the touches of each in each model.
fn shop(session: &SessionContext) {
    let (rests, touches) = (ORDERS * MODELS, ORDERS * MODELS * TOUCHES);
    table(session, "orders", vec![("number", numbers(0..ORDERS)), ("word", words(0..ORDERS))]);
    let of_rests = vec![
        ("number", numbers((0..rests).map(|rest| rest % ORDERS))),
        ("model", numbers((0..rests).map(|rest| rest / ORDERS))),
        ("word", words(0..rests)),
    ];
    table(session, "rests", of_rests);
    let of_touches = vec![
        ("number", numbers((0..touches).map(|touch| touch % ORDERS))),
        ("model", numbers((0..touches).map(|touch| touch / ORDERS % MODELS))),
        ("touch", words(0..touches)),
    ];
    table(session, "touches", of_touches);
}

async fn planned(session: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    session.sql(sql).await.unwrap().create_physical_plan().await.unwrap()
}

/// Returns how many rows each hash join holds, and how many joins sort both sides.
fn joins(plan: &Arc<dyn ExecutionPlan>) -> (Vec<usize>, usize) {
    let (mut held, mut sorted) = (Vec::new(), 0);
    let walked = plan.apply(|node| {
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            held.extend(rows(join.left().as_ref()));
        }
        sorted += usize::from(node.downcast_ref::<SortMergeJoinExec>().is_some());
        Ok(TreeNodeRecursion::Continue)
    });
    walked.unwrap();
    held.sort_unstable();
    (held, sorted)
}

#[tokio::test]
async fn the_larger_side_of_a_join_is_not_held_though_it_is_a_join_itself() {
    let session = bounded_session(usize::MAX);
    shop(&session);
    let (held, sorted) = joins(&planned(&session, CREDITS).await);
    assert_eq!((held, sorted), (vec![ORDERS as usize, (ORDERS * MODELS) as usize], 0));
}

#[tokio::test]
async fn what_is_too_large_to_be_held_is_sorted() {
    // An order takes less than a hundred bytes, and what is left of all of them far more than twenty thousand.
    let session = bounded_session(20_000);
    shop(&session);
    let (held, sorted) = joins(&planned(&session, CREDITS).await);
    assert_eq!((held, sorted), (vec![ORDERS as usize], 1));
    let answer = format!("SELECT count(*) AS n FROM ({CREDITS}) AS credits");
    let found = session.sql(&answer).await.unwrap().collect().await.unwrap();
    assert!(pretty_format_batches(&found).unwrap().to_string().contains("| 4000 |"));
}

/// Returns the rows of two tables joined in every way, in order.
async fn joined(session: SessionContext, left: &[Row], right: &[Row]) -> String {
    for (name, rows) in [("a", left), ("b", right)] {
        let keys: Int64Array = rows.iter().map(|row| row.0).collect();
        let texts: StringArray = rows.iter().map(|row| row.1.map(|it| it.to_string())).collect();
        let places = numbers(0..rows.len() as i64);
        let columns: Vec<(&str, ArrayRef)> =
            vec![("k", Arc::new(keys)), ("t", Arc::new(texts)), ("place", places)];
        table(&session, name, columns);
    }
    let mut answers = String::new();
    for kind in ["INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI", "RIGHT ANTI"] {
        for on in ["a.k = b.k", "a.k = b.k AND a.t = b.t", "a.k = b.k AND a.place < b.place"] {
            let shown = match kind {
                "LEFT SEMI" | "LEFT ANTI" => "a.place",
                "RIGHT ANTI" => "b.place",
                _ => "a.place, a.t, b.place AS other, b.t AS words",
            };
            let sql = format!("SELECT {shown} FROM a {kind} JOIN b ON {on}");
            let frame = session.sql(&sql).await.unwrap();
            let columns = frame
                .schema()
                .columns()
                .into_iter()
                .map(|column| datafusion::logical_expr::Expr::Column(column).sort(true, true));
            let sorted = frame.clone().sort(columns.collect()).unwrap();
            let batches = sorted.collect().await.unwrap();
            answers.push_str(&sql);
            answers.push_str(&pretty_format_batches(&batches).unwrap().to_string());
        }
    }
    answers
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn joins_answer_as_the_engines_own(
        left in vec((of(0_i64..4), of(any::<bool>())), 0..12),
        right in vec((of(0_i64..4), of(any::<bool>())), 0..12),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let expected = runtime.block_on(joined(stock_session(8192), &left, &right));
        for most in [usize::MAX, 0] {
            let found = runtime.block_on(joined(bounded_session(most), &left, &right));
            prop_assert_eq!(&found, &expected);
        }
    }
}
