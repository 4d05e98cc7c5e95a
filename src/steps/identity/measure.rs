//! Takes edges from a file to a map, as a night does; for the benchmarks.

use std::fs::File;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::assign::{Inputs, assign};
use super::evidence::{Evidence, Found, Object, Sightings};
use super::identifiers::Node;
use super::kinds::Kinds;
use super::origins::Origins;
use super::rank::Validity;
use super::resolve::resolve;
use super::resolved::Resolved;
use super::union_find::{Groups, Joined};
use super::verdicts::Verdicts;
use super::{IdentityCounts, IdentityError};
use crate::engine::{ParquetFile, ParquetFileError, ParquetOptions, on_threads};
use crate::plan;

const SOURCE: &str = "edges";
const TYPE: &str = "node";

/// Says why edges could not be resolved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the edges cannot be read")]
    Read(#[from] parquet::errors::ParquetError),
    #[error("the edges cannot be read")]
    Rows(#[from] ArrowError),
    #[error("the edges cannot be opened")]
    Open(#[from] std::io::Error),
    #[error(transparent)]
    Write(#[from] ParquetFileError),
}

/// Edges that were taken in.
pub(crate) struct MeasuredEdges {
    kinds: Kinds,
    evidence: Evidence,
    validity: Validity,
}

impl MeasuredEdges {
    /// Takes in pairs of identifiers, all seen at one moment.
    pub(crate) fn of_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MeasureError> {
        Self::new(1, |kinds| {
            let mut found = Found::default();
            for (left, right) in pairs {
                found.note_row(kinds, [(0, left), (0, right)].into_iter(), 0, [0, 0]);
            }
            Ok(vec![found])
        })
    }

    /// Resolves the edges; returns how many customers there are.
    pub(crate) fn customers(&mut self) -> Result<u64, MeasureError> {
        self.resolved(|resolved| Ok(resolved.counts().customers))
    }

    fn new(
        threads: usize,
        find: impl FnOnce(&Kinds) -> Result<Vec<Found>, MeasureError>,
    ) -> Result<Self, MeasureError> {
        let rules = rules()?;
        let kinds = Kinds::new(&rules);
        let mut evidence = Evidence { sources: Origins::new(&rules), ..Evidence::default() };
        let source = evidence.sources.number(SOURCE);
        let mut sightings = Sightings::default();
        let found = find(&kinds)?;
        sightings.objects.push(Object { source, path: "edges".into() });
        for found in found {
            sightings.add(found, &mut evidence, threads);
        }
        let validity = Validity::new(&rules, &kinds, &mut evidence.sources, 0);
        Ok(Self { kinds, evidence, validity })
    }

    /// Resolves the edges and hands over what came of them.
    fn resolved<T>(
        &mut self,
        take: impl FnOnce(&Resolved<'_>) -> Result<T, MeasureError>,
    ) -> Result<T, MeasureError> {
        let Self { kinds, evidence, validity } = self;
        let resolution = resolve(kinds, evidence, validity, &Verdicts::default());
        let former = super::assign::Former::default();
        let assignment = assign(&Inputs {
            is_taken: &|_| false,
            kinds,
            identifiers: &evidence.identifiers,
            leaders: &resolution.leaders,
            former: &former,
            keepers: &[],
            key: b"a key for measuring",
            now: 0,
        })?;
        take(&Resolved {
            kinds,
            evidence,
            known: &[],
            given: 0,
            resolution: &resolution,
            assignment: &assignment,
            former: &former,
            now: 0,
        })
    }
}

/// Resolves the edges of a Parquet file, texts `left` and `right` and a number `seen`, and writes the map.
pub(crate) fn map_of_edges(
    edges: &Path,
    map: &Path,
    threads: usize,
) -> Result<IdentityCounts, MeasureError> {
    let mut edges = MeasuredEdges::new(threads, |kinds| read(edges, kinds, threads))?;
    edges.resolved(|resolved| {
        let rows = resolved.map(&resolved.numbers())?;
        let mut file = ParquetFile::create(map, &rows.schema(), ParquetOptions::published())?;
        file.write(&rows)?;
        file.finish()?;
        Ok(resolved.counts())
    })
}

/// Joins nodes by edges, without limits; returns how many groups are left.
pub(crate) fn groups_of(nodes: usize, edges: &[(Node, Node)]) -> u64 {
    let mut groups = Groups::new(nodes, Vec::new(), |_| None);
    let joined = edges.iter().filter(|(left, right)| groups.join(*left, *right) == Joined::Now);
    (nodes - joined.count()) as u64
}

/// Returns rules of one type without limits.
fn rules() -> Result<plan::Identity, IdentityError> {
    let no_name = |_| IdentityError::Key;
    let name: crate::names::IdentifierType = TYPE.parse().map_err(no_name)?;
    let linked = plan::LinkedSource {
        name: SOURCE.parse().map_err(no_name)?,
        types: vec![(name.clone(), None)],
    };
    let identifier = plan::Identifier {
        name,
        priority: 1,
        unique: false,
        max_per_customer: None,
        max_customers: None,
        block_above: None,
        window: None,
        blocked: Vec::new(),
        blocked_patterns: Vec::new(),
    };
    let guards = plan::Guards::default();
    Ok(plan::Identity { identifiers: vec![identifier], sources: vec![linked], guards })
}

fn read(edges: &Path, kinds: &Kinds, threads: usize) -> Result<Vec<Found>, MeasureError> {
    let groups = ParquetRecordBatchReaderBuilder::try_new(File::open(edges)?)?;
    let groups = groups.metadata().num_row_groups();
    on_threads(threads.clamp(1, groups.max(1)), |thread| {
        let mine = (thread..groups).step_by(threads.max(1)).collect();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(edges)?)?;
        let mut found = Found::default();
        for batch in reader.with_row_groups(mine).with_batch_size(8192).build()? {
            read_batch(&mut found, kinds, &batch?)?;
        }
        Ok(found)
    })
}

fn read_batch(found: &mut Found, kinds: &Kinds, batch: &RecordBatch) -> Result<(), ArrowError> {
    let [left, right] = ["left", "right"].map(|name| cast(&batch[name], &DataType::Utf8));
    let (left, right) = (left?, right?);
    let seen = cast(&batch["seen"], &DataType::Int64)?;
    let seen = seen.as_primitive::<Int64Type>().values();
    let ends = left.as_string::<i32>().iter().zip(right.as_string::<i32>());
    for ((left, right), seen) in ends.zip(seen) {
        let ends = [left, right].into_iter().flatten();
        found.note_row(kinds, ends.map(|value| (0, value)), 0, [*seen, *seen]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::map_of_edges;
    use crate::engine::{ParquetFile, ParquetOptions};

    #[test]
    fn edges_become_a_map() {
        let folder = tempfile::tempdir().unwrap();
        let (edges, map) = (folder.path().join("edges"), folder.path().join("map"));
        let texts = |texts: [&str; 3]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let rows = RecordBatch::try_from_iter([
            ("left", texts(["a", "b", "x"])),
            ("right", texts(["b", "c", "y"])),
            ("seen", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
        ]);
        let rows = rows.unwrap();
        let mut file =
            ParquetFile::create(&edges, &rows.schema(), ParquetOptions::staged()).unwrap();
        file.write(&rows).unwrap();
        file.finish().unwrap();
        let counts = map_of_edges(&edges, &map, 2).unwrap();
        assert_eq!((counts.identifiers, counts.customers, counts.links), (5, 2, 3));
        assert!(map.exists());
    }
}
