//! Stores the tables of identity in files of the work folder, so that the stages have the memory.

use std::path::Path;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Schema;

use super::{FormerFiles, IdentityError, StoredTable};
use crate::engine::{FileSummary, ParquetFile, ParquetFileError, ParquetOptions};

/// So many rows of a table are made ready at once.
const SLICE: usize = 1 << 16;

/// Writes tables of identity.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) folder: &'a Path,
    pub(super) threads: usize,
}

impl Tables<'_> {
    /// Writes a table of one file.
    pub(super) fn store(
        self,
        name: &'static str,
        rows: &RecordBatch,
        former: FormerFiles,
    ) -> Result<StoredTable, IdentityError> {
        let file = self.file(name, 0, &rows.schema(), slices(rows).map(Ok))?;
        Ok(StoredTable { name, files: vec![file], former })
    }

    /// Writes one file of a table.
    pub(super) fn file(
        self,
        table: &'static str,
        number: usize,
        schema: &Schema,
        rows: impl Iterator<Item = Result<RecordBatch, IdentityError>>,
    ) -> Result<FileSummary, IdentityError> {
        let unwritten = |source: ParquetFileError| IdentityError::File { table, source };
        let path = self.folder.join(format!("identity-{table}-{number}.parquet"));
        let file = ParquetFile::create(&path, schema, ParquetOptions::published());
        let mut file = file.map_err(unwritten)?.on_threads(self.threads);
        for batch in rows {
            file.write(&batch?).map_err(unwritten)?;
        }
        file.finish().map_err(unwritten)
    }
}

/// Cuts rows into slices that are cheap to work on.
pub(super) fn slices(rows: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let starts = (0..rows.num_rows()).step_by(SLICE);
    starts.map(|start| rows.slice(start, SLICE.min(rows.num_rows() - start)))
}

impl StoredTable {
    /// Returns the new files that count, where the table has others or not: one without rows is left out unless it is
    /// the only one, or stands for a former one.
    pub(crate) fn filled(&self, has_others: bool) -> Vec<FileSummary> {
        let last = self.files.len().saturating_sub(1);
        let must_be = !has_others || self.former == FormerFiles::KeptButLast;
        let files = self.files.iter().enumerate();
        let files = files.filter(|(place, file)| file.rows > 0 || (must_be && *place == last));
        files.map(|(_, file)| file.clone()).collect()
    }
}

/// Returns the changes of customers that were known before.
pub(super) fn of_known(changes: &RecordBatch) -> Result<RecordBatch, IdentityError> {
    let kinds = changes["change"].as_string::<i32>();
    let is_known: BooleanArray = kinds.iter().map(|kind| Some(kind != Some("created"))).collect();
    filter_record_batch(changes, &is_known).map_err(IdentityError::Tables)
}
