//! Writes the files of clean tables.
//!
//! A file holds the rows of one object, of several small ones or of a stretch of a large one, and knows the
//! first and the last date of its rows. Rows that came late would make every file cover every date, so they go
//! to a file of their own: whoever looks for the rows of some dates then reads few files.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;

use super::IdentityError;
use super::error::IdentitySourceErrorKind;
use super::former_files::{FormerFiles, FormerTask};
use super::numbers::Numbers;
use super::row_sets::RowSets;
use super::stamp::stamps;
use super::types::{CleanFile, CleanTable};
use crate::engine::{
    Context, FileSummary, ParquetFile, ParquetOptions, Queue, Spool, SpoolWriter, beside,
};
use crate::plan::{self, added};
use crate::steps::dedupe::Deduped;

/// Fewer rows than this are not worth a file of their own.
const ROWS_PER_FILE: usize = 100_000;
/// An object whose rows spread over more dates than this has no late rows.
const DAYS_OF_A_FILE: i32 = 7;
/// A row is late where at least so many percent of the rows of its file happened on other dates.
const PERCENT_IN_TIME: u64 = 85;

type Kind = IdentitySourceErrorKind;

/// Writes the surviving rows of all sources below the work folder of the run, while another thing is done.
///
/// `borne` tells what the rows of each source bear, object by object and batch by batch; nothing where the source links
/// nothing.
pub(super) fn write_beside<A>(
    ctx: &Context,
    numbers: &Numbers,
    deduped: &[Deduped],
    borne: &[Vec<Vec<RowSets>>],
    other: impl FnOnce() -> A,
) -> (A, Result<Vec<CleanTable>, IdentityError>) {
    let writers: Vec<Writer<'_>> = deduped
        .iter()
        .zip(borne)
        .map(|(deduped, borne)| Writer::new(ctx, numbers, deduped, borne))
        .collect();
    let tasks = writers.iter().enumerate();
    let queue = Queue::new(
        tasks.flat_map(|(writer, one)| one.tasks().into_iter().map(move |task| (writer, task))),
    );
    let (other, written) = beside(ctx.threads, other, || {
        let mut written = Vec::new();
        while let Some((writer, task)) = queue.next() {
            let done = writers[writer].done(&task);
            let done = done.map_err(|kind| kind.of(&writers[writer].source.name))?;
            written.push((writer, done));
        }
        Ok(written)
    });
    (other, written.and_then(|written| tables(&writers, written.into_iter().flatten())))
}

/// Makes tables of the files that were written.
fn tables(
    writers: &[Writer<'_>],
    written: impl Iterator<Item = (usize, Done)>,
) -> Result<Vec<CleanTable>, IdentityError> {
    let mut of_writer: Vec<Vec<Done>> = writers.iter().map(|_| Vec::new()).collect();
    for (writer, done) in written {
        of_writer[writer].push(done);
    }
    let tables = writers.iter().zip(of_writer);
    let tables = tables
        .map(|(writer, done)| writer.table(done).map_err(|kind| kind.of(&writer.source.name)));
    tables.collect()
}

/// The rows of one file, or of one and of those that came late beside them.
#[derive(Debug, Clone)]
enum Task<'a> {
    /// New rows; the number is that of the file.
    New(usize, Group),
    Former(FormerTask<'a>),
}

/// A file that was written.
struct Done {
    place: Place,
    file: CleanFile,
    late: Option<Spool>,
}

/// The order of the files of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    New(usize),
    Late,
    Former(usize),
    Together,
}

/// A stretch of the rows of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    part: usize,
    rows: Range<usize>,
}

/// The rows of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Group {
    stretches: Vec<Stretch>,
}

/// Divides the rows of parts among files.
fn groups(parts: impl Iterator<Item = usize>) -> Vec<Group> {
    let mut groups = vec![Group::default()];
    let mut in_last = 0;
    for (part, rows) in parts.enumerate() {
        let pieces = (rows / ROWS_PER_FILE / 2).max(1);
        for piece in 0..pieces {
            let stretch = rows * piece / pieces..rows * (piece + 1) / pieces;
            if in_last >= ROWS_PER_FILE {
                groups.push(Group::default());
                in_last = 0;
            }
            in_last += stretch.len();
            if let Some(last) = groups.last_mut() {
                last.stretches.push(Stretch { part, rows: stretch });
            }
        }
    }
    groups
}

/// Returns the dates of the rows that came in time: few days in a row that hold most of the rows.
fn in_time(days: &BTreeMap<i32, u64>) -> RangeInclusive<i32> {
    let everything = i32::MIN..=i32::MAX;
    let total: u64 = days.values().sum();
    let counted: Vec<(i32, u64)> = days.iter().map(|(day, rows)| (*day, *rows)).collect();
    let (mut left, mut right, mut held) = (0, counted.len(), total);
    while right - left > 1 {
        let (first, last) = (counted[left], counted[right - 1]);
        let smaller = first.1.min(last.1);
        if (held - smaller) * 100 < total * PERCENT_IN_TIME {
            break;
        }
        held -= smaller;
        if first.1 <= last.1 { left += 1 } else { right -= 1 }
    }
    match counted.get(left..right) {
        Some([(first, _), .., (last, _)]) if last - first < DAYS_OF_A_FILE => *first..=*last,
        Some([(day, _)]) => *day..=*day,
        _ => everything,
    }
}

