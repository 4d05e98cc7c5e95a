//! What a file's footer tells of its values, in the words of Delta.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};
use chrono::{DateTime, SecondsFormat};
use datafusion::scalar::ScalarValue;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use serde_json::{Map, Value, json};

use super::footer::Footer;

/// The largest whole number a JSON reader that knows only floats reads exactly, as digits of a decimal.
const EXACT: i128 = 999_999_999_999_999;

/// Returns rows, bounds and NULLs by column; a bound that is not known for certain is left out.
pub(super) fn statistics(footer: &Footer) -> Value {
    let rows = footer.metadata.file_metadata().num_rows();
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    for field in footer.schema.fields() {
        let Some(column) = Column::of(footer, field.name()) else { continue };
        nulls.insert(field.name().clone(), json!(column.nulls.iter().sum::<u64>()));
        if let Some(value) = column.bound(&column.least, Ordering::Less) {
            least.insert(field.name().clone(), value);
        }
        if let Some(value) = column.bound(&column.greatest, Ordering::Greater) {
            greatest.insert(field.name().clone(), value);
        }
    }
    json!({ "numRecords": rows, "minValues": least, "maxValues": greatest, "nullCount": nulls })
}

/// What the row groups of a file tell of a column.
struct Column {
    least: ArrayRef,
    greatest: ArrayRef,
    nulls: Vec<u64>,
    rows: Vec<u64>,
}

impl Column {
    fn of(footer: &Footer, name: &str) -> Option<Self> {
        let groups = footer.metadata.row_groups();
        let described = footer.metadata.file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(name, &footer.schema, described).ok()?;
        let nulls = converter.row_group_null_counts(groups).ok()?;
        (nulls.null_count() == 0).then_some(())?;
        Some(Self {
            least: converter.row_group_mins(groups).ok()?,
            greatest: converter.row_group_maxes(groups).ok()?,
            nulls: nulls.values().to_vec(),
            rows: groups.iter().map(|group| group.num_rows().cast_unsigned()).collect(),
        })
    }

    /// Returns the outermost of the bounds of all row groups that hold a value.
    fn bound(&self, bounds: &ArrayRef, outer: Ordering) -> Option<Value> {
        let mut bound: Option<ScalarValue> = None;
        for (group, (nulls, rows)) in self.nulls.iter().zip(&self.rows).enumerate() {
            if nulls == rows {
                continue;
            }
            let value = ScalarValue::try_from_array(bounds, group).ok()?;
            if value.is_null() {
                return None;
            }
            let replaces =
                bound.as_ref().is_none_or(|bound| value.partial_cmp(bound) == Some(outer));
            if replaces {
                bound = Some(value);
            }
        }
        bound.as_ref().and_then(written)
    }
}

/// Writes a bound; floats have none, since NaN is in no order all readers agree on.
fn written(value: &ScalarValue) -> Option<Value> {
    use ScalarValue as S;
    match value {
        S::Int8(value) => value.map(Value::from),
        S::Int16(value) => value.map(Value::from),
        S::Int32(value) => value.map(Value::from),
        S::Int64(value) => value.map(Value::from),
        S::Utf8(text) => text.clone().map(Value::from),
        S::Date32(_) => Some(Value::from(value.to_string())),
        S::TimestampMicrosecond(Some(micros), _) => {
            let moment = DateTime::from_timestamp_micros(*micros)?;
            Some(Value::from(moment.to_rfc3339_opts(SecondsFormat::Micros, true)))
        }
        S::Decimal128(Some(digits), _, scale) if digits.abs() <= EXACT => {
            decimal(*digits, *scale).map(Value::from)
        }
        _ => None,
    }
}

/// Returns the number that a decimal of these digits is; the shortest text of it has the same digits.
fn decimal(digits: i128, scale: i8) -> Option<f64> {
    let scale = u32::try_from(scale).ok()?;
    let unit = 10_i128.checked_pow(scale)?;
    let sign = if digits < 0 { "-" } else { "" };
    let (whole, rest) = (digits.abs() / unit, digits.abs() % unit);
    format!("{sign}{whole}.{rest:0width$}", width = scale as usize).parse().ok()
}
