//! Stores what a query yields as Parquet files in the work folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr};
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream_partitioned};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use futures::future::try_join_all;
use tokio::task::JoinHandle;

use super::TransformErrorKind;
use crate::engine::{FileSummary, ParquetFile, ParquetOptions, in_stored_types};
use crate::plan;

/// Computes a query and stores it.
///
/// A mart becomes one file whose rows are sorted by its columns from left to right, so that the same
/// rows make the same bytes; any other stage becomes one file for each partition, in no order.
pub(super) async fn materialise(
    session: &SessionContext,
    query: LogicalPlan,
    stage: &plan::Stage,
    folder: &Path,
) -> Result<Vec<FileSummary>, TransformErrorKind> {
    let typed = in_stored_types(DataFrame::new(session.state(), query), &stage.schema)?;
    let frame = if stage.published { typed.sort(order(stage))? } else { typed };
    let task = Arc::new(frame.task_ctx());
    let physical = frame.create_physical_plan().await?;
    let streams = execute_stream_partitioned(physical, task)?;
    let options =
        if stage.published { ParquetOptions::published() } else { ParquetOptions::staged() };
    let writes = streams.into_iter().enumerate().map(|(part, stream)| {
        let path = folder.join(format!("{part}.parquet"));
        stored(stream, path, Arc::clone(&stage.schema), options)
    });
    try_join_all(writes).await
}

/// Returns the order of the columns from left to right, as far as they can make a difference: a table in which rows
/// are equal up to there fails its checks, and nobody sees it.
fn order(stage: &plan::Stage) -> Vec<SortExpr> {
    let column = |name: &str| Expr::Column(datafusion::common::Column::from_name(name));
    let telling = stage.schema.fields().iter().take(stage.telling_columns);
    telling.map(|field| column(field.name()).sort(true, true)).collect()
}

/// Writes one partition in a task of its own, so that partitions are encoded side by side.
async fn stored(
    mut stream: SendableRecordBatchStream,
    path: PathBuf,
    schema: SchemaRef,
    options: ParquetOptions,
) -> Result<FileSummary, TransformErrorKind> {
    let task: JoinHandle<Result<FileSummary, TransformErrorKind>> = tokio::spawn(async move {
        let mut file =
            ParquetFile::create(&path, &schema, options).map_err(TransformErrorKind::Store)?;
        while let Some(batch) = stream.try_next().await? {
            file.write(&batch).map_err(TransformErrorKind::Store)?;
        }
        file.finish().map_err(TransformErrorKind::Store)
    });
    task.await.map_err(TransformErrorKind::Task)?
}
