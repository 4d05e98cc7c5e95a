//! Cleans one batch of raw records.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};

use super::column::clean_column;
use super::faults::{Fault, Faults, rule, without_value};
use super::fits::Fits;
use super::rules::{Parsers, Rules};
use super::zone::Zone;
use super::{CleanErrorKind, Reject};
use crate::steps::extract::{BrokenRecord, RawBatch, SourceObject};

/// A batch of raw records, and what its rows have to know of their object.
pub(super) struct RawPiece {
    pub(super) raw: RawBatch,
    pub(super) object: Arc<SourceObject>,
    /// The object's path, at least as often as there are records; batches share it.
    pub(super) paths: StringArray,
}

/// What a batch of raw records has become.
pub(super) struct CleanPiece {
    /// How many records there were, decodable or not.
    pub(super) read: u64,
    /// The rows that keep all rules.
    pub(super) rows: RecordBatch,
    /// In the order of their records.
    pub(super) rejects: Vec<Reject>,
    pub(super) fits: Fits,
}

/// Cleans batches, one after the other.
pub(super) struct Cleaner<'a> {
    rules: &'a Rules,
    parsers: Parsers,
}

impl<'a> Cleaner<'a> {
    pub(super) fn new(rules: &'a Rules) -> Result<Self, CleanErrorKind> {
        Ok(Self { rules, parsers: Parsers::new(&rules.source)? })
    }

    pub(super) fn clean(&mut self, piece: &RawPiece) -> Result<CleanPiece, CleanErrorKind> {
        let raw = &piece.raw;
        let mut faults = Faults::new(raw.rows());
        let (columns, fits) = self.columns(raw, &mut faults);
        let event_dates = Arc::clone(&columns[columns.len() - 2]);
        let columns = without_faulty(columns, &faults, 0..raw.rows())?;
        let places: Vec<usize> = sound(&faults, raw.rows()).collect();
        let batch = self.batch(piece, columns, places.len())?;
        let rows = self.check(piece, batch, &places, &mut faults)?;
        let rejects = self.rejects(piece, faults, &event_dates);
        let read = (raw.rows() + raw.broken().len()) as u64;
        Ok(CleanPiece { read, rows, rejects, fits })
    }

    /// Returns the typed columns, the event date and the record number of every row; the path comes later.
    fn columns(&mut self, raw: &RawBatch, faults: &mut Faults) -> (Vec<ArrayRef>, Fits) {
        let Parsers { columns: parsers, scratch, .. } = &mut self.parsers;
        let parsers = self.rules.columns.iter().zip(parsers);
        let mut columns: Vec<ArrayRef> = parsers
            .map(|(rules, parser)| clean_column(rules, parser, scratch, raw, faults))
            .collect();
        let fits = Fits::of(&columns, faults);
        let business_zone = &mut self.parsers.business_zone;
        for exchange in &self.rules.exchanges {
            let days = event_dates(Some(&columns[exchange.date()]), raw.rows(), business_zone);
            exchange.apply(&mut columns, &days, faults);
        }
        let event_time = self.rules.source.event_time.map(|index| &columns[index]);
        columns.push(event_dates(event_time, raw.rows(), business_zone));
        let records = (0..raw.rows()).map(|row| raw.record(row) as i64);
        columns.push(Arc::new(Int64Array::from_iter_values(records)));
        (columns, fits)
    }

