//! What is known of identifiers, one after the other.

use super::identifiers::{Instant, Node, Standing};
use super::index::Index;
use super::kinds::{Fingerprint, KindId, Kinds};

/// An identifier that may be known.
#[derive(Clone, Copy)]
pub(super) struct Identifier<'a> {
    pub(super) kind: KindId,
    pub(super) value: &'a str,
    pub(super) fingerprint: Fingerprint,
}

impl<'a> Identifier<'a> {
    pub(super) fn new(kinds: &Kinds, kind: KindId, value: &'a str) -> Self {
        Self { kind, value, fingerprint: kinds.get(kind).fingerprint(value) }
    }
}

/// So many bytes of a value lie beside all else that is looked at of it; a UUID has as many.
const SHORT: usize = 36;
/// Stands for the length of a value that lies elsewhere.
const LONG: u8 = u8::MAX;

/// One identifier. They come in no order of their numbers, so that each look at one is a wait for memory: one line of it.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Entry {
    fingerprint: Fingerprint,
    first_seen: Instant,
    kind: KindId,
    standing: Standing,
    /// How many bytes the value has, or [`LONG`].
    length: u8,
    /// The value; of a long one, the number of its text.
    value: [u8; SHORT],
}

/// Identifiers, numbered in the order in which they came.
#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    long: Vec<Box<str>>,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn reserve(&mut self, identifiers: usize) {
        self.entries.reserve(identifiers);
    }

    fn entry(&self, node: Node) -> &Entry {
        &self.entries[node as usize]
    }

    pub(super) fn kind(&self, node: Node) -> KindId {
        self.entry(node).kind
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

    pub(super) fn set_standing(&mut self, node: Node, standing: Standing) {
        self.entries[node as usize].standing = standing;
    }

    pub(super) fn value(&self, node: Node) -> &str {
        // What was a text is one again.
        std::str::from_utf8(self.bytes(self.entry(node))).unwrap_or_default()
    }

    pub(super) fn identifier(&self, node: Node) -> Identifier<'_> {
        let Entry { kind, fingerprint, .. } = *self.entry(node);
        Identifier { kind, value: self.value(node), fingerprint }
    }

    fn bytes<'a>(&'a self, entry: &'a Entry) -> &'a [u8] {
        match entry.length {
            LONG => self.long[entry.long_text()].as_bytes(),
            length => &entry.value[..usize::from(length)],
        }
    }

    fn is_same(&self, node: Node, wanted: &Identifier<'_>) -> bool {
        let entry = self.entry(node);
        entry.fingerprint == wanted.fingerprint
            && entry.kind == wanted.kind
            && self.bytes(entry) == wanted.value.as_bytes()
    }

    /// Looks at where an identifier would be found, so that it is in the caches when it is asked for.
    ///
    /// Nothing of what is read decides what is read next, so the processor waits for many of them at once.
    pub(super) fn fetch(&self, numbers: &Index, fingerprint: Fingerprint) {
        std::hint::black_box(numbers.likely(fingerprint[0]).map(|node| self.fingerprint(node)));
    }

    /// Returns the number of an identifier; `numbers` finds those that are known.
    pub(super) fn find(&self, numbers: &Index, wanted: &Identifier<'_>) -> Option<Node> {
        numbers.find(wanted.fingerprint[0], |node| self.is_same(node, wanted))
    }

    /// Notes that an identifier was seen, and returns its number; `numbers` finds those that are known.
    pub(super) fn note(
        &mut self,
        numbers: &mut Index,
        identifier: &Identifier<'_>,
        seen: Instant,
        standing: impl Fn() -> Standing,
    ) -> Node {
        let is_same = |node: Node| self.is_same(node, identifier);
        let next = self.entries.len() as Node;
        if let Some(node) = numbers.find_or_insert(identifier.fingerprint[0], is_same, next) {
            self.seen(node, seen, standing);
            return node;
        }
        self.push(identifier, seen, standing());
        next
    }

    /// Notes that a known identifier was seen.
    pub(super) fn seen(&mut self, node: Node, seen: Instant, standing: impl Fn() -> Standing) {
        let entry = &mut self.entries[node as usize];
        match entry.standing {
            // What was taken back counts no more: it was seen for the first time now.
            Standing::Retracted => (entry.first_seen, entry.standing) = (seen, standing()),
            Standing::Active | Standing::Blocked => entry.first_seen = seen.min(entry.first_seen),
        }
    }

    fn push(&mut self, identifier: &Identifier<'_>, first_seen: Instant, standing: Standing) {
        let Identifier { kind, value, fingerprint } = *identifier;
        let mut entry =
            Entry { fingerprint, first_seen, kind, standing, length: LONG, value: [0; SHORT] };
        if value.len() <= SHORT {
            entry.length = value.len() as u8;
            entry.value[..value.len()].copy_from_slice(value.as_bytes());
        } else {
            entry.set_long_text(self.long.len());
            self.long.push(value.into());
        }
        self.entries.push(entry);
    }

    /// Adds others, none of which is known, and returns the number of the first of them.
    pub(super) fn append(&mut self, others: Self) -> Node {
        let (first, first_long) = (self.entries.len() as Node, self.long.len());
        self.entries.extend(others.entries.into_iter().map(|mut entry| {
            if entry.length == LONG {
                entry.set_long_text(first_long + entry.long_text());
            }
            entry
        }));
        self.long.extend(others.long);
        first
    }
}

impl Entry {
    fn long_text(&self) -> usize {
        let mut number = [0; size_of::<usize>()];
        number.copy_from_slice(&self.value[..size_of::<usize>()]);
        usize::from_le_bytes(number)
    }

    fn set_long_text(&mut self, number: usize) {
        self.value[..size_of::<usize>()].copy_from_slice(&number.to_le_bytes());
    }
}
