//! Identifiers, each once.

use super::entries::{Entries, Identifier};
use super::index::Index;
use super::kinds::{Fingerprint, KindId, Kinds};

/// The number of an identifier.
pub(super) type Node = u32;

/// Microseconds since 1970 in UTC.
pub(super) type Instant = i64;

/// Whether an identifier points at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Active,
    /// The rules say that it identifies nobody.
    Blocked,
    /// Every object it was seen in has been taken back.
    Retracted,
}

/// In so many parts are identifiers looked for: the smaller one is, the more of it stays in the caches of a core.
pub(super) const SHARDS: usize = 256;

/// Returns the part in which an identifier is looked for.
///
/// The other half of a fingerprint spreads the identifiers of a shard over its table.
pub(super) fn shard_of(fingerprint: Fingerprint) -> usize {
    fingerprint[1] as usize % SHARDS
}

/// Identifiers of one shard.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) entries: Entries,
    pub(super) numbers: Index,
}

/// The nodes of the identifiers of a shard, in the order of their numbers there.
pub(super) enum Places {
    From(Node),
    Each(Vec<Node>),
}

/// Identifiers, numbered in the order in which they came.
pub(super) struct Identifiers {
    entries: Entries,
    /// The numbers of those of each shard.
    numbers: Vec<Index>,
}

impl Default for Identifiers {
    fn default() -> Self {
        Self { entries: Entries::default(), numbers: vec![Index::default(); SHARDS] }
    }
}

impl Identifiers {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..self.len() as Node
    }

    pub(super) fn kind(&self, node: Node) -> KindId {
        self.entries.kind(node)
    }

    pub(super) fn value(&self, node: Node) -> &str {
        self.entries.value(node)
    }

    pub(super) fn fingerprint(&self, node: Node) -> Fingerprint {
        self.entries.fingerprint(node)
    }

    /// Looks at an identifier, so that it is in the caches when it is asked for.
    pub(super) fn fetch(&self, node: Node) {
        std::hint::black_box(self.entries.kind(node));
    }

    pub(super) fn first_seen(&self, node: Node) -> Instant {
        self.entries.first_seen(node)
    }

    pub(super) fn standing(&self, node: Node) -> Standing {
        self.entries.standing(node)
    }

    pub(super) fn is_active(&self, node: Node) -> bool {
        self.standing(node) == Standing::Active
    }

    pub(super) fn block(&mut self, node: Node) {
        self.entries.set_standing(node, Standing::Blocked);
    }

    /// Takes back whatever is known of when the identifiers were seen.
    pub(super) fn retract_all(&mut self) {
        self.nodes().for_each(|node| self.retract(node));
    }

    /// Takes back whatever is known of when an identifier was seen.
    pub(super) fn retract(&mut self, node: Node) {
        self.entries.set_standing(node, Standing::Retracted);
    }

    /// Notes that a known identifier was seen.
    pub(super) fn see(&mut self, kinds: &Kinds, node: Node, seen: Instant) {
        let standing = kinds.get(self.kind(node)).standing(self.value(node));
        self.entries.seen(node, seen, || standing);
    }

    /// Returns the number of an identifier that may be known.
    pub(super) fn find(&self, wanted: &Identifier<'_>) -> Option<Node> {
        self.entries.find(&self.numbers[shard_of(wanted.fingerprint)], wanted)
    }

    /// Notes that an identifier was seen, and returns its number.
    pub(super) fn note(&mut self, kinds: &Kinds, kind: KindId, value: &str, seen: Instant) -> Node {
        let standing = || kinds.get(kind).standing(value);
        self.insert(&Identifier::new(kinds, kind, value), seen, standing)
    }

    /// Adds the identifiers of a shard, and returns their numbers here.
    pub(super) fn add(&mut self, number: usize, shard: Shard) -> Places {
        let Shard { entries, mut numbers } = shard;
        if self.numbers[number].is_empty() {
            let first = self.entries.append(entries);
            // Whether 32 bits number everything is checked when all is known.
            numbers.shift(first);
            self.numbers[number] = numbers;
            return Places::From(first);
        }
        let note = |node: Node| {
            let standing = || entries.standing(node);
            self.insert(&entries.identifier(node), entries.first_seen(node), standing)
        };
        Places::Each((0..entries.len() as Node).map(note).collect())
    }

    /// Makes room for so many identifiers.
    pub(super) fn reserve(&mut self, identifiers: usize) {
        self.entries.reserve(identifiers);
    }

    fn insert(
        &mut self,
        identifier: &Identifier<'_>,
        seen: Instant,
        standing: impl Fn() -> Standing,
    ) -> Node {
        let numbers = &mut self.numbers[shard_of(identifier.fingerprint)];
        self.entries.note(numbers, identifier, seen, standing)
    }
}
