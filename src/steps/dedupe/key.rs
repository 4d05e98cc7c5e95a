//! Names the key of a row by 128 bits.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use siphasher::sip128::SipHasher13;

use super::order::picked;
use crate::names::RunId;
use crate::plan;

/// Stands for the key of a row.
///
/// Two different keys share a fingerprint by chance only: among 2^32 rows with a probability of 2^-65,
/// far below that of a memory error. The hash is keyed by the run, so that whoever writes an export
/// cannot prepare rows that collide.
pub(super) type Fingerprint = [u64; 2];

/// Makes fingerprints of the keys of a source's rows.
pub(super) struct KeyReader {
    hasher: SipHasher13,
    columns: Vec<usize>,
    encoding: Encoding,
    null_is_value: bool,
}

/// How a key becomes bytes; no two keys of a source become the same.
enum Encoding {
    /// One column of text: the text itself.
    Text,
    /// Arrow's row format, which marks NULLs and the ends of texts.
    Rows(RowConverter),
}

impl KeyReader {
    pub(super) fn new(
        source: &plan::Source,
        rule: &plan::Dedupe,
        schema: &SchemaRef,
        run_id: &RunId,
    ) -> Result<Self, ArrowError> {
        let null_is_value = rule.key.len() == source.columns.len();
        let encoding = match rule.key.as_slice() {
            [column] if !null_is_value && is_text(schema, *column) => Encoding::Text,
            columns => Encoding::Rows(row_converter(schema, columns)?),
        };
        Ok(Self { hasher: run_hasher(run_id), columns: rule.key.clone(), encoding, null_is_value })
    }

    /// Calls `take` with each row that has a key.
    pub(super) fn read(
        &self,
        batch: &RecordBatch,
        mut take: impl FnMut(usize, Fingerprint),
    ) -> Result<(), ArrowError> {
        let columns = picked(batch, &self.columns);
        let nulls = if self.null_is_value {
            None
        } else {
            NullBuffer::union_many(columns.iter().map(|column| column.nulls()))
        };
        let has_key = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
        let rows = (0..batch.num_rows()).filter(has_key);
        match &self.encoding {
            Encoding::Text => {
                let texts = columns[0].as_string::<i32>();
                rows.for_each(|row| take(row, self.fingerprint(texts.value(row).as_bytes())));
            }
            Encoding::Rows(converter) => {
                let encoded = converter.convert_columns(&columns)?;
                rows.for_each(|row| take(row, self.fingerprint(encoded.row(row).data())));
            }
        }
        Ok(())
    }

    fn fingerprint(&self, key: &[u8]) -> Fingerprint {
        self.hasher.hash(key).as_u64().into()
    }
}

/// Tells which keys were certainly not seen.
pub(super) struct KeyFilter {
    /// Four bits for each key in one word of many, whose number is a power of two.
    bits: Vec<u64>,
}

impl KeyFilter {
    /// Makes a filter for so many keys.
    pub(super) fn new(keys: usize) -> Self {
        // With sixteen bits for each key, fewer than one in a hundred that were not seen pass.
        let words = if keys == 0 { 0 } else { (keys / 4).next_power_of_two() };
        Self { bits: vec![0; words] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    pub(super) fn note(&mut self, key: Fingerprint) {
        let (word, bits) = self.place(key);
        self.bits[word] |= bits;
    }

    pub(super) fn may_hold(&self, key: Fingerprint) -> bool {
        let (word, bits) = self.place(key);
        self.bits.get(word).is_some_and(|word| word & bits == bits)
    }

    fn place(&self, key: Fingerprint) -> (usize, u64) {
        // The low bits of the first half choose the partition of a contest.
        let words = self.bits.len().max(1);
        let bits = [0, 6, 12, 18].map(|shift| 1_u64 << (key[1] >> shift & 63));
        ((key[0] >> 16) as usize & (words - 1), bits.iter().fold(0, |all, bit| all | bit))
    }
}

fn is_text(schema: &SchemaRef, column: usize) -> bool {
    *schema.field(column).data_type() == DataType::Utf8
}

/// Makes a converter to rows that compare like the columns, NULL lowest.
pub(super) fn row_converter(
    schema: &SchemaRef,
    columns: &[usize],
) -> Result<RowConverter, ArrowError> {
    let fields = columns.iter().map(|column| schema.field(*column));
    RowConverter::new(fields.map(|field| SortField::new(field.data_type().clone())).collect())
}

fn run_hasher(run_id: &RunId) -> SipHasher13 {
    let digest = blake3::hash(run_id.as_str().as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest.as_bytes()[..16]);
    SipHasher13::new_with_key(&key)
}
