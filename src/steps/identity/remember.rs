//! Writes down what the next night needs to know.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondBuilder, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::Int32Type;

use super::IdentityError;
use super::identifiers::{Node, Standing};
use super::links::Link;
use super::numbers::Numbers;
use super::open::RETRACTED;
use super::registry::LINKED;
use super::resolved::Resolved;
use super::schemas::{batch, instants, links_schema, map_schema, numbers};

/// So many identifiers are looked at for one column after the other.
const NODES_AT_ONCE: usize = 1 << 12;

impl Resolved<'_> {
    pub(super) fn map(&self, numbers_of: &Numbers) -> Result<RecordBatch, IdentityError> {
        let identifiers = &self.evidence.identifiers;
        let state = |node: Node| match identifiers.standing(node) {
            Standing::Blocked => "blocked",
            Standing::Retracted => RETRACTED,
            Standing::Active if self.is_ambiguous(node) => "ambiguous",
            Standing::Active => LINKED,
        };
        let nodes = || numbers_of.nodes.iter().copied();
        let (mut types, mut values) = (StringBuilder::new(), StringBuilder::new());
        let (mut states, mut seen) = (StringBuilder::new(), TimestampMicrosecondBuilder::new());
        // All that is read of an identifier is read before it has left the caches.
        for nodes in numbers_of.nodes.chunks(NODES_AT_ONCE) {
            let nodes = || nodes.iter().copied();
            nodes().for_each(|node| identifiers.fetch(node));
            types.extend(nodes().map(|node| Some(self.type_name(node))));
            values.extend(nodes().map(|node| Some(self.value(node))));
            states.extend(nodes().map(|node| Some(state(node))));
            seen.extend(nodes().map(|node| Some(identifiers.first_seen(node))));
        }
        let columns: Vec<ArrayRef> = vec![
            numbers(nodes().map(|node| Some(numbers_of.of(node)))),
            Arc::new(types.finish()),
            Arc::new(values.finish()),
            self.ids(nodes())?,
            Arc::new(states.finish()),
            Arc::new(seen.finish().with_timezone("UTC")),
            instants(nodes().map(|node| Some(self.customer(node)?.created))),
            instants(nodes().map(|node| self.valid_from(node))),
        ];
        batch(map_schema(), columns)
    }

    /// Returns the ids of the customers of identifiers; an id is written once, however many identifiers have it.
    fn ids(&self, nodes: impl Iterator<Item = Node>) -> Result<ArrayRef, IdentityError> {
        let customers = self.assignment.customers.iter();
        let ids = StringArray::from_iter_values(customers.map(|customer| customer.id.to_string()));
        let of: UInt32Array = nodes.map(|node| self.assignment.of[node as usize]).collect();
        take(&ids, &of, None).map_err(IdentityError::Tables)
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
