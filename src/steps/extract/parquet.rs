//! Decodes Parquet: every wanted column becomes text, so that it is cleaned like any other.
//!
//! Timestamps become RFC 3339 (without an offset where the column has none), dates `%Y-%m-%d`, decimals and integers
//! their digits, floating-point numbers the shortest digits that mean them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use futures::StreamExt;
use object_store::ObjectStore;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::{ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::schema::types::SchemaDescriptor;
use tokio::runtime::Handle;

use super::layout::refuse_too_many;
use super::parquet_bytes::ParquetBytes;
use super::ranges::fetch;
use super::raw::{Origin, RawRow, Span};
use super::wanted::Wanted;
use super::{Drift, ExtractErrorKind, RawBatch, SourceObject};
use crate::plan;

const BATCH_ROWS: usize = 8192;
/// What a Parquet object begins and ends with.
const MARK: &[u8] = b"PAR1";

/// Reads one Parquet object from a thread that may block: the requests run on the runtime, the decoding here.
pub(crate) struct ParquetReader {
    stream: ParquetRecordBatchStream<ParquetBytes>,
    runtime: Handle,
    names: Arc<[String]>,
    next_record: u64,
    drift: Drift,
}

impl ParquetReader {
    pub(crate) fn open(
        store: Arc<dyn ObjectStore>,
        runtime: Handle,
        source: &plan::Source,
        object: &Arc<SourceObject>,
        wanted: &Wanted,
    ) -> Result<Self, ExtractErrorKind> {
        let reader = ParquetBytes { store: Arc::clone(&store), object: Arc::clone(object) };
        let opened = runtime.block_on(ParquetRecordBatchStreamBuilder::new(reader));
        let builder = match opened.map_err(unreadable) {
            Err(ExtractErrorKind::Parquet(_)) if runtime.block_on(is_cut_off(store, object)) => {
                return Err(ExtractErrorKind::CutOff);
            }
            opened => opened?,
        };
        let mut new = paths(builder.parquet_schema());
        refuse_too_many(new.len())?;
        let vanished = wanted.missing(&new)?;
        new.retain(|path| !wanted.fields.contains(path));
        let types = types(builder.schema(), &wanted.fields);
        let drift = Drift { new, vanished, types };
        let columns = wanted.fields.iter().map(String::as_str);
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
        let stream = builder
            .with_projection(mask)
            .with_batch_size(source.limits.batch_rows.min(BATCH_ROWS))
            .build()
            .map_err(unreadable)?;
        let names = wanted.fields.clone().into();
        Ok(Self { stream, runtime, names, next_record: 1, drift })
    }

    /// Returns how the columns of the object differ from what is wanted.
    pub(crate) fn drift(&self) -> Drift {
        self.drift.clone()
    }

    /// Returns the next records, or nothing at the end of the object.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RawBatch>, ExtractErrorKind> {
        let Some(batch) = self.runtime.block_on(self.stream.next()) else {
            return Ok(None);
        };
        let batch = batch.map_err(unreadable)?;
        let columns: Result<Vec<StringArray>, _> =
            self.names.iter().map(|name| self.texts(&batch, name)).collect();
        Ok(Some(self.gather(&columns?, batch.num_rows())))
    }

    /// Returns a column as texts; one that the object may lack is NULL.
    fn texts(&self, batch: &RecordBatch, name: &str) -> Result<StringArray, ExtractErrorKind> {
        if self.drift.vanished.iter().any(|vanished| vanished == name) {
            return Ok(StringArray::new_null(batch.num_rows()));
        }
        texts(batch, name)
    }

    fn gather(&mut self, columns: &[StringArray], rows: usize) -> RawBatch {
        let bytes = columns.iter().map(|column| column.value_data().len()).sum();
        let mut text = String::with_capacity(bytes);
        let mut spans = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            for column in columns {
                spans.push(append(&mut text, column, row));
            }
        }
        let first = self.next_record;
        self.next_record += rows as u64;
        let numbers = first..self.next_record;
        RawBatch {
            block: text.len(),
            text,
            origin: Origin::Table,
            names: Arc::clone(&self.names),
            spans,
            rows: numbers.map(RawRow::without_place).collect(),
            broken: Vec::new(),
        }
    }
}

fn append(text: &mut String, column: &StringArray, row: usize) -> Span {
    if column.is_null(row) {
        return Span::NULL;
    }
    let start = text.len();
    text.push_str(column.value(row));
    Span::plain(start, text.len())
}

/// Says whether an object begins as Parquet does and does not end so.
async fn is_cut_off(store: Arc<dyn ObjectStore>, object: &Arc<SourceObject>) -> bool {
    let mark = |start: u64| {
        let end = object.size.min(start + MARK.len() as u64);
        fetch(Arc::clone(&store), Arc::clone(object), start..end)
    };
    let begins = mark(0).await.is_ok_and(|bytes| bytes == MARK);
    let end = object.size.saturating_sub(MARK.len() as u64);
    begins && (end < 8 || mark(end).await.is_ok_and(|bytes| bytes != MARK))
}

fn unreadable(error: ParquetError) -> ExtractErrorKind {
    match error {
        ParquetError::External(inner) => match inner.downcast::<object_store::Error>() {
            Ok(error) => ExtractErrorKind::from_store(*error),
            Err(inner) => ExtractErrorKind::Parquet(ParquetError::External(inner)),
        },
        error => ExtractErrorKind::Parquet(error),
    }
}

fn paths(schema: &SchemaDescriptor) -> Vec<String> {
    schema.columns().iter().map(|column| column.path().string()).collect()
}

/// Returns the types of columns that are no part of an object, as arrow names them.
fn types(schema: &Schema, wanted: &[String]) -> Vec<(String, String)> {
    let field = |name: &&String| schema.field_with_name(name).ok();
    let fields = wanted.iter().filter_map(|name| Some((name, field(&name)?)));
    fields.map(|(name, field)| (name.clone(), field.data_type().to_string())).collect()
}

/// Returns the column at a path such as `device.id` as texts.
fn texts(batch: &RecordBatch, path: &str) -> Result<StringArray, ExtractErrorKind> {
    let failed = |source: ArrowError| ExtractErrorKind::Column { column: path.to_owned(), source };
    let column = column_at(batch, path)
        .ok_or_else(|| ExtractErrorKind::LacksColumn { column: path.to_owned(), nearest: None })?;
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let cast = cast_with_options(&column, &DataType::Utf8, &exact).map_err(failed)?;
    match cast.as_any().downcast_ref::<StringArray>() {
        Some(texts) => Ok(texts.clone()),
        None => Err(failed(ArrowError::CastError("no text".to_owned()))),
    }
}

/// Finds a column; what lies in an object that is NULL is NULL.
fn column_at(batch: &RecordBatch, path: &str) -> Option<ArrayRef> {
    let mut keys = path.split('.');
    let mut column = Arc::clone(batch.column_by_name(keys.next()?)?);
    for key in keys {
        let object = column.as_any().downcast_ref::<arrow::array::StructArray>()?;
        let inner = Arc::clone(object.column_by_name(key)?);
        let nulls = NullBuffer::union(object.nulls(), inner.logical_nulls().as_ref());
        let data = inner.to_data().into_builder().nulls(nulls).build().ok()?;
        column = arrow::array::make_array(data);
    }
    Some(column)
}
