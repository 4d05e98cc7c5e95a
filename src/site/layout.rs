//! Where the boxes of a graph stand: in layers from left to right, each behind all it reads.

use std::collections::{BTreeMap, BTreeSet};

/// How often the order within layers is improved.
const SWEEPS: usize = 12;
const HEIGHT: f64 = 26.0;
const GAP: f64 = 14.0;
/// What lies between two layers, where the edges run.
const CHANNEL: f64 = 72.0;
const CHARACTER: f64 = 7.3;
const PADDING: f64 = 20.0;

/// A graph with a place for everything.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// In the order of the names that were given.
    pub(super) boxes: Vec<Rectangle>,
    pub(super) edges: Vec<Edge>,
}

/// The place of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rectangle {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A line from what is read to what reads it.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Points on the way, the ends included.
    pub(super) points: Vec<(f64, f64)>,
}

/// A name, or a bend of an edge that passes a layer.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    layer: usize,
    /// The middle, from the top.
    y: f64,
    height: f64,
}

/// Finds a place for every name; `edges` lead from what is read to what reads it, by index, without a circle.
pub(super) fn layout(names: &[&str], edges: &BTreeSet<(usize, usize)>) -> Layout {
    let layers = layers(names.len(), edges);
    let mut nodes: Vec<Node> =
        layers.iter().map(|&layer| Node { layer, y: 0.0, height: HEIGHT }).collect();
    let mut paths: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for &(from, to) in edges {
        let mut path = vec![from];
        for layer in layers[from] + 1..layers[to] {
            path.push(nodes.len());
            nodes.push(Node { layer, y: 0.0, height: 0.0 });
        }
        path.push(to);
        paths.insert((from, to), path);
    }
    let steps: Vec<(usize, usize)> =
        paths.values().flat_map(|path| path.windows(2).map(|step| (step[0], step[1]))).collect();
    arrange(&mut nodes, &steps);
    placed(names, &nodes, &paths)
}

/// Returns the layer of each node: behind all it reads, and what reads nothing just before its first reader.
fn layers(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut layers = vec![0; count];
    // In a graph without circles no path has more steps than there are nodes.
    for _ in 0..count {
        let before = layers.clone();
        for &(from, to) in edges {
            layers[to] = layers[to].max(layers[from] + 1);
        }
        if layers == before {
            break;
        }
    }
    for node in 0..count {
        let readers = edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| layers[*to]);
        let reads_nothing = !edges.iter().any(|(_, to)| *to == node);
        if let (true, Some(first)) = (reads_nothing, readers.min()) {
            layers[node] = first - 1;
        }
    }
    layers
}

/// Orders the nodes within their layers by those they are joined to, and moves them towards these.
fn arrange(nodes: &mut [Node], steps: &[(usize, usize)]) {
    let count = nodes.iter().map(|node| node.layer + 1).max().unwrap_or_default();
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, node) in nodes.iter().enumerate() {
        columns[node.layer].push(index);
    }
    for column in &columns {
        stack(nodes, column, |_| None);
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let mut order: Vec<usize> = (0..count).collect();
        if !forward {
            order.reverse();
        }
        for layer in order {
            let wanted = wanted(nodes, steps, forward);
            let key = |index: &usize| wanted.get(index).copied().unwrap_or(nodes[*index].y);
            columns[layer].sort_by(|left, right| key(left).total_cmp(&key(right)));
            stack(nodes, &columns[layer], |index| wanted.get(&index).copied());
        }
    }
}

/// Returns for each node the middle of those it is joined to on one side.
fn wanted(nodes: &[Node], steps: &[(usize, usize)], forward: bool) -> BTreeMap<usize, f64> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for &(from, to) in steps {
        let (here, there) = if forward { (to, from) } else { (from, to) };
        let sum = sums.entry(here).or_default();
        *sum = (sum.0 + nodes[there].y, sum.1 + 1.0);
    }
    sums.into_iter().map(|(node, (sum, count))| (node, sum / count)).collect()
}

