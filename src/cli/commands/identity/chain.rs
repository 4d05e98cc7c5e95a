//! Finds the shortest chain between two identifiers.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Returns the places of the links that lead from `start` to `end`, as few as possible.
///
/// Links are walked in the order in which they come, so of several chains of one length it is always the same.
pub(super) fn chain(links: &[(i64, i64)], start: i64, end: i64) -> Option<Vec<usize>> {
    let mut neighbours: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (place, (left, right)) in links.iter().enumerate() {
        neighbours.entry(*left).or_default().push((*right, place));
        neighbours.entry(*right).or_default().push((*left, place));
    }
    let mut ways: HashMap<i64, Option<(i64, usize)>> = HashMap::from([(start, None)]);
    let mut next = VecDeque::from([start]);
    while let Some(node) = next.pop_front() {
        if node == end {
            return Some(way_to(&ways, end));
        }
        for (neighbour, place) in neighbours.get(&node).into_iter().flatten() {
            if !ways.contains_key(neighbour) {
                ways.insert(*neighbour, Some((node, *place)));
                next.push_back(*neighbour);
            }
        }
    }
    None
}

fn way_to(ways: &HashMap<i64, Option<(i64, usize)>>, end: i64) -> Vec<usize> {
    let mut places = Vec::new();
    let mut node = end;
    while let Some(Some((before, place))) = ways.get(&node) {
        places.push(*place);
        node = *before;
    }
    places.reverse();
    places
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[test]
    fn the_shortest_chain_is_found_and_is_always_the_same() {
        let links = [(1, 2), (2, 3), (3, 9), (4, 1), (9, 4), (1, 5), (5, 9)];
        assert_eq!(chain(&links, 1, 9), Some(vec![3, 4]));
        assert_eq!(chain(&links, 9, 1), Some(vec![4, 3]));
        assert_eq!(chain(&links, 1, 1), Some(vec![]));
        assert_eq!(chain(&links, 1, 8), None);
    }

    #[test]
    fn a_long_chain_is_no_trouble() {
        let links: Vec<(i64, i64)> = (0..100_000).map(|node| (node, node + 1)).collect();
        assert_eq!(chain(&links, 0, 100_000).unwrap().len(), 100_000);
    }
}
