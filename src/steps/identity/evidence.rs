//! Gathers which identifiers were seen, and which on one row.

use std::iter::once;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::IdentityError;
use super::error::IdentitySourceErrorKind;
use super::identifiers::{Identifiers, Instant, Node};
use super::kinds::{KindId, Kinds};
use super::linker::Linker;
use super::links::{CERTAIN, Link, Links, NOBODY};
use super::matching::Match;
use super::origins::Origins;
use crate::engine::{Context, Queue, Spool, both, on_threads};
use crate::names::IdentifierType;
use crate::plan;
use crate::steps::clean::CleanPart;
use crate::steps::dedupe::Deduped;
use crate::zone::AsOf;

/// Stands where links name a source, for those between records that are alike.
const MATCHING: &str = "match";

/// Identifiers that were seen, and links between those seen on one row; their origins are sources.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) identifiers: Identifiers,
    pub(super) links: Links,
    pub(super) sources: Origins,
}

/// What one run has seen, object by object.
#[derive(Default)]
pub(super) struct Sightings {
    /// The objects that were read.
    pub(super) objects: Vec<Object>,
    /// Links whose origins are objects; the second end is [`NOBODY`] for an identifier that was alone on a row.
    pub(super) links: Links,
}

/// An object that was read.
pub(super) struct Object {
    /// The number of its source.
    pub(super) source: u32,
    pub(super) path: Arc<str>,
}

/// What the rows of a night show.
pub(super) struct Gathered {
    /// What each thread has found.
    found: Vec<Found>,
    /// The objects that were read.
    objects: Vec<Object>,
}

/// Gathers the evidence of all rows, survivors of dedupe or not: a profile that was superseded was a sighting all the
/// same.
pub(super) fn gather(
    ctx: &Context,
    kinds: &Kinds,
    deduped: &[Deduped],
    sources: &mut Origins,
) -> Result<Gathered, IdentityError> {
    let (mut objects, mut parts) = (Vec::new(), Vec::new());
    for deduped in deduped.iter().filter(|deduped| !deduped.cleaned.source.links.is_empty()) {
        let source = &*deduped.cleaned.source;
        let linker = Linker::new(kinds, source).map_err(|kind| kind.of(&source.name))?;
        let linker = Arc::new(linker);
        let number = sources.number(source.name.as_str());
        for part in &deduped.cleaned.parts {
            let object = objects.len() as u32;
            let path = Arc::clone(&part.object.path);
            objects.push(Object { source: number, path });
            parts.push(Part { source, linker: Arc::clone(&linker), clean: part, object });
        }
    }
    let queue = Queue::new(parts.iter().flat_map(|part| part.pieces(ctx.as_of)));
    let found = on_threads(ctx.threads, |_| {
        let mut found = Found::default();
        while let Some(piece) = queue.next() {
            let piece = piece?;
            let source = piece.part.source;
            found.read(kinds, &piece).map_err(|kind| kind.of(&source.name))?;
        }
        Ok(found)
    })?;
    Ok(Gathered { found, objects })
}

impl Gathered {
    /// Returns the identifiers that were found, by thread.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = &Identifiers> {
        self.found.iter().map(|found| &found.identifiers)
    }

    /// Adds everything to what is known, and returns what was seen in which object.
    pub(super) fn add_to(
        self,
        known: &mut Evidence,
        threads: usize,
    ) -> Result<Sightings, IdentityError> {
        let mut sightings = Sightings { objects: self.objects, links: Links::default() };
        for found in self.found {
            sightings.add(found, known, threads);
        }
        known.within_numbers()?;
        Ok(sightings)
    }
}

impl Evidence {
    /// Adds what records that are alike say this night. It is not remembered: every night compares them anew.
    pub(super) fn add_matches(&mut self, kinds: &Kinds, matches: &[Match]) {
        let origin = self.sources.number(MATCHING);
        for found in matches {
            let find = |(kind, value): &(IdentifierType, Box<str>)| {
                self.identifiers.find(kinds, kinds.known(kind.as_str())?, value)
            };
            let [Some(left), Some(right)] = found.ends.each_ref().map(find) else { continue };
            let seen = [left, right].map(|node| self.identifiers.first_seen(node));
            let first_seen = seen[0].max(seen[1]);
            self.links.note(Link {
                ends: [left.min(right), left.max(right)],
                origin,
                weight: found.weight as f32,
                first_seen,
                last_seen: first_seen,
            });
        }
    }

    /// Checks that 32 bits number everything; one number stands for "none".
    pub(super) fn within_numbers(&self) -> Result<(), IdentityError> {
        if self.identifiers.len().max(self.links.len()) < u32::MAX as usize {
            Ok(())
        } else {
            Err(IdentityError::TooMany)
        }
    }
}

