//! Decodes a sheet of an XLSX workbook.
//!
//! The first row that holds anything, or the one that is declared, names the columns; cells without a name above them
//! are not read. A row with nothing in named columns is no record. A wanted cell that holds an error, or a formula
//! that was never computed, breaks its record. The workbook is read by a thread of its own, a few batches ahead.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::runtime::Handle;

use super::layout::Layout;
use super::raw::{BrokenRecord, Origin, RawRow, Span, raw_text};
use super::wanted::Wanted;
use super::{Drift, ExtractErrorKind, RawBatch};
use crate::plan;
use crate::spreadsheet::{Cell, Limits, Row, WorkbookError, read_rows};

const BATCH_BYTES: usize = 4 << 20;
/// How many batches are ready while one is consumed.
const AHEAD: usize = 2;
/// How long a workbook may be once it is decompressed, where its source does not say.
const WORKBOOK: u64 = 512 << 20;

/// Yields the records of one workbook.
pub(super) struct XlsxReader {
    messages: Receiver<Message>,
    drift: Drift,
    ended: bool,
}

enum Message {
    Header(Drift),
    Batch(RawBatch),
    End(Result<(), ExtractErrorKind>),
}

impl XlsxReader {
    /// Starts to read a workbook; what is wrong with it shows when batches are asked for.
    pub(super) fn start(
        runtime: &Handle,
        bytes: Vec<u8>,
        format: &plan::XlsxFormat,
        limits: plan::Limits,
        wanted: Wanted,
    ) -> Self {
        let (sender, messages) = sync_channel(AHEAD);
        let format = format.clone();
        runtime.spawn_blocking(move || {
            let end = Sheet::new(&format, limits, wanted, &sender).read(&bytes);
            // Where nobody listens any more, nobody misses the end.
            let _ = sender.send(Message::End(end));
        });
        Self { messages, drift: Drift::default(), ended: false }
    }

    /// Returns how the columns of the sheet differ from what is wanted.
    pub(super) fn drift(&self) -> Drift {
        self.drift.clone()
    }

    /// Returns the next records, or nothing at the end of the sheet.
    pub(super) fn next_batch(&mut self) -> Result<Option<RawBatch>, ExtractErrorKind> {
        while !self.ended {
            match self.messages.recv() {
                Ok(Message::Header(drift)) => self.drift = drift,
                Ok(Message::Batch(batch)) => return Ok(Some(batch)),
                Ok(Message::End(end)) => {
                    self.ended = true;
                    end?;
                }
                Err(_) => {
                    let reason = "it makes the library that reads it fail".to_owned();
                    return Err(ExtractErrorKind::Workbook(WorkbookError::Damaged { reason }));
                }
            }
        }
        Ok(None)
    }
}

/// A sheet that is being read.
struct Sheet<'a> {
    format: &'a plan::XlsxFormat,
    limits: plan::Limits,
    wanted: Wanted,
    layout: Option<Layout>,
    names: Vec<String>,
    batch: Gathered,
    next_record: u64,
    sender: &'a SyncSender<Message>,
}

impl<'a> Sheet<'a> {
    fn new(
        format: &'a plan::XlsxFormat,
        limits: plan::Limits,
        wanted: Wanted,
        sender: &'a SyncSender<Message>,
    ) -> Self {
        let batch = Gathered { names: wanted.fields.clone().into(), ..Gathered::default() };
        let (layout, names) = (None, Vec::new());
        Self { format, limits, wanted, layout, names, batch, next_record: 1, sender }
    }

