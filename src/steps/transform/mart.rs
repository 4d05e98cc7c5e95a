//! Stores a mart: one file, whose rows are sorted by the columns that tell them apart, so that the same rows make the same
//! bytes.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::common::Column;
use datafusion::common::runtime::SpawnedTask;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, SortExpr};
use futures::TryStreamExt;
use tokio::sync::mpsc;

use super::TransformErrorKind;
use super::repeats::Repeats;
use crate::engine::{FileSummary, ParquetFile, ParquetOptions, RowCounts};
use crate::plan;

/// How many batches wait to be encoded.
const WAITING: usize = 4;

/// A stored mart.
pub(super) struct Mart {
    pub(super) file: FileSummary,
    pub(super) failures: Failures,
}

/// How many rows or keys break the checks that were made on the way, by the places of these checks.
pub(crate) type Failures = BTreeMap<usize, u64>;

/// Stores the rows of a mart. Rows with the same key lie side by side, so whether there are any is told on the way, and so
/// are `counts`, the checks of single rows.
pub(super) async fn mart(
    frame: DataFrame,
    stage: &plan::Stage,
    mut counts: Option<RowCounts>,
    path: &Path,
) -> Result<Mart, TransformErrorKind> {
    let mut stream = frame.sort(order(stage))?.execute_stream().await?;
    let create = ParquetFile::create(path, &stage.schema, ParquetOptions::published());
    let file = create.map_err(TransformErrorKind::Store)?;
    let mut file = file.sorted_by(&stage.telling_columns);
    let mut repeats = Repeats::new(&stage.telling_columns);
    let (send, mut receive) = mpsc::channel(WAITING);
    // Rows are encoded while the next ones are computed. Where this is given up, so is the encoding.
    let encoding = SpawnedTask::spawn(async move {
        while let Some(batch) = receive.recv().await {
            repeats.note(&batch).map_err(DataFusionError::from)?;
            // What cannot be told of these rows is asked for later, check by check, so that the error names the check.
            if counts.as_mut().is_some_and(|counts| counts.note(&batch).is_err()) {
                counts = None;
            }
            file.write(&batch).map_err(TransformErrorKind::Store)?;
        }
        let file = file.finish().map_err(TransformErrorKind::Store)?;
        Ok::<_, TransformErrorKind>((file, repeats.keys(), counts))
    });
    while let Some(batch) = stream.try_next().await? {
        if send.send(batch).await.is_err() {
            break;
        }
    }
    drop(send);
    let (file, repeated, counts) = encoding.join().await.map_err(TransformErrorKind::Task)??;
    let of_rows = stage.row_checks.iter().flat_map(|together| &together.checks).copied();
    let counted = counts.iter().flat_map(RowCounts::counts);
    let failures = stage.key_check.map(|key| (key, repeated)).into_iter();
    Ok(Mart { file, failures: failures.chain(of_rows.zip(counted)).collect() })
}

/// Returns the columns that make a difference: a table in which rows are equal in these fails its checks, and nobody
/// sees it. NULLs come last, as windows have them, so that rows in the order of a window need not be sorted again.
fn order(stage: &plan::Stage) -> Vec<SortExpr> {
    let column = |name: &str| Expr::Column(Column::from_name(name));
    let telling = stage.telling_columns.iter().map(|place| stage.schema.field(*place));
    telling.map(|field| column(field.name()).sort(true, false)).collect()
}
