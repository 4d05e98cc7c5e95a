//! Identifiers, each once.

use hashbrown::HashTable;

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

/// Identifiers, numbered in the order in which they came.
#[derive(Default)]
pub(super) struct Identifiers {
    kinds: Vec<KindId>,
    texts: Texts,
    fingerprints: Vec<Fingerprint>,
    first_seen: Vec<Instant>,
    standings: Vec<Standing>,
    numbers: HashTable<Node>,
}

/// Texts, one after the other.
#[derive(Default)]
struct Texts {
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, number: usize) -> &str {
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        &self.bytes[start..self.ends[number]]
    }
}

impl Identifiers {
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..self.len() as Node
    }

    pub(super) fn kind(&self, node: Node) -> KindId {
        self.kinds[node as usize]
    }

    pub(super) fn value(&self, node: Node) -> &str {
        self.texts.get(node as usize)
    }

    pub(super) fn fingerprint(&self, node: Node) -> Fingerprint {
        self.fingerprints[node as usize]
    }

    pub(super) fn first_seen(&self, node: Node) -> Instant {
        self.first_seen[node as usize]
    }

    pub(super) fn standing(&self, node: Node) -> Standing {
        self.standings[node as usize]
    }

    pub(super) fn is_active(&self, node: Node) -> bool {
        self.standing(node) == Standing::Active
    }

    pub(super) fn block(&mut self, node: Node) {
        self.standings[node as usize] = Standing::Blocked;
    }

    /// Takes back whatever is known of when the identifiers were seen.
    pub(super) fn retract_all(&mut self) {
        self.standings.fill(Standing::Retracted);
    }

    /// Takes back whatever is known of when an identifier was seen.
    pub(super) fn retract(&mut self, node: Node) {
        self.standings[node as usize] = Standing::Retracted;
    }

    /// Notes that a known identifier was seen.
    pub(super) fn see(&mut self, kinds: &Kinds, node: Node, seen: Instant) {
        let standing = kinds.get(self.kind(node)).standing(self.value(node));
        self.seen(node, seen, || standing);
    }

    /// Returns the number of an identifier that may be known.
    pub(super) fn find(&self, kinds: &Kinds, kind: KindId, value: &str) -> Option<Node> {
        let fingerprint = kinds.get(kind).fingerprint(value);
        let is_same = |node: &Node| self.is_same(*node, fingerprint, kind, value);
        self.numbers.find(fingerprint[0], is_same).copied()
    }

    /// Says whether an identifier is one of these.
    pub(super) fn holds(&self, fingerprint: Fingerprint, kind: KindId, value: &str) -> bool {
        let is_same = |node: &Node| self.is_same(*node, fingerprint, kind, value);
        self.numbers.find(fingerprint[0], is_same).is_some()
    }

    /// Notes that an identifier was seen, and returns its number.
    pub(super) fn note(&mut self, kinds: &Kinds, kind: KindId, value: &str, seen: Instant) -> Node {
        let rule = kinds.get(kind);
        self.insert((kind, value), rule.fingerprint(value), seen, || rule.standing(value))
    }

    /// Notes all identifiers of `other`, and returns their numbers here.
    pub(super) fn note_all(&mut self, other: &Self) -> Vec<Node> {
        let mut note = |node: Node| {
            let identifier = (other.kind(node), other.value(node));
            let standing = || other.standing(node);
            let fingerprint = other.fingerprint(node);
            self.insert(identifier, fingerprint, other.first_seen(node), standing)
        };
        other.nodes().map(&mut note).collect()
    }

    /// Makes room for so many identifiers.
    pub(super) fn reserve(&mut self, identifiers: usize) {
        let fingerprints = &self.fingerprints;
        self.numbers.reserve(identifiers, |node| fingerprints[*node as usize][0]);
        self.kinds.reserve(identifiers);
        self.texts.ends.reserve(identifiers);
        self.fingerprints.reserve(identifiers);
        self.first_seen.reserve(identifiers);
        self.standings.reserve(identifiers);
    }

    fn insert(
        &mut self,
        (kind, value): (KindId, &str),
        fingerprint: Fingerprint,
        seen: Instant,
        standing: impl Fn() -> Standing,
    ) -> Node {
        let is_same = |node: &Node| self.is_same(*node, fingerprint, kind, value);
        if let Some(node) = self.numbers.find(fingerprint[0], is_same).copied() {
            self.seen(node, seen, standing);
            return node;
        }
        let node = self.len() as Node;
        self.kinds.push(kind);
        self.texts.push(value);
        self.fingerprints.push(fingerprint);
        self.first_seen.push(seen);
        self.standings.push(standing());
        let fingerprints = &self.fingerprints;
        let hash = |node: &Node| fingerprints[*node as usize][0];
        self.numbers.insert_unique(fingerprint[0], node, hash);
        node
    }

    fn seen(&mut self, node: Node, seen: Instant, standing: impl Fn() -> Standing) {
        let first_seen = &mut self.first_seen[node as usize];
        match self.standings[node as usize] {
            // What was taken back counts no more: it was seen for the first time now.
            Standing::Retracted => {
                *first_seen = seen;
                self.standings[node as usize] = standing();
            }
            Standing::Active | Standing::Blocked => *first_seen = seen.min(*first_seen),
        }
    }

    fn is_same(&self, node: Node, fingerprint: Fingerprint, kind: KindId, value: &str) -> bool {
        self.fingerprint(node) == fingerprint
            && self.kind(node) == kind
            && self.value(node) == value
    }
}
