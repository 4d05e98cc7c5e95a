//! Whether rows repeat, told without holding them.

use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::runtime::SpawnedTask;
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use futures::future::try_join_all;
use futures::{FutureExt, TryStreamExt};

use super::parallel::sort_on_threads;

/// Says whether two rows that a query yields may be equal. Where it says no, none are; where it says yes, two rows have
/// one hash at least.
///
/// A row takes eight bytes, and its key need not be kept.
pub(crate) async fn may_repeat(session: &SessionContext, query: LogicalPlan) -> Result<bool> {
    let streams = DataFrame::new(session.state(), query).execute_stream_partitioned().await?;
    let threads = streams.len();
    let pool = &session.runtime_env().memory_pool;
    let parts = streams.into_iter().map(|rows| {
        let room = MemoryConsumer::new("hashes of keys").register(pool);
        SpawnedTask::spawn(hashes(rows, room)).join().map(|hashes| match hashes {
            Ok(hashes) => hashes,
            Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error))),
        })
    });
    let mut parts = try_join_all(parts).await?.into_iter();
    let Some((mut all, room)) = parts.next() else { return Ok(false) };
    for (hashes, _) in parts {
        room.try_grow(hashes.len() * size_of::<u64>())?;
        all.extend(hashes);
    }
    sort_on_threads(threads, &mut all, u64::cmp);
    Ok(all.windows(2).any(|pair| pair[0] == pair[1]))
}

async fn hashes(
    mut rows: SendableRecordBatchStream,
    room: MemoryReservation,
) -> Result<(Vec<u64>, MemoryReservation)> {
    let (mut all, state) = (Vec::new(), RandomState::default());
    while let Some(batch) = rows.try_next().await? {
        let start = all.len();
        room.try_grow(batch.num_rows() * size_of::<u64>())?;
        all.resize(start + batch.num_rows(), 0);
        create_hashes(batch.columns(), &state, &mut all[start..])?;
    }
    Ok((all, room))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use datafusion::datasource::MemTable;
    use datafusion::error::DataFusionError;

    use super::may_repeat;
    use crate::engine::session::{Resources, session};

    /// Says whether rows of two partitions may repeat; `memory` bytes are there for it.
    async fn found(
        parts: [&[(Option<i64>, &str)]; 2],
        memory: usize,
    ) -> Result<bool, DataFusionError> {
        let folder = tempfile::tempdir().unwrap();
        let resources = Resources { threads: 2, memory, spill: folder.path() };
        let session = session(&resources, chrono_tz::UTC).unwrap();
        let parts = parts.map(|rows| {
            let numbers: Int64Array = rows.iter().map(|row| row.0).collect();
            let words: StringArray = rows.iter().map(|row| Some(row.1)).collect();
            let columns = [("a", Arc::new(numbers) as _, true), ("b", Arc::new(words) as _, true)];
            vec![RecordBatch::try_from_iter_with_nullable(columns).unwrap()]
        });
        let table = MemTable::try_new(parts[0][0].schema(), parts.to_vec()).unwrap();
        session.register_table("t", Arc::new(table)).unwrap();
        let query = session.sql("SELECT a, b FROM t").await.unwrap().into_unoptimized_plan();
        may_repeat(&session, query).await
    }

    #[tokio::test]
    async fn rows_repeat_wherever_they_lie() {
        let memory = 1 << 20;
        let one = [(Some(1), "x"), (Some(2), "x"), (None, "x"), (Some(1), "y")];
        for (others, repeat) in [
            ([(Some(1), "z"), (None, "y")], false),
            ([(Some(1), "z"), (Some(2), "x")], true),
            ([(Some(9), "z"), (Some(9), "z")], true),
            ([(None, "z"), (None, "x")], true),
        ] {
            assert_eq!(found([&one, &others], memory).await.unwrap(), repeat, "{others:?}");
        }
        assert!(!found([&[], &[]], memory).await.unwrap());
    }

    #[tokio::test]
    async fn without_room_nothing_is_told() {
        let rows: Vec<_> = (0..4_000).map(|number| (Some(number), "x")).collect();
        let (one, other) = rows.split_at(2_000);
        assert!(!found([one, other], 64_000).await.unwrap());
        let error = found([one, other], 30_000).await.unwrap_err();
        assert!(matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error}");
    }
}