/// Writes the files of one source.
struct Writer<'a> {
    ctx: &'a Context,
    numbers: &'a Numbers,
    deduped: &'a Deduped,
    borne: &'a [Vec<RowSets>],
    source: &'a Arc<plan::Source>,
    folder: PathBuf,
}

impl<'a> Writer<'a> {
    fn new(
        ctx: &'a Context,
        numbers: &'a Numbers,
        deduped: &'a Deduped,
        borne: &'a [Vec<RowSets>],
    ) -> Self {
        let source = &deduped.cleaned.source;
        let folder = ctx.work.join("clean").join(source.name.as_str());
        Self { ctx, numbers, deduped, borne, source, folder }
    }

    fn tasks(&self) -> Vec<Task<'a>> {
        let rows = self.deduped.cleaned.parts.iter().map(|part| part.rows.rows());
        let new = groups(rows).into_iter().enumerate();
        let new = new.map(|(number, group)| Task::New(number, group));
        let former = FormerFiles::tasks(&self.deduped.former).into_iter().map(Task::Former);
        new.chain(former).collect()
    }

    fn done(&self, task: &Task<'_>) -> Result<Done, Kind> {
        match task {
            Task::New(number, group) => {
                let (file, late) = self.write_group(group, *number)?;
                Ok(Done { place: Place::New(*number), file, late: Some(late) })
            }
            Task::Former(task) => {
                let place = match task {
                    FormerTask::Alone(number, _) => Place::Former(*number),
                    FormerTask::Together(_) => Place::Together,
                };
                let files = FormerFiles { source: self.source, folder: &self.folder };
                Ok(Done { place, file: files.file(task)?, late: None })
            }
        }
    }

    /// Makes the table of the source of its files, and writes the rows that came late.
    fn table(&self, mut done: Vec<Done>) -> Result<CleanTable, Kind> {
        done.sort_by_key(|done| done.place);
        let late: Vec<Spool> = done.iter_mut().filter_map(|done| done.late.take()).collect();
        if let Some(file) = self.write_late(&late)? {
            let place = Place::Late;
            let at = done.partition_point(|done| done.place < place);
            done.insert(at, Done { place, file, late: None });
        }
        let files = done.into_iter().map(|done| done.file);
        let mut files: Vec<CleanFile> = files.filter(|file| file.rows() > 0).collect();
        if files.is_empty() {
            // Readers of the table learn its columns from a file.
            files.push(self.file("empty")?.finish()?);
        }
        Ok(CleanTable { source: Arc::clone(self.source), files })
    }

    /// Writes the rows of a group, and returns those that came late beside the file.
    fn write_group(&self, group: &Group, number: usize) -> Result<(CleanFile, Spool), Kind> {
        let deduped = self.deduped;
        let mut days = BTreeMap::new();
        for stretch in &group.stretches {
            for (day, rows) in &deduped.cleaned.parts[stretch.part].days {
                *days.entry(*day).or_default() += rows;
            }
        }
        let in_time = in_time(&days);
        let mut file = self.file(&format!("part-{number:05}"))?;
        let schema = self.source.stored_schema();
        let late = self.folder.join(format!("late-{number:05}.arrow"));
        let mut late = SpoolWriter::sharing(&late, schema, &self.ctx.spools);
        for Stretch { part, rows } in &group.stretches {
            let survivors = &deduped.survivors[*part];
            let mut first_row = 0;
            for (number, batch) in deduped.cleaned.parts[*part].rows.batches()?.enumerate() {
                let batch = batch?;
                let wanted = within(rows, first_row, batch.num_rows());
                if !wanted.is_empty() {
                    let mask = survivors.slice(first_row + wanted.start, wanted.len());
                    let sets = self.borne.get(*part).map(|batches| &batches[number]);
                    let rows = batch.slice(wanted.start, wanted.len());
                    let rows = Rows { batch: rows, first: wanted.start, sets };
                    let (now, later) = divided(&rows.batch, mask, &in_time);
                    file.write(&self.stamped(&rows, now)?)?;
                    if let Some(later) = later {
                        late.write(self.stamped(&rows, later)?)?;
                    }
                }
                first_row += batch.num_rows();
            }
        }
        Ok((file.finish()?, late.finish()?))
    }

    fn write_late(&self, late: &[Spool]) -> Result<Option<CleanFile>, Kind> {
        if late.iter().all(|spool| spool.rows() == 0) {
            return Ok(None);
        }
        let mut file = self.file("late")?;
        for batch in late.iter().map(Spool::batches) {
            for batch in batch? {
                file.write(&batch?)?;
            }
        }
        file.finish().map(Some)
    }

    /// Makes stored rows of those cleaned ones that are in the mask.
    fn stamped(&self, rows: &Rows<'_>, mask: BooleanBuffer) -> Result<RecordBatch, Kind> {
        let Some(sets) = rows.sets else { return filtered(&rows.batch, mask) };
        let numbers = mask.set_indices().map(|row| rows.first + row);
        let stamps = stamps(self.numbers, sets, numbers)?;
        let mut columns = filtered(&rows.batch, mask)?.columns().to_vec();
        columns.push(stamps);
        Ok(RecordBatch::try_new(self.source.stored_schema(), columns)?)
    }

    fn file(&self, name: &str) -> Result<File, Kind> {
        let path: &Path = &self.folder.join(format!("{name}.parquet"));
        let file =
            ParquetFile::create(path, &self.source.stored_schema(), ParquetOptions::staged())?;
        Ok(File { file, dates: None })
    }
}

