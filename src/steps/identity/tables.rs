//! The tables that tell what happened.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};

use super::IdentityError;
use super::assign::{ChangeKind, CustomerNumber};
use super::causes::Cause;
use super::identifiers::{Instant, Node};
use super::resolve::Because;
use super::resolved::Resolved;
use super::schemas::{batch, changes_schema, conflicts_schema, instants, numbers, texts};

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
