//! Encodes the columns of a Parquet file side by side.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory,
    compute_leaves,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedFileWriter;

use super::parallel::{Queue, on_threads};

/// A file that is being written, each column of a batch by whichever thread has time.
pub(super) struct SideBySide<W: Write + Send> {
    file: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    threads: usize,
    most: Most,
    /// The columns of the group that is being written; none before its first row.
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

/// How large a group of rows becomes; one that reaches either of the two ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl<W: Write + Send> SideBySide<W> {
    /// Goes on where `writer` is.
    pub(super) fn new(
        writer: ArrowWriter<W>,
        schema: SchemaRef,
        threads: usize,
        most: Most,
    ) -> Result<Self> {
        let (file, factory) = writer.into_serialized_writer()?;
        Ok(Self { file, factory, schema, threads, most, columns: Vec::new(), rows: 0 })
    }

    /// Adds rows; of a batch that ends a group the rest begins the next one.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = (batch.num_rows() - start).min(self.most.rows - self.rows);
            self.add(&batch.slice(start, rows))?;
            start += rows;
            if self.rows == self.most.rows || self.bytes() >= self.most.bytes {
                self.end_group()?;
            }
        }
        Ok(())
    }

    /// Returns how large the group is, about.
    fn bytes(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum()
    }

    /// Adds rows to the group.
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.columns.is_empty() {
            self.columns =
                self.factory.create_column_writers(self.file.flushed_row_groups().len())?;
        }
        let fields = self.schema.fields().iter().zip(batch.columns());
        let leaves = fields.map(|(field, column)| compute_leaves(field, column));
        let leaves: Vec<ArrowLeafColumn> =
            leaves.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let work = self.columns.iter_mut().zip(leaves);
        shared(self.threads, work, |(column, leaf)| column.write(&leaf))?;
        self.rows += batch.num_rows();
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let chunks = shared(self.threads, columns.into_iter(), ArrowColumnWriter::close)?;
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            ArrowColumnChunk::append_to_row_group(chunk, &mut group)?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Completes the file.
    pub(super) fn into_inner(mut self) -> Result<W> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.file.into_inner()
    }
}

/// Does something with each item, on so many threads; returns what was made in the order of the items.
fn shared<I: Send, T: Send>(
    threads: usize,
    items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let queue = Queue::new(items.enumerate());
    let made = on_threads(threads, |_| {
        let mut made = Vec::new();
        while let Some((place, item)) = queue.next() {
            made.push((place, work(item)?));
        }
        Ok::<_, ParquetError>(made)
    });
    let mut made: Vec<(usize, T)> = made?.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(place, _)| *place);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use arrow::compute::concat_batches;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::RowGroupMetaData;

    use super::{Most, SideBySide};

    /// Writes 250 rows, 70 of them at once; returns how many rows each group has.
    fn groups(most: Most) -> Vec<i64> {
        let numbers = Int64Array::from_iter_values(0..250);
        let words = StringArray::from_iter_values((0..250).map(|number| number.to_string()));
        let columns = [("number", Arc::new(numbers) as _), ("word", Arc::new(words) as _)];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        let mut file = SideBySide::new(writer, rows.schema(), 2, most).unwrap();
        for start in (0..250).step_by(70) {
            file.write(&rows.slice(start, 70.min(250 - start))).unwrap();
        }
        let bytes = bytes::Bytes::from(file.into_inner().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let groups = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows);
        let groups = groups.collect();
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(concat_batches(&rows.schema(), &read).unwrap(), rows);
        groups
    }

    #[test]
    fn a_batch_may_end_one_group_and_begin_the_next() {
        assert_eq!(groups(Most { rows: 100, bytes: usize::MAX }), [100, 100, 50]);
    }

    #[test]
    fn a_group_that_is_large_ends_however_few_rows_it_has() {
        assert_eq!(groups(Most { rows: 1_000, bytes: 1 }), [70, 70, 70, 40]);
        assert_eq!(groups(Most { rows: 1_000, bytes: usize::MAX }), [250]);
    }
}
