//! Who is who.

use std::path::Path;

use super::told;
use crate::steps::identity::{MeasuredEdges, groups_of, map_of_edges};

/// Resolves the edges of a Parquet file with the texts `left` and `right` and the number `seen`, and writes the map of
/// identifiers to customers; returns how many there are of both, or what went wrong.
pub fn identity(edges: &Path, map: &Path, threads: usize) -> Result<(u64, u64), String> {
    let counts = map_of_edges(edges, map, threads).map_err(|error| error.to_string())?;
    Ok((counts.identifiers, counts.customers))
}

/// Identifiers that were seen together.
pub struct Edges(MeasuredEdges);

impl Edges {
    /// Takes in pairs of identifiers.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        MeasuredEdges::of_pairs(pairs).map(Self).map_err(told)
    }

    /// Says which identifiers are one customer, and gives each customer an id; returns how many customers there are.
    pub fn resolve(&mut self) -> Result<u64, String> {
        self.0.customers().map_err(told)
    }
}

/// Joins nodes by edges, without any rule; returns how many groups are left.
pub fn groups(nodes: usize, edges: &[(u32, u32)]) -> u64 {
    groups_of(nodes, edges)
}
