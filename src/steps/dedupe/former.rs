//! The table as earlier nights left it, and what a night takes from it.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Date32Type, Int64Type, SchemaRef};

use super::bucket::{Buckets, Contestant, Origin};
use super::key::{KeyFilter, KeyReader};
use super::objects::Objects;
use super::order::OrderReader;
use super::{DedupeErrorKind, ObjectPath};
use crate::names::RunId;
use crate::plan::{self, added};
use crate::warehouse::{StoredFile, TableFile};

/// The clean table of a source as earlier nights left it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Former {
    pub(crate) files: Vec<StoredFile>,
    /// The objects its rows came from, and those that lost all their rows.
    pub(crate) objects: BTreeSet<ObjectPath>,
    /// Objects whose rows leave the table.
    pub(crate) forgotten: BTreeSet<ObjectPath>,
}

/// What the new rows ask of the table.
pub(super) struct Wanted {
    /// The keys of the new rows, and perhaps some more.
    pub(super) keys: KeyFilter,
    /// Where the rule has a window: the event dates of the new rows and the width of the window.
    pub(super) dates: Option<(BTreeSet<i32>, u32)>,
}

impl Wanted {
    /// Says whether a file may hold copies of new rows.
    fn may_be_in(&self, file: &TableFile) -> bool {
        let Some((dates, days)) = &self.dates else {
            return !self.keys.is_empty();
        };
        let Some([first, last]) = file.dates.map(|dates| dates.map(|date| date.to_epoch_days()))
        else {
            return !dates.is_empty();
        };
        let days = days.cast_signed();
        let (first, last) = (first.saturating_sub(days), last.saturating_add(days));
        dates.range(first..=last).next().is_some()
    }
}

/// Reads files of the table.
pub(super) struct Scan<'a> {
    objects: &'a Objects,
    forgotten: BTreeSet<u32>,
    /// None where the source has no dedupe rule.
    rivals: Option<(Rivals, &'a Wanted)>,
    object_column: usize,
}

/// Reads what the rows of a file compete with.
struct Rivals {
    /// The columns that are read, in the order of the file.
    columns: Vec<usize>,
    keys: KeyReader,
    orders: OrderReader,
    object: usize,
    record: usize,
    day: Option<usize>,
}

/// What a file of the table holds.
pub(super) struct Scanned {
    /// How many rows were read.
    pub(super) rows: usize,
    /// The rows whose objects are not forgotten; none where that is all.
    pub(super) remembered: Option<BooleanBuffer>,
}

impl Scanned {
    fn untouched() -> Self {
        Self { rows: 0, remembered: None }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        source: &plan::Source,
        former: &Former,
        objects: &'a Objects,
        wanted: Option<&'a Wanted>,
        run_id: &RunId,
    ) -> Result<Self, DedupeErrorKind> {
        let rivals = source.dedupe.as_ref().zip(wanted).map(|(rule, wanted)| {
            let rivals = Rivals::new(source, rule, run_id)?;
            Ok::<_, DedupeErrorKind>((rivals, wanted))
        });
        Ok(Self {
            forgotten: former.forgotten.iter().filter_map(|path| objects.number(path)).collect(),
            objects,
            rivals: rivals.transpose()?,
            object_column: source.cleaned_schema().index_of(added::OBJECT)?,
        })
    }

    /// Enters those rows of a file that may be copies of new ones, and notes those that are to be forgotten.
    pub(super) fn read(
        &self,
        stored: &StoredFile,
        part: u32,
        buckets: &mut Buckets,
    ) -> Result<Scanned, DedupeErrorKind> {
        let rivals = self.rivals.as_ref();
        match rivals.filter(|(_, wanted)| wanted.may_be_in(&stored.file)) {
            Some((rivals, wanted)) => self.contested(stored, part, rivals, wanted, buckets),
            None if self.forgotten.is_empty() => Ok(Scanned::untouched()),
            None => self.searched(stored),
        }
    }

    /// Reads the objects of a file only.
    fn searched(&self, stored: &StoredFile) -> Result<Scanned, DedupeErrorKind> {
        let mut remembered = BooleanBufferBuilder::new(0);
        for batch in stored.rows(&[self.object_column])? {
            for object in self.numbers(&batch?, 0)? {
                remembered.append(!self.forgotten.contains(&object));
            }
        }
        let mut scanned = Scanned::untouched();
        scanned.rows = remembered.len();
        scanned.remembered = Some(remembered.finish());
        Ok(scanned)
    }

