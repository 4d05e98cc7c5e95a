//! Puts what a night resolved anew in the place of what was known of it, and leaves the rest as it was.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

use super::assign::Former;
use super::entries::Identifier;
use super::evidence::Evidence;
use super::kinds::Kinds;
use super::near::Near;
use super::registry::{conform, whole};
use super::schemas::{clusters_schema, conflicts_schema};
use super::{CustomerId, Registry};

/// The number of the way in which evidence is resolved. It must change whenever the same evidence under the same rules is
/// resolved otherwise, junk and the order of links included, so that nothing is carried over that would be another.
pub(crate) const METHOD: u32 = 2;

/// What the night before made of its evidence, by the rules and decisions that still hold.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    /// The midnight of that night, in microseconds.
    pub(crate) as_of: i64,
    /// The table `clusters`.
    pub(crate) clusters: Vec<RecordBatch>,
    /// The table `conflicts`.
    pub(crate) conflicts: Vec<RecordBatch>,
}

/// The tables of the night before, and which of their rows stay.
pub(super) struct Carry<'a> {
    pub(super) registry: &'a Registry,
    pub(super) clusters: RecordBatch,
    pub(super) conflicts: RecordBatch,
    pub(super) near: &'a Near,
}

/// A row of one of two batches: which of them, and which row.
type Place = (usize, usize);

impl<'a> Carry<'a> {
    pub(super) fn new(
        kinds: &Kinds,
        registry: &'a Registry,
        carried: &Carried,
        near: &'a Near,
    ) -> Result<Self, ArrowError> {
        let names = kinds.declared().map(|kind| kinds.get(kind).name.as_str());
        let clusters = whole(&clusters_schema(names), &carried.clusters)?;
        let schema = conflicts_schema();
        let conflicts = carried.conflicts.iter().map(|batch| conform(&schema, batch));
        let conflicts = conflicts.collect::<Result<Vec<_>, _>>()?;
        let conflicts = concat_batches(&schema, &conflicts)?;
        Ok(Self { registry, clusters, conflicts, near })
    }

    /// Says whether a customer of the night before has an id.
    pub(super) fn has_id(&self, id: CustomerId) -> bool {
        let (ids, id) = (self.cluster_ids(), id.to_string());
        let (mut low, mut high) = (0, ids.len());
        while low < high {
            let middle = low.midpoint(high);
            match ids.value(middle).cmp(&id) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return true,
            }
        }
        false
    }

    /// Makes `map` of the rows resolved anew, those known before first.
    pub(super) fn map(&self, anew: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let before = self.registry.map();
        let known = 0..before.num_rows();
        let known = known.map(|row| match self.near.node(row as i64) {
            Some(node) => (1, node as usize),
            None => (0, row),
        });
        let new = self.near.numbers.len()..anew.num_rows();
        let places: Vec<Place> = known.chain(new.map(|row| (1, row))).collect();
        interleave_record_batch(&[before, anew], &places)
    }

    /// Makes `links` of the rows resolved anew.
    pub(super) fn links(&self, anew: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let before = self.registry.links();
        let ends = |batch: &RecordBatch| {
            let column = |name| batch[name].as_primitive::<Int64Type>().values().clone();
            [column("left_number"), column("right_number")]
        };
        let (old, new) = (ends(before), ends(anew));
        let is_far = |row: &usize| old.iter().any(|ends| self.near.is_far(ends[*row]));
        let stay: Vec<usize> = (0..before.num_rows()).filter(is_far).collect();
        let is_before = |stays: usize, comes: usize| {
            (old[0][stays], old[1][stays]) < (new[0][comes], new[1][comes])
        };
        let places = merged(&stay, anew.num_rows(), is_before);
        interleave_record_batch(&[before, anew], &places)
    }

    /// Makes `clusters` of the rows of the customers resolved anew.
    pub(super) fn clusters(
        &self,
        former: &Former,
        anew: &RecordBatch,
    ) -> Result<RecordBatch, ArrowError> {
        let gone = former.customers.iter().map(|customer| customer.id.to_string());
        let gone: HashSet<String> = gone.collect();
        let (old, new) = (self.cluster_ids(), anew.column(0).as_string::<i32>());
        let stay: Vec<usize> =
            (0..old.len()).filter(|row| !gone.contains(old.value(*row))).collect();
        let is_before = |stays: usize, comes: usize| old.value(stays) < new.value(comes);
        let places = merged(&stay, new.len(), is_before);
        interleave_record_batch(&[&self.clusters, anew], &places)
    }

    /// Makes `conflicts` of the rows of identifiers resolved anew.
    pub(super) fn conflicts(
        &self,
        kinds: &Kinds,
        evidence: &Evidence,
        anew: &RecordBatch,
    ) -> Result<RecordBatch, ArrowError> {
        let [types, values] =
            ["left_type", "left_value"].map(|name| self.conflicts[name].as_string::<i32>());
        let is_far = |row: &usize| {
            let Some(kind) = kinds.known(types.value(*row)) else { return true };
            let identifier = Identifier::new(kinds, kind, values.value(*row));
            evidence.identifiers.find(&identifier).is_none()
        };
        let stay = (0..self.conflicts.num_rows()).filter(is_far).map(|row| (0, row));
        let places: Vec<Place> = stay.chain((0..anew.num_rows()).map(|row| (1, row))).collect();
        interleave_record_batch(&[&self.conflicts, anew], &places)
    }

    fn cluster_ids(&self) -> &StringArray {
        self.clusters.column(0).as_string::<i32>()
    }
}

/// Merges rows that stay with so many that come, both in order.
fn merged(stay: &[usize], comes: usize, is_before: impl Fn(usize, usize) -> bool) -> Vec<Place> {
    let mut places = Vec::with_capacity(stay.len() + comes);
    let mut next = 0;
    for row in stay {
        while next < comes && !is_before(*row, next) {
            places.push((1, next));
            next += 1;
        }
        places.push((0, *row));
    }
    places.extend((next..comes).map(|row| (1, row)));
    places
}
