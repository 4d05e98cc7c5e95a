//! Writes down what the next night needs to know.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::Int32Type;

use super::evidence::{Object, Sightings};
use super::identifiers::{Node, Standing};
use super::links::Link;
use super::open::RETRACTED;
use super::registry::LINKED;
use super::resolved::Resolved;
use super::tables::{batch, evidence_schema, instants, links_schema, map_schema, numbers, texts};
use super::{IdentityError, Registry};

/// The numbers that identifiers have in `map`.
pub(super) struct Numbers {
    /// The identifiers in the order of their numbers.
    pub(super) nodes: Vec<Node>,
    /// For each identifier, its number.
    pub(super) of: Vec<i64>,
}

impl Numbers {
    pub(super) fn of(&self, node: Node) -> i64 {
        self.of[node as usize]
    }
}

impl Resolved<'_> {
    /// Numbers the identifiers: those known before as they were, then the new ones by type and value.
    ///
    /// Their nodes depend on threads; their numbers must not.
    pub(super) fn numbers(&self) -> Numbers {
        let identifiers = &self.evidence.identifiers;
        let known = self.known.len() as Node;
        let (known, new) = (0..known, known..identifiers.len() as Node);
        let ranks = self.kinds.ranks_by_name();
        let key = |node: Node| {
            (ranks[usize::from(identifiers.kind(node))], prefix(self.value(node)), node)
        };
        let mut new: Vec<_> = new.map(key).collect();
        new.sort_unstable_by(|left, right| {
            let start = |key: &(usize, u128, Node)| (key.0, key.1);
            let rest = || self.value(left.2).cmp(self.value(right.2));
            start(left).cmp(&start(right)).then_with(rest)
        });
        let nodes: Vec<Node> = known.chain(new.into_iter().map(|(_, _, node)| node)).collect();
        let mut of = vec![0; nodes.len()];
        for (number, node) in self.known.iter().copied().chain(self.given..).zip(&nodes) {
            of[*node as usize] = number as i64;
        }
        Numbers { nodes, of }
    }

    /// Makes the registry of the next night.
    pub(super) fn registry(&self, numbers: &Numbers) -> Result<Registry, IdentityError> {
        Ok(Registry { map: self.map(numbers)?, links: self.links(numbers)? })
    }

    pub(super) fn map(&self, numbers_of: &Numbers) -> Result<RecordBatch, IdentityError> {
        let identifiers = &self.evidence.identifiers;
        let state = |node: Node| match identifiers.standing(node) {
            Standing::Blocked => "blocked",
            Standing::Retracted => RETRACTED,
            Standing::Active if self.is_ambiguous(node) => "ambiguous",
            Standing::Active => LINKED,
        };
        let nodes = || numbers_of.nodes.iter().copied();
        let columns = vec![
            numbers(nodes().map(|node| Some(numbers_of.of(node)))),
            texts(nodes().map(|node| Some(self.type_name(node)))),
            texts(nodes().map(|node| Some(self.value(node)))),
            self.ids(nodes())?,
            texts(nodes().map(|node| Some(state(node)))),
            instants(nodes().map(|node| Some(identifiers.first_seen(node)))),
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

    fn links(&self, numbers_of: &Numbers) -> Result<RecordBatch, IdentityError> {
        let rows = Rows::sorted(numbers_of, self.evidence.links.iter(), |_| 0);
        let names = self.evidence.sources.iter();
        let [left, right, first_seen, last_seen, weight] = rows.columns();
        let source = words(rows.links.iter().map(|row| row.link.origin), names)?;
        batch(links_schema(), vec![left, right, source, first_seen, last_seen, weight])
    }

    /// Makes the table of evidence: what is left of that of earlier nights, and what was seen this night.
    pub(super) fn evidence(
        &self,
        numbers_of: &Numbers,
        sightings: &Sightings,
        kept: &[RecordBatch],
    ) -> Result<RecordBatch, IdentityError> {
        let objects = &sightings.objects;
        let ranks = self.ranks(objects);
        let rank = |origin: u32| ranks[origin as usize];
        let rows = Rows::sorted(numbers_of, sightings.links.iter(), rank);
        let source = |row: &Row| objects[row.link.origin as usize].source;
        let source = words(rows.links.iter().map(source), self.evidence.sources.iter())?;
        let path = words(
            rows.links.iter().map(|row| row.link.origin),
            objects.iter().map(|object| &*object.path),
        )?;
        let [left, right, first_seen, last_seen, weight] = rows.columns();
        let columns = vec![source, path, left, right, first_seen, last_seen, weight];
        let new = batch(evidence_schema(), columns)?;
        if kept.is_empty() {
            return Ok(new);
        }
        concat_batches(&evidence_schema(), kept.iter().chain([&new])).map_err(IdentityError::Tables)
    }

    /// Returns for each object its place in the order of sources and paths.
    fn ranks(&self, objects: &[Object]) -> Vec<u32> {
        let key = |number: &u32| {
            let object = &objects[*number as usize];
            (self.evidence.sources.name(object.source), &object.path)
        };
        let mut order: Vec<u32> = (0..objects.len() as u32).collect();
        order.sort_by(|left, right| key(left).cmp(&key(right)));
        let mut ranks = vec![0; objects.len()];
        for (rank, same) in (0..).zip(order.chunk_by(|left, right| key(left) == key(right))) {
            for number in same {
                ranks[*number as usize] = rank;
            }
        }
        ranks
    }
}

/// Returns the first bytes of a text as a number that orders texts as far as these bytes do.
fn prefix(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let length = text.len().min(bytes.len());
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u128::from_be_bytes(bytes)
}

/// Links in the order in which they are written.
struct Rows<'a> {
    links: Vec<Row<'a>>,
}

/// A link with the numbers of its ends, the lower one first, and all that orders it.
struct Row<'a> {
    left: i64,
    right: i64,
    /// The place of its origin, where rows go by that first.
    rank: u32,
    origin: u32,
    is_certain: bool,
    link: &'a Link,
}

impl<'a> Rows<'a> {
    /// Puts links in the order of the ranks of their origins, then of their ends.
    fn sorted(
        numbers: &Numbers,
        links: impl Iterator<Item = &'a Link>,
        rank: impl Fn(u32) -> u32,
    ) -> Self {
        let row = |link: &'a Link| {
            // Only the second end may be nobody, who comes after all others.
            let [left, right] = link.ends;
            let right = numbers.of.get(right as usize).copied().unwrap_or(i64::MAX);
            let left = numbers.of(left);
            Row {
                left: left.min(right),
                right: left.max(right),
                rank: rank(link.origin),
                origin: link.origin,
                is_certain: link.is_certain(),
                link,
            }
        };
        let mut links: Vec<Row<'a>> = links.map(row).collect();
        links.sort_unstable_by_key(|row| {
            (row.rank, row.left, row.right, row.origin, row.is_certain)
        });
        Self { links }
    }

    /// Returns the columns that all tables of links have.
    fn columns(&self) -> [ArrayRef; 5] {
        let rows = || self.links.iter();
        let weight = |row: &Row<'_>| (!row.link.is_certain()).then(|| f64::from(row.link.weight));
        [
            numbers(rows().map(|row| Some(row.left))),
            numbers(rows().map(|row| (row.right != i64::MAX).then_some(row.right))),
            instants(rows().map(|row| Some(row.link.first_seen))),
            instants(rows().map(|row| Some(row.link.last_seen))),
            Arc::new(rows().map(weight).collect::<Float64Array>()),
        ]
    }
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
