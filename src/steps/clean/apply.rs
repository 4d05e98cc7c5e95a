//! Cleans a source: its objects in parallel, each decoded by one thread and cleaned by all that have nothing else to
//! do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use tokio::runtime::Handle;

use super::batch::{CleanPiece, Cleaner, RawPiece};
use super::drift::{Changes, drift_of};
use super::exchange::RateTables;
use super::fits::Fits;
use super::helpers::{Helpers, Line};
use super::rejects::{RejectWriter, Rejects};
use super::rules::Rules;
use super::{CleanError, CleanErrorKind, CleanPart, Cleaned, Reject};
use crate::engine::{Context, SpoolWriter};
use crate::plan::{self, added};
use crate::report::Event;
use crate::steps::extract::{Extracted, RawBatch, SourceObject};

/// Decodes and cleans all objects of a source; `rates` holds the tables that it converts by.
///
/// Of several objects that cannot be taken in, the first in the order of paths is reported.
pub(crate) async fn clean(
    ctx: &Context,
    extracted: Extracted,
    rates: &RateTables,
) -> Result<Cleaned, CleanError> {
    let source = Arc::clone(&extracted.source);
    let objects = clean_objects(ctx, extracted.clone(), rates).await;
    let source_name = source.name.clone();
    let failed = |kind| CleanError { source_name: source_name.clone(), kind };
    let objects = objects.map_err(failed)?;
    let mut cleaned = Cleaned {
        source,
        parts: Vec::with_capacity(objects.len()),
        rejects: Vec::new(),
        drift: Vec::new(),
    };
    let mut drift = Vec::with_capacity(objects.len());
    for (part, rejects, changes) in objects {
        if part.read > 0 && part.unreadable.is_none() {
            drift.push((Arc::clone(&part.object), changes));
        }
        cleaned.parts.push(part);
        if rejects.rows.rows() > 0 {
            cleaned.rejects.push(rejects);
        }
    }
    if cleaned.source.drift != plan::Drift::Ignore {
        cleaned.drift = drift_of(ctx, extracted, drift).await.map_err(failed)?;
    }
    Ok(cleaned)
}

type CleanObject = (CleanPart, Rejects, Changes);
type Outcome = (usize, Result<CleanObject, CleanErrorKind>);

/// What the threads share.
struct Job {
    ctx: Context,
    extracted: Extracted,
    rules: Rules,
    runtime: Handle,
    next: AtomicUsize,
    helpers: Helpers,
    /// No further object is begun; those begun are finished, so that the first error does not depend on timing.
    stop: AtomicBool,
}

