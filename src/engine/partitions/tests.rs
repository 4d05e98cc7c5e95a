//! Queries over what other queries left.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{displayable, execute_stream_partitioned};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use super::{Layout, table_of_file_partitions, table_of_kept};
use crate::engine::{
    Keeper, ParquetFile, ParquetOptions, Resources, SpoolBudget, on_one_thread, session,
};

/// Numbers the touches of each order.
const PATHS: &str = "SELECT word, \"order\", place, \
    ROW_NUMBER() OVER (PARTITION BY \"order\" ORDER BY place) AS n FROM touches";

/// Queries that go by orders, in whatever order the touches of each come.
const BY_ORDER: [&str; 5] = [
    "SELECT place, COUNT(*) OVER (PARTITION BY \"order\") AS all_of_it FROM paths",
    "SELECT place, LAG(word) OVER (PARTITION BY \"order\" ORDER BY place) AS before FROM paths",
    "SELECT place, SUM(n) OVER (PARTITION BY \"order\", word) AS of_word FROM paths",
    "SELECT \"order\" AS place, SUM(n) AS n FROM paths GROUP BY \"order\"",
    "SELECT place, firsts.word FROM paths \
     INNER JOIN (SELECT \"order\", word FROM paths WHERE n = 1) AS firsts USING (\"order\")",
];

/// Queries that do not, or read less than they would need to.
const OTHERS: [&str; 2] = [
    "SELECT place, COUNT(*) OVER (PARTITION BY word) AS all_of_it FROM paths",
    "SELECT word AS place, COUNT(*) AS n FROM paths GROUP BY word",
];

fn touches() -> RecordBatch {
    let rows = 0..10_000_i64;
    let orders = Int64Array::from_iter_values(rows.clone().map(|row| row * 37 % 1_009));
    let words = StringArray::from_iter_values(rows.clone().map(|row| (row % 7).to_string()));
    let places = Int64Array::from_iter_values(rows.map(|row| row * 101 % 10_000));
    RecordBatch::try_from_iter([
        ("order", Arc::new(orders) as _),
        ("word", Arc::new(words) as _),
        ("place", Arc::new(places) as _),
    ])
    .unwrap()
}

fn session_of(threads: usize, folder: &Path) -> SessionContext {
    let resources = Resources { threads, memory: 64 << 20, spill: folder };
    let session = session(&resources, chrono_tz::UTC).unwrap();
    let touches = touches();
    let parts = [(0, 5_000), (5_000, 5_000)].map(|(first, rows)| vec![touches.slice(first, rows)]);
    let table = MemTable::try_new(touches.schema(), parts.to_vec()).unwrap();
    session.register_table("touches", Arc::new(table)).unwrap();
    session
}

/// Computes a query and leaves its rows in memory, or in files of a folder.
async fn left(session: &SessionContext, sql: &str, files: Option<&Path>) -> Arc<dyn TableProvider> {
    let frame = session.sql(sql).await.unwrap();
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.unwrap();
    let (schema, layout) = (plan.schema(), Layout::of(plan.as_ref()));
    let streams = execute_stream_partitioned(plan, task).unwrap();
    let pool = Arc::clone(&session.runtime_env().memory_pool);
    let keeper = Keeper { budget: SpoolBudget::new(64 << 20), pool };
    let (mut kept, mut written) = (Vec::new(), Vec::new());
    for (number, stream) in streams.into_iter().enumerate() {
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        if let Some(folder) = files {
            let path = folder.join(format!("{number}.parquet"));
            let mut file = ParquetFile::create(&path, &schema, ParquetOptions::staged()).unwrap();
            for batch in &batches {
                file.write(batch).unwrap();
            }
            written.push(file.finish().unwrap());
        } else {
            let mut rows = keeper.keep(&schema);
            assert!(batches.iter().all(|batch| rows.add(batch).unwrap()));
            kept.push(rows);
        }
    }
    let table = match files {
        Some(_) => table_of_file_partitions(&schema, &written, layout),
        None => table_of_kept(&schema, &kept, layout),
    };
    table.unwrap()
}

async fn answer(session: &SessionContext, sql: &str) -> (String, String) {
    let frame = session.sql(&format!("SELECT * FROM ({sql}) ORDER BY 1, 2")).await.unwrap();
    let plan = frame.clone().create_physical_plan().await.unwrap();
    let plan = displayable(plan.as_ref()).indent(false).to_string();
    (pretty_format_batches(&frame.collect().await.unwrap()).unwrap().to_string(), plan)
}

#[tokio::test]
async fn rows_that_lie_as_they_are_needed_are_not_spread_again() {
    let folder = tempfile::tempdir().unwrap();
    for files in [None, Some(folder.path())] {
        let session = session_of(2, folder.path());
        let paths = left(&session, PATHS, files).await;
        let alone = on_one_thread(&session);
        // Both have one catalog.
        session.register_table("paths", paths).unwrap();
        // The same rows, of which nothing is known.
        let plain = session_of(2, folder.path());
        let view = plain.sql(PATHS).await.unwrap().into_view();
        plain.register_table("paths", view).unwrap();
        for (queries, is_spread) in [(BY_ORDER.as_slice(), false), (&OTHERS, true)] {
            for sql in queries {
                let (found, plan) = answer(&session, sql).await;
                let (expected, _) = answer(&plain, sql).await;
                assert_eq!(found, expected, "{sql}");
                assert_eq!(
                    plan.contains("RepartitionExec: partitioning=Hash"),
                    is_spread,
                    "{sql}: {plan}"
                );
                assert_eq!(answer(&alone, sql).await.0, expected, "{sql} on one thread");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_come_in_order_are_not_sorted_again() {
    let folder = tempfile::tempdir().unwrap();
    let session = session_of(2, folder.path());
    session.register_table("paths", left(&session, PATHS, None).await).unwrap();
    for (sql, sorts, group_sorts) in [
        (
            "SELECT \"order\", LAG(word) OVER (PARTITION BY \"order\" ORDER BY place) FROM paths",
            0,
            0,
        ),
        ("SELECT word, COUNT(*) OVER (PARTITION BY \"order\", word) FROM paths", 0, 1),
        ("SELECT COUNT(*) OVER (PARTITION BY word) FROM paths", 1, 0),
    ] {
        let frame = session.sql(sql).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let plan = displayable(plan.as_ref()).indent(false).to_string();
        let found = [plan.matches(" SortExec").count(), plan.matches("GroupSort").count()];
        assert_eq!(found, [sorts, group_sorts], "{sql}: {plan}");
    }
}
