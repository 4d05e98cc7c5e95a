//! Gathers what a decoder finds in one block.

use std::sync::Arc;

use super::raw::{BrokenRecord, Origin, RawBatch, RawRow, Span, line_ends, raw_text};
use crate::plan;

/// The records found in the present block.
#[derive(Debug)]
pub(crate) struct Records {
    names: Arc<[String]>,
    next_record: u64,
    next_line: u64,
    /// The block before ended in a `\r`, which a `\n` at the front of the next makes one line end with it.
    after_return: bool,
    offset: u64,
    pub(crate) spans: Vec<Span>,
    rows: Vec<RawRow>,
    /// Texts with their escapes resolved.
    pub(crate) unescaped: Vec<u8>,
    broken: Vec<BrokenRecord>,
    /// The charset in which the object is written.
    charset: &'static str,
    /// How many rows a batch has at most.
    max_rows: usize,
}

impl Records {
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        Self {
            names,
            next_record: 1,
            next_line: 1,
            after_return: false,
            offset: 0,
            spans: Vec::new(),
            rows: Vec::new(),
            unescaped: Vec::new(),
            broken: Vec::new(),
            charset: encoding_rs::UTF_8.name(),
            max_rows: plan::Limits::default().batch_rows,
        }
    }

    /// Sets how many rows a batch has at most.
    pub(crate) fn limit_rows(&mut self, rows: usize) {
        self.max_rows = rows;
    }

    /// Says in which charset the object is written.
    pub(crate) fn name_charset(&mut self, encoding: &'static encoding_rs::Encoding) {
        self.charset = encoding.name();
    }

    /// Starts a block that lies at `offset` in the decompressed object.
    pub(crate) fn begin(&mut self, offset: u64) {
        self.offset = offset;
        self.spans.clear();
        self.rows.clear();
        self.unescaped.clear();
        self.broken.clear();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= self.max_rows
    }

    /// Opens a row with all fields NULL and returns the place of its first span.
    pub(crate) fn open_row(&mut self) -> usize {
        let place = self.spans.len();
        self.spans.resize(place + self.names.len(), Span::NULL);
        place
    }

    /// Closes the open row: the record lies at `start..end` of the block.
    pub(crate) fn close_row(&mut self, start: usize, end: usize) {
        self.rows.push(RawRow { record: self.next_record, start: start as u32, end: end as u32 });
        self.next_record += 1;
    }

    /// Gives the open row up: the record at `start` of the block with the text `raw` is broken.
    pub(crate) fn break_row(&mut self, start: usize, raw: &[u8], reason: String) {
        self.spans.truncate(self.rows.len() * self.names.len());
        self.broken.push(BrokenRecord {
            record: self.next_record,
            byte: Some(self.offset + start as u64),
            line: None,
            reason,
            raw: raw_text(raw),
        });
        self.next_record += 1;
    }

    /// Makes a batch of the records found in `block`; those that are no UTF-8 become broken ones.
    pub(crate) fn finish(&mut self, mut block: Vec<u8>) -> RawBatch {
        let length = block.len();
        let first_line = self.pass_lines(&block);
        block.extend_from_slice(&self.unescaped);
        let text = match String::from_utf8(block) {
            Ok(text) => text,
            Err(error) => self.mend(error.into_bytes(), length),
        };
        RawBatch {
            text,
            block: length,
            origin: Origin::Text { offset: self.offset, first_line },
            names: Arc::clone(&self.names),
            spans: std::mem::take(&mut self.spans),
            rows: std::mem::take(&mut self.rows),
            broken: std::mem::take(&mut self.broken),
        }
    }

    /// Counts the lines of a block and returns the number of that with which it begins.
    fn pass_lines(&mut self, block: &[u8]) -> u64 {
        if self.after_return && block.first() == Some(&b'\n') {
            self.next_line -= 1;
        }
        let first = self.next_line;
        self.next_line += line_ends(block, None);
        self.after_return = block.last() == Some(&b'\r');
        first
    }

    /// Sets aside the rows that are no UTF-8, then blanks out what is none.
    fn mend(&mut self, mut bytes: Vec<u8>, block: usize) -> String {
        let width = self.names.len();
        let rows = std::mem::take(&mut self.rows);
        let spans = std::mem::take(&mut self.spans);
        for (row, spans) in rows.iter().zip(spans.chunks_exact(width.max(1))) {
            let raw = &bytes[row.start as usize..row.end as usize];
            match std::str::from_utf8(raw) {
                Ok(_) => {
                    self.rows.push(*row);
                    self.spans.extend_from_slice(spans);
                }
                Err(error) => self.broken.push(BrokenRecord {
                    record: row.record,
                    byte: Some(self.offset + u64::from(row.start)),
                    line: None,
                    reason: format!(
                        "no {} at byte {} of the record",
                        self.charset,
                        error.valid_up_to() + 1
                    ),
                    raw: raw_text(raw),
                }),
            }
        }
        self.broken.sort_by_key(|broken| broken.record);
        blank_invalid(&mut bytes[..block]);
        blank_invalid(&mut bytes[block..]);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Replaces every byte that is not part of a character, so that all places stay where they are.
fn blank_invalid(mut bytes: &mut [u8]) {
    while let Err(error) = std::str::from_utf8(bytes) {
        let start = error.valid_up_to();
        let end = error.error_len().map_or(bytes.len(), |length| start + length);
        bytes[start..end].fill(b'?');
        bytes = &mut bytes[end..];
    }
}
