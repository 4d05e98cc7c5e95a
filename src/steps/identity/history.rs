//! Tells which customer each identifier has belonged to, and when.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{filter_record_batch, is_not_null};

use super::assign::Customer;
use super::identifiers::{Instant, Node};
use super::numbers::Numbers;
use super::registry::map;
use super::resolved::Resolved;
use super::schemas::{batch, history_schema, instants, numbers as integers, texts};
use super::stored::slices;
use super::{IdentityError, Registry};

/// A time in which an identifier belonged to a customer, and which ends this night.
struct Time {
    node: Node,
    customer: Customer,
    from: Instant,
}

impl Resolved<'_> {
    /// Returns the times that ended this night.
    pub(super) fn past(&self, numbers: &Numbers) -> Result<RecordBatch, IdentityError> {
        let times: Vec<Time> = numbers.nodes.iter().filter_map(|node| self.ended(*node)).collect();
        let times = || times.iter();
        let columns = vec![
            integers(times().map(|time| Some(numbers.of(time.node)))),
            texts(times().map(|time| Some(self.type_name(time.node)))),
            texts(times().map(|time| Some(self.value(time.node)))),
            texts(times().map(|time| Some(time.customer.id.to_string()))),
            instants(times().map(|time| Some(time.from))),
            instants(times().map(|_| Some(self.now))),
        ];
        batch(history_schema(), columns)
    }

    fn ended(&self, node: Node) -> Option<Time> {
        let customer = self.former_customer(node)?;
        if self.customer(node).is_some_and(|now| now.id == customer.id) {
            return None;
        }
        let from = self.former.valid_from[node as usize];
        // What began on this very night, in an earlier run of it, has never been.
        (from < self.now).then_some(Time { node, customer, from })
    }
}

/// Makes the times that last, piece by piece.
pub(super) fn present(
    registry: &Registry,
) -> impl Iterator<Item = Result<RecordBatch, IdentityError>> {
    slices(registry.map()).map(|rows| lasting(&rows))
}

fn lasting(map: &RecordBatch) -> Result<RecordBatch, IdentityError> {
    let belongs = is_not_null(map.column(map::CUSTOMER)).map_err(IdentityError::Tables)?;
    let rows = filter_record_batch(map, &belongs).map_err(IdentityError::Tables)?;
    let places = [map::NUMBER, map::TYPE, map::VALUE, map::CUSTOMER, map::VALID_FROM];
    let mut columns: Vec<ArrayRef> =
        places.iter().map(|place| Arc::clone(rows.column(*place))).collect();
    columns.push(instants((0..rows.num_rows()).map(|_| None)));
    batch(history_schema(), columns)
}
