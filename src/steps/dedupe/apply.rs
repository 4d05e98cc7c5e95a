//! Keeps one row per key.

use std::collections::BTreeSet;
use std::iter::once;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Date32Type;

use super::bucket::{Buckets, Contestant, Room, partitions};
use super::contest::{Contest, Outcome, Terms};
use super::former::{Scan, Scanned, Wanted};
use super::key::{KeyFilter, KeyReader};
use super::marks::Marks;
use super::objects::Objects;
use super::order::OrderReader;
use super::{DedupeError, DedupeErrorKind, Deduped, Former, FormerFile};
use crate::engine::{Context, Queue, on_threads};
use crate::plan::{self, added};
use crate::steps::clean::{CleanPart, Cleaned};

/// Marks the rows of a source that survive its dedupe rule, new ones and those of earlier nights.
///
/// Rows of forgotten objects do not survive; without a rule, all others do.
pub(crate) fn dedupe(
    ctx: &Context,
    mut cleaned: Cleaned,
    former: Former,
) -> Result<Deduped, DedupeError> {
    cleaned.parts.sort_by(|left, right| left.object.path.cmp(&right.object.path));
    let source_name = cleaned.source.name.clone();
    let judged = judged(ctx, &cleaned, &former);
    let judged = judged.map_err(|kind| DedupeError { source_name, kind })?;
    Ok(judged.deduped(cleaned, former))
}

/// The outcome of a contest of new rows and those of earlier nights.
struct Judged {
    objects: Objects,
    survivors: Vec<BooleanBuffer>,
    scanned: Vec<Scanned>,
    /// For each scanned file, which of its rows are no copies of better ones.
    marks: Vec<BooleanBuffer>,
    outcome: Outcome,
}

fn judged(ctx: &Context, cleaned: &Cleaned, former: &Former) -> Result<Judged, DedupeErrorKind> {
    if row_counts(cleaned).any(|rows| u32::try_from(rows).is_err()) {
        return Err(DedupeErrorKind::TooManyRows);
    }
    let source = &cleaned.source;
    let paths = cleaned.parts.iter().map(|part| &part.object.path);
    let objects = Objects::new(paths.chain(&former.objects).cloned().collect());
    let rows: usize = row_counts(cleaned).sum();
    let share = Share::of(ctx, cleaned, former);

    let readers =
        source.dedupe.as_ref().map(|rule| Readers::new(cleaned, rule, ctx)).transpose()?;
    let mut contestants = match &readers {
        Some(readers) => readers.read(cleaned, &share)?,
        None => Contestants::default(),
    };
    let asked = if former.files.is_empty() { 0 } else { rows };
    let wanted = readers.as_ref().map(|readers| readers.wanted(&contestants, asked)).transpose()?;
    let scan = Scan::new(source, former, &objects, wanted.as_ref(), &ctx.run_id)?;
    let scanned = contestants.join(&share, cleaned.parts.len(), former, &scan)?;

    let numbers = cleaned.parts.iter().map(|part| objects.number(&part.object.path));
    let of_parts: Vec<u32> = numbers.map(Option::unwrap_or_default).collect();
    let all_rows = || row_counts(cleaned).chain(scanned.iter().map(|file| file.rows));
    let marks = Marks::all(all_rows());
    let outcome = match &readers {
        Some(readers) => contests(&share, &contestants, readers.terms(&of_parts), &marks)?,
        None => Outcome::default(),
    };
    let mut survivors = marks.masks(all_rows());
    let marks = survivors.split_off(cleaned.parts.len());
    Ok(Judged { objects, survivors, scanned, marks, outcome })
}

/// What the threads of a contest have at their disposal.
struct Share {
    threads: usize,
    partitions: usize,
    /// How many new rows one thread may expect.
    rows: usize,
    /// Bytes of memory for what one thread reads of the new rows, and as many again of the former table.
    bytes: usize,
    /// Where the names of work files begin.
    file: PathBuf,
}

/// What part of the memory new contestants may fill, and those of earlier nights as much again.
const MEMORY_SHARE: usize = 4;
/// Of so many rows of the former table one may be a contestant though no new row has its key.
const STRAY: usize = 64;