/// Some rows of a batch.
struct Rows<'a> {
    batch: RecordBatch,
    /// The place of the first of them in the batch.
    first: usize,
    /// What the rows of the batch bear; none where the source links nothing.
    sets: Option<&'a RowSets>,
}

/// A file that is being written.
struct File {
    file: ParquetFile,
    dates: Option<(i32, i32)>,
}

impl File {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), Kind> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        for day in days(rows).into_iter().flatten().flatten() {
            let (first, last) = self.dates.get_or_insert((day, day));
            (*first, *last) = (day.min(*first), day.max(*last));
        }
        Ok(self.file.write(rows)?)
    }

    fn finish(self) -> Result<CleanFile, Kind> {
        let file: FileSummary = self.file.finish()?;
        let dates = self.dates.and_then(|(first, last)| {
            Some([NaiveDate::from_epoch_days(first)?, NaiveDate::from_epoch_days(last)?])
        });
        Ok(CleanFile::Written { file, dates })
    }
}

fn days(rows: &RecordBatch) -> Option<&arrow::array::Date32Array> {
    rows.column_by_name(added::EVENT_DATE).map(AsArray::as_primitive::<Date32Type>)
}

/// Divides the wanted rows into those that came in time and, where there are any, those that came late.
fn divided(
    rows: &RecordBatch,
    wanted: BooleanBuffer,
    in_time: &RangeInclusive<i32>,
) -> (BooleanBuffer, Option<BooleanBuffer>) {
    let Some(days) = days(rows) else { return (wanted, None) };
    let is_in_time = |row: usize| days.is_null(row) || in_time.contains(&days.value(row));
    let in_time = BooleanBuffer::collect_bool(days.len(), is_in_time);
    let late = &wanted & &!&in_time;
    if late.count_set_bits() == 0 { (wanted, None) } else { (&wanted & &in_time, Some(late)) }
}

fn filtered(rows: &RecordBatch, mask: BooleanBuffer) -> Result<RecordBatch, Kind> {
    if mask.count_set_bits() == rows.num_rows() {
        return Ok(rows.clone());
    }
    Ok(filter_record_batch(rows, &BooleanArray::from(mask))?)
}

/// Returns the part of a range that falls on `rows` rows from `first_row` on, counted from there.
fn within(range: &Range<usize>, first_row: usize, rows: usize) -> Range<usize> {
    let end = range.end.saturating_sub(first_row).min(rows);
    range.start.saturating_sub(first_row).min(end)..end
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Stretch, groups, in_time};

    #[test]
    fn a_few_late_rows_do_not_widen_the_dates_of_a_file() {
        let days = BTreeMap::from([(1, 2), (5, 3), (30, 95), (31, 1)]);
        assert_eq!(in_time(&days), 30..=30);
        let around_midnight = BTreeMap::from([(29, 40), (30, 60)]);
        assert_eq!(in_time(&around_midnight), 29..=30);
    }

    #[test]
    fn rows_of_a_whole_year_have_no_late_ones() {
        let year: BTreeMap<i32, u64> = (0..365).map(|day| (day, 10)).collect();
        assert_eq!(in_time(&year), i32::MIN..=i32::MAX);
        assert_eq!(in_time(&BTreeMap::new()), i32::MIN..=i32::MAX);
    }

    #[test]
    fn small_objects_share_a_file_and_a_large_one_is_divided() {
        let groups = groups([60_000, 60_000, 1_000_000].into_iter());
        let of_parts: Vec<Vec<usize>> = groups
            .iter()
            .map(|group| group.stretches.iter().map(|stretch| stretch.part).collect())
            .collect();
        assert_eq!(of_parts, [vec![0, 1], vec![2], vec![2], vec![2], vec![2], vec![2]]);
        let last = groups.last().unwrap().stretches[0].clone();
        assert_eq!(last, Stretch { part: 2, rows: 800_000..1_000_000 });
    }
}
