//! Takes over the files of a clean table that earlier nights wrote.

use std::path::Path;

use chrono::NaiveDate;

use super::error::IdentitySourceErrorKind;
use super::types::CleanFile;
use crate::engine::{ParquetFile, ParquetOptions};
use crate::plan;
use crate::steps::dedupe::FormerFile;

/// A file with fewer rows is small.
const SMALL_FILE_ROWS: u64 = 20_000;
/// So many small files of a table are left alone.
const MANY_SMALL_FILES: usize = 24;

type Kind = IdentitySourceErrorKind;

/// Takes over the files of one source.
pub(super) struct FormerFiles<'a> {
    pub(super) source: &'a plan::Source,
    /// Where new files go.
    pub(super) folder: &'a Path,
}

/// What becomes one file, or stays one.
#[derive(Debug, Clone)]
pub(super) enum FormerTask<'a> {
    /// A file, and its place among those that stay by themselves.
    Alone(usize, &'a FormerFile),
    /// Small files that become one.
    Together(Vec<&'a FormerFile>),
}

impl FormerFiles<'_> {
    /// Divides the former files of a table: small ones are put together where there are many.
    pub(super) fn tasks(former: &[FormerFile]) -> Vec<FormerTask<'_>> {
        let is_small = |file: &&FormerFile| file.rows() < SMALL_FILE_ROWS;
        let (small, others): (Vec<&FormerFile>, Vec<&FormerFile>) =
            former.iter().partition(is_small);
        if small.len() <= MANY_SMALL_FILES {
            return alone(former.iter()).collect();
        }
        alone(others.into_iter()).chain([FormerTask::Together(small)]).collect()
    }

    /// Writes former files anew, where rows of them have left or they are put together.
    pub(super) fn file(&self, task: &FormerTask<'_>) -> Result<CleanFile, Kind> {
        match task {
            FormerTask::Alone(number, former) => self.former_file(former, *number),
            FormerTask::Together(small) => self.put_together(small),
        }
    }

    fn put_together(&self, small: &[&FormerFile]) -> Result<CleanFile, Kind> {
        let schema = self.source.stored_schema();
        let path = self.folder.join("together.parquet");
        let mut together = ParquetFile::create(&path, &schema, ParquetOptions::staged())?;
        let mut dates: Option<[NaiveDate; 2]> = None;
        for former in small {
            copy(former, &mut together)?;
            if let Some([first, last]) = former.stored.file.dates {
                let [earliest, latest] = dates.get_or_insert([first, last]);
                (*earliest, *latest) = (first.min(*earliest), last.max(*latest));
            }
        }
        Ok(CleanFile::Written { file: together.finish()?, dates })
    }

    fn former_file(&self, former: &FormerFile, number: usize) -> Result<CleanFile, Kind> {
        let stored = &former.stored;
        if former.kept.is_none() {
            return Ok(CleanFile::Stored(stored.file.clone()));
        }
        let schema = self.source.stored_schema();
        let path = self.folder.join(format!("former-{number:05}.parquet"));
        let mut file = ParquetFile::create(&path, &schema, ParquetOptions::staged())?;
        copy(former, &mut file)?;
        Ok(CleanFile::Written { file: file.finish()?, dates: stored.file.dates })
    }
}

fn alone<'a>(files: impl Iterator<Item = &'a FormerFile>) -> impl Iterator<Item = FormerTask<'a>> {
    files.enumerate().map(|(number, file)| FormerTask::Alone(number, file))
}

/// Copies the rows that stay.
fn copy(former: &FormerFile, target: &mut ParquetFile) -> Result<(), Kind> {
    if former.rows() == 0 {
        return Ok(());
    }
    for batch in former.rows_that_stay()? {
        target.write(&batch?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use arrow::array::RecordBatch;
    use arrow::buffer::BooleanBuffer;
    use object_store::local::LocalFileSystem;

    use super::{FormerFiles, MANY_SMALL_FILES};
    use crate::engine::{ParquetFile, ParquetOptions, Root};
    use crate::plan::{self, ColumnKind};
    use crate::steps::dedupe::FormerFile;
    use crate::steps::fixtures::{integers, part, source};
    use crate::steps::identity::CleanFile;
    use crate::warehouse::{StoredFile, TableFile, Warehouse};

    fn rows(source: &plan::Source, values: std::ops::Range<i64>) -> RecordBatch {
        let part = part(source, "a", vec![integers(values.map(Some))], 8192);
        part.rows.batches().unwrap().next().unwrap().unwrap()
    }

    /// Makes files of two rows each, of the days after one another, that lie in a warehouse.
    fn stored(source: &plan::Source, folder: &Path, files: usize) -> Vec<FormerFile> {
        let root = Root {
            store: Arc::new(LocalFileSystem::new()),
            prefix: object_store::path::Path::from_absolute_path(folder).unwrap(),
            url: "file:///".parse().unwrap(),
        };
        let warehouse = Warehouse::open(root, &"shop".parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stored = |number: usize| {
            let relative = format!("clean/orders/night{number}-0.parquet");
            let path = folder.join("shop").join(&relative);
            let schema = source.stored_schema();
            let mut file = ParquetFile::create(&path, &schema, ParquetOptions::staged()).unwrap();
            let first = 2 * number as i64;
            file.write(&rows(source, first..first + 2)).unwrap();
            let bytes = file.finish().unwrap().bytes;
            let day = chrono::NaiveDate::from_epoch_days(number as i32).unwrap();
            let dates = Some([day, day]);
            let file = TableFile { path: relative, dates, rows: 2, bytes, ..TableFile::default() };
            let stored = StoredFile::new(&warehouse, file, runtime.handle().clone());
            FormerFile { stored, kept: None }
        };
        (0..files).map(stored).collect()
    }

    fn carried(files: usize, spoil: impl Fn(&mut Vec<FormerFile>)) -> Vec<CleanFile> {
        let source = source("orders", &[("number", ColumnKind::Integer)]);
        let folder = tempfile::tempdir().unwrap();
        let mut former = stored(&source, folder.path(), files);
        spoil(&mut former);
        let work = folder.path().join("work");
        let files = FormerFiles { source: &source, folder: &work };
        let files = FormerFiles::tasks(&former).into_iter().map(|task| files.file(&task).unwrap());
        files.filter(|file| file.rows() > 0).collect()
    }

    #[test]
    fn a_file_that_loses_no_row_stays_and_another_is_written_anew() {
        let files = carried(3, |files| {
            files[1].kept = Some(BooleanBuffer::from(vec![true, false]));
            files[2].kept = Some(BooleanBuffer::from(vec![false, false]));
        });
        let [CleanFile::Stored(whole), CleanFile::Written { file, dates }] = &files[..] else {
            panic!("{files:?}");
        };
        assert_eq!((whole.rows, file.rows), (2, 1));
        assert_eq!(dates.unwrap()[0].to_string(), "1970-01-02");
    }

    #[test]
    fn many_small_files_are_put_together() {
        assert_eq!(carried(MANY_SMALL_FILES, |_| {}).len(), MANY_SMALL_FILES);
        let files = carried(MANY_SMALL_FILES + 1, |files| {
            files[0].kept = Some(BooleanBuffer::from(vec![false, true]));
        });
        let [CleanFile::Written { file, dates: Some([first, last]) }] = &files[..] else {
            panic!("{files:?}");
        };
        assert_eq!(file.rows, 2 * (MANY_SMALL_FILES as u64 + 1) - 1);
        assert_eq!((*last - *first).num_days(), MANY_SMALL_FILES as i64);
    }
}
