//! Stores what a night has found out about customers, so that the stages have the memory.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::types::{Findings, IdentityTable};
use super::{FormerFiles, Identified, IdentityError, StoredTable};
use crate::engine::{
    Context, FileSummary, ParquetFile, ParquetFileError, ParquetOptions, Queue, on_threads,
};

/// A file that is to be written.
struct Sheet<'a> {
    table: &'static str,
    /// Its place among the files of the table.
    number: usize,
    rows: &'a RecordBatch,
}

impl Findings {
    /// Writes the tables of identity to files of the work folder, and keeps of them what the stages need.
    pub(super) fn stored(self, ctx: &Context) -> Result<Identified, IdentityError> {
        let stored = self.written(ctx)?;
        Ok(Identified {
            stored,
            customers: Arc::new(self.registry.lookup()),
            population: self.registry.customers()?,
            digest: self.registry.digest(),
            changes: of_known(&self.changes).map_err(IdentityError::Tables)?,
            tables: self.tables,
            guards: self.guards,
            match_counts: self.match_counts,
            counts: self.counts,
        })
    }

    /// Writes the files side by side.
    fn written(&self, ctx: &Context) -> Result<Vec<StoredTable>, IdentityError> {
        let tables = self.identity_tables();
        let sheets = tables.iter().flat_map(|it| {
            it.files.iter().enumerate().map(|(number, rows)| Sheet { table: it.name, number, rows })
        });
        let queue = Queue::new(sheets.enumerate());
        let written = on_threads(ctx.threads, |_| {
            let mut written = Vec::new();
            while let Some((place, sheet)) = queue.next() {
                let file = sheet.written(&ctx.work);
                let unwritten = |source| IdentityError::File { table: sheet.table, source };
                written.push((place, file.map_err(unwritten)?));
            }
            Ok(written)
        })?;
        let mut written: Vec<(usize, FileSummary)> = written.into_iter().flatten().collect();
        written.sort_by_key(|(place, _)| *place);
        let mut written = written.into_iter().map(|(_, file)| file);
        let stored = |it: &IdentityTable<'_>| StoredTable {
            name: it.name,
            files: written.by_ref().take(it.files.len()).collect(),
            former: it.former,
        };
        Ok(tables.iter().map(stored).collect())
    }
}

impl Sheet<'_> {
    fn written(&self, folder: &Path) -> Result<FileSummary, ParquetFileError> {
        let path = folder.join(format!("identity-{}-{}.parquet", self.table, self.number));
        let mut file =
            ParquetFile::create(&path, &self.rows.schema(), ParquetOptions::published())?;
        file.write(self.rows)?;
        file.finish()
    }
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
fn of_known(changes: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let kinds = changes["change"].as_string::<i32>();
    let is_known: BooleanArray = kinds.iter().map(|kind| Some(kind != Some("created"))).collect();
    filter_record_batch(changes, &is_known)
}
