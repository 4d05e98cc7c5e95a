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
    /// All that is looked at of one of them lies together, for they come in no order of their numbers.
    entries: Vec<Entry>,
    /// The values, one after the other.
    texts: String,
    numbers: HashTable<Node>,
}

#[derive(Clone, Copy)]
struct Entry {
    fingerprint: Fingerprint,
    first_seen: Instant,
    /// Where its value begins among the texts.
    text: usize,
    length: u32,
    kind: KindId,
    standing: Standing,
}

impl Identifiers {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn entry(&self, node: Node) -> &Entry {
        &self.entries[node as usize]
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..self.len() as Node
    }

    pub(super) fn kind(&self, node: Node) -> KindId {
        self.entry(node).kind
    }

    pub(super) fn value(&self, node: Node) -> &str {
        let Entry { text, length, .. } = *self.entry(node);
        &self.texts[text..text + length as usize]
    }

    pub(super) fn fingerprint(&self, node: Node) -> Fingerprint {
        self.entry(node).fingerprint
    }

    pub(super) fn first_seen(&self, node: Node) -> Instant {
        self.entry(node).first_seen
    }

    pub(super) fn standing(&self, node: Node) -> Standing {
        self.entry(node).standing
    }

    pub(super) fn is_active(&self, node: Node) -> bool {
        self.standing(node) == Standing::Active
    }

    pub(super) fn block(&mut self, node: Node) {
        self.entries[node as usize].standing = Standing::Blocked;
    }

    /// Takes back whatever is known of when the identifiers were seen.
    pub(super) fn retract_all(&mut self) {
        for entry in &mut self.entries {
            entry.standing = Standing::Retracted;
        }
    }

    /// Takes back whatever is known of when an identifier was seen.
    pub(super) fn retract(&mut self, node: Node) {
        self.entries[node as usize].standing = Standing::Retracted;
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
        let entries = &self.entries;
        self.numbers.reserve(identifiers, |node| entries[*node as usize].fingerprint[0]);
        self.entries.reserve(identifiers);
    }

    /// Notes that an identifier with this fingerprint was seen, and returns its number.
    pub(super) fn insert(
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
        let (text, length, standing) = (self.texts.len(), value.len() as u32, standing());
        self.texts.push_str(value);
        self.entries.push(Entry { fingerprint, first_seen: seen, text, length, kind, standing });
        let entries = &self.entries;
        let hash = |node: &Node| entries[*node as usize].fingerprint[0];
        self.numbers.insert_unique(fingerprint[0], node, hash);
        node
    }

    fn seen(&mut self, node: Node, seen: Instant, standing: impl Fn() -> Standing) {
        let entry = &mut self.entries[node as usize];
        match entry.standing {
            // What was taken back counts no more: it was seen for the first time now.
            Standing::Retracted => (entry.first_seen, entry.standing) = (seen, standing()),
            Standing::Active | Standing::Blocked => entry.first_seen = seen.min(entry.first_seen),
        }
    }

    fn is_same(&self, node: Node, fingerprint: Fingerprint, kind: KindId, value: &str) -> bool {
        let entry = self.entry(node);
        entry.fingerprint == fingerprint && entry.kind == kind && self.value(node) == value
    }
}
