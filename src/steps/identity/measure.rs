//! Takes edges from a file to a map, as a night does; for the benchmarks.

use std::fs::File;
use std::iter::repeat_n;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::assign::{Inputs, assign};
use super::evidence::{Evidence, EvidenceBuilder, Gathered};
use super::identifiers::Node;
use super::interner::Interner;
use super::kinds::Kinds;
use super::linker::LinkColumns;
use super::numbers::Numbers;
use super::origins::Origins;
use super::rank::Validity;
use super::resolve::resolve;
use super::resolved::Resolved;
use super::row_sets::Sighting;
use super::schemas::map_schema;
use super::sightings::ObjectSeen;
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
    threads: usize,
}

impl MeasuredEdges {
    /// Takes in pairs of identifiers, all seen at one moment.
    pub(crate) fn of_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MeasureError> {
        let (left, right): (Vec<&str>, Vec<&str>) = pairs.into_iter().unzip();
        let rows = left.len();
        let columns = [left, right].map(|texts| (0, StringArray::from(texts)));
        let columns = LinkColumns::new(columns.into());
        Self::new(1, |kinds, interner| {
            Ok(vec![Sighting::read(kinds, interner, &columns, repeat_n([0, 0], rows))?])
        })
    }

    /// Resolves the edges; returns how many customers there are.
    pub(crate) fn customers(&mut self) -> Result<u64, MeasureError> {
        self.resolved(|resolved| Ok(resolved.counts().customers))
    }

    fn new(
        threads: usize,
        read: impl FnOnce(&Kinds, &Interner) -> Result<Vec<Sighting>, MeasureError>,
    ) -> Result<Self, MeasureError> {
        let rules = rules()?;
        let kinds = Kinds::new(&rules);
        let mut evidence =
            EvidenceBuilder { sources: Origins::new(&rules), ..EvidenceBuilder::default() };
        let mut edges = ObjectSeen::new(evidence.sources.number(SOURCE), &"edges".into());
        let interner = Interner::new();
        edges.batches = read(&kinds, &interner)?;
        let sightings = Gathered::of_object(interner, edges).add_to(&mut evidence.identifiers);
        sightings.note_links(&evidence.links, threads);
        let validity = Validity::new(&rules, &kinds, &mut evidence.sources, 0);
        Ok(Self { kinds, evidence: evidence.build()?, validity, threads })
    }

    /// Resolves the edges and hands over what came of them.
    fn resolved<T>(
        &mut self,
        take: impl FnOnce(&Resolved<'_>) -> Result<T, MeasureError>,
    ) -> Result<T, MeasureError> {
        let Self { kinds, evidence, validity, threads } = self;
        let resolution = resolve(kinds, evidence, validity, &Verdicts::default(), *threads);
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
    let read = |kinds: &Kinds, interner: &Interner| read(edges, kinds, interner, threads);
    let mut edges = MeasuredEdges::new(threads, read)?;
    let numbers = Numbers::new(&edges.kinds, &edges.evidence.identifiers, &[], 0, threads);
    edges.resolved(|resolved| {
        let file = ParquetFile::create(map, &map_schema(), ParquetOptions::published())?;
        let mut file = file.on_threads(threads);
        resolved.map_in_slices(&numbers, threads, |slice| {
            file.write(&slice).map_err(MeasureError::from)
        })?;
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

fn read(
    edges: &Path,
    kinds: &Kinds,
    interner: &Interner,
    threads: usize,
) -> Result<Vec<Sighting>, MeasureError> {
    let groups = ParquetRecordBatchReaderBuilder::try_new(File::open(edges)?)?;
    let groups = groups.metadata().num_row_groups();
    let read = on_threads(threads.clamp(1, groups.max(1)), |thread| {
        let mine = (thread..groups).step_by(threads.max(1)).collect();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(edges)?)?;
        let reader = reader.with_row_groups(mine).with_batch_size(8192).build()?;
        reader.map(|batch| read_batch(kinds, interner, &batch?)).collect::<Result<Vec<_>, _>>()
    });
    Ok(read?.into_iter().flatten().collect())
}

fn read_batch(
    kinds: &Kinds,
    interner: &Interner,
    batch: &RecordBatch,
) -> Result<Sighting, MeasureError> {
    let text = |name: &str| Ok((0, cast(&batch[name], &DataType::Utf8)?.as_string().clone()));
    let columns = ["left", "right"].into_iter().map(text).collect::<Result<_, ArrowError>>()?;
    let seen = cast(&batch["seen"], &DataType::Int64)?;
    let times = seen.as_primitive::<Int64Type>().values().iter().map(|seen| [*seen, *seen]);
    Ok(Sighting::read(kinds, interner, &LinkColumns::new(columns), times)?)
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
