//! Groups that only ever grow, within limits.

use std::collections::HashMap;

use super::identifiers::Node;

/// Says what came of the wish to join two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Joined {
    Already,
    Now,
    Refused(Refusal),
}

/// Says why two groups stay apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The group would have held more members of this class than its limit.
    Limit { class: usize },
    /// Somebody has decided so.
    Decision,
}

/// One side of a decision: the number of the decision, and which of the two.
pub(super) type Side = (u32, Part);

/// Which side of a decision a node is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Kept,
    Apart,
}

/// Disjoint groups of nodes, each of which may hold a limited number of members of each class.
pub(super) struct Groups {
    nodes: Vec<Place>,
    limits: Vec<u32>,
    /// For each node that leads a group: its members of each class.
    counts: Vec<u32>,
    /// For each node that leads a group with members on sides of decisions: these sides.
    sides: HashMap<Node, Vec<Side>>,
}

/// Where a node is in its group.
struct Place {
    /// Itself for the node that leads the group.
    parent: Node,
    /// How many nodes the group has that it leads.
    size: u32,
}

impl Groups {
    /// Makes a group of each node; `class` says to which class, if any, a node belongs.
    pub(super) fn new(
        nodes: usize,
        limits: Vec<u32>,
        class: impl Fn(Node) -> Option<usize>,
    ) -> Self {
        let mut counts = vec![0; nodes * limits.len()];
        for node in 0..nodes {
            if let Some(class) = class(node as Node) {
                counts[node * limits.len() + class] = 1;
            }
        }
        Self {
            nodes: (0..nodes as Node).map(|parent| Place { parent, size: 1 }).collect(),
            limits,
            counts,
            sides: HashMap::new(),
        }
    }

    /// Notes that a node is on a side of a decision; a node on both sides is on the first.
    pub(super) fn take_side(&mut self, node: Node, (decision, part): Side) {
        let leader = self.find(node);
        let sides = self.sides.entry(leader).or_default();
        if sides.iter().all(|(other, _)| *other != decision) {
            sides.push((decision, part));
        }
    }

    /// Looks at where a node is, so that it is in the caches when it is asked for.
    pub(super) fn fetch(&self, node: Node) {
        let parent = self.nodes[node as usize].parent;
        std::hint::black_box(self.nodes[parent as usize].size);
    }

    /// Returns the node that leads the group of `node`.
    pub(super) fn find(&mut self, node: Node) -> Node {
        let mut node = node as usize;
        loop {
            let parent = self.nodes[node].parent as usize;
            if parent == node {
                return node as Node;
            }
            // Halving the path keeps later ones short without a second pass or recursion.
            let above = self.nodes[parent].parent;
            self.nodes[node].parent = above;
            node = above as usize;
        }
    }

    /// Returns how many members of a class the group has that `leader` leads.
    pub(super) fn count(&self, leader: Node, class: usize) -> u32 {
        self.counts[leader as usize * self.limits.len() + class]
    }

    /// Joins the groups of two nodes unless a limit forbids it.
    pub(super) fn join(&mut self, left: Node, right: Node) -> Joined {
        let (left, right) = (self.find(left) as usize, self.find(right) as usize);
        if left == right {
            return Joined::Already;
        }
        let classes = self.limits.len();
        let sum = |class| self.count(left as Node, class) + self.count(right as Node, class);
        if let Some(class) = (0..classes).find(|class| sum(*class) > self.limits[*class]) {
            return Joined::Refused(Refusal::Limit { class });
        }
        if !self.sides.is_empty() && self.are_apart(left as Node, right as Node) {
            return Joined::Refused(Refusal::Decision);
        }
        let size = |leader: usize| self.nodes[leader].size;
        let (winner, loser) = if size(left) >= size(right) { (left, right) } else { (right, left) };
        self.nodes[winner].size += size(loser);
        self.nodes[loser].parent = winner as Node;
        for class in 0..classes {
            self.counts[winner * classes + class] += self.counts[loser * classes + class];
        }
        if self.sides.is_empty() {
            return Joined::Now;
        }
        if let Some(sides) = self.sides.remove(&(loser as Node)) {
            let known = self.sides.entry(winner as Node).or_default();
            known.extend(sides);
            known.sort_unstable();
            known.dedup();
        }
        Joined::Now
    }

    /// Says whether a decision keeps two groups apart.
    fn are_apart(&self, left: Node, right: Node) -> bool {
        let (Some(left), Some(right)) = (self.sides.get(&left), self.sides.get(&right)) else {
            return false;
        };
        let is_other_side = |(decision, part): &Side| {
            right.iter().any(|(other, there)| decision == other && part != there)
        };
        left.iter().any(is_other_side)
    }
}
