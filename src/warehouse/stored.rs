//! Reads files of the warehouse from threads that may block.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use tokio::runtime::Handle;

use super::{TableFile, Warehouse, WarehouseError};

/// A file of a table as it lies in the warehouse.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    pub(crate) file: TableFile,
    warehouse: Warehouse,
    runtime: Handle,
}

/// Rows of a stored file.
pub(crate) struct StoredRows {
    shown: String,
    reader: ParquetRecordBatchReader,
}

impl StoredFile {
    /// Names a file; requests it needs run on `runtime`.
    pub(crate) fn new(warehouse: &Warehouse, file: TableFile, runtime: Handle) -> Self {
        Self { file, warehouse: warehouse.clone(), runtime }
    }

    /// Reads all columns.
    pub(crate) fn all_rows(&self) -> Result<StoredRows, WarehouseError> {
        self.read(None)
    }

    /// Reads the columns at these places; they come in the order of the file.
    pub(crate) fn rows(&self, columns: &[usize]) -> Result<StoredRows, WarehouseError> {
        self.read(Some(columns))
    }

    /// Keeps some rows of a batch of the file.
    pub(crate) fn filtered(
        &self,
        batch: &RecordBatch,
        kept: &BooleanArray,
    ) -> Result<RecordBatch, WarehouseError> {
        filter_record_batch(batch, kept).map_err(|error| damaged(&self.file.path, error.into()))
    }

    fn read(&self, columns: Option<&[usize]>) -> Result<StoredRows, WarehouseError> {
        let path = self.warehouse.layout().named(&self.file.path);
        let shown = self.warehouse.shown(&path);
        let reader = if self.warehouse.root().url.scheme() == "file" {
            let file = File::open(Path::new(&shown)).map_err(|source| match source.kind() {
                ErrorKind::NotFound => WarehouseError::Missing { path: shown.clone() },
                _ => WarehouseError::WorkFile { path: shown.clone(), source },
            })?;
            reader(file, columns)
        } else {
            let content: Option<Bytes> = self.runtime.block_on(self.warehouse.read(&path))?;
            let missing = || WarehouseError::Missing { path: path.to_string() };
            reader(content.ok_or_else(missing)?, columns)
        };
        let reader = reader.map_err(|error| damaged(&shown, error))?;
        Ok(StoredRows { shown, reader })
    }
}

impl Iterator for StoredRows {
    type Item = Result<RecordBatch, WarehouseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| damaged(&self.shown, error.into())))
    }
}

fn reader<T: ChunkReader + 'static>(
    content: T,
    columns: Option<&[usize]>,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(content)?;
    let mask = match columns {
        None => ProjectionMask::all(),
        Some(columns) => ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied()),
    };
    builder.with_projection(mask).build()
}

fn damaged(path: &str, source: ParquetError) -> WarehouseError {
    WarehouseError::Damaged { path: path.to_owned(), source: Box::new(source) }
}
