//! Parts of a night by themselves, for the programs under `benches`; nobody else is promised anything.

use std::path::Path;

use crate::steps::identity::map_of_edges;

/// Resolves the edges of a Parquet file with the texts `left` and `right` and the number `seen`, and writes the map of
/// identifiers to customers; returns how many there are of both, or what went wrong.
pub fn identity(edges: &Path, map: &Path, threads: usize) -> Result<(u64, u64), String> {
    let counts = map_of_edges(edges, map, threads).map_err(|error| error.to_string())?;
    Ok((counts.identifiers, counts.customers))
}