/// Puts the nodes of a layer one below the other, as near as may be to where they want to be.
fn stack(nodes: &mut [Node], column: &[usize], wanted: impl Fn(usize) -> Option<f64>) {
    let mut bottom = f64::NEG_INFINITY;
    let (mut shift, mut wishes) = (0.0, 0.0);
    for &index in column {
        let half = nodes[index].height / 2.0;
        let wish = wanted(index).unwrap_or(nodes[index].y);
        let y = wish.max(bottom + GAP + half);
        shift += wish - y;
        wishes += 1.0;
        nodes[index].y = y;
        bottom = y + half;
    }
    if wishes > 0.0 {
        for &index in column {
            nodes[index].y += shift / wishes;
        }
    }
}

fn placed(names: &[&str], nodes: &[Node], paths: &BTreeMap<(usize, usize), Vec<usize>>) -> Layout {
    let top = nodes.iter().map(|node| node.y - node.height / 2.0).fold(f64::INFINITY, f64::min);
    let bottom = nodes.iter().map(|node| node.y + node.height / 2.0).fold(0.0, f64::max);
    let top = if top.is_finite() { top - GAP } else { 0.0 };
    let width = |index: usize| names[index].chars().count() as f64 * CHARACTER + PADDING;
    let count = nodes.iter().map(|node| node.layer + 1).max().unwrap_or_default();
    let mut left = vec![GAP];
    for layer in 0..count {
        let of_layer = (0..names.len()).filter(|&index| nodes[index].layer == layer);
        let widest = of_layer.map(width).fold(0.0, f64::max);
        left.push(left[layer] + widest + CHANNEL);
    }
    let boxes: Vec<Rectangle> = (0..names.len())
        .map(|index| Rectangle {
            x: left[nodes[index].layer],
            y: nodes[index].y - HEIGHT / 2.0 - top,
            width: width(index),
            height: HEIGHT,
        })
        .collect();
    let point = |index: usize| (left[nodes[index].layer], nodes[index].y - top);
    let edges = paths.iter().map(|(&(from, to), path)| {
        let start = (boxes[from].x + boxes[from].width, nodes[from].y - top);
        let mut points = vec![start];
        for &bend in &path[1..path.len() - 1] {
            let (x, y) = point(bend);
            points.push((x, y));
            points.push((left[nodes[bend].layer + 1] - CHANNEL, y));
        }
        points.push(point(to));
        Edge { from, to, points }
    });
    Layout {
        width: left[count] - CHANNEL + GAP,
        height: bottom - top + GAP,
        edges: edges.collect(),
        boxes,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::btree_set;
    use proptest::prelude::{prop_assert, proptest};

    use super::{Rectangle, layout};

    fn overlap(left: &Rectangle, right: &Rectangle) -> bool {
        left.x < right.x + right.width
            && right.x < left.x + left.width
            && left.y < right.y + right.height
            && right.y < left.y + left.height
    }

    proptest! {
        #[test]
        fn boxes_do_not_overlap_and_edges_lead_to_the_right(
            pairs in btree_set((0_usize..12, 0_usize..12), 0..30)
        ) {
            let edges: BTreeSet<(usize, usize)> =
                pairs.into_iter().filter(|(from, to)| from < to).collect();
            let names = ["a", "bb", "ccc", "a_long_name_of_a_table", "e", "f", "g", "h", "i", "j", "k", "l"];
            let drawn = layout(&names, &edges);
            for (index, left) in drawn.boxes.iter().enumerate() {
                for right in &drawn.boxes[index + 1..] {
                    prop_assert!(!overlap(left, right), "{left:?} {right:?}");
                }
                prop_assert!(left.x >= 0.0 && left.x + left.width <= drawn.width);
                prop_assert!(left.y >= 0.0 && left.y + left.height <= drawn.height);
            }
            prop_assert!(drawn.edges.len() == edges.len());
            for edge in &drawn.edges {
                prop_assert!(edge.points.windows(2).all(|step| step[0].0 <= step[1].0));
            }
        }
    }

    #[test]
    fn nothing_takes_no_place() {
        let drawn = layout(&[], &BTreeSet::new());
        assert!(drawn.boxes.is_empty() && drawn.width.is_finite() && drawn.height.is_finite());
    }
}
