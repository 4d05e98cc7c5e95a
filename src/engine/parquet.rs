//! Writes Parquet files that every reader of tables can open.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::columns::{Most, SideBySide};

const ROW_GROUP_ROWS: usize = 1_000_000;
const ROW_GROUP_BYTES: usize = 128 << 20;
/// How many rows tell whether a column has few values or many.
const SAMPLE_ROWS: usize = 1_024;
const PAGE_ROWS: usize = 20_000;
const PAGE_BYTES: usize = 1 << 20;
const STATISTICS_BYTES: usize = 64;
const CREATED_BY: &str = concat!("martlet version ", env!("CARGO_PKG_VERSION"));

/// Says why a Parquet file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the Parquet file `{}` cannot be written", path.display())]
pub(crate) struct ParquetFileError {
    pub(crate) path: PathBuf,
    #[source]
    pub(crate) kind: ParquetFileErrorKind,
}

/// Says why a Parquet file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParquetFileErrorKind {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    #[error("a value does not fit the type it has in files")]
    Value(#[from] ArrowError),
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParquetOptions {
    compression: Compression,
    /// Whether the file tells the bounds of its texts.
    bounds_texts: bool,
}

impl ParquetOptions {
    /// For stages that the run itself reads back, and for clean tables, which are read by their dates. Nobody looks for
    /// bounds of their texts, to find them every text is compared, and texts of customers have no business in a log.
    pub(crate) fn staged() -> Self {
        Self { compression: Compression::LZ4_RAW, bounds_texts: false }
    }

    /// For files that stay. Ids and keys are most of their bytes, and of these a higher level of zstd saves nothing: the
    /// marts and identity tables of the sample are as large or larger at level 3, and take up to twice as long.
    pub(crate) fn published() -> Self {
        let level = ZstdLevel::try_new(1).unwrap_or_default();
        Self { compression: Compression::ZSTD(level), bounds_texts: true }
    }

    /// Returns how the columns of rows like `sample` are written.
    fn properties(self, sample: &RecordBatch, order: &[SortingColumn]) -> WriterProperties {
        let order = (!order.is_empty()).then(|| order.to_vec());
        let mut properties = WriterProperties::builder().set_sorting_columns(order);
        for name in varied_columns(sample) {
            properties =
                properties.set_column_dictionary_enabled(ColumnPath::new(vec![name]), false);
        }
        if !self.bounds_texts {
            for name in text_columns(sample) {
                let path = ColumnPath::new(vec![name]);
                properties =
                    properties.set_column_statistics_enabled(path, EnabledStatistics::None);
            }
        }
        properties
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(self.compression)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_data_page_size_limit(PAGE_BYTES)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_statistics_truncate_length(Some(STATISTICS_BYTES))
            .set_column_index_truncate_length(Some(STATISTICS_BYTES))
            .build()
    }
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSummary {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// A Parquet file that is being written; its columns have the types of [`plain_schema`].
pub(crate) struct ParquetFile {
    path: PathBuf,
    schema: SchemaRef,
    options: ParquetOptions,
    order: Vec<SortingColumn>,
    /// Set where columns are encoded side by side.
    threads: Option<usize>,
    state: State,
    rows: u64,
}

/// How far a file is.
enum State {
    /// The first rows are gathered; they tell how the rest is written best.
    Sampling {
        file: BufWriter<File>,
        batches: Vec<RecordBatch>,
    },
    Writing(Box<ArrowWriter<BufWriter<File>>>),
    WritingSideBySide(Box<SideBySide<BufWriter<File>>>),
    /// An error has left it unfinished.
    Broken,
}

impl ParquetFile {
    /// Creates the file and the folders above it, for batches of `schema`.
    pub(crate) fn create(
        path: &Path,
        schema: &Schema,
        options: ParquetOptions,
    ) -> Result<Self, ParquetFileError> {
        let file = open(path).map_err(|error| failed(path, error.into()))?;
        let state = State::Sampling { file, batches: Vec::new() };
        let (path, schema) = (path.to_owned(), plain_schema(schema));
        Ok(Self { path, schema, options, order: Vec::new(), threads: None, state, rows: 0 })
    }

    /// Lets the file tell its readers that rows come sorted by columns, NULLs last.
    pub(crate) fn sorted_by(mut self, columns: &[usize]) -> Self {
        let fields = self.schema.fields();
        let plain = columns.iter().take_while(|column| !fields[**column].data_type().is_nested());
        let places = plain.map(|column| fields[..*column].iter().map(leaves).sum());
        let column =
            |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
        self.order = places.map(column).collect();
        self
    }

    /// Lets so many threads encode columns side by side, which pays for batches of many rows.
    pub(crate) fn on_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetFileError> {
        self.add(batch).map_err(|kind| failed(&self.path, kind))
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), ParquetFileErrorKind> {
        self.rows += batch.num_rows() as u64;
        let batch = plain_batch(batch, &self.schema)?;
        match &mut self.state {
            State::Sampling { batches, .. } => {
                batches.push(batch);
                if self.rows >= SAMPLE_ROWS as u64 {
                    self.begin()?;
                }
            }
            State::Writing(writer) => writer.write(&batch)?,
            State::WritingSideBySide(writer) => writer.write(&batch)?,
            // The error has been told, and completing the file tells it again.
            State::Broken => {}
        }
        Ok(())
    }

    /// Begins to write, once enough is known of the rows.
    fn begin(&mut self) -> Result<(), ParquetFileErrorKind> {
        let state = std::mem::replace(&mut self.state, State::Broken);
        let State::Sampling { file, batches } = state else {
            self.state = state;
            return Ok(());
        };
        let properties = self.options.properties(&sample(&self.schema, &batches)?, &self.order);
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties))?;
        if let Some(threads) = self.threads {
            let schema = Arc::clone(&self.schema);
            let most = Most { rows: ROW_GROUP_ROWS, bytes: ROW_GROUP_BYTES };
            let mut writer = SideBySide::new(writer, schema, threads, most)?;
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            self.state = State::WritingSideBySide(Box::new(writer));
        } else {
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            self.state = State::Writing(Box::new(writer));
        }
        Ok(())
    }

    /// Completes the file.
    pub(crate) fn finish(mut self) -> Result<FileSummary, ParquetFileError> {
        let bytes = self.close().map_err(|kind| failed(&self.path, kind))?;
        Ok(FileSummary { path: self.path, rows: self.rows, bytes })
    }

    fn close(&mut self) -> Result<u64, ParquetFileErrorKind> {
        self.begin()?;
        let file = match std::mem::replace(&mut self.state, State::Broken) {
            State::Writing(writer) => writer.into_inner()?,
            State::WritingSideBySide(writer) => writer.into_inner()?,
            State::Sampling { .. } | State::Broken => {
                let error = ParquetError::General("an earlier error has broken it off".into());
                return Err(error.into());
            }
        };
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(file.metadata()?.len())
    }
}

/// Returns the first rows of a file, the same however they are cut into batches.
fn sample(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let mut rest = SAMPLE_ROWS;
    let first = batches.iter().map(|batch| {
        let rows = batch.num_rows().min(rest);
        rest -= rows;
        batch.slice(0, rows)
    });
    concat_batches(schema, &first.collect::<Vec<_>>())
}

/// Returns how many columns a field has in a file.
fn leaves(field: &FieldRef) -> i32 {
    match field.data_type() {
        DataType::List(item) => leaves(item),
        DataType::Struct(fields) => fields.iter().map(leaves).sum(),
        DataType::Map(entries, _) => leaves(entries),
        _ => 1,
    }
}

fn text_columns(sample: &RecordBatch) -> Vec<String> {
    let fields = sample.schema();
    let texts = fields.fields().iter().filter(|field| field.data_type() == &DataType::Utf8);
    texts.map(|field| field.name().clone()).collect()
}

/// Returns the columns of which more than three in four values are another, as those of keys and instants are.
///
/// A dictionary of such values takes time and room beside the values themselves.
fn varied_columns(sample: &RecordBatch) -> Vec<String> {
    let fields = sample.schema();
    let columns = fields.fields().iter().zip(sample.columns());
    let varied =
        columns.filter(|(field, column)| !field.data_type().is_nested() && is_varied(column));
    varied.map(|(field, _)| field.name().clone()).collect()
}

fn is_varied(column: &ArrayRef) -> bool {
    let mut hashes = vec![0; column.len()];
    if create_hashes([column], &RandomState::default(), &mut hashes).is_err() {
        return false;
    }
    let present = (0..column.len()).filter(|row| column.is_valid(*row));
    let mut values: Vec<u64> = present.map(|row| hashes[row]).collect();
    let present = values.len();
    values.sort_unstable();
    values.dedup();
    present > 0 && values.len() * 4 > present * 3
}

/// Returns rows as the content of a Parquet file, in the types files have.
pub(crate) fn parquet_bytes(
    schema: &Schema,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, ParquetFileErrorKind> {
    let schema = plain_schema(schema);
    let batches = batches.iter().map(|batch| plain_batch(batch, &schema));
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    let properties = ParquetOptions::published().properties(&sample(&schema, &batches)?, &[]);
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    for batch in &batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

/// Returns the schema that rows of `schema` have in files.
///
/// Texts are plain, instants are microseconds in UTC, integers are signed, and what common readers of
/// Parquet and Delta refuse (times of day, durations, half floats) becomes what they take.
pub(crate) fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(plain_field).collect();
    Arc::new(Schema::new(fields))
}

fn plain_field(field: &FieldRef) -> FieldRef {
    let data_type = plain_type(field.data_type());
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

fn plain_type(data_type: &DataType) -> DataType {
    use DataType as T;
    match data_type {
        T::Null | T::Utf8View | T::LargeUtf8 | T::Interval(_) => T::Utf8,
        T::BinaryView | T::LargeBinary => T::Binary,
        T::Dictionary(_, values) => plain_type(values),
        T::Timestamp(_, _) => T::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        T::Date64 => T::Date32,
        T::UInt8 => T::Int16,
        T::UInt16 => T::Int32,
        T::UInt32 | T::UInt64 | T::Time32(_) | T::Time64(_) | T::Duration(_) => T::Int64,
        T::Float16 => T::Float32,
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => {
            T::Decimal128(*precision, *scale)
        }
        T::List(item)
        | T::LargeList(item)
        | T::ListView(item)
        | T::LargeListView(item)
        | T::FixedSizeList(item, _) => T::List(plain_field(item)),
        T::Struct(fields) => T::Struct(fields.iter().map(plain_field).collect()),
        _ => data_type.clone(),
    }
}

fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| plain_array(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn plain_array(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let in_microseconds = match array.data_type() {
        same if same == data_type => return Ok(Arc::clone(array)),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        _ => return cast_or_fail(array, data_type),
    };
    cast_or_fail(&cast_or_fail(array, &in_microseconds)?, data_type)
}

/// Casts; a value that does not fit is an error, not a NULL.
fn cast_or_fail(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, data_type, &options)
}

fn open(path: &Path) -> std::io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(BufWriter::new(File::create(path)?))
}

fn failed(path: &Path, kind: ParquetFileErrorKind) -> ParquetFileError {
    ParquetFileError { path: path.to_owned(), kind }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, AsArray, DictionaryArray, DurationSecondArray, Int64Array, RecordBatch,
        StringArray, StringViewArray, StructArray, Time64NanosecondArray, TimestampNanosecondArray,
        UInt32Array, UInt64Array,
    };
    use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

    use super::{FileSummary, ParquetFile, ParquetFileError, ParquetOptions};

    struct Written {
        summary: FileSummary,
        batch: RecordBatch,
        metadata: Arc<ParquetMetaData>,
        _folder: tempfile::TempDir,
    }

    fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn try_write(
        path: &Path,
        batch: &RecordBatch,
        options: ParquetOptions,
    ) -> Result<FileSummary, ParquetFileError> {
        let mut file = ParquetFile::create(path, &batch.schema(), options)?;
        file.write(batch)?;
        file.finish()
    }

    fn written(batch: &RecordBatch, options: ParquetOptions) -> Written {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/table.parquet");
        let summary = try_write(&path, batch, options).unwrap();
        let file = File::open(&summary.path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let metadata = Arc::clone(reader.metadata());
        let mut batches = reader.with_batch_size(usize::MAX >> 8).build().unwrap();
        Written { summary, batch: batches.next().unwrap().unwrap(), metadata, _folder: folder }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter([Some(1), None, Some(3)]));
        let batch = batch([("number", numbers)]);
        for options in [ParquetOptions::staged(), ParquetOptions::published()] {
            let written = written(&batch, options);
            assert_eq!(written.batch, batch);
            assert_eq!(written.summary.rows, 3);
            let length = std::fs::metadata(&written.summary.path).unwrap().len();
            assert_eq!(written.summary.bytes, length);
        }
    }

    #[test]
    fn a_file_is_the_same_however_many_threads_encode_it() {
        let numbers: ArrayRef =
            Arc::new((0..5_000).map(|n| (n % 7 > 0).then_some(n)).collect::<Int64Array>());
        let words: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..5_000).map(|n| (n % 9).to_string())));
        let pair =
            StructArray::try_from(vec![("a", Arc::clone(&numbers)), ("b", Arc::clone(&words))]);
        let rows = batch([("number", numbers), ("pair", Arc::new(pair.unwrap())), ("word", words)]);
        let folder = tempfile::tempdir().unwrap();
        let files = [1, 2, 5].map(|threads| {
            let path = folder.path().join(format!("{threads}.parquet"));
            let file = ParquetFile::create(&path, &rows.schema(), ParquetOptions::published());
            let mut file = file.unwrap().on_threads(threads);
            for (start, count) in [(0, 700), (700, 0), (700, 4_300)] {
                file.write(&rows.slice(start, count)).unwrap();
            }
            std::fs::read(file.finish().unwrap().path).unwrap()
        });
        assert!(files.iter().all(|bytes| *bytes == files[0]));
    }

    #[test]
    fn a_file_tells_by_which_columns_its_rows_are_sorted() {
        let numbers = |values: [i64; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let pair = StructArray::try_from(vec![("a", numbers([1, 2])), ("b", numbers([3, 4]))]);
        let pair: ArrayRef = Arc::new(pair.unwrap());
        let rows = batch([("key", numbers([1, 1])), ("pair", pair), ("place", numbers([0, 1]))]);
        let folder = tempfile::tempdir().unwrap();
        for (columns, expected) in [
            (vec![], None),
            (vec![0, 2], Some(vec![0, 3])),
            // Behind a structure no order is told, for none is known of it.
            (vec![2, 1, 0], Some(vec![3])),
        ] {
            let path = folder.path().join(format!("{}.parquet", columns.len()));
            let file = ParquetFile::create(&path, &rows.schema(), ParquetOptions::published());
            let mut file = file.unwrap().sorted_by(&columns);
            file.write(&rows).unwrap();
            let file = File::open(file.finish().unwrap().path).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let told = reader.metadata().row_group(0).sorting_columns();
            let places = told.map(|order| order.iter().map(|by| by.column_idx).collect::<Vec<_>>());
            assert_eq!(places, expected, "{columns:?}");
            assert!(told.into_iter().flatten().all(|by| !by.descending && !by.nulls_first));
        }
    }

    #[test]
    fn columns_have_types_that_every_reader_takes() {
        let words: DictionaryArray<UInt8Type> = vec!["a", "b"].into_iter().collect();
        let times = TimestampNanosecondArray::from(vec![1_000, 2_999]);
        let batch = batch([
            ("view", Arc::new(StringViewArray::from(vec!["a", "b"]))),
            ("words", Arc::new(words)),
            ("naive", Arc::new(times)),
            ("count", Arc::new(UInt32Array::from(vec![0, u32::MAX]))),
            ("time", Arc::new(Time64NanosecondArray::from(vec![7_000, 8_000]))),
            ("duration", Arc::new(DurationSecondArray::from(vec![1, -1]))),
        ]);
        let read = written(&batch, ParquetOptions::staged()).batch;
        let types: Vec<_> =
            read.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let (text, number) = (DataType::Utf8, DataType::Int64);
        let expected = [text.clone(), text, instant, number.clone(), number.clone(), number];
        assert_eq!(types, expected);
        assert_eq!(read.column(0), read.column(1));
        let values =
            |column: usize| read.column(column).as_primitive::<Int64Type>().values().to_vec();
        let instants = read.column(2).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(instants.values().to_vec(), [1, 2]);
        assert_eq!(values(3), [0, i64::from(u32::MAX)]);
        assert_eq!(values(4), [7, 8]);
        assert_eq!(values(5), [1_000_000, -1_000_000]);
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let batch = batch([("count", Arc::new(UInt64Array::from(vec![u64::MAX])))]);
        let path = folder.path().join("table.parquet");
        let error = try_write(&path, &batch, ParquetOptions::staged()).unwrap_err();
        assert!(matches!(error.kind, super::ParquetFileErrorKind::Value(_)));
    }

    #[test]
    fn columns_of_few_values_alone_have_a_dictionary() {
        let rows = 0..3_000_i64;
        let keys: Int64Array = rows.clone().map(|row| (row % 7 > 0).then_some(row)).collect();
        let words: StringViewArray =
            rows.map(|row| Some(["red", "green"][row as usize % 2])).collect();
        let whole = batch([("key", Arc::new(keys)), ("word", Arc::new(words))]);
        let folder = tempfile::tempdir().unwrap();
        let mut contents = Vec::new();
        for cut in [3_000, 1_000, 7] {
            let path = folder.path().join(format!("{cut}.parquet"));
            let options = ParquetOptions::published();
            let mut file = ParquetFile::create(&path, &whole.schema(), options).unwrap();
            for start in (0..3_000).step_by(cut) {
                file.write(&whole.slice(start, cut.min(3_000 - start))).unwrap();
            }
            file.finish().unwrap();
            contents.push(std::fs::read(&path).unwrap());
        }
        assert!(contents[0] == contents[1] && contents[0] == contents[2]);
        let written = written(&whole, ParquetOptions::published());
        let group = written.metadata.row_group(0);
        let has_dictionary =
            |column: usize| group.column(column).dictionary_page_offset().is_some();
        assert_eq!([0, 1].map(has_dictionary), [false, true]);
    }

    #[test]
    fn files_tell_their_maker_and_have_statistics_and_bounded_row_groups() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000_001));
        let written = written(&batch([("number", numbers)]), ParquetOptions::staged());
        let file = written.metadata.file_metadata();
        assert!(file.created_by().unwrap().starts_with("martlet version "));
        assert_eq!(file.version(), 1);
        let rows: Vec<_> =
            written.metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(rows, [1_000_000, 1]);
        let column = written.metadata.row_group(0).column(0);
        assert!(column.statistics().is_some() && column.column_index_offset().is_some());
    }

    #[test]
    fn texts_have_bounds_in_files_that_are_published_only() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["ann@example.org"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let batch = batch([("text", texts), ("number", numbers)]);
        for (options, expected) in
            [(ParquetOptions::staged(), [false, true]), (ParquetOptions::published(), [true, true])]
        {
            let written = written(&batch, options);
            let group = written.metadata.row_group(0);
            assert_eq!([0, 1].map(|column| group.column(column).statistics().is_some()), expected);
            assert_eq!(written.batch, batch);
        }
    }
}
