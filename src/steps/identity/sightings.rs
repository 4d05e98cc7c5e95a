//! What a run has seen, object by object.

use std::convert::Infallible;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;

use super::IdentityError;
use super::identifiers::{Instant, Node};
use super::links::{CERTAIN, Link, LinksBuilder, NOBODY};
use super::numbers::Numbers;
use super::origins::Origins;
use super::row_sets::{RowSets, Sighting};
use super::schemas::{batch, evidence_schema, instants, numbers};
use crate::engine::{Queue, on_threads};

/// So many links are noted at once, about a hundred of each shard.
const LINKS_AT_ONCE: usize = 1 << 15;

/// A file of evidence with so many sets of identifiers is followed by another: files are written side by side, and how many
/// there are must not depend on the number of threads.
const SETS_OF_A_FILE: usize = 500_000;

/// What the objects of each source show; nothing for a source that links nothing.
#[derive(Default)]
pub(super) struct Sightings {
    pub(super) sources: Vec<Vec<ObjectSeen>>,
}

/// What an object shows.
pub(super) struct ObjectSeen {
    /// The number of its source.
    source: u32,
    path: Arc<str>,
    /// One for each batch of its rows.
    pub(super) batches: Vec<Sighting>,
}

/// What the rows of each source bear: for each object, for each of its batches.
pub(super) type RowsOfSources = Vec<Vec<Vec<RowSets>>>;

/// Objects of one path.
pub(super) struct Group<'a>(Vec<&'a ObjectSeen>);

impl Group<'_> {
    /// Makes the rows of the table of evidence.
    pub(super) fn evidence(
        &self,
        sources: &Origins,
        numbers: &Numbers,
    ) -> Result<RecordBatch, IdentityError> {
        rows(&pairs(&self.0, numbers), self.0[0].key(sources))
    }
}

/// Two identifiers that an object shows together, by their numbers, the lower one first.
struct Pair {
    /// [`NOBODY_NUMBER`] for one that was alone.
    numbers: [i64; 2],
    /// Which of the objects under one path.
    object: usize,
    times: [Instant; 2],
}

/// Comes after all numbers.
const NOBODY_NUMBER: i64 = i64::MAX;

impl ObjectSeen {
    pub(super) fn new(source: u32, path: &Arc<str>) -> Self {
        Self { source, path: Arc::clone(path), batches: Vec::new() }
    }

    /// Returns its source and its path, which order the table of evidence.
    fn key<'a>(&'a self, sources: &'a Origins) -> (&'a str, &'a str) {
        (sources.name(self.source), &self.path)
    }
}

impl Sightings {
    /// Notes all links that rows show; their origins are sources.
    pub(super) fn note_links(&self, links: &LinksBuilder, threads: usize) {
        let objects = self.sources.iter().flatten();
        let batches =
            objects.flat_map(|object| object.batches.iter().map(|batch| (object.source, batch)));
        let queue = Queue::new(batches);
        let noted: Result<_, Infallible> = on_threads(threads, |_| {
            let mut seen = Vec::new();
            while let Some((origin, batch)) = queue.next() {
                batch.for_each_pair(|ends, [first_seen, last_seen]| {
                    if ends[1] != NOBODY {
                        seen.push(Link { ends, origin, weight: CERTAIN, first_seen, last_seen });
                    }
                });
                if seen.len() >= LINKS_AT_ONCE {
                    links.note_all(&seen);
                    seen.clear();
                }
            }
            links.note_all(&seen);
            Ok(())
        });
        let Ok(_) = noted;
    }

    /// Returns the objects in the order in which the table of evidence has them, divided among its files. Those of one path
    /// are one group.
    pub(super) fn files_of_evidence(&self, sources: &Origins) -> Vec<Vec<Group<'_>>> {
        let mut objects: Vec<&ObjectSeen> = self.sources.iter().flatten().collect();
        objects.sort_by(|left, right| left.key(sources).cmp(&right.key(sources)));
        let (mut files, mut sets) = (vec![Vec::new()], 0);
        for group in objects.chunk_by(|left, right| left.key(sources) == right.key(sources)) {
            if sets >= SETS_OF_A_FILE {
                files.push(Vec::new());
                sets = 0;
            }
            sets +=
                group.iter().flat_map(|object| &object.batches).map(Sighting::sets).sum::<usize>();
            if let Some(last) = files.last_mut() {
                last.push(Group(group.to_vec()));
            }
        }
        files
    }

    /// Forgets when it was, and in which object.
    pub(super) fn into_rows(self) -> RowsOfSources {
        let sets =
            |object: ObjectSeen| object.batches.into_iter().map(Sighting::into_sets).collect();
        self.sources.into_iter().map(|objects| objects.into_iter().map(sets).collect()).collect()
    }
}

/// Returns what objects of one path show, in order; what an object shows more than once comes once.
fn pairs(objects: &[&ObjectSeen], numbers: &Numbers) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (object, seen) in objects.iter().enumerate() {
        for batch in &seen.batches {
            batch.for_each_pair(|ends, times| {
                let number = |node: Node| numbers.known(node).unwrap_or(NOBODY_NUMBER);
                let [left, right] = ends.map(number);
                let numbers = [left.min(right), left.max(right)];
                pairs.push(Pair { numbers, object, times });
            });
        }
    }
    pairs.sort_unstable_by_key(|pair| (pair.numbers, pair.object));
    pairs.dedup_by(|next, one| {
        let is_same = (next.numbers, next.object) == (one.numbers, one.object);
        if is_same {
            let [first, last] = next.times;
            one.times = [one.times[0].min(first), one.times[1].max(last)];
        }
        is_same
    });
    pairs
}

/// Makes rows of evidence of what objects of one path show.
fn rows(pairs: &[Pair], (source, path): (&str, &str)) -> Result<RecordBatch, IdentityError> {
    let number = |number: i64| (number != NOBODY_NUMBER).then_some(number);
    let columns: Vec<ArrayRef> = vec![
        word(source, pairs.len())?,
        word(path, pairs.len())?,
        numbers(pairs.iter().map(|pair| Some(pair.numbers[0]))),
        numbers(pairs.iter().map(|pair| number(pair.numbers[1]))),
        instants(pairs.iter().map(|pair| Some(pair.times[0]))),
        instants(pairs.iter().map(|pair| Some(pair.times[1]))),
        Arc::new(Float64Array::new_null(pairs.len())),
    ];
    batch(evidence_schema(), columns)
}

/// Makes a column of one text.
fn word(text: &str, rows: usize) -> Result<ArrayRef, IdentityError> {
    let values = Arc::new(StringArray::from(vec![text]));
    let words = DictionaryArray::<Int32Type>::try_new(Int32Array::from(vec![0; rows]), values);
    Ok(Arc::new(words.map_err(IdentityError::Tables)?))
}
