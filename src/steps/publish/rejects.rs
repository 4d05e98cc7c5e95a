//! Keeps the rejects of a run, whatever becomes of the run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;

use tokio::task::spawn_blocking;

use super::PublishError;
use super::apply::uploaded;
use crate::engine::{Context, FileSummary, ParquetFile, ParquetOptions};
use crate::steps::clean::{Cleaned, Rejects, reject_schema};
use crate::warehouse::{StoredFile, TableFile, TableRecord, Warehouse, Zone};

/// Writes the rejects of one source's new objects as a file of its own, and returns the table of all its rejects: those
/// of earlier nights too, but for objects that are forgotten.
///
/// They are kept before anybody judges them: a night that is not published for its rejects must show them.
pub(crate) async fn keep_rejects(
    ctx: &Context,
    warehouse: &Warehouse,
    cleaned: &Cleaned,
    former: Vec<StoredFile>,
    forgotten: &BTreeSet<Arc<str>>,
) -> Result<TableRecord, PublishError> {
    let source = cleaned.source.name.as_str();
    let new = written(ctx, source, &cleaned.rejects)?;
    let new = uploaded(ctx, warehouse, Zone::Rejects, source, &[new]).await?;
    let mut files = Vec::new();
    let mut part = 1;
    for former in former {
        let (forgotten, left) = (forgotten.clone(), file(ctx, &format!("{source}-{part}")));
        // A file in a store is read by a thread that may wait for it.
        let read = spawn_blocking(move || remembered(former, &forgotten, &left));
        match read.await.map_err(PublishError::Thread)?? {
            Remembered::All(file) => files.push(file),
            Remembered::Some(left) if left.rows == 0 => {}
            Remembered::Some(left) => {
                let path = warehouse.layout().table_file(Zone::Rejects, source, &ctx.run_id, part);
                files.push(warehouse.upload(&left, &path).await?);
                part += 1;
            }
        }
    }
    // A night without rejects adds a file only where there is none: readers need one to know the columns.
    if new.rows > 0 || files.is_empty() {
        files.extend(new.files);
    }
    Ok(TableRecord::of(files))
}

fn file(ctx: &Context, name: &str) -> PathBuf {
    ctx.work.join(format!("{}-{name}.parquet", Zone::Rejects.folder()))
}

/// Writes the new rejects of a source to a file of the work folder.
fn written(ctx: &Context, source: &str, rejects: &[Rejects]) -> Result<FileSummary, PublishError> {
    let path = file(ctx, source);
    let mut file = ParquetFile::create(&path, &reject_schema(), ParquetOptions::published())?;
    for rejects in rejects {
        for batch in rejects.rows.batches()? {
            file.write(&batch?)?;
        }
    }
    Ok(file.finish()?)
}

/// What stays of a file of rejects.
enum Remembered {
    All(TableFile),
    Some(FileSummary),
}

/// Takes the rejects of forgotten objects out of a file; what is left goes to the file `left`.
fn remembered(
    former: StoredFile,
    forgotten: &BTreeSet<Arc<str>>,
    left: &Path,
) -> Result<Remembered, PublishError> {
    if forgotten.is_empty() {
        return Ok(Remembered::All(former.file));
    }
    let mut file = ParquetFile::create(left, &reject_schema(), ParquetOptions::published())?;
    let mut all_stay = true;
    for batch in former.all_rows()? {
        let batch = batch?;
        let objects = batch.column_by_name("object").map(AsArray::as_string::<i32>);
        let stays: BooleanArray = objects
            .into_iter()
            .flatten()
            .map(|object| object.map(|object| !forgotten.contains(object)))
            .collect();
        all_stay &= stays.true_count() == batch.num_rows();
        file.write(&filter_record_batch(&batch, &stays)?)?;
    }
    let left = file.finish()?;
    Ok(if all_stay { Remembered::All(former.file) } else { Remembered::Some(left) })
}
