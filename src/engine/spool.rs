//! Batches parked between two steps: in memory while the run's budget lasts, else in a file of the work folder.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayData, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

/// Says why batches could not be parked or fetched back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("the work file `{path}` cannot be used")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the work file `{path}` cannot be read as arrow data")]
    Arrow {
        path: PathBuf,
        #[source]
        source: ArrowError,
    },
}

/// The bytes that all spools of a run together may keep in memory.
#[derive(Debug, Clone)]
pub(crate) struct SpoolBudget {
    left: Arc<AtomicUsize>,
}

impl SpoolBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// Takes `bytes` from the budget, or nothing when fewer are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let taken = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Parked batches, read back in the order in which they were written, as often as wanted; cheap to clone.
///
/// The memory goes back to the budget and the file is removed when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    rows: usize,
    parked: Arc<Parked>,
}

/// What a spool holds: the batches in memory come before those in the file.
#[derive(Debug)]
struct Parked {
    memory: Vec<RecordBatch>,
    reserved: usize,
    budget: SpoolBudget,
    file: Option<PathBuf>,
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.budget.give_back(self.reserved);
        if let Some(path) = &self.file {
            // The work folder is removed as a whole when the run ends, so a file left here does no harm.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Parks batches.
pub(crate) struct SpoolWriter {
    schema: SchemaRef,
    rows: usize,
    path: PathBuf,
    parked: Parked,
    file: Option<StreamWriter<BufWriter<File>>>,
}

impl SpoolWriter {
    /// Starts a spool that keeps batches in memory while the shared budget lasts and goes to the file `path` beyond that.
    pub(crate) fn sharing(path: &Path, schema: SchemaRef, budget: &SpoolBudget) -> Self {
        Self {
            schema,
            rows: 0,
            path: path.to_owned(),
            parked: Parked { memory: Vec::new(), reserved: 0, budget: budget.clone(), file: None },
            file: None,
        }
    }

    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), SpoolError> {
        self.rows += batch.num_rows();
        if let Some(file) = &mut self.file {
            return file.write(&batch).map_err(|error| failed(&self.path, error));
        }
        let bytes = size_of_rows(&batch, self.parked.memory.last());
        if self.parked.budget.take(bytes) {
            self.parked.reserved += bytes;
            self.parked.memory.push(batch);
            return Ok(());
        }
        let mut file = self.open()?;
        file.write(&batch).map_err(|error| failed(&self.path, error))?;
        self.file = Some(file);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Spool, SpoolError> {
        if let Some(mut file) = self.file.take() {
            file.finish().map_err(|error| failed(&self.path, error))?;
        }
        Ok(Spool { rows: self.rows, parked: Arc::new(self.parked) })
    }

    fn open(&mut self) -> Result<StreamWriter<BufWriter<File>>, SpoolError> {
        let file = File::create(&self.path)
            .map_err(|source| SpoolError::File { path: self.path.clone(), source })?;
        self.parked.file = Some(self.path.clone());
        StreamWriter::try_new_buffered(file, &self.schema)
            .map_err(|error| failed(&self.path, error))
    }
}

impl Spool {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Reads the batches back.
    pub(crate) fn batches(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, SpoolError>> + use<'_>, SpoolError> {
        let memory = self.parked.memory.iter().cloned().map(Ok);
        Ok(memory.chain(self.in_file()?))
    }

    fn in_file(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, SpoolError>> + use<'_>, SpoolError> {
        let reader = match &self.parked.file {
            None => None,
            Some(path) => Some(open_reader(path)?),
        };
        let batches = reader.into_iter().flatten();
        Ok(batches.map(|batch| batch.map_err(|source| self.broken(source))))
    }

    fn broken(&self, source: ArrowError) -> SpoolError {
        let path = self.parked.file.clone().unwrap_or_default();
        failed(&path, source)
    }
}

fn open_reader(path: &Path) -> Result<StreamReader<BufReader<File>>, SpoolError> {
    let file =
        File::open(path).map_err(|source| SpoolError::File { path: path.to_owned(), source })?;
    StreamReader::try_new_buffered(file, None).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: ArrowError) -> SpoolError {
    let path = path.to_owned();
    match error {
        ArrowError::IoError(_, source) => SpoolError::File { path, source },
        source => SpoolError::Arrow { path, source },
    }
}

/// Returns the bytes that a batch adds to memory: a column whose values are those of the batch before adds nothing.
pub(super) fn size_of_rows(batch: &RecordBatch, before: Option<&RecordBatch>) -> usize {
    let bytes = |index: usize, column: &ArrayRef| {
        let data = column.to_data();
        match before {
            Some(before) if share_values(&data, &before.column(index).to_data()) => 0,
            _ => data.get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size()),
        }
    };
    let columns = batch.columns().iter().enumerate();
    columns.map(|(index, column)| bytes(index, column)).sum()
}

fn share_values(left: &ArrayData, right: &ArrayData) -> bool {
    match (left.buffers().last(), right.buffers().last()) {
        (Some(left), Some(right)) => left.data_ptr() == right.data_ptr(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

    use super::{Spool, SpoolBudget, SpoolWriter};

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("number", DataType::Int64, false),
            Field::new("text", DataType::Utf8, true),
        ]))
    }

    fn batch(first: i64, rows: i64) -> RecordBatch {
        let numbers: Vec<i64> = (first..first + rows).collect();
        let texts = numbers.iter().map(|number| (number % 2 == 0).then(|| number.to_string()));
        let texts: StringArray = texts.collect();
        RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(numbers)), Arc::new(texts)])
            .unwrap()
    }

    fn spool(folder: &tempfile::TempDir, budget: &SpoolBudget) -> Spool {
        let path = folder.path().join("spool.arrow");
        let mut writer = SpoolWriter::sharing(&path, schema(), budget);
        for number in 0..10 {
            writer.write(batch(number * 100, 100)).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn batches_come_back_in_order_from_memory_and_file() {
        let expected: Vec<RecordBatch> = (0..10).map(|number| batch(number * 100, 100)).collect();
        for limit in [0, 5_000, usize::MAX] {
            let folder = tempfile::tempdir().unwrap();
            let spool = spool(&folder, &SpoolBudget::new(limit));
            assert_eq!(spool.rows(), 1000);
            assert_eq!(spool.parked.file.is_some(), limit < usize::MAX, "{limit}");
            for _ in 0..2 {
                let found: Vec<RecordBatch> =
                    spool.batches().unwrap().map(Result::unwrap).collect();
                assert_eq!(found, expected, "{limit}");
            }
        }
    }

    #[test]
    fn a_column_shared_by_all_batches_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let budget = SpoolBudget::new(usize::MAX);
        let path = folder.path().join("spool.arrow");
        let mut writer = SpoolWriter::sharing(&path, schema(), &budget);
        let all = batch(0, 1000);
        writer.write(all.slice(0, 500)).unwrap();
        let first = writer.parked.reserved;
        writer.write(all.slice(500, 500)).unwrap();
        assert_eq!(writer.parked.reserved, first);
        writer.write(batch(500, 500)).unwrap();
        assert!(writer.parked.reserved > first);
    }

    #[test]
    fn the_last_clone_gives_memory_back_and_removes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let budget = SpoolBudget::new(5_000);
        let first = spool(&folder, &budget);
        let second = first.clone();
        drop(first);
        assert!(!budget.take(5_000));
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        drop(second);
        assert!(budget.take(5_000));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
