//! Stores what a query yields as Parquet files in the work folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream_partitioned};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::TransformErrorKind;
use super::mart::{Mart, mart};
use crate::engine::{
    FileSummary, Keeper, Kept, Layout, Parameters, ParquetFile, ParquetOptions, RowCounts,
    in_stored_types,
};
use crate::plan;

/// Where the rows of a stage are.
pub(super) enum Stored {
    Mart(Mart),
    Files(Vec<FileSummary>, Layout),
    Kept(Vec<Kept>, Layout),
}

/// The rows of one partition.
enum Part {
    File(FileSummary),
    Kept(Kept),
}

/// Computes a query and stores it.
///
/// A mart becomes one file in order. Any other stage is as its query leaves it, partition by partition. One that the next
/// night goes on from becomes one file for each partition; the rest are read by this run alone: they are kept in memory
/// while there is room, and become files beyond that.
pub(super) async fn materialise(
    session: &SessionContext,
    query: LogicalPlan,
    stage: &plan::Stage,
    (folder, keeper): (&Path, &Keeper),
    parameters: &Parameters,
) -> Result<Stored, TransformErrorKind> {
    let state = session.state();
    let frame = in_stored_types(DataFrame::new(state.clone(), query), &stage.schema)?;
    if stage.published {
        let counts = row_counts(&state, stage, parameters);
        return Ok(Stored::Mart(mart(frame, stage, counts, &folder.join("0.parquet")).await?));
    }
    let task = Arc::new(frame.task_ctx());
    let physical = frame.create_physical_plan().await?;
    let layout = Layout::of(physical.as_ref());
    let streams = execute_stream_partitioned(physical, task)?;
    // Partitions are stored side by side; where one fails, the others end with it.
    let mut writes = JoinSet::new();
    for (place, stream) in streams.into_iter().enumerate() {
        let target = Target {
            path: folder.join(format!("{place}.parquet")),
            schema: Arc::clone(&stage.schema),
        };
        // The table of a stage that outlives the run lies in files.
        let kept = (!stage.is_kept()).then(|| keeper.keep(&stage.schema));
        writes.spawn(async move {
            Ok::<_, TransformErrorKind>((place, target.parked(stream, kept).await?))
        });
    }
    let mut parts = Vec::with_capacity(writes.len());
    while let Some(written) = writes.join_next().await {
        parts.push(written.map_err(TransformErrorKind::Task)??);
    }
    parts.sort_by_key(|(place, _)| *place);
    stored(parts, folder, &stage.schema, layout)
}

/// Makes the checks of single rows of a mart ready; those that cannot be are asked for when all tables are there.
fn row_counts(
    state: &SessionState,
    stage: &plan::Stage,
    parameters: &Parameters,
) -> Option<RowCounts> {
    let together = stage.row_checks.as_ref()?;
    let table = (stage.name.as_str(), &stage.schema);
    RowCounts::of(state, table, parameters, &together.select).ok().flatten()
}

/// Where one partition goes.
struct Target {
    path: PathBuf,
    schema: SchemaRef,
}

impl Target {
    /// Keeps one partition in memory, or writes all of it where there is no room.
    async fn parked(
        self,
        mut stream: SendableRecordBatchStream,
        kept: Option<Kept>,
    ) -> Result<Part, TransformErrorKind> {
        let Some(mut kept) = kept else {
            let options = ParquetOptions::published();
            let file = ParquetFile::create(&self.path, &self.schema, options);
            let file = file.map_err(TransformErrorKind::Store)?;
            return Ok(Part::File(written(stream, file).await?));
        };
        while let Some(batch) = stream.try_next().await? {
            if !kept.add(&batch).map_err(DataFusionError::from)? {
                let mut file = self.begun(&kept)?;
                drop(kept);
                file.write(&batch).map_err(TransformErrorKind::Store)?;
                return Ok(Part::File(written(stream, file).await?));
            }
        }
        Ok(Part::Kept(kept))
    }

    /// Begins a file with rows that were kept so far.
    fn begun(&self, kept: &Kept) -> Result<ParquetFile, TransformErrorKind> {
        let create = ParquetFile::create(&self.path, &self.schema, ParquetOptions::staged());
        let mut file = create.map_err(TransformErrorKind::Store)?;
        for batch in kept.batches() {
            file.write(batch).map_err(TransformErrorKind::Store)?;
        }
        Ok(file)
    }
}

/// Writes the rest of a partition, behind what a file holds already.
async fn written(
    mut stream: SendableRecordBatchStream,
    mut file: ParquetFile,
) -> Result<FileSummary, TransformErrorKind> {
    while let Some(batch) = stream.try_next().await? {
        file.write(&batch).map_err(TransformErrorKind::Store)?;
    }
    file.finish().map_err(TransformErrorKind::Store)
}

/// Puts the partitions of a stage together: all of them in memory, or all of them in files.
fn stored(
    parts: Vec<(usize, Part)>,
    folder: &Path,
    schema: &SchemaRef,
    layout: Layout,
) -> Result<Stored, TransformErrorKind> {
    let is_kept = parts.iter().all(|(_, part)| matches!(part, Part::Kept(_)));
    let (mut files, mut all_kept) = (Vec::new(), Vec::new());
    for (place, part) in parts {
        match part {
            Part::File(file) => files.push(file),
            Part::Kept(kept) if is_kept => all_kept.push(kept),
            Part::Kept(kept) => {
                let path = folder.join(format!("{place}.parquet"));
                let target = Target { path, schema: Arc::clone(schema) };
                let file = target.begun(&kept)?.finish();
                files.push(file.map_err(TransformErrorKind::Store)?);
            }
        }
    }
    Ok(if is_kept { Stored::Kept(all_kept, layout) } else { Stored::Files(files, layout) })
}
