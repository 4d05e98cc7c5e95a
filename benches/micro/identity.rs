//! Who is who: devices, addresses and cards of customers, seen together.

use martlet::measure::{Edges, groups};

use crate::bench::{Amount, Bench};
use crate::chance::Chance;

const EDGES: u64 = 32_768;
const NODES: u64 = EDGES;

pub(crate) fn benches() -> Vec<Bench> {
    vec![union_find(), take_in(), resolve()]
}

fn union_find() -> Bench {
    Bench::new("identity/union_find", Amount::Rows(EDGES), GROUPS, || {
        let edges = edges();
        Ok(Box::new(move || Ok(groups(NODES as usize, &edges))))
    })
}

/// Numbers identifiers and links, and counts how often each was seen.
fn take_in() -> Bench {
    Bench::new("identity/take_in", Amount::Rows(EDGES), 0, || {
        let pairs = pairs();
        Ok(Box::new(move || {
            let edges = Edges::new(pairs.iter().map(|(left, right)| (&**left, &**right)))?;
            drop(std::hint::black_box(edges));
            Ok(0)
        }))
    })
}

fn resolve() -> Bench {
    Bench::new("identity/resolve", Amount::Rows(EDGES), CUSTOMERS, || {
        let pairs = pairs();
        let mut edges = Edges::new(pairs.iter().map(|(left, right)| (&**left, &**right)))?;
        Ok(Box::new(move || edges.resolve()))
    })
}

/// How many groups the edges leave of all nodes, and how many of those that have an edge.
const GROUPS: u64 = 10_941;
const CUSTOMERS: u64 = 5_163;

/// Most edges lie within a small neighbourhood, a few lead anywhere.
fn edges() -> Vec<(u32, u32)> {
    let mut chance = Chance::new(4);
    let edge = |_| {
        let from = chance.below(NODES);
        let to = if chance.below(50) == 0 {
            chance.below(NODES)
        } else {
            from / 8 * 8 + chance.below(8)
        };
        (from as u32, to as u32)
    };
    (0..EDGES).map(edge).filter(|(left, right)| left != right).collect()
}

fn pairs() -> Vec<(String, String)> {
    let name = |node: u32| format!("person-{:08x}@mail.example", node.wrapping_mul(2_654_435_761));
    edges().into_iter().map(|(left, right)| (name(left), name(right))).collect()
}
