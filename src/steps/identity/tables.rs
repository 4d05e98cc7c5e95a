//! The schemas of the identity tables, and the tables that tell what happened.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::IdentityError;
use super::assign::{ChangeKind, CustomerNumber};
use super::causes::Cause;
use super::identifiers::{Instant, Node};
use super::resolve::Because;
use super::resolved::Resolved;

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

fn changes_schema() -> SchemaRef {
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

/// Returns one row for each change of a customer, with what caused it.
pub(super) fn changes(
    resolved: &Resolved<'_>,
    causes: &[Option<Cause>],
) -> Result<RecordBatch, IdentityError> {
    let changes = || resolved.assignment.changes.iter();
    let id = |number: CustomerNumber| resolved.assignment.customers[number as usize].id.to_string();
    let causes = || causes.iter().copied();
    let left = |cause: Option<Cause>| Some(cause?.left);
    let right = |cause: Option<Cause>| cause?.right;
    let columns = vec![
        instants(changes().map(|_| Some(resolved.now))),
        texts(changes().map(|change| Some(name(change.kind)))),
        texts(changes().map(|change| Some(id(change.customer)))),
        texts(changes().map(|change| change.from.map(id))),
        numbers(changes().map(|change| Some(change.identifiers as i64))),
        texts(causes().map(|cause| Some(cause?.reason))),
        texts(causes().map(|cause| left(cause).map(|node| resolved.type_name(node)))),
        texts(causes().map(|cause| left(cause).map(|node| resolved.value(node)))),
        texts(causes().map(|cause| right(cause).map(|node| resolved.type_name(node)))),
        texts(causes().map(|cause| right(cause).map(|node| resolved.value(node)))),
        texts(causes().map(|cause| Some(resolved.evidence.sources.name(cause?.source?)))),
    ];
    batch(changes_schema(), columns)
}

const fn name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Merged => "merged",
        ChangeKind::Split => "split",
        ChangeKind::Retired => "retired",
    }
}

/// A row of the conflicts.
struct Conflict<'a> {
    rule: &'static str,
    identifier_type: Option<&'a str>,
    left: Node,
    right: Option<Node>,
    first_seen: Instant,
    customers: Option<i64>,
    others: Option<i64>,
}

/// Returns one row for each link that was refused, and each value that is ambiguous or seen with too many others.
pub(super) fn conflicts(resolved: &Resolved<'_>) -> Result<RecordBatch, IdentityError> {
    let rows: Vec<Conflict<'_>> =
        refused(resolved).chain(ambiguous(resolved)).chain(crowded(resolved)).collect();
    let rows = || rows.iter();
    let id = |node| Some(resolved.customer(node)?.id.to_string());
    let columns = vec![
        texts(rows().map(|row| Some(row.rule))),
        texts(rows().map(|row| row.identifier_type)),
        texts(rows().map(|row| Some(resolved.type_name(row.left)))),
        texts(rows().map(|row| Some(resolved.value(row.left)))),
        texts(rows().map(|row| id(row.left))),
        texts(rows().map(|row| Some(resolved.type_name(row.right?)))),
        texts(rows().map(|row| Some(resolved.value(row.right?)))),
        texts(rows().map(|row| id(row.right?))),
        instants(rows().map(|row| Some(row.first_seen))),
        numbers(rows().map(|row| row.customers)),
        numbers(rows().map(|row| row.others)),
    ];
    batch(conflicts_schema(), columns)
}

/// Puts conflicts in order: by rule, the oldest first.
pub(super) fn ordered(conflicts: &RecordBatch) -> Result<RecordBatch, IdentityError> {
    let names = ["rule", "first_seen", "left_type", "left_value", "right_type", "right_value"];
    let column = |name| SortColumn { values: Arc::clone(&conflicts[name]), options: None };
    let order = lexsort_to_indices(&names.map(column), None);
    let rows = order.and_then(|order| take_record_batch(conflicts, &order));
    rows.map_err(IdentityError::Tables)
}

fn refused<'a>(resolved: &Resolved<'a>) -> impl Iterator<Item = Conflict<'a>> {
    let kinds = resolved.kinds;
    resolved.resolution.refused.iter().map(move |refused| {
        let (rule, identifier_type) = match refused.because {
            Because::Values(kind) if kinds.get(kind).unique => ("unique", Some(kind)),
            Because::Values(kind) => ("max_per_customer", Some(kind)),
            Because::Decision => ("decision", None),
        };
        Conflict {
            rule,
            identifier_type: identifier_type.map(|kind| kinds.get(kind).name.as_str()),
            left: refused.stronger,
            right: Some(refused.weaker),
            first_seen: refused.first_seen,
            customers: None,
            others: None,
        }
    })
}

fn ambiguous<'a>(resolved: &Resolved<'a>) -> impl Iterator<Item = Conflict<'a>> {
    let ambiguous = resolved.resolution.ambiguous.iter();
    ambiguous.map(|ambiguous| Conflict {
        rule: "max_customers",
        identifier_type: Some(resolved.type_name(ambiguous.node)),
        left: ambiguous.node,
        right: None,
        first_seen: resolved.evidence.identifiers.first_seen(ambiguous.node),
        customers: Some(i64::from(ambiguous.customers)),
        others: None,
    })
}

fn crowded<'a>(resolved: &Resolved<'a>) -> impl Iterator<Item = Conflict<'a>> {
    resolved.resolution.crowded.iter().map(|crowded| Conflict {
        rule: "block_above",
        identifier_type: Some(resolved.type_name(crowded.node)),
        left: crowded.node,
        right: None,
        first_seen: resolved.evidence.identifiers.first_seen(crowded.node),
        customers: None,
        others: Some(i64::from(crowded.others)),
    })
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
