//! The schemas of the identity tables, and how columns of them are made.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::IdentityError;
use super::identifiers::Instant;

const TEXT: DataType = DataType::Utf8;
const NUMBER: DataType = DataType::Int64;

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A text of which a table holds few different ones; in files it is plain text.
fn word() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(TEXT))
}

/// Makes a schema; a name that ends in `?` may be NULL.
fn schema(columns: Vec<(&str, DataType)>) -> SchemaRef {
    let field = |(name, data_type): (&str, DataType)| match name.strip_suffix('?') {
        Some(name) => Field::new(name, data_type, true),
        None => Field::new(name, data_type, false),
    };
    Arc::new(Schema::new(columns.into_iter().map(field).collect::<Vec<_>>()))
}

/// One row for each identifier ever seen.
pub(super) fn map_schema() -> SchemaRef {
    schema(vec![
        ("number", NUMBER),
        ("identifier_type", TEXT),
        ("value", TEXT),
        ("customer_id?", TEXT),
        // `linked`; `ambiguous`, a customer of its own; `blocked` or `retracted`, no customer.
        ("state", TEXT),
        ("first_seen", instant()),
        ("id_created_at?", instant()),
        // The night since which it belongs to this customer.
        ("valid_from?", instant()),
    ])
}

/// One row for each pair of identifiers seen on one row, and each source of such rows.
pub(super) fn links_schema() -> SchemaRef {
    schema(vec![
        ("left_number", NUMBER),
        ("right_number", NUMBER),
        ("source", word()),
        ("first_seen", instant()),
        ("last_seen", instant()),
        // NULL for a pair on one row; for records that are alike, how much.
        ("weight?", DataType::Float64),
    ])
}

/// One row for each pair of identifiers seen on one row, and each object with such rows.
pub(super) fn evidence_schema() -> SchemaRef {
    schema(vec![
        ("source", word()),
        ("object", word()),
        ("left_number", NUMBER),
        // NULL for an identifier that was alone on a row.
        ("right_number?", NUMBER),
        ("first_seen", instant()),
        ("last_seen", instant()),
        ("weight?", DataType::Float64),
    ])
}

/// One row for each customer.
pub(super) fn customers_schema() -> SchemaRef {
    schema(vec![
        ("customer_id", TEXT),
        ("first_seen", instant()),
        ("id_created_at", instant()),
        ("identifiers", NUMBER),
    ])
}

/// One row for each time in which an identifier belonged to a customer.
pub(super) fn history_schema() -> SchemaRef {
    schema(vec![
        ("number", NUMBER),
        ("identifier_type", TEXT),
        ("value", TEXT),
        ("customer_id", TEXT),
        ("valid_from", instant()),
        // NULL while it lasts.
        ("valid_to?", instant()),
    ])
}

/// One row for each customer, with a column for each of the types.
pub(super) fn clusters_schema<'a>(types: impl Iterator<Item = &'a str>) -> SchemaRef {
    let types: Vec<String> = types.map(|name| format!("{name}_identifiers")).collect();
    let mut columns = vec![
        ("customer_id", TEXT),
        ("identifiers", NUMBER),
        // Pairs of identifiers that were seen on one row, or are alike.
        ("links", NUMBER),
        // Pairs without which the customer would fall apart; NULL where there are too many links to look.
        ("bridges?", NUMBER),
    ];
    columns.extend(types.iter().map(|name| (name.as_str(), NUMBER)));
    schema(columns)
}

pub(super) fn changes_schema() -> SchemaRef {
    schema(vec![
        ("changed_at", instant()),
        // `created`, `merged`, `split` or `retired`.
        ("change", TEXT),
        ("customer_id", TEXT),
        ("from_customer_id?", TEXT),
        ("identifiers", NUMBER),
        // `seen`, an identifier; `link`, one that joins; `blocked`, `retracted`, `ambiguous`, `window` or `refused`, a
        // link that joins no longer.
        ("reason?", TEXT),
        ("left_type?", TEXT),
        ("left_value?", TEXT),
        ("right_type?", TEXT),
        ("right_value?", TEXT),
        ("source?", TEXT),
    ])
}

pub(super) fn conflicts_schema() -> SchemaRef {
    schema(vec![
        // The rule that would have been broken: `unique`, `max_per_customer`, `max_customers`, `block_above` or `decision`.
        ("rule", TEXT),
        // The type whose rule it is; none for a decision.
        ("identifier_type?", TEXT),
        ("left_type", TEXT),
        ("left_value", TEXT),
        ("left_customer_id?", TEXT),
        ("right_type?", TEXT),
        ("right_value?", TEXT),
        ("right_customer_id?", TEXT),
        ("first_seen", instant()),
        // For `max_customers`, how many customers share the value.
        ("customers?", NUMBER),
        // For `block_above`, with how many other identifiers the value was seen.
        ("others?", NUMBER),
    ])
}

pub(super) fn texts<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn numbers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

pub(super) fn instants(values: impl Iterator<Item = Option<Instant>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

pub(super) fn batch(
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
) -> Result<RecordBatch, IdentityError> {
    RecordBatch::try_new(schema, columns).map_err(IdentityError::Tables)
}
