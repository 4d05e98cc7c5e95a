//! Counts the links without which a connected graph would fall apart.

use super::identifiers::Node;

/// Counts the bridges of a graph without parallel links.
///
/// A link is one when nothing below it, in the order of a walk into the depth, leads back above it. The walk is no
/// recursion: a path of any length must not exhaust the stack.
pub(super) fn bridges(links: &[[Node; 2]]) -> u64 {
    let mut nodes: Vec<Node> = links.iter().flatten().copied().collect();
    nodes.sort_unstable();
    nodes.dedup();
    Walk::new(&Graph::new(&nodes, links)).bridges()
}

/// The neighbours of each node, one after the other.
struct Graph {
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl Graph {
    fn new(nodes: &[Node], links: &[[Node; 2]]) -> Self {
        let place = |node: Node| nodes.partition_point(|other| *other < node) as u32;
        let links: Vec<[u32; 2]> = links.iter().map(|ends| ends.map(place)).collect();
        let mut starts = vec![0; nodes.len() + 1];
        for place in links.iter().flatten() {
            starts[*place as usize + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0; links.len() * 2];
        for [left, right] in links {
            for (from, to) in [(left, right), (right, left)] {
                neighbours[next[from as usize]] = to;
                next[from as usize] += 1;
            }
        }
        Self { starts, neighbours }
    }
}

/// A walk into the depth.
struct Walk<'a> {
    graph: &'a Graph,
    /// When each node was reached, from 1; 0 for those that were not.
    reached: Vec<u32>,
    /// The earliest node that a node, or one below it, leads back to.
    lowest: Vec<u32>,
    /// The next neighbour to look at.
    next: Vec<usize>,
    /// The way from the first node to the present one.
    way: Vec<u32>,
    clock: u32,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph) -> Self {
        let nodes = graph.starts.len() - 1;
        let next = graph.starts[..nodes].to_vec();
        let (reached, lowest) = (vec![0; nodes], vec![0; nodes]);
        Self { graph, reached, lowest, next, way: Vec::new(), clock: 0 }
    }

    fn bridges(mut self) -> u64 {
        let nodes = self.reached.len() as u32;
        (0..nodes).map(|node| self.bridges_from(node)).sum()
    }

    /// Counts the bridges that are reached from a node, unless it was reached itself.
    fn bridges_from(&mut self, node: u32) -> u64 {
        if self.reached[node as usize] > 0 {
            return 0;
        }
        let mut bridges = 0;
        self.enter(node);
        while let Some(node) = self.way.last().copied() {
            let at = node as usize;
            if self.next[at] < self.graph.starts[at + 1] {
                let neighbour = self.graph.neighbours[self.next[at]];
                self.next[at] += 1;
                self.look(node, neighbour);
                continue;
            }
            self.way.pop();
            if let Some(above) = self.way.last().map(|above| *above as usize) {
                self.lowest[above] = self.lowest[above].min(self.lowest[at]);
                bridges += u64::from(self.lowest[at] > self.reached[above]);
            }
        }
        bridges
    }

    fn enter(&mut self, node: u32) {
        self.clock += 1;
        self.reached[node as usize] = self.clock;
        self.lowest[node as usize] = self.clock;
        self.way.push(node);
    }

    fn look(&mut self, node: u32, neighbour: u32) {
        let above = self.way.len().checked_sub(2).map(|place| self.way[place]);
        match self.reached[neighbour as usize] {
            0 => self.enter(neighbour),
            reached if above != Some(neighbour) => {
                let lowest = &mut self.lowest[node as usize];
                *lowest = reached.min(*lowest);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::bridges;

    /// Counts the connected parts of a graph.
    fn parts(links: &[[u32; 2]], nodes: &[u32]) -> usize {
        let mut labels: Vec<u32> = (0..=*nodes.iter().max().unwrap()).collect();
        for _ in nodes {
            for [left, right] in links {
                let low = labels[*left as usize].min(labels[*right as usize]);
                labels[*left as usize] = low;
                labels[*right as usize] = low;
            }
        }
        let labels: std::collections::BTreeSet<u32> =
            nodes.iter().map(|node| labels[*node as usize]).collect();
        labels.len()
    }

    #[test]
    fn a_ring_has_none_and_a_tail_is_one() {
        assert_eq!(bridges(&[[1, 2], [2, 3], [1, 3]]), 0);
        assert_eq!(bridges(&[[1, 2], [2, 3], [1, 3], [3, 9], [9, 7]]), 2);
        assert_eq!(bridges(&[[1, 2], [2, 3]]), 2);
        assert_eq!(bridges(&[[1, 2], [2, 3], [1, 3], [7, 9]]), 1);
    }

    #[test]
    fn a_long_ring_needs_no_stack() {
        let ring = (0..100_000).map(|node| [node, (node + 1) % 100_000]).collect::<Vec<_>>();
        assert_eq!(bridges(&ring), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 300,
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn bridges_are_the_links_without_which_the_graph_falls_apart(
            links in prop::collection::btree_set((0_u32..8, 0_u32..8), 1..14),
        ) {
            let links: std::collections::BTreeSet<[u32; 2]> = links
                .into_iter()
                .filter(|(left, right)| left != right)
                .map(|(left, right)| [left.min(right), left.max(right)])
                .collect();
            let links: Vec<[u32; 2]> = links.into_iter().collect();
            let mut nodes: Vec<u32> = links.iter().flatten().copied().collect();
            nodes.sort_unstable();
            nodes.dedup();
            prop_assume!(!links.is_empty());
            let all = parts(&links, &nodes);
            let without = |place: usize| {
                let mut rest = links.clone();
                rest.remove(place);
                parts(&rest, &nodes) > all
            };
            let expected = (0..links.len()).filter(|place| without(*place)).count() as u64;
            prop_assert_eq!(bridges(&links), expected);
        }
    }
}
