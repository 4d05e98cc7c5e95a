//! Gathers which identifiers were seen, and which on one row.

use std::iter::once;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::IdentityError;
use super::entries::Identifier;
use super::error::IdentitySourceErrorKind;
use super::identifiers::{Identifiers, Instant};
use super::interner::Interner;
use super::kinds::Kinds;
use super::linker::Linker;
use super::links::{Link, Links, LinksBuilder};
use super::matching::Match;
use super::origins::Origins;
use super::row_sets::Sighting;
use super::sightings::{ObjectSeen, Sightings};
use crate::engine::{Context, Queue, Spool, on_threads};
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

/// Evidence that is not complete yet.
#[derive(Default)]
pub(super) struct EvidenceBuilder {
    pub(super) identifiers: Identifiers,
    pub(super) links: LinksBuilder,
    pub(super) sources: Origins,
}

/// What the rows of a night show.
pub(super) struct Gathered {
    pub(super) interner: Interner,
    /// Its identifiers are codes.
    sightings: Sightings,
}

/// Gathers the evidence of all rows, survivors of dedupe or not: a profile that was superseded was a sighting all the
/// same.
pub(super) fn gather(
    ctx: &Context,
    kinds: &Kinds,
    deduped: &[Deduped],
    sources: &mut Origins,
) -> Result<Gathered, IdentityError> {
    let (mut sightings, mut parts) = (Sightings::default(), Vec::new());
    for deduped in deduped {
        let source = &*deduped.cleaned.source;
        let mut objects = Vec::new();
        if !source.links.is_empty() {
            let linker = Linker::new(kinds, source).map_err(|kind| kind.of(&source.name))?;
            let linker = Arc::new(linker);
            let number = sources.number(source.name.as_str());
            for part in &deduped.cleaned.parts {
                let place = [sightings.sources.len(), objects.len()];
                parts.push(Part { source, linker: Arc::clone(&linker), clean: part, place });
                objects.push(ObjectSeen::new(number, &part.object.path));
            }
        }
        sightings.sources.push(objects);
    }
    let interner = Interner::new();
    let queue = Queue::new(parts.iter().flat_map(|part| part.pieces(ctx.as_of)));
    let read = on_threads(ctx.threads, |_| {
        let mut read = Vec::new();
        while let Some(piece) = queue.next() {
            let piece = piece?;
            let sighting = piece.read(kinds, &interner)?;
            read.push((piece.part.place, piece.number, sighting));
        }
        Ok(read)
    })?;
    let mut read: Vec<_> = read.into_iter().flatten().collect();
    read.sort_unstable_by_key(|(place, number, _)| (*place, *number));
    for ([source, object], _, sighting) in read {
        sightings.sources[source][object].batches.push(sighting);
    }
    Ok(Gathered { interner, sightings })
}

impl Gathered {
    /// Takes what one object shows.
    pub(super) fn of_object(interner: Interner, object: ObjectSeen) -> Self {
        Self { interner, sightings: Sightings { sources: vec![vec![object]] } }
    }

    /// Adds all identifiers to those that are known, and returns what was seen of them.
    pub(super) fn add_to(self, known: &mut Identifiers) -> Sightings {
        let Self { interner, mut sightings } = self;
        let nodes = interner.add_to(known);
        let objects = sightings.sources.iter_mut().flatten();
        objects.flat_map(|object| &mut object.batches).for_each(|batch| batch.name(&nodes));
        sightings
    }
}

impl EvidenceBuilder {
    /// Adds what records that are alike say this night. It is not remembered: every night compares them anew.
    pub(super) fn add_matches(&mut self, kinds: &Kinds, matches: &[Match]) {
        let origin = self.sources.number(MATCHING);
        let mut links = Vec::new();
        for found in matches {
            let find = |(kind, value): &(IdentifierType, Box<str>)| {
                let kind = kinds.known(kind.as_str())?;
                self.identifiers.find(&Identifier::new(kinds, kind, value))
            };
            let [Some(left), Some(right)] = found.ends.each_ref().map(find) else { continue };
            let seen = [left, right].map(|node| self.identifiers.first_seen(node));
            let first_seen = seen[0].max(seen[1]);
            links.push(Link {
                ends: [left.min(right), left.max(right)],
                origin,
                weight: found.weight as f32,
                first_seen,
                last_seen: first_seen,
            });
        }
        self.links.note_all(&links);
    }

    /// Closes the evidence; 32 bits must number everything, and one number stands for "none".
    pub(super) fn build(self) -> Result<Evidence, IdentityError> {
        let Self { identifiers, links, sources } = self;
        let links = links.build();
        if identifiers.len().max(links.len()) < u32::MAX as usize {
            Ok(Evidence { identifiers, links, sources })
        } else {
            Err(IdentityError::TooMany)
        }
    }
}

/// The rows of one object.
struct Part<'a> {
    source: &'a plan::Source,
    linker: Arc<Linker>,
    clean: &'a CleanPart,
    /// Which source, and which object of it.
    place: [usize; 2],
}

/// Some rows of an object.
struct Piece<'a> {
    part: &'a Part<'a>,
    /// Which of the batches of the object.
    number: usize,
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
        batches(&self.clean.rows).enumerate().map(move |(number, batch)| match batch {
            Ok(batch) => Ok(Piece { part: self, number, batch, day, fallback }),
            Err(kind) => Err(kind.of(&self.source.name)),
        })
    }
}

impl Piece<'_> {
    fn read(&self, kinds: &Kinds, interner: &Interner) -> Result<Sighting, IdentityError> {
        let of_source = |kind: IdentitySourceErrorKind| kind.of(&self.part.source.name);
        let columns = self.part.linker.read(&self.batch).map_err(of_source)?;
        let times = Times::new(self).map_err(|error| of_source(error.into()))?;
        let times = (0..self.batch.num_rows()).map(|row| {
            let seen = times.of(row);
            [seen, times.last(seen)]
        });
        Sighting::read(kinds, interner, &columns, times)
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