    fn contested(
        &self,
        stored: &StoredFile,
        part: u32,
        rivals: &Rivals,
        wanted: &Wanted,
        buckets: &mut Buckets,
    ) -> Result<Scanned, DedupeErrorKind> {
        let mut rows = 0;
        let mut remembered = BooleanBufferBuilder::new(0);
        for batch in stored.rows(&rivals.columns)? {
            let batch = batch?;
            let objects = self.numbers(&batch, rivals.object)?;
            let stays: Vec<bool> =
                objects.iter().map(|object| !self.forgotten.contains(object)).collect();
            remembered.append_slice(&stays);
            let records = batch.column(rivals.record).as_primitive::<Int64Type>();
            // Copies of new rows are few, so where a row comes from is remembered of them alone.
            let origin = |row: usize| {
                stays[row].then(|| Origin { object: objects[row], record: records.value(row) })
            };
            rivals.enter(&batch, wanted, origin, buckets, (part, rows))?;
            buckets.settle()?;
            rows += batch.num_rows();
        }
        let remembered = (!self.forgotten.is_empty()).then(|| remembered.finish());
        Ok(Scanned { rows, remembered })
    }

    /// Returns the object of each row of a batch.
    fn numbers(&self, batch: &RecordBatch, column: usize) -> Result<Vec<u32>, DedupeErrorKind> {
        let paths = batch.column(column).as_string::<i32>();
        let mut numbers = Vec::with_capacity(paths.len());
        let mut last: Option<(&str, u32)> = None;
        for row in 0..paths.len() {
            let path = paths.value(row);
            let number = match last {
                Some((same, number)) if same == path => number,
                _ => self.objects.number(path).ok_or(DedupeErrorKind::UnknownObject)?,
            };
            last = Some((path, number));
            numbers.push(number);
        }
        Ok(numbers)
    }
}

impl Rivals {
    fn new(
        source: &plan::Source,
        rule: &plan::Dedupe,
        run_id: &RunId,
    ) -> Result<Self, DedupeErrorKind> {
        let whole = source.cleaned_schema();
        let place = |name: &str| whole.index_of(name);
        let (object, record) = (place(added::OBJECT)?, place(added::RECORD)?);
        let day = rule.window_days.map(|_| place(added::EVENT_DATE)).transpose()?;
        let columns: BTreeSet<usize> = rule
            .key
            .iter()
            .chain(&rule.order_by)
            .copied()
            .chain([object, record])
            .chain(day)
            .collect();
        let columns: Vec<usize> = columns.into_iter().collect();
        // A projected batch has the columns in the order of the file, at other places.
        let moved = |column: &usize| columns.binary_search(column).unwrap_or_default();
        let schema = SchemaRef::new(whole.project(&columns)?);
        let projected = plan::Dedupe {
            key: rule.key.iter().map(moved).collect(),
            order_by: rule.order_by.iter().map(moved).collect(),
            ..rule.clone()
        };
        Ok(Self {
            keys: KeyReader::new(source, &projected, &schema, run_id)?,
            orders: OrderReader::new(&projected, &schema)?,
            object: moved(&object),
            record: moved(&record),
            day: day.as_ref().map(moved),
            columns,
        })
    }

    fn enter(
        &self,
        batch: &RecordBatch,
        wanted: &Wanted,
        origin: impl Fn(usize) -> Option<Origin>,
        buckets: &mut Buckets,
        (part, first_row): (u32, usize),
    ) -> Result<(), DedupeErrorKind> {
        let orders = self.orders.read(batch)?;
        let days = self.day.map(|column| batch.column(column).as_primitive::<Date32Type>());
        self.keys.read(batch, |row, key| {
            if wanted.keys.may_hold(key)
                && let Some(origin) = origin(row)
            {
                buckets.enter(&Contestant {
                    key,
                    order: orders.of(row),
                    day: days.map(|days| days.value(row)),
                    part,
                    row: (first_row + row) as u32,
                    origin: Some(origin),
                });
            }
        })?;
        Ok(())
    }
}