impl Share {
    fn of(ctx: &Context, cleaned: &Cleaned, former: &Former) -> Self {
        let threads = ctx.threads.max(1);
        let new: usize = row_counts(cleaned).sum();
        let stored: u64 = former.files.iter().map(|stored| stored.file.rows).sum();
        Self {
            threads,
            partitions: partitions(new.max(stored as usize / STRAY)),
            rows: new / threads,
            bytes: ctx.memory / MEMORY_SHARE / threads,
            file: ctx.work.join(format!("dedupe-{}", cleaned.source.name)),
        }
    }

    fn buckets(&self, number: usize, rows: usize) -> Buckets {
        let mut file = self.file.clone().into_os_string();
        file.push(format!("-{number}.spill"));
        let Self { partitions, bytes, .. } = *self;
        Buckets::new(number, Room { partitions, rows, bytes, file: file.into() })
    }
}

fn row_counts(cleaned: &Cleaned) -> impl Iterator<Item = usize> {
    cleaned.parts.iter().map(|part| part.rows.rows())
}

fn contests(
    share: &Share,
    contestants: &Contestants,
    terms: Terms<'_>,
    marks: &Marks,
) -> Result<Outcome, DedupeErrorKind> {
    let queue = Queue::new(0..share.partitions);
    let outcomes = on_threads(share.threads, |_| {
        let mut outcome = Outcome::default();
        while let Some(partition) = queue.next() {
            let contest = Contest::new(&contestants.buckets, partition, terms)?;
            outcome.add(contest.judge(marks));
        }
        Ok::<_, DedupeErrorKind>(outcome)
    })?;
    let mut all = Outcome::default();
    for outcome in outcomes {
        all.add(outcome);
    }
    Ok(all)
}

impl Judged {
    fn deduped(self, cleaned: Cleaned, former: Former) -> Deduped {
        let mut files = Vec::with_capacity(former.files.len());
        let judged = self.scanned.iter().zip(self.marks);
        for (stored, (scanned, marks)) in former.files.into_iter().zip(judged) {
            let remembered = scanned.remembered.clone();
            let remembered = remembered.unwrap_or_else(|| BooleanBuffer::new_set(scanned.rows));
            let kept = &remembered & &marks;
            let all_stay = kept.count_set_bits() == scanned.rows;
            files.push(FormerFile { stored, kept: (!all_stay).then_some(kept) });
        }
        let path = |number: u32| Arc::clone(self.objects.path(number));
        let Outcome { beaten, superseded } = &self.outcome;
        let beaten = beaten.iter().map(|(winner, loser)| (path(*winner), path(*loser)));
        let superseded = superseded.iter().map(|(object, rows)| (path(*object), *rows));
        Deduped {
            cleaned,
            survivors: self.survivors,
            former: files,
            superseded: superseded.collect(),
            beaten: beaten.collect(),
        }
    }
}

/// All rows that compete.
#[derive(Default)]
struct Contestants {
    buckets: Vec<Buckets>,
    /// Where the rule has a window: the event dates of the new rows.
    days: BTreeSet<i32>,
}

impl Contestants {
    /// Adds the rows of earlier nights that may be copies of new ones; returns what was read, file by file.
    fn join(
        &mut self,
        share: &Share,
        parts: usize,
        former: &Former,
        scan: &Scan<'_>,
    ) -> Result<Vec<Scanned>, DedupeErrorKind> {
        let queue = Queue::new(former.files.iter().enumerate());
        let first_bucket = self.buckets.len();
        let threads = share.threads.min(former.files.len().max(1));
        let read = on_threads(threads, |thread| {
            let mut buckets = share.buckets(first_bucket + thread, 0);
            let mut scanned = Vec::new();
            while let Some((number, stored)) = queue.next() {
                let part = (parts + number) as u32;
                scanned.push((number, scan.read(stored, part, &mut buckets)?));
            }
            Ok::<_, DedupeErrorKind>((scanned, buckets))
        })?;
        let (scanned, buckets): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        self.buckets.extend(buckets);
        let mut scanned: Vec<(usize, Scanned)> = scanned.into_iter().flatten().collect();
        scanned.sort_by_key(|(number, _)| *number);
        Ok(scanned.into_iter().map(|(_, scanned)| scanned).collect())
    }
}

