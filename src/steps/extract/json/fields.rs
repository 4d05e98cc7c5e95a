//! The wanted fields of a record.

use hashbrown::HashMap;

use crate::steps::extract::Drift;
use crate::steps::extract::raw::Span;

/// How many keys of an object, and how long ones, are remembered to recognise them in the next record.
const REMEMBERED_KEYS: usize = 256;
const REMEMBERED_LENGTH: usize = 128;
/// How many keys that nobody wants are told of an object.
const UNKNOWN_KEYS: usize = 256;

/// The wanted fields as a tree of keys; learns the order in which records write their keys.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(super) nodes: Vec<Node>,
    /// For every wanted field, whether any record had its key.
    seen: Vec<bool>,
    /// The paths of keys that are not wanted.
    unknown: Vec<String>,
    /// Those of them that the present record was the first to have, as node and key.
    fresh: Vec<(usize, Box<[u8]>)>,
}

/// The wanted keys of one object.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The keys that lead to the object, each with a dot behind it.
    path: String,
    pub(super) children: HashMap<Box<[u8]>, Child, foldhash::fast::FixedState>,
    /// The keys of the record before with their quotes, in its order.
    pub(super) remembered: Vec<(Box<[u8]>, Child)>,
}

/// What is wanted of a value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Child {
    /// The place of the value in a row.
    pub(super) slot: Option<usize>,
    /// The node of the object's wanted keys.
    pub(super) node: Option<usize>,
}

impl Fields {
    /// Builds the tree of paths such as `device.id`; the place of a path is its place in a row.
    pub(crate) fn new(paths: &[String]) -> Self {
        let mut fields = Self {
            nodes: vec![Node::default()],
            seen: vec![false; paths.len()],
            unknown: Vec::new(),
            fresh: Vec::new(),
        };
        for (slot, path) in paths.iter().enumerate() {
            fields.insert(path, slot);
        }
        fields
    }

    fn insert(&mut self, path: &str, slot: usize) {
        let mut node = 0;
        let mut rest = path;
        while let Some((key, inner)) = rest.split_once('.') {
            let next = self.nodes.len();
            let child = self.nodes[node].child_mut(key);
            let inner_node = *child.node.get_or_insert(next);
            if inner_node == next {
                let path = format!("{}{key}.", self.nodes[node].path);
                self.nodes.push(Node { path, ..Node::default() });
            }
            node = inner_node;
            rest = inner;
        }
        self.nodes[node].child_mut(rest).slot = Some(slot);
    }

    /// Says what is wanted of the value of a key, and notes that the key was seen.
    ///
    /// A key that is not wanted is entered among those that are known, so that it costs no more than others.
    pub(super) fn look_up(&mut self, place: usize, key: &[u8]) -> Child {
        let node = &mut self.nodes[place];
        if let Some(child) = node.children.get(key).copied() {
            if let Some(seen) = child.slot.and_then(|slot| self.seen.get_mut(slot)) {
                *seen = true;
            }
            return child;
        }
        if self.unknown.len() < UNKNOWN_KEYS && key.len() <= REMEMBERED_LENGTH {
            self.unknown.push(format!("{}{}", node.path, String::from_utf8_lossy(key)));
            node.children.insert(key.into(), Child::default());
            self.fresh.push((place, key.into()));
        }
        Child::default()
    }

    /// Ends a record; the keys of one that cannot be decoded may be no keys at all, and are forgotten.
    pub(super) fn end_record(&mut self, is_sound: bool) {
        for (node, key) in self.fresh.drain(..) {
            if !is_sound {
                self.unknown.pop();
                self.nodes[node].children.remove(&key);
                self.nodes[node].remembered.clear();
            }
        }
    }

    /// Returns how the keys that were seen differ from those that are wanted.
    pub(crate) fn drift(&self, paths: &[String]) -> Drift {
        let vanished = paths.iter().zip(&self.seen).filter(|(_, seen)| !**seen);
        let vanished = vanished.map(|(path, _)| path.clone()).collect();
        Drift { new: self.unknown.clone(), vanished, ..Drift::default() }
    }

    /// Sets all fields below a node to NULL, for a key that stands twice.
    pub(super) fn clear(&self, node: usize, row: &mut [Span]) {
        for child in self.nodes[node].children.values() {
            if let Some(slot) = child.slot {
                row[slot] = Span::NULL;
            }
            if let Some(node) = child.node {
                self.clear(node, row);
            }
        }
    }
}

impl Node {
    fn child_mut(&mut self, key: &str) -> &mut Child {
        self.children.entry(key.as_bytes().into()).or_default()
    }

    pub(super) fn remember(&mut self, place: usize, quoted: &[u8], child: Child) {
        if place >= REMEMBERED_KEYS || quoted.len() > REMEMBERED_LENGTH {
            return;
        }
        let entry = (quoted.into(), child);
        let known = self.remembered.len();
        match self.remembered.get_mut(place) {
            Some(before) => *before = entry,
            None if place == known => self.remembered.push(entry),
            None => {}
        }
    }
}
