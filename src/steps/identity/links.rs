//! Links between identifiers, each once for each origin.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::identifiers::{Instant, Node};

/// Stands where a link has no second end: an identifier that was seen alone.
pub(super) const NOBODY: Node = Node::MAX;

/// The weight of a link between identifiers that were seen on one row.
pub(super) const CERTAIN: f32 = f32::INFINITY;

/// Says that two identifiers belong together, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Link {
    /// The lower number first.
    pub(super) ends: [Node; 2],
    /// The number of the source that says so.
    pub(super) origin: u32,
    /// How sure it is: [`CERTAIN`] for two identifiers on one row, less for two records that are alike.
    pub(super) weight: f32,
    pub(super) first_seen: Instant,
    pub(super) last_seen: Instant,
}

impl Link {
    pub(super) fn is_certain(&self) -> bool {
        self.weight.is_infinite()
    }

    fn key(&self) -> ([Node; 2], u32, bool) {
        (self.ends, self.origin, self.is_certain())
    }
}

/// Links, each pair once for each origin.
#[derive(Default)]
pub(super) struct Links(Vec<Link>);

impl Links {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, number: u32) -> &Link {
        &self.0[number as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.iter()
    }
}

/// Links to which others are added.
#[derive(Default)]
pub(super) struct LinksBuilder {
    links: Vec<Link>,
    numbers: HashTable<u32>,
}

impl LinksBuilder {
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn build(self) -> Links {
        Links(self.links)
    }

    /// Makes room for so many links.
    pub(super) fn reserve(&mut self, links: usize) {
        let known = &self.links;
        self.numbers.reserve(links, |number| spread(&known[*number as usize]));
        self.links.reserve(links);
    }

    /// Notes what was seen; the same pair of the same origin is one link, seen from the first time to the last.
    pub(super) fn note(&mut self, mut link: Link) {
        let [left, right] = link.ends;
        if left == right {
            return;
        }
        link.ends = [left.min(right), left.max(right)];
        let links = &self.links;
        let slot = self.numbers.entry(
            spread(&link),
            |number| links[*number as usize].key() == link.key(),
            |number| spread(&links[*number as usize]),
        );
        match slot {
            Entry::Occupied(number) => {
                let known = &mut self.links[*number.get() as usize];
                known.first_seen = link.first_seen.min(known.first_seen);
                known.last_seen = link.last_seen.max(known.last_seen);
                known.weight = link.weight.max(known.weight);
            }
            Entry::Vacant(slot) => {
                slot.insert(links.len() as u32);
                self.links.push(link);
            }
        }
    }
}

/// Spreads links over a table.
fn spread(link: &Link) -> u64 {
    // The two halves of a product by an odd constant depend on every bit of the pair.
    let [left, right] = link.ends;
    let pair = u64::from(left) << 32 | u64::from(right);
    let product = u128::from(pair ^ u64::from(link.origin) << 40) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::{CERTAIN, Link, LinksBuilder};

    fn link(ends: [u32; 2], origin: u32, weight: f32, seen: i64) -> Link {
        Link { ends, origin, weight, first_seen: seen, last_seen: seen }
    }

    #[test]
    fn a_pair_is_one_link_for_each_origin_and_kind() {
        let mut links = LinksBuilder::default();
        links.note(link([2, 1], 0, CERTAIN, 5));
        links.note(link([1, 2], 0, CERTAIN, 3));
        links.note(link([1, 2], 0, CERTAIN, 9));
        links.note(link([1, 2], 1, CERTAIN, 4));
        links.note(link([1, 2], 0, 2.5, 4));
        links.note(link([1, 1], 0, CERTAIN, 4));
        let links = links.build();
        assert_eq!(links.len(), 3);
        let first = Link { last_seen: 9, ..link([1, 2], 0, CERTAIN, 3) };
        assert_eq!(*links.get(0), first);
    }
}