/// What turns rows into contestants.
struct Readers<'a> {
    rule: &'a plan::Dedupe,
    keys: KeyReader,
    orders: OrderReader,
    /// Where the rule has a window: the column of event dates.
    day: Option<usize>,
}

/// Some rows of a part.
struct Piece {
    part: u32,
    first_row: usize,
    batch: RecordBatch,
}

impl<'a> Readers<'a> {
    fn new(
        cleaned: &Cleaned,
        rule: &'a plan::Dedupe,
        ctx: &Context,
    ) -> Result<Self, DedupeErrorKind> {
        let schema = cleaned.source.cleaned_schema();
        let day = rule.window_days.map(|_| schema.index_of(added::EVENT_DATE)).transpose()?;
        Ok(Self {
            rule,
            keys: KeyReader::new(&cleaned.source, rule, &schema, &ctx.run_id)?,
            orders: OrderReader::new(rule, &schema)?,
            day,
        })
    }

    fn terms<'b>(&self, objects: &'b [u32]) -> Terms<'b> {
        Terms {
            keep: self.rule.keep,
            orders_are_bytes: self.orders.yields_bytes(),
            window_days: self.rule.window_days,
            objects,
        }
    }

    /// Tells what so many new rows ask of the table; nothing is asked where there are none.
    fn wanted(&self, contestants: &Contestants, rows: usize) -> Result<Wanted, DedupeErrorKind> {
        let mut keys = KeyFilter::new(rows);
        if rows > 0 {
            for buckets in &contestants.buckets {
                buckets.each_key(|key| keys.note(key))?;
            }
        }
        let days = self.rule.window_days;
        Ok(Wanted { keys, dates: days.map(|days| (contestants.days.clone(), days)) })
    }

    fn read(&self, cleaned: &Cleaned, share: &Share) -> Result<Contestants, DedupeErrorKind> {
        let queue = Queue::new(pieces(&cleaned.parts));
        let read = on_threads(share.threads, |thread| {
            let mut buckets = share.buckets(thread, share.rows);
            let mut days = BTreeSet::new();
            while let Some(piece) = queue.next() {
                self.enter(&piece?, &mut buckets, &mut days)?;
                buckets.settle()?;
            }
            Ok::<_, DedupeErrorKind>((buckets, days))
        })?;
        let (buckets, days): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        Ok(Contestants { buckets, days: days.into_iter().flatten().collect() })
    }

    fn enter(
        &self,
        piece: &Piece,
        buckets: &mut Buckets,
        days: &mut BTreeSet<i32>,
    ) -> Result<(), DedupeErrorKind> {
        let orders = self.orders.read(&piece.batch)?;
        let of_rows = self.day.map(|day| piece.batch.column(day).as_primitive::<Date32Type>());
        let mut last = None;
        for day in of_rows.iter().flat_map(|days| days.values()) {
            if last.replace(*day) != Some(*day) {
                days.insert(*day);
            }
        }
        self.keys.read(&piece.batch, |row, key| {
            buckets.enter(&Contestant {
                key,
                order: orders.of(row),
                day: of_rows.map(|days| days.value(row)),
                part: piece.part,
                row: (piece.first_row + row) as u32,
                origin: None,
            });
        })?;
        Ok(())
    }
}

fn pieces(parts: &[CleanPart]) -> impl Iterator<Item = Result<Piece, DedupeErrorKind>> + Send {
    let numbered = (0..).zip(parts);
    numbered.flat_map(|(part, clean)| pieces_of(part, clean))
}

fn pieces_of(
    part: u32,
    clean: &CleanPart,
) -> Box<dyn Iterator<Item = Result<Piece, DedupeErrorKind>> + Send + '_> {
    let batches = match clean.rows.batches() {
        Ok(batches) => batches,
        Err(error) => return Box::new(once(Err(error.into()))),
    };
    let mut next_row = 0;
    Box::new(batches.map(move |batch| {
        let batch = batch?;
        let first_row = next_row;
        next_row += batch.num_rows();
        Ok(Piece { part, first_row, batch })
    }))
}
