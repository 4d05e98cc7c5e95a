//! What is known of customers from one night to the next.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use foldhash::fast::FixedState;

use super::IdentityError;
use super::schemas::{batch, customers_schema, instants, links_schema, map_schema, numbers, texts};
use crate::engine::Customers;

/// The state of an identifier that points at one person.
pub(super) const LINKED: &str = "linked";

/// The places of the columns of `map`.
pub(super) mod map {
    pub(in crate::steps::identity) const NUMBER: usize = 0;
    pub(in crate::steps::identity) const TYPE: usize = 1;
    pub(in crate::steps::identity) const VALUE: usize = 2;
    pub(in crate::steps::identity) const CUSTOMER: usize = 3;
    pub(in crate::steps::identity) const STATE: usize = 4;
    pub(in crate::steps::identity) const FIRST_SEEN: usize = 5;
    pub(in crate::steps::identity) const CREATED: usize = 6;
    pub(in crate::steps::identity) const VALID_FROM: usize = 7;
}

/// All identifiers ever seen with their customers, and all links between them.
///
/// Two tables: `map` has one row for each identifier, `links` one for each pair of identifiers ever seen
/// on one row. `links` refers to identifiers by their `number` in `map`, which never changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Registry {
    pub(super) map: RecordBatch,
    pub(super) links: RecordBatch,
}

impl Registry {
    /// Returns a registry that knows nobody.
    pub(crate) fn empty() -> Self {
        Self {
            map: RecordBatch::new_empty(map_schema()),
            links: RecordBatch::new_empty(links_schema()),
        }
    }

    /// Puts a registry together from the rows of its two tables, in any order.
    pub(crate) fn from_batches(
        map: &[RecordBatch],
        links: &[RecordBatch],
    ) -> Result<Self, IdentityError> {
        let map = whole(&map_schema(), map).map_err(IdentityError::RegistryRead)?;
        let links = whole(&links_schema(), links).map_err(IdentityError::RegistryRead)?;
        let numbers = map.column(map::NUMBER).as_primitive::<Int64Type>();
        let is_gapless = (0..).zip(numbers.values()).all(|(place, number)| place == *number);
        if !is_gapless {
            return Err(damaged("the numbers of identifiers have gaps"));
        }
        Ok(Self { map, links })
    }

    /// Takes the table `map` alone.
    pub(super) fn unlinked(map: RecordBatch) -> Self {
        Self { map, links: RecordBatch::new_empty(links_schema()) }
    }

    /// Returns one row for each identifier: its customer, unless it points at no person.
    pub(crate) fn map(&self) -> &RecordBatch {
        &self.map
    }

    /// Returns one row for each pair of identifiers seen on one row.
    pub(crate) fn links(&self) -> &RecordBatch {
        &self.links
    }

    /// Returns which customer each identifier belongs to.
    pub(crate) fn lookup(&self) -> Customers {
        let states = self.map.column(map::STATE).as_string::<i32>();
        let is_linked = |row: usize| states.value(row) == LINKED;
        Customers {
            ids: self.customer_ids().clone(),
            certain: BooleanBuffer::collect_bool(states.len(), is_linked),
        }
    }

    /// Returns the customer of each identifier by its number; none for those that point at no person.
    pub(crate) fn customer_ids(&self) -> &StringArray {
        self.map.column(map::CUSTOMER).as_string::<i32>()
    }

    /// Digests who is who, as far as a stage sees it.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for column in [map::CUSTOMER, map::STATE] {
            for text in self.map.column(column).as_string::<i32>() {
                hasher.update(text.unwrap_or_default().as_bytes()).update(b"\n");
            }
        }
        for column in [map::FIRST_SEEN, map::CREATED] {
            for time in self.map.column(column).as_primitive::<TimestampMicrosecondType>() {
                hasher.update(&time.unwrap_or(i64::MIN).to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Returns one row for each customer.
    pub(crate) fn customers(&self) -> Result<RecordBatch, IdentityError> {
        let ids = self.map.column(map::CUSTOMER).as_string::<i32>();
        let times = |column| self.map.column(column).as_primitive::<TimestampMicrosecondType>();
        let (first_seen, created) = (times(map::FIRST_SEEN), times(map::CREATED));
        let mut places: HashMap<&str, usize, FixedState> = HashMap::default();
        let mut customers: Vec<(&str, i64, i64, i64)> = Vec::new();
        for (row, id) in (0..).zip(ids) {
            let Some(id) = id else { continue };
            let place = *places.entry(id).or_insert_with(|| {
                customers.push((id, i64::MAX, created.value(row), 0));
                customers.len() - 1
            });
            let (_, seen, _, identifiers) = &mut customers[place];
            *seen = first_seen.value(row).min(*seen);
            *identifiers += 1;
        }
        customers.sort_unstable();
        let columns = vec![
            texts(customers.iter().map(|customer| Some(customer.0))),
            instants(customers.iter().map(|customer| Some(customer.1))),
            instants(customers.iter().map(|customer| Some(customer.2))),
            numbers(customers.iter().map(|customer| Some(customer.3))),
        ];
        batch(customers_schema(), columns)
    }
}

/// Puts batches of a table together, their rows in the order of the first column.
pub(super) fn whole(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<RecordBatch, ArrowError> {
    let batches = batches.iter().map(|batch| conform(schema, batch));
    let all = concat_batches(schema, &batches.collect::<Result<Vec<_>, _>>()?)?;
    if is_sorted(all.column(0)) {
        return Ok(all);
    }
    let order = sort_to_indices(all.column(0), None, None)?;
    take_record_batch(&all, &order)
}

fn is_sorted(column: &ArrayRef) -> bool {
    let numbers = column.as_primitive_opt::<Int64Type>();
    numbers.is_some_and(|numbers| numbers.values().is_sorted())
}

/// Returns the columns of a schema by name, whatever variant of their types a reader made of them.
pub(super) fn conform(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let column = |name: &str| -> Result<&ArrayRef, ArrowError> {
        let missing = || ArrowError::SchemaError(format!("the column `{name}` is missing"));
        batch.column_by_name(name).ok_or_else(missing)
    };
    let fields = schema.fields().iter();
    let columns = fields.map(|field| cast(column(field.name())?, field.data_type()));
    RecordBatch::try_new(SchemaRef::clone(schema), columns.collect::<Result<Vec<_>, _>>()?)
}

pub(super) fn damaged(reason: &'static str) -> IdentityError {
    IdentityError::Registry { reason }
}
