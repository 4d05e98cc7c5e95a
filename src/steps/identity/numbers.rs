//! The numbers by which files and rows name identifiers.

use super::identifiers::{Identifiers, Node};
use super::kinds::Kinds;
use crate::engine::sort_on_threads;

/// The numbers that identifiers have in `map`.
pub(super) struct Numbers {
    /// The identifiers in the order of their numbers.
    pub(super) nodes: Vec<Node>,
    /// For each identifier, its number.
    pub(super) of: Vec<i64>,
}

impl Numbers {
    /// Numbers the identifiers: those known before as they were, then the new ones by type and value.
    ///
    /// Their nodes depend on threads; their numbers must not. `known` holds the numbers of the first nodes; `given` says how
    /// many numbers have been given before, to these and to others.
    pub(super) fn new(
        kinds: &Kinds,
        identifiers: &Identifiers,
        known: &[usize],
        given: usize,
        threads: usize,
    ) -> Self {
        let (old, new) = (0..known.len() as Node, known.len() as Node..identifiers.len() as Node);
        let ranks = kinds.ranks_by_name();
        let value = |node: Node| identifiers.value(node);
        let key = |node: Node| {
            (ranks[usize::from(identifiers.kind(node))] as u16, prefix(value(node)), node)
        };
        let mut new: Vec<_> = new.map(key).collect();
        sort_on_threads(threads, &mut new, |left, right| {
            let start = |key: &(u16, u128, Node)| (key.0, key.1);
            start(left).cmp(&start(right)).then_with(|| value(left.2).cmp(value(right.2)))
        });
        let nodes: Vec<Node> = old.chain(new.into_iter().map(|(_, _, node)| node)).collect();
        let mut of = vec![0; nodes.len()];
        for (number, node) in known.iter().copied().chain(given..).zip(&nodes) {
            of[*node as usize] = number as i64;
        }
        Self { nodes, of }
    }

    pub(super) fn of(&self, node: Node) -> i64 {
        self.of[node as usize]
    }

    /// Returns the number of an end of a link, unless it is nobody.
    pub(super) fn known(&self, node: Node) -> Option<i64> {
        self.of.get(node as usize).copied()
    }
}

/// Returns the first bytes of a text as a number that orders texts as far as these bytes do.
fn prefix(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let length = text.len().min(bytes.len());
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u128::from_be_bytes(bytes)
}