    /// Puts the path in its place and makes a batch.
    fn batch(
        &self,
        piece: &RawPiece,
        mut columns: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, CleanErrorKind> {
        let place = columns.len() - 1;
        columns.insert(place, Arc::new(piece.paths.slice(0, rows)));
        Ok(RecordBatch::try_new(Arc::clone(&self.rules.schema), columns)?)
    }

    /// Takes out the rows that do not fulfil the conditions. `places` gives the place of each row in the raw batch.
    fn check(
        &self,
        piece: &RawPiece,
        batch: RecordBatch,
        places: &[usize],
        faults: &mut Faults,
    ) -> Result<RecordBatch, CleanErrorKind> {
        if batch.num_rows() == 0 {
            return Ok(batch);
        }
        let before = faults.len();
        for check in &self.rules.checks {
            check.judge(&batch, places, faults)?;
        }
        if faults.len() == before {
            return Ok(batch);
        }
        let mut columns = batch.columns().to_vec();
        columns.remove(columns.len() - 2);
        let kept = places.len() - (faults.len() - before);
        let columns = without_faulty(columns, faults, places.iter().copied())?;
        self.batch(piece, columns, kept)
    }

    fn rejects(&self, piece: &RawPiece, faults: Faults, event_dates: &ArrayRef) -> Vec<Reject> {
        let RawPiece { raw, object, .. } = piece;
        let undecoded = raw.broken().iter().map(|broken| undecoded(object, broken));
        let faults = faults.into_found().into_iter();
        let refused = faults.map(|fault| self.refused(piece, fault, event_dates));
        let mut rejects: Vec<Reject> = undecoded.chain(refused).collect();
        rejects.sort_by_key(|reject| reject.record);
        let mut lines = raw.lines();
        for reject in &mut rejects {
            reject.line = reject.line.or_else(|| lines.at(reject.byte?));
        }
        rejects
    }

    fn refused(&self, piece: &RawPiece, fault: Fault, event_dates: &ArrayRef) -> Reject {
        let RawPiece { raw, object, .. } = piece;
        let columns = &self.rules.source.columns;
        let is_personal = fault.column.is_some_and(|index| columns[index].pii);
        Reject {
            object: Arc::clone(object),
            record: raw.record(fault.row),
            byte: raw.byte(fault.row),
            line: raw.line(fault.row),
            event_date: day(event_dates, fault.row),
            column: fault.column.map(|index| columns[index].name.clone()),
            rule: fault.rule,
            reason: if is_personal { without_value(&fault.reason) } else { fault.reason },
            raw: raw.raw(fault.row),
        }
    }
}

fn undecoded(object: &Arc<SourceObject>, broken: &BrokenRecord) -> Reject {
    Reject {
        object: Arc::clone(object),
        record: broken.record,
        byte: broken.byte,
        line: broken.line,
        event_date: None,
        column: None,
        rule: rule::DECODE,
        reason: broken.reason.clone(),
        raw: broken.raw.clone(),
    }
}

fn day(dates: &ArrayRef, row: usize) -> Option<i32> {
    let dates = dates.as_primitive_opt::<Date32Type>()?;
    dates.is_valid(row).then(|| dates.value(row))
}

fn sound(faults: &Faults, rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).filter(|row| !faults.is_faulty(*row))
}

/// Removes the faulty rows; `places` gives the place of each row in the raw batch.
fn without_faulty(
    columns: Vec<ArrayRef>,
    faults: &Faults,
    places: impl Iterator<Item = usize>,
) -> Result<Vec<ArrayRef>, CleanErrorKind> {
    if faults.is_empty() {
        return Ok(columns);
    }
    let sound: Vec<bool> = places.map(|row| !faults.is_faulty(row)).collect();
    let sound = BooleanArray::from(sound);
    let filtered = columns.iter().map(|column| filter(column, &sound));
    Ok(filtered.collect::<Result<_, _>>()?)
}

/// Returns the local dates of event times; NULL where there is none.
fn event_dates(event_time: Option<&ArrayRef>, rows: usize, zone: &mut Zone) -> ArrayRef {
    match event_time {
        Some(dates) if *dates.data_type() == DataType::Date32 => Arc::clone(dates),
        Some(moments) => match moments.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(moments) => {
                let days = moments.iter().map(|micros| zone.local_day(micros?));
                Arc::new(days.collect::<Date32Array>())
            }
            None => Arc::new(Date32Array::new_null(rows)),
        },
        None => Arc::new(Date32Array::new_null(rows)),
    }
}