/// Stops the threads when nobody waits for them any more.
struct StopWhenDropped(Arc<Job>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

async fn clean_objects(
    ctx: &Context,
    extracted: Extracted,
    rates: &RateTables,
) -> Result<Vec<CleanObject>, CleanErrorKind> {
    let count = extracted.objects.len();
    let job = Arc::new(Job {
        ctx: ctx.clone(),
        rules: Rules::compile(&extracted.source, rates)?,
        extracted,
        runtime: Handle::current(),
        next: AtomicUsize::new(0),
        helpers: Helpers::default(),
        stop: AtomicBool::new(false),
    });
    let _stop = StopWhenDropped(Arc::clone(&job));
    let threads: Vec<_> = (0..if count == 0 { 0 } else { ctx.threads.max(1) })
        .map(|_| Arc::clone(&job))
        .map(|job| tokio::task::spawn_blocking(move || work(&job)))
        .collect();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(count);
    for thread in threads {
        outcomes.extend(thread.await?);
    }
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Cleans one object after the other until none is left or one has failed, and then helps the other threads.
fn work(job: &Job) -> Vec<Outcome> {
    let mut cleaner = match Cleaner::new(&job.rules) {
        Ok(cleaner) => cleaner,
        Err(kind) => return vec![(0, Err(kind))],
    };
    let outcomes = clean_own(job, &mut cleaner);
    job.helpers.help(|piece| cleaner.clean(piece));
    outcomes
}

fn clean_own(job: &Job, cleaner: &mut Cleaner<'_>) -> Vec<Outcome> {
    let _asking = job.helpers.asking();
    let mut outcomes = Vec::new();
    while !job.stop.load(Ordering::Relaxed) {
        let index = job.next.fetch_add(1, Ordering::Relaxed);
        let Some(object) = job.extracted.objects.get(index) else {
            break;
        };
        let outcome = clean_object(job, cleaner, object, index);
        if outcome.is_err() {
            job.stop.store(true, Ordering::Relaxed);
        }
        outcomes.push((index, outcome));
    }
    outcomes
}

/// Cleans an object; where the source allows it, one that cannot be taken in becomes a single reject.
fn clean_object(
    job: &Job,
    cleaner: &mut Cleaner<'_>,
    object: &Arc<SourceObject>,
    index: usize,
) -> Result<CleanObject, CleanErrorKind> {
    match clean_records(job, cleaner, object, index) {
        Err(CleanErrorKind::Extract(error))
            if job.extracted.source.on_error == plan::OnError::Skip
                && error.kind.is_of_the_object() =>
        {
            unreadable(job, object, index, error.kind.reason())
        }
        cleaned => cleaned,
    }
}

fn unreadable(
    job: &Job,
    object: &Arc<SourceObject>,
    index: usize,
    reason: String,
) -> Result<CleanObject, CleanErrorKind> {
    let schema = Arc::clone(&job.rules.schema);
    let spool = SpoolWriter::sharing(&spool_path(job, index), schema, &job.ctx.spools);
    let part = CleanPart {
        object: Arc::clone(object),
        read: 1,
        rejected: 1,
        days: BTreeMap::new(),
        unreadable: Some(reason.clone()),
        rows: spool.finish()?,
    };
    let mut rejects = reject_writer(job, index);
    rejects.write(&[Reject::of_object(object, reason)])?;
    announce(job, &part);
    Ok((part, rejects.finish()?, Changes::default()))
}

fn clean_records(
    job: &Job,
    cleaner: &mut Cleaner<'_>,
    object: &Arc<SourceObject>,
    index: usize,
) -> Result<CleanObject, CleanErrorKind> {
    let mut reader = job.extracted.open(&job.ctx, &job.runtime, object)?;
    let mut paths = Paths::new(object);
    let mut line = Line::new(&job.helpers);
    let mut gathered = Gathered::new(job, index);
    let mut clean = |piece: &RawPiece| cleaner.clean(piece);
    for raw in reader.by_ref() {
        line.enter(paths.piece(raw?), &mut clean);
        while let Some(piece) = line.ready(&mut clean) {
            gathered.add(piece?)?;
        }
    }
    while let Some(piece) = line.next(&mut clean) {
        gathered.add(piece?)?;
    }
    let Gathered { spool, read, rejects, days, fits } = gathered;
    let rejects = rejects.finish()?;
    let part = CleanPart {
        object: Arc::clone(object),
        read,
        rejected: rejects.rows.rows() as u64,
        days,
        unreadable: None,
        rows: spool.finish()?,
    };
    announce(job, &part);
    let misfits = fits.misfits(&job.rules.source);
    Ok((part, rejects, Changes { drift: reader.drift(), misfits }))
}

/// The path of an object, as often as any batch so far had records.
struct Paths {
    object: Arc<SourceObject>,
    paths: StringArray,
}

impl Paths {
    fn new(object: &Arc<SourceObject>) -> Self {
        Self { object: Arc::clone(object), paths: StringArray::new_null(0) }
    }

    fn piece(&mut self, raw: RawBatch) -> RawPiece {
        if self.paths.len() < raw.rows() {
            let path = std::iter::repeat_n(&*self.object.path, raw.rows().next_power_of_two());
            self.paths = StringArray::from_iter_values(path);
        }
        RawPiece { raw, object: Arc::clone(&self.object), paths: self.paths.clone() }
    }
}

/// What the batches of an object have become.
struct Gathered<'a> {
    spool: SpoolWriter,
    read: u64,
    rejects: RejectWriter<'a>,
    days: BTreeMap<i32, u64>,
    fits: Fits,
}

impl<'a> Gathered<'a> {
    fn new(job: &'a Job, index: usize) -> Self {
        let schema = Arc::clone(&job.rules.schema);
        Self {
            spool: SpoolWriter::sharing(&spool_path(job, index), schema, &job.ctx.spools),
            read: 0,
            rejects: reject_writer(job, index),
            days: BTreeMap::new(),
            fits: Fits::default(),
        }
    }

    fn add(&mut self, piece: CleanPiece) -> Result<(), CleanErrorKind> {
        self.read += piece.read;
        self.rejects.write(&piece.rejects)?;
        self.fits.add(&piece.fits);
        if piece.rows.num_rows() > 0 {
            count_days(&piece.rows, &mut self.days);
            self.spool.write(piece.rows)?;
        }
        Ok(())
    }
}

/// Counts the rows of each local date.
fn count_days(batch: &RecordBatch, days: &mut BTreeMap<i32, u64>) {
    let Some(column) = batch.column_by_name(added::EVENT_DATE) else { return };
    let dates = column.as_primitive::<Date32Type>();
    // Rows of one date come one after the other, so most dates are looked up once for many rows.
    let valid: Vec<i32> = dates.iter().flatten().collect();
    for same in valid.chunk_by(|left, right| left == right) {
        *days.entry(same[0]).or_default() += same.len() as u64;
    }
}

fn spool_path(job: &Job, index: usize) -> PathBuf {
    let source = &job.extracted.source.name;
    job.ctx.work.join(format!("clean-{source}-{index}.arrow"))
}

fn reject_writer(job: &Job, index: usize) -> RejectWriter<'_> {
    let source = &job.extracted.source;
    let path = job.ctx.work.join(format!("rejects-{}-{index}.arrow", source.name));
    RejectWriter::new(&job.ctx, source, &path)
}

fn announce(job: &Job, part: &CleanPart) {
    job.ctx.listener.on(&Event::ObjectCleaned {
        source: job.extracted.source.name.as_str(),
        object: &part.object.path,
    });
}
