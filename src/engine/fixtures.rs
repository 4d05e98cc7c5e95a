//! Rows and sessions by which operators of our own are held against the engine's.

use std::sync::Arc;

use arrow::array::{Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;

use super::session::planning_session;

/// A row: a key, how long its word is, a value.
pub(super) type Row = (Option<i64>, Option<u8>, Option<i64>);

/// Makes rows of several parts: `key`, `word`, `value`, the same as `money`, and `place`, a number of their own each, by
/// which they are in order.
pub(super) fn batches(parts: &[Vec<Row>]) -> Vec<RecordBatch> {
    let firsts = parts.iter().scan(0, |first, rows| {
        *first += rows.len();
        Some(*first - rows.len())
    });
    firsts.zip(parts).map(|(first, rows)| batch(first, rows)).collect()
}

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

/// Returns what a query over the table `t` answers, and how.
pub(super) async fn answer(
    session: &SessionContext,
    batches: Vec<RecordBatch>,
    sql: &str,
) -> (String, String) {
    let table = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
    session.deregister_table("t").unwrap();
    session.register_table("t", Arc::new(table)).unwrap();
    let frame = session.sql(sql).await.unwrap();
    let plan = frame.clone().create_physical_plan().await.unwrap();
    let plan = displayable(plan.as_ref()).indent(false).to_string();
    let answer = frame.collect().await.unwrap();
    (pretty_format_batches(&answer).unwrap().to_string(), plan)
}

/// Makes a session with batches of so few rows that groups lie across them.
pub(super) fn session_of_batches(rows: usize) -> SessionContext {
    let session = planning_session(chrono_tz::UTC);
    let sizes = session.state_ref();
    let mut state = sizes.write();
    *state.config_mut() = state.config().clone().with_batch_size(rows);
    drop(state);
    session
}
