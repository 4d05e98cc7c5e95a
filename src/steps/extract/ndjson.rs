//! Decodes NDJSON: one object a line. A blank line is no record.

use memchr::memchr;

use super::Drift;
use super::csv::MAX_RECORD;
use super::json::{Fields, walk_object};
use super::records::Records;

/// Decodes the records of one NDJSON object, block by block.
#[derive(Debug)]
pub(crate) struct NdjsonDecoder {
    fields: Fields,
    max_record: usize,
    /// The record before was too long, and its end has not been seen yet.
    skipping: bool,
}

impl NdjsonDecoder {
    pub(crate) fn new(wanted: &[String]) -> Self {
        Self { fields: Fields::new(wanted), max_record: MAX_RECORD, skipping: false }
    }

    /// Sets another limit.
    pub(crate) fn with_max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Returns how the keys of the records so far differ from what is wanted.
    pub(crate) fn drift(&self, wanted: &[String]) -> Drift {
        self.fields.drift(wanted)
    }

    /// Decodes the whole lines of `block` and returns how many bytes they take.
    pub(crate) fn decode(&mut self, block: &[u8], at_end: bool, records: &mut Records) -> usize {
        let mut at = 0;
        while at < block.len() && !records.is_full() {
            let end = match memchr(b'\n', &block[at..]) {
                Some(length) => at + length,
                None if at_end => block.len(),
                None => return self.incomplete(block, at, records),
            };
            if self.skipping {
                self.skipping = false;
            } else {
                self.line(block, at, end, records);
            }
            at = block.len().min(end + 1);
        }
        at
    }

    fn line(&mut self, block: &[u8], start: usize, end: usize, records: &mut Records) {
        let line = &block[..end];
        if line[start..].iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if end - start > self.max_record {
            return self.too_long(&line[start..], start, records);
        }
        let place = records.open_row();
        let row = &mut records.spans[place..];
        match walk_object(line, start, &mut self.fields, row, &mut records.unescaped) {
            Ok(()) => records.close_row(start, end),
            Err(fault) => {
                let raw = &line[start..];
                records.break_row(start, raw, fault.reason(raw, start, "line"));
            }
        }
    }

    /// Leaves the line at `at` for the next block, unless it is too long for any.
    fn incomplete(&mut self, block: &[u8], at: usize, records: &mut Records) -> usize {
        if self.skipping {
            return block.len();
        }
        if block.len() - at <= self.max_record {
            return at;
        }
        self.too_long(&block[at..], at, records);
        self.skipping = true;
        block.len()
    }

    fn too_long(&self, raw: &[u8], start: usize, records: &mut Records) {
        let reason = format!("the record is longer than {} bytes", self.max_record);
        records.break_row(start, &raw[..self.max_record], reason);
    }
}
