//! Finds the part of a registry that a night can change.
//!
//! Who is one customer depends on nothing but the links that lead from one identifier to the next. So a night resolves
//! anew the identifiers it has seen, those of which a link has run out, and all that hang together with them.

use std::convert::Infallible;

use arrow::array::{Array, AsArray};
use arrow::buffer::BooleanBuffer;

use super::Registry;
use super::entries::Identifier;
use super::identifiers::{Identifiers, Node, Standing};
use super::interner::Interner;
use super::kinds::{KindId, Kinds};
use super::open::LinkRows;
use super::origins::Origins;
use super::rank::Validity;
use super::registry::map;
use super::union_find::Groups;
use crate::engine::{Queue, on_threads};

/// Identifiers of a registry that are resolved anew.
pub(super) struct Near {
    /// Their numbers, rising; the place of a number is its node.
    pub(super) numbers: Vec<usize>,
    /// For each number of the registry, its node, or [`FAR`].
    nodes: Vec<Node>,
}

/// Stands for identifiers that stay as they are.
const FAR: Node = Node::MAX;
/// So many identifiers are looked for before a thread asks for more.
const ROWS_AT_ONCE: usize = 1 << 14;
/// So many times all links are walked for more that hang together.
const MOST_WALKS: usize = 8;

impl Near {
    /// Takes all identifiers of a registry.
    pub(super) fn everything(identifiers: usize) -> Self {
        Self { numbers: (0..identifiers).collect(), nodes: (0..identifiers as Node).collect() }
    }

    fn of(marks: &[bool]) -> Self {
        let numbers: Vec<usize> = (0..marks.len()).filter(|number| marks[*number]).collect();
        let mut nodes = vec![FAR; marks.len()];
        for (node, number) in (0..).zip(&numbers) {
            nodes[*number] = node;
        }
        Self { numbers, nodes }
    }

    /// Returns the node of a number, if it is resolved anew.
    pub(super) fn node(&self, number: i64) -> Option<Node> {
        let node = usize::try_from(number).ok().and_then(|number| self.nodes.get(number));
        node.copied().filter(|node| *node != FAR)
    }

    /// Says whether a number of the registry stays as it is.
    pub(super) fn is_far(&self, number: i64) -> bool {
        self.node(number).is_none()
    }

    pub(super) fn is_everything(&self) -> bool {
        self.numbers.len() == self.nodes.len()
    }
}

/// What a night has seen of identifiers that a registry may know.
pub(super) struct Touched<'a> {
    pub(super) kinds: &'a Kinds,
    /// For each row of `map`.
    pub(super) kind_of: &'a [KindId],
    /// What the rows of the night show.
    pub(super) seen: &'a Interner,
    /// What is alike, and what people have decided about.
    pub(super) named: &'a Identifiers,
    /// Which links counted the night before, and which count now.
    pub(super) validity: &'a [Validity; 2],
    pub(super) sources: &'a Origins,
    pub(super) threads: usize,
}

impl Touched<'_> {
    /// Returns the identifiers that the night can change.
    pub(super) fn near(&self, registry: &Registry) -> Near {
        let mut marks = self.marks(registry);
        let links = LinkRows::new(registry.links(), &mut self.sources.clone());
        self.mark_expired(&links, &mut marks);
        let leads = self.leading(registry);
        let ends: Vec<[usize; 2]> = (0..registry.links().num_rows())
            .map(|row| links.numbers(row).map(|number| number as usize))
            .filter(|ends| ends.iter().all(|end| leads.value(*end)))
            .collect();
        hang_together(&ends, &mut marks);
        Near::of(&marks)
    }

    /// Marks the identifiers that the night has seen.
    fn marks(&self, registry: &Registry) -> Vec<bool> {
        let values = registry.map().column(map::VALUE).as_string::<i32>();
        let is_seen = |row: usize| {
            let identifier = Identifier::new(self.kinds, self.kind_of[row], values.value(row));
            self.seen.holds(&identifier) || self.named.find(&identifier).is_some()
        };
        let mut marks = vec![false; values.len()];
        let queue = Queue::new(marks.chunks_mut(ROWS_AT_ONCE).enumerate());
        let marked: Result<_, Infallible> = on_threads(self.threads, |_| {
            while let Some((chunk, marks)) = queue.next() {
                for (row, mark) in (chunk * ROWS_AT_ONCE..).zip(marks) {
                    *mark = is_seen(row);
                }
            }
            Ok(())
        });
        let Ok(_) = marked;
        marks
    }

    /// Marks the ends of links that counted the night before and do not now, or that are of no lasting kind.
    fn mark_expired(&self, links: &LinkRows<'_>, marks: &mut [bool]) {
        let [before, now] = self.validity;
        for row in 0..links.len() {
            let link = links.link(row);
            let ends = links.numbers(row).map(|number| number as usize);
            let kinds = ends.map(|end| self.kind_of[end]);
            let is_same = || before.holds_between(kinds, &link) == now.holds_between(kinds, &link);
            if !link.is_certain() || !is_same() {
                for end in ends {
                    marks[end] = true;
                }
            }
        }
    }

    /// Says for each identifier whether links lead over it; they do not where the rules say that it identifies nobody.
    ///
    /// One that was seen with too many others must be counted again, so links lead over it.
    fn leading(&self, registry: &Registry) -> BooleanBuffer {
        let states = registry.map().column(map::STATE).as_string::<i32>();
        let values = registry.map().column(map::VALUE).as_string::<i32>();
        BooleanBuffer::collect_bool(states.len(), |row| {
            let kind = self.kinds.get(self.kind_of[row]);
            states.value(row) != "blocked"
                || (kind.block_above.is_some()
                    && kind.standing(values.value(row)) == Standing::Active)
        })
    }
}

/// Marks all that hangs together with what is marked.
fn hang_together(links: &[[usize; 2]], marks: &mut [bool]) {
    for _ in 0..MOST_WALKS {
        if !walk(links, marks) {
            return;
        }
    }
    // Long chains take a walk for each of their links.
    let mut groups = Groups::new(marks.len(), Vec::new(), |_| None);
    for ends in links {
        let _ = groups.join(ends[0] as Node, ends[1] as Node);
    }
    let mut is_marked = vec![false; marks.len()];
    for number in (0..marks.len()).filter(|number| marks[*number]) {
        is_marked[groups.find(number as Node) as usize] = true;
    }
    for (number, mark) in marks.iter_mut().enumerate() {
        *mark = is_marked[groups.find(number as Node) as usize];
    }
}

/// Marks the other end of every link of which one end is marked; says whether there was any.
fn walk(links: &[[usize; 2]], marks: &mut [bool]) -> bool {
    let mut found = false;
    for [left, right] in links {
        if marks[*left] != marks[*right] {
            (marks[*left], marks[*right]) = (true, true);
            found = true;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::hang_together;

    #[test]
    fn all_that_hangs_together_is_found_however_long_the_chain() {
        // From its end on, a walk finds one link more.
        let chain: Vec<[usize; 2]> = (1..1000).map(|number| [number - 1, number]).collect();
        let apart = [[1000, 1001], [1001, 1002]];
        let links = [&chain[..], &apart].concat();
        for start in [0, 999] {
            let mut marks = vec![false; 1003];
            marks[start] = true;
            hang_together(&links, &mut marks);
            assert_eq!(marks.iter().filter(|mark| **mark).count(), 1000);
        }
        let mut marks = vec![false; 1003];
        marks[1002] = true;
        hang_together(&links, &mut marks);
        assert_eq!(marks.iter().filter(|mark| **mark).count(), 3);
    }
}