impl Sightings {
    /// Adds what a thread has found, here and to all that is known.
    pub(super) fn add(&mut self, mut found: Found, known: &mut Evidence, threads: usize) {
        let nodes = known.identifiers.note_all(&mut found.identifiers);
        let ends = |link: &Link| {
            link.ends.map(|node| match node {
                NOBODY => NOBODY,
                node => nodes[node as usize],
            })
        };
        let Self { objects, links } = self;
        let here = || {
            links.reserve(found.links.len());
            found.links.iter().for_each(|link| links.note(Link { ends: ends(link), ..*link }));
        };
        let there = || {
            known.links.reserve(found.links.len());
            for link in found.links.iter().filter(|link| link.ends[1] != NOBODY) {
                let origin = objects[link.origin as usize].source;
                known.links.note(Link { ends: ends(link), origin, ..*link });
            }
        };
        both(threads, here, there);
    }
}

/// What one thread has found; the origins of its links are objects.
#[derive(Default)]
pub(super) struct Found {
    identifiers: Identifiers,
    links: Links,
    /// The identifiers of the present row.
    nodes: Vec<Node>,
}

impl Found {
    fn read(&mut self, kinds: &Kinds, piece: &Piece<'_>) -> Result<(), IdentitySourceErrorKind> {
        let columns = piece.part.linker.read(&piece.batch)?;
        let times = Times::new(piece)?;
        for row in 0..piece.batch.num_rows() {
            let seen = times.of(row);
            self.note_row(kinds, columns.of(row), piece.part.object, [seen, times.last(seen)]);
        }
        Ok(())
    }

    /// Notes the identifiers of a row, seen from the first time to the last.
    pub(super) fn note_row<'a>(
        &mut self,
        kinds: &Kinds,
        row: impl Iterator<Item = (KindId, &'a str)>,
        origin: u32,
        [first_seen, last_seen]: [Instant; 2],
    ) {
        self.nodes.clear();
        for (kind, value) in row {
            let node = self.identifiers.note(kinds, kind, value, first_seen);
            if !self.nodes.contains(&node) {
                self.nodes.push(node);
            }
        }
        let link = |ends| Link { ends, origin, weight: CERTAIN, first_seen, last_seen };
        if let [alone] = self.nodes[..] {
            self.links.note(link([alone, NOBODY]));
        }
        for (position, left) in self.nodes.iter().enumerate() {
            for right in &self.nodes[position + 1..] {
                self.links.note(link([*left, *right]));
            }
        }
    }
}

/// The rows of one object.
struct Part<'a> {
    source: &'a plan::Source,
    linker: Arc<Linker>,
    clean: &'a CleanPart,
    object: u32,
}

/// Some rows of an object.
struct Piece<'a> {
    part: &'a Part<'a>,
    batch: RecordBatch,
    /// The beginning of the day of the export, where that is known.
    day: Option<Instant>,
    /// When a row without event time is taken to have happened.
    fallback: Instant,
}

impl Part<'_> {
    fn pieces(&self, as_of: AsOf) -> impl Iterator<Item = Result<Piece<'_>, IdentityError>> + Send {
        let day = self.clean.object.date;
        let day = day.map(|date| AsOf::midnight(date, self.source.business_timezone));
        let day = day.map(|day| day.instant.timestamp_micros());
        let fallback = day.unwrap_or(as_of.instant.timestamp_micros());
        batches(&self.clean.rows).map(move |batch| match batch {
            Ok(batch) => Ok(Piece { part: self, batch, day, fallback }),
            Err(kind) => Err(kind.of(&self.source.name)),
        })
    }
}

fn batches(
    rows: &Spool,
) -> Box<dyn Iterator<Item = Result<RecordBatch, IdentitySourceErrorKind>> + Send + '_> {
    match rows.batches() {
        Err(error) => Box::new(once(Err(error.into()))),
        Ok(batches) => Box::new(batches.map(|batch| Ok(batch?))),
    }
}

/// The times at which rows happened.
struct Times {
    column: Option<PrimitiveArray<Int64Type>>,
    fallback: Instant,
    /// The day on which the export of an entity said that the row was still so.
    confirmed: Option<Instant>,
}

impl Times {
    fn new(piece: &Piece<'_>) -> Result<Self, ArrowError> {
        let column = piece.part.source.event_time;
        let column = column.map(|column| microseconds(piece.batch.column(column)));
        let is_event = piece.part.source.load == plan::Load::Append;
        let confirmed = piece.day.filter(|_| !is_event);
        Ok(Self { column: column.transpose()?, fallback: piece.fallback, confirmed })
    }

    fn of(&self, row: usize) -> Instant {
        match &self.column {
            Some(column) if column.is_valid(row) => column.value(row),
            _ => self.fallback,
        }
    }

    /// Returns when a row that happened at `seen` was last known to be so.
    fn last(&self, seen: Instant) -> Instant {
        self.confirmed.map_or(seen, |day| day.max(seen))
    }
}

fn microseconds(column: &ArrayRef) -> Result<PrimitiveArray<Int64Type>, ArrowError> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let instants = cast(column, &utc)?;
    let numbers = cast(&instants, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().clone())
}
