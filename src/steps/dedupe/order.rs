//! Names the place of a row in the order of its key.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows};

use super::key::row_converter;
use crate::plan;

/// Reads the `order_by` columns of a source's rows.
pub(super) struct OrderReader {
    columns: Vec<usize>,
    encoding: Encoding,
}

/// How the `order_by` columns become something that compares.
enum Encoding {
    /// There are none: all rows of a key are equal.
    Equal,
    /// One column of times, which fits into a word.
    Word,
    /// Arrow's row format, which compares byte by byte.
    Rows(RowConverter),
}

/// The order of each row of a batch.
pub(super) enum Orders {
    Equal,
    Words(PrimitiveArray<Int64Type>),
    Rows(Rows),
}

/// The order of one row; only orders of one source are compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order<'a> {
    Word(u64),
    Bytes(&'a [u8]),
}

impl OrderReader {
    pub(super) fn new(rule: &plan::Dedupe, schema: &SchemaRef) -> Result<Self, ArrowError> {
        let encoding = match rule.order_by.as_slice() {
            [] => Encoding::Equal,
            [column] if fits_a_word(schema, *column) => Encoding::Word,
            columns => Encoding::Rows(row_converter(schema, columns)?),
        };
        Ok(Self { columns: rule.order_by.clone(), encoding })
    }

    /// Says whether orders are bytes, not words.
    pub(super) fn yields_bytes(&self) -> bool {
        matches!(self.encoding, Encoding::Rows(_))
    }

    pub(super) fn read(&self, batch: &RecordBatch) -> Result<Orders, ArrowError> {
        let columns = picked(batch, &self.columns);
        match &self.encoding {
            Encoding::Equal => Ok(Orders::Equal),
            Encoding::Word => {
                let words = cast(&columns[0], &DataType::Int64)?;
                Ok(Orders::Words(words.as_primitive::<Int64Type>().clone()))
            }
            Encoding::Rows(converter) => Ok(Orders::Rows(converter.convert_columns(&columns)?)),
        }
    }
}

impl Orders {
    pub(super) fn of(&self, row: usize) -> Order<'_> {
        match self {
            Self::Equal => Order::Word(0),
            Self::Words(words) if words.is_null(row) => Order::Word(0),
            Self::Words(words) => Order::Word(above_null(words.value(row))),
            Self::Rows(rows) => Order::Bytes(rows.row(row).data()),
        }
    }
}

/// Returns the columns at these places.
pub(super) fn picked(batch: &RecordBatch, columns: &[usize]) -> Vec<ArrayRef> {
    let column = |index: &usize| ArrayRef::clone(batch.column(*index));
    columns.iter().map(column).collect()
}

/// Says whether a column's values, and NULL below them, keep their order in 64 bits.
///
/// That holds for times, because their extremes are no times that exist; every integer is a value.
fn fits_a_word(schema: &SchemaRef, column: usize) -> bool {
    matches!(schema.field(column).data_type(), DataType::Date32 | DataType::Timestamp(_, _))
}

/// Maps a value to a word that keeps the order; zero is left for NULL.
fn above_null(value: i64) -> u64 {
    (value as u64 ^ (1 << 63)).saturating_add(1)
}
