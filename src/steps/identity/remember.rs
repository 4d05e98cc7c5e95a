//! Writes down what the next night needs to know.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondBuilder, UInt32Array,
};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::Int32Type;

use super::IdentityError;
use super::identifiers::{Node, Standing};
use super::links::Link;
use super::numbers::Numbers;
use super::open::RETRACTED;
use super::registry::LINKED;
use super::resolved::Resolved;
use super::schemas::{batch, instants, links_schema, map_schema, numbers};
use crate::engine::on_threads;

/// So many identifiers make one slice of the map.
const SLICE: usize = 1 << 15;
/// So many identifiers are looked at for one column after the other.
const NODES_AT_ONCE: usize = 1 << 12;

impl Resolved<'_> {
    /// Makes the map, slice by slice in its order, several of them at once.
    pub(super) fn map_in_slices<E: From<IdentityError>>(
        &self,
        numbers: &Numbers,
        threads: usize,
        mut take: impl FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        // An id is written once, however many identifiers have it.
        let ids = self.assignment.customers.iter().map(|customer| customer.id.to_string());
        let ids = StringArray::from_iter_values(ids);
        for nodes in numbers.nodes.chunks(SLICE * threads.max(1)) {
            let slices: Vec<&[Node]> = nodes.chunks(SLICE).collect();
            let made = on_threads(slices.len(), |slice| self.slice(slices[slice], numbers, &ids))?;
            made.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// Makes the map in one piece.
    pub(super) fn map(
        &self,
        numbers: &Numbers,
        threads: usize,
    ) -> Result<RecordBatch, IdentityError> {
        let mut slices = Vec::new();
        self.map_in_slices(numbers, threads, |slice| {
            slices.push(slice);
            Ok::<_, IdentityError>(())
        })?;
        concat_batches(&map_schema(), &slices).map_err(IdentityError::Tables)
    }

    fn slice(
        &self,
        slice: &[Node],
        numbers_of: &Numbers,
        ids: &StringArray,
    ) -> Result<RecordBatch, IdentityError> {
        let identifiers = &self.evidence.identifiers;
        let state = |node: Node| match identifiers.standing(node) {
            Standing::Blocked => "blocked",
            Standing::Retracted => RETRACTED,
            Standing::Active if self.is_ambiguous(node) => "ambiguous",
            Standing::Active => LINKED,
        };
        let nodes = || slice.iter().copied();
        let (mut types, mut values) = (StringBuilder::new(), StringBuilder::new());
        let (mut states, mut seen) = (StringBuilder::new(), TimestampMicrosecondBuilder::new());
        // All that is read of an identifier is read before it has left the caches.
        for nodes in slice.chunks(NODES_AT_ONCE) {
            let nodes = || nodes.iter().copied();
            nodes().for_each(|node| identifiers.fetch(node));
            types.extend(nodes().map(|node| Some(self.type_name(node))));
            values.extend(nodes().map(|node| Some(self.value(node))));
            states.extend(nodes().map(|node| Some(state(node))));
            seen.extend(nodes().map(|node| Some(identifiers.first_seen(node))));
        }
        let of: UInt32Array = nodes().map(|node| self.assignment.of[node as usize]).collect();
        let columns: Vec<ArrayRef> = vec![
            numbers(nodes().map(|node| Some(numbers_of.of(node)))),
            Arc::new(types.finish()),
            Arc::new(values.finish()),
            take(ids, &of, None).map_err(IdentityError::Tables)?,
            Arc::new(states.finish()),
            Arc::new(seen.finish().with_timezone("UTC")),
            instants(nodes().map(|node| Some(self.customer(node)?.created))),
            instants(nodes().map(|node| self.valid_from(node))),
        ];
        batch(map_schema(), columns)
    }

    pub(super) fn links(&self, numbers_of: &Numbers) -> Result<RecordBatch, IdentityError> {
        let places = self.in_order(numbers_of);
        let link = |place: &Place| self.evidence.links.get(place.link);
        let links = || places.iter().map(link);
        let weight = |link: &Link| (!link.is_certain()).then(|| f64::from(link.weight));
        let columns = vec![
            numbers(places.iter().map(|place| Some(place.ends[0]))),
            numbers(places.iter().map(|place| Some(place.ends[1]))),
            words(links().map(|link| link.origin), self.evidence.sources.iter())?,
            instants(links().map(|link| Some(link.first_seen))),
            instants(links().map(|link| Some(link.last_seen))),
            Arc::new(links().map(weight).collect::<Float64Array>()),
        ];
        batch(links_schema(), columns)
    }

    /// Returns the links in the order in which they are written.
    fn in_order(&self, numbers: &Numbers) -> Vec<Place> {
        let links = &self.evidence.links;
        let place = |(number, link): (u32, &Link)| {
            let [left, right] = link.ends.map(|node| numbers.of(node));
            Place { ends: [left.min(right), left.max(right)], link: number }
        };
        let mut places: Vec<Place> = (0..).zip(links.iter()).map(place).collect();
        places.sort_unstable_by_key(|place| {
            let link = links.get(place.link);
            (place.ends, link.origin, link.is_certain())
        });
        places
    }
}

/// Where a link stands in its table: by the numbers of its ends, the lower one first.
struct Place {
    ends: [i64; 2],
    link: u32,
}

/// Makes a column of few different texts from their numbers.
fn words<'a>(
    numbers: impl Iterator<Item = u32>,
    texts: impl Iterator<Item = &'a str>,
) -> Result<ArrayRef, IdentityError> {
    let keys: Int32Array = numbers.map(|number| Some(number as i32)).collect();
    let values = Arc::new(StringArray::from_iter_values(texts));
    let words = DictionaryArray::<Int32Type>::try_new(keys, values);
    Ok(Arc::new(words.map_err(IdentityError::Tables)?))
}
