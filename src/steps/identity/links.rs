//! Links between identifiers, each once for each origin.

use std::sync::{Mutex, PoisonError};

use super::by_shard::ByShard;
use super::identifiers::{Instant, Node, SHARDS};
use super::index::Index;

/// Stands where a link has no second end: an identifier that was seen alone.
pub(super) const NOBODY: Node = Node::MAX;

/// The weight of a link between identifiers that were seen on one row.
pub(super) const CERTAIN: f32 = f32::INFINITY;

/// Says that two identifiers belong together, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Link {
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

    /// Puts the lower end first.
    fn in_order(&self) -> Self {
        let [left, right] = self.ends;
        Self { ends: [left.min(right), left.max(right)], ..*self }
    }
}

/// Links, each pair once for each origin, the lower end first.
#[derive(Default)]
pub(super) struct Links {
    links: Vec<Link>,
    /// How many were known before the night; theirs are the first numbers.
    known: usize,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn get(&self, number: u32) -> &Link {
        &self.links[number as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }

    /// Says whether a link was not known before the night.
    pub(super) fn is_new(&self, number: u32) -> bool {
        number as usize >= self.known
    }
}

/// Links to which several threads add others.
pub(super) struct LinksBuilder(Vec<Mutex<Shard>>);

/// Links whose hashes are alike.
#[derive(Default)]
struct Shard {
    links: Vec<Link>,
    numbers: Index,
    known: usize,
}

impl Default for LinksBuilder {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl LinksBuilder {
    /// Notes what was seen; the same pair of the same origin is one link, seen from the first time to the last.
    pub(super) fn note_all(&self, links: &[Link]) {
        let by_shard = ByShard::new(links.iter().map(|link| shard_of(spread(&link.in_order()))));
        for (number, places) in by_shard.groups() {
            let mut shard = self.0[number].lock().unwrap_or_else(PoisonError::into_inner);
            for place in places {
                shard.fetch(&links[*place as usize].in_order());
            }
            for place in places {
                shard.note(links[*place as usize].in_order());
            }
        }
    }

    /// Takes all that is there as known before the night.
    pub(super) fn all_known(mut self) -> Self {
        for shard in &mut self.0 {
            let shard = shard.get_mut().unwrap_or_else(PoisonError::into_inner);
            shard.known = shard.links.len();
        }
        self
    }

    pub(super) fn build(self) -> Links {
        let shards = self.0.into_iter();
        let shards = shards.map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner));
        // What finds a link goes before links lie there twice.
        let mut shards: Vec<(Vec<Link>, usize)> =
            shards.map(|shard| (shard.links, shard.known)).collect();
        let mut links = Vec::with_capacity(shards.iter().map(|(links, _)| links.len()).sum());
        for (shard, known) in &shards {
            links.extend_from_slice(&shard[..*known]);
        }
        let known = links.len();
        for (shard, known) in &mut shards {
            links.extend_from_slice(&std::mem::take(shard)[*known..]);
        }
        Links { links, known }
    }
}

impl Shard {
    /// Looks at where a link would be found, so that it is in the caches when it is noted.
    fn fetch(&self, link: &Link) {
        let likely = self.numbers.likely(spread(link));
        std::hint::black_box(likely.map(|number| self.links[number as usize].origin));
    }

    fn note(&mut self, link: Link) {
        if link.ends[0] == link.ends[1] {
            return;
        }
        let links = &self.links;
        let is_same = |number: u32| links[number as usize].key() == link.key();
        let next = links.len() as u32;
        match self.numbers.find_or_insert(spread(&link), is_same, next) {
            None => self.links.push(link),
            Some(known) => {
                let known = &mut self.links[known as usize];
                known.first_seen = link.first_seen.min(known.first_seen);
                known.last_seen = link.last_seen.max(known.last_seen);
                known.weight = link.weight.max(known.weight);
            }
        }
    }
}

/// Spreads links over shards and their tables.
fn spread(link: &Link) -> u64 {
    // The two halves of a product by an odd constant depend on every bit of the pair.
    let [left, right] = link.ends;
    let pair = u64::from(left) << 32 | u64::from(right);
    let product = u128::from(pair ^ u64::from(link.origin) << 40) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// Tables look at the lowest bits and the highest ones of a hash, so a shard is told by others.
fn shard_of(hash: u64) -> usize {
    (hash >> 32) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::{CERTAIN, Link, LinksBuilder};

    fn link(ends: [u32; 2], origin: u32, weight: f32, seen: i64) -> Link {
        Link { ends, origin, weight, first_seen: seen, last_seen: seen }
    }

    #[test]
    fn a_pair_is_one_link_for_each_origin_and_kind() {
        let links = LinksBuilder::default();
        links.note_all(&[link([2, 1], 0, CERTAIN, 5), link([1, 2], 0, CERTAIN, 3)]);
        links.note_all(&[
            link([1, 2], 0, CERTAIN, 9),
            link([1, 2], 1, CERTAIN, 4),
            link([1, 2], 0, 2.5, 4),
            link([1, 1], 0, CERTAIN, 4),
        ]);
        let links = links.build();
        assert_eq!(links.len(), 3);
        let first = Link { last_seen: 9, ..link([1, 2], 0, CERTAIN, 3) };
        assert!(links.iter().any(|link| *link == first));
    }

    #[test]
    fn links_that_were_known_have_the_first_numbers() {
        let links = |ends: std::ops::Range<u32>| {
            ends.map(|end| link([end, end + 1], 0, CERTAIN, 1)).collect::<Vec<_>>()
        };
        let builder = LinksBuilder::default();
        builder.note_all(&links(0..1000));
        let builder = builder.all_known();
        builder.note_all(&links(500..2000));
        let links = builder.build();
        let new = |number: &u32| links.is_new(*number);
        assert_eq!((0..2000).filter(new).collect::<Vec<_>>(), (1000..2000).collect::<Vec<_>>());
        assert!((0..2000).filter(new).all(|number| links.get(number).ends[0] >= 1000));
    }
}
