//! Column types, as authors write them and as martlet stores them.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The types a stage's column may have, as written in a contract.
pub(crate) const STAGE_TYPES: &[&str] =
    &["string", "boolean", "integer", "double", "decimal(p,s)", "date", "timestamp"];

/// Returns the stored type of a type written in a contract.
pub(crate) fn stored_type(text: &str) -> Option<DataType> {
    Some(match text.trim() {
        "string" => DataType::Utf8,
        "boolean" => DataType::Boolean,
        "integer" => DataType::Int64,
        "double" => DataType::Float64,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => {
            let (precision, scale) = decimal(other)?;
            DataType::Decimal128(precision, scale)
        }
    })
}

/// Returns precision and scale of `decimal(p,s)` where `1 <= p <= 38` and `0 <= s <= p`.
pub(crate) fn decimal(text: &str) -> Option<(u8, i8)> {
    let inner = text.trim().strip_prefix("decimal(")?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',')?;
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: i8 = scale.trim().parse().ok()?;
    let fits = (1..=38).contains(&precision) && scale >= 0 && scale <= precision.cast_signed();
    fits.then_some((precision, scale))
}

/// Writes a stored type as an author would.
pub(crate) fn written(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int64 => "integer".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => other.to_string(),
    }
}

/// Returns the type in which a column of SQL is stored, or nothing where no reader would cope.
pub(crate) fn canonical_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean | DataType::Date32 | DataType::Decimal128(_, 0..) => data_type.clone(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Dictionary(_, values) => canonical_type(values)?,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return None,
    })
}

/// Returns the stored schema of what SQL yields, or the column that cannot be stored.
pub(crate) fn canonical_schema(schema: &Schema) -> Result<SchemaRef, &Field> {
    let canonical = |field: &'_ Arc<Field>| {
        let data_type = canonical_type(field.data_type())?;
        Some(Field::new(field.name(), data_type, true))
    };
    let mut fields = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        fields.push(canonical(field).ok_or(field.as_ref())?);
    }
    Ok(Arc::new(Schema::new(fields)))
}

#[cfg(test)]
mod tests {
    use super::{decimal, stored_type, written};

    #[test]
    fn every_written_type_reads_back_as_itself() {
        for text in ["string", "boolean", "integer", "double", "decimal(18,4)", "date", "timestamp"]
        {
            assert_eq!(written(&stored_type(text).unwrap()), text);
        }
    }

    #[test]
    fn a_decimal_that_cannot_be_stored_is_no_type() {
        for text in [
            "decimal",
            "decimal(39,2)",
            "decimal(4,5)",
            "decimal(0,0)",
            "decimal(4,-1)",
            "decimal(4 2)",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