    fn read(mut self, bytes: &[u8]) -> Result<(), ExtractErrorKind> {
        let limits =
            Limits { workbook: self.limits.object.unwrap_or(WORKBOOK), row: self.limits.record };
        let mut failed = None;
        let sheet = &self.format.sheet;
        let read = read_rows(bytes, sheet, limits, |row| match self.take_in(&row) {
            Ok(flow) => flow,
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.map_err(ExtractErrorKind::Workbook)?;
        let _ = self.hand_on();
        Ok(())
    }

    fn take_in(&mut self, row: &Row) -> Result<ControlFlow<()>, ExtractErrorKind> {
        let Some(layout) = &self.layout else {
            if row.number < self.format.header_row.unwrap_or(row.number) {
                return Ok(ControlFlow::Continue(()));
            }
            return self.header(row);
        };
        let is_named =
            |column: &u32| self.names.get(*column as usize).is_some_and(|n| !n.is_empty());
        if !row.is_too_long && !row.cells.iter().any(|(column, _)| is_named(column)) {
            return Ok(ControlFlow::Continue(()));
        }
        let record = self.next_record;
        self.next_record += 1;
        match reason_to_break(row, layout, self.limits.record) {
            None => self.batch.add(record, row, layout),
            Some(reason) => self.batch.broken.push(BrokenRecord {
                record,
                byte: None,
                line: Some(row.number.into()),
                reason,
                raw: raw_text(as_json(row, &self.names).as_bytes()),
            }),
        }
        let is_full = self.batch.rows.len() >= self.limits.batch_rows
            || self.batch.broken.len() >= self.limits.batch_rows
            || self.batch.text.len() >= BATCH_BYTES;
        Ok(if is_full { self.hand_on() } else { ControlFlow::Continue(()) })
    }

    fn header(&mut self, row: &Row) -> Result<ControlFlow<()>, ExtractErrorKind> {
        for (column, cell) in &row.cells {
            let Cell::Text(text) = cell else {
                let reason = reason_of(cell, *column, row.number);
                return Err(ExtractErrorKind::BadHeader { reason });
            };
            let width = self.names.len().max(*column as usize + 1);
            self.names.resize(width, String::new());
            text.trim().clone_into(&mut self.names[*column as usize]);
        }
        self.layout = Some(Layout::new(&self.names, &self.wanted)?);
        let is_undeclared = |name: &&String| !name.is_empty() && !self.wanted.fields.contains(name);
        let drift = Drift {
            new: self.names.iter().filter(is_undeclared).cloned().collect(),
            vanished: self.wanted.missing(&self.names)?,
            ..Drift::default()
        };
        Ok(flow(self.sender.send(Message::Header(drift)).is_ok()))
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        let names = Arc::clone(&self.batch.names);
        let batch = std::mem::replace(&mut self.batch, Gathered { names, ..Gathered::default() });
        if batch.rows.is_empty() && batch.broken.is_empty() {
            return ControlFlow::Continue(());
        }
        flow(self.sender.send(Message::Batch(batch.finish())).is_ok())
    }
}

fn flow(goes_on: bool) -> ControlFlow<()> {
    if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Says why a row cannot be decoded, if it cannot.
fn reason_to_break(row: &Row, layout: &Layout, limit: usize) -> Option<String> {
    if row.is_too_long {
        return Some(format!("the record is longer than {limit} bytes"));
    }
    let is_wanted = |column: u32| matches!(layout.slots.get(column as usize), Some(Some(_)));
    let mut bad = row.cells.iter().filter(|(_, cell)| !matches!(cell, Cell::Text(_)));
    let (column, cell) = bad.find(|(column, _)| is_wanted(*column))?;
    Some(reason_of(cell, *column, row.number))
}

fn reason_of(cell: &Cell, column: u32, row: u32) -> String {
    let place = format!("{}{row}", letters(column));
    match cell {
        Cell::Error(error) => format!("the cell `{place}` holds the error `{error}`"),
        _ => format!("the cell `{place}` holds a formula that was never computed"),
    }
}

/// Returns the letters of a column: `A` for 0, `AA` for 26.
fn letters(column: u32) -> String {
    let letter = char::from(b'A' + (column % 26) as u8);
    match column / 26 {
        0 => letter.to_string(),
        rest => letters(rest - 1) + &letter.to_string(),
    }
}

fn as_json(row: &Row, names: &[String]) -> String {
    let fields = row.cells.iter().filter_map(|(column, cell)| {
        let name = names.get(*column as usize)?;
        let text = match cell {
            Cell::Text(text) | Cell::Error(text) => serde_json::Value::from(text.as_str()),
            Cell::NotComputed => serde_json::Value::Null,
        };
        Some((name.clone(), text))
    });
    serde_json::Value::Object(fields.collect()).to_string()
}

/// Records on their way into a batch.
#[derive(Default)]
struct Gathered {
    names: Arc<[String]>,
    text: String,
    spans: Vec<Span>,
    rows: Vec<RawRow>,
    broken: Vec<BrokenRecord>,
}

impl Gathered {
    fn add(&mut self, record: u64, row: &Row, layout: &Layout) {
        let place = self.spans.len();
        self.spans.resize(place + self.names.len(), Span::NULL);
        for (column, cell) in &row.cells {
            if let (Some(Some(slot)), Cell::Text(text)) = (layout.slots.get(*column as usize), cell)
            {
                let start = self.text.len();
                self.text.push_str(text);
                self.spans[place + slot] = Span::plain(start, self.text.len());
            }
        }
        self.rows.push(RawRow::at_line(record, row.number));
    }

    fn finish(self) -> RawBatch {
        RawBatch {
            block: self.text.len(),
            text: self.text,
            origin: Origin::Sheet,
            names: self.names,
            spans: self.spans,
            rows: self.rows,
            broken: self.broken,
        }
    }
}
