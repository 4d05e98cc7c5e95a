//! Decodes CSV.
//!
//! The dialect is that of the `csv` crate: a quote is doubled inside quotes, quotes inside an unquoted field are
//! text, `\n`, `\r` and `\r\n` end a record outside quotes, and an empty line is no record. What differs is what a
//! mistake costs: a quote that is never closed breaks its line, and decoding goes on with the next. Where an escape is
//! declared, it makes a quote or itself text inside quotes; before anything else it is text. A line that begins with
//! the declared comment is no record. Where blanks part fields, those around a line mean nothing, and a line of nothing
//! else is no record.

use memchr::{memchr, memchr2, memchr3};

use super::layout::{Layout, MAX_COLUMNS, header_names};
use super::raw::Span;
use super::records::Records;
use super::wanted::Wanted;
use super::{Drift, ExtractErrorKind};
use crate::plan;

/// How long a record may be.
pub(crate) const MAX_RECORD: usize = 16 << 20;

/// Decodes the records of one CSV object, block by block.
#[derive(Debug)]
pub(crate) struct CsvDecoder {
    delimiter: plan::Delimiter,
    quote: u8,
    comment: Option<u8>,
    escape: Option<u8>,
    ragged: plan::Ragged,
    wanted: Wanted,
    layout: Option<Layout>,
    /// How the header differs from what is wanted.
    drift: Drift,
    max_record: usize,
    /// In a comment, or behind a record that was too long, whose end has not been seen yet.
    skipping: bool,
}

/// Where a field ends, and what comes after it.
enum FieldEnd {
    Delimiter(usize),
    Record(usize),
    /// The block ends first.
    Missing,
}

/// What was found at the place where a record should be.
enum Found {
    Record {
        fields: usize,
        /// Where the record's text ends, without the line end.
        end: usize,
        next: usize,
    },
    Incomplete,
}

impl CsvDecoder {
    pub(crate) fn new(format: &plan::CsvFormat, wanted: &Wanted) -> Result<Self, ExtractErrorKind> {
        let given = format.header.as_ref();
        let layout = given.map(|names| Layout::new(names, wanted)).transpose()?;
        let vanished = given.map(|names| wanted.missing(names)).transpose()?;
        let vanished = vanished.unwrap_or_default();
        Ok(Self {
            delimiter: format.delimiter,
            quote: format.quote,
            comment: format.comment,
            escape: format.escape,
            ragged: format.ragged,
            wanted: wanted.clone(),
            layout,
            drift: Drift { vanished, ..Drift::default() },
            max_record: MAX_RECORD,
            skipping: false,
        })
    }

    /// Sets another limit.
    pub(crate) fn with_max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Returns how the header differs from what is wanted.
    pub(crate) fn drift(&self) -> Drift {
        self.drift.clone()
    }

    /// Decodes the whole records of `block` and returns how many bytes they take.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        at_end: bool,
        records: &mut Records,
    ) -> Result<usize, ExtractErrorKind> {
        let mut at = 0;
        while !records.is_full() {
            at = self.record_start(block, at);
            if at == block.len() {
                break;
            }
            let next = match &self.layout {
                None => self.header(block, at, at_end)?,
                Some(_) => self.row(block, at, at_end, records),
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(at)
    }

    /// Returns where the next record starts: after line ends, comments and the rest of a record that was too long.
    fn record_start(&mut self, block: &[u8], mut at: usize) -> usize {
        loop {
            if self.skipping {
                let Some(end) = memchr2(b'\n', b'\r', &block[at..]) else {
                    return block.len();
                };
                self.skipping = false;
                at += end;
            }
            let is_nothing = |byte: &&u8| matches!(byte, b'\n' | b'\r') || self.is_blank(**byte);
            at += block[at..].iter().take_while(is_nothing).count();
            match self.comment {
                Some(comment) if block.get(at) == Some(&comment) => self.skipping = true,
                _ => return at,
            }
        }
    }

    fn header(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
    ) -> Result<Option<usize>, ExtractErrorKind> {
        let mut spans = Vec::new();
        let mut unescaped = Vec::new();
        let found = self.record(block, start, at_end, &mut unescaped, |field, span| {
            if field <= MAX_COLUMNS {
                spans.push(span);
            }
        });
        match found {
            Found::Record { end, next, .. } if end - start <= self.max_record => {
                let names = header_names(block, &unescaped, &spans)?;
                self.layout = Some(Layout::new(&names, &self.wanted)?);
                self.drift.vanished = self.wanted.missing(&names)?;
                self.drift.new = names;
                self.drift.new.retain(|name| !self.wanted.fields.contains(name));
                Ok(Some(next))
            }
            Found::Incomplete if !at_end && block.len() - start <= self.max_record => Ok(None),
            Found::Record { .. } | Found::Incomplete => {
                let limit = self.max_record;
                let reason = format!("a quote is never closed, or it is longer than {limit} bytes");
                Err(ExtractErrorKind::BadHeader { reason })
            }
        }
    }

    /// Decodes the record at `start` and returns where the next may start, or nothing when the block ends in its middle.
    fn row(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
        records: &mut Records,
    ) -> Option<usize> {
        let slots: &[Option<usize>] = self.layout.as_ref().map_or(&[], |layout| &layout.slots);
        let place = records.open_row();
        let (spans, unescaped) = (&mut records.spans, &mut records.unescaped);
        let found = self.record(block, start, at_end, unescaped, |field, span| {
            if let Some(Some(slot)) = slots.get(field) {
                spans[place + slot] = span;
            }
        });
        match found {
            Found::Record { end, .. } if end - start > self.max_record => {
                records.spans.truncate(place);
                self.give_up(block, start, at_end, records)
            }
            Found::Record { fields, end, next } if self.fits(fields, slots.len()) => {
                records.close_row(start, end);
                Some(next)
            }
            Found::Record { fields, end, next } => {
                let reason = format!("expected {} fields, found {fields}", slots.len());
                records.break_row(start, &block[start..end], reason);
                Some(next)
            }
            Found::Incomplete => {
                records.spans.truncate(place);
                self.give_up(block, start, at_end, records)
            }
        }
    }

    fn fits(&self, fields: usize, expected: usize) -> bool {
        fields == expected || fields < expected && self.ragged == plan::Ragged::Pad
    }

    /// Breaks a record whose end is not in sight: its first line is lost, the next line starts a record.
    fn give_up(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
        records: &mut Records,
    ) -> Option<usize> {
        let rest = &block[start..];
        let limit = self.max_record;
        let too_long = rest.len() > limit;
        if !too_long && !at_end {
            return None;
        }
        // No byte behind the limit is looked at, so that the outcome does not depend on the size of blocks.
        let head = &rest[..rest.len().min(limit + 1)];
        let (length, reason) = match memchr2(b'\n', b'\r', head) {
            Some(length) if too_long => {
                (length, format!("a quote is not closed within {limit} bytes"))
            }
            None if too_long => {
                self.skipping = true;
                (limit, format!("the record is longer than {limit} bytes"))
            }
            line_end => {
                let reason = "a quote is never closed".to_owned();
                (line_end.unwrap_or(rest.len()), reason)
            }
        };
        records.break_row(start, &rest[..length], reason);
        Some(start + length)
    }

    /// Finds the fields of the record at `start`.
    fn record(
        &self,
        block: &[u8],
        start: usize,
        at_end: bool,
        unescaped: &mut Vec<u8>,
        mut on_field: impl FnMut(usize, Span),
    ) -> Found {
        let mut at = start;
        let mut fields = 0;
        loop {
            let quoted = block.get(at) == Some(&self.quote);
            let (span, end) = if quoted {
                self.quoted(block, at, at_end, unescaped)
            } else {
                self.unquoted(block, at, at_end)
            };
            let record_end = match end {
                FieldEnd::Missing => return Found::Incomplete,
                FieldEnd::Delimiter(end) => {
                    on_field(fields, span);
                    fields += 1;
                    at = end + 1;
                    continue;
                }
                FieldEnd::Record(end) => end,
            };
            on_field(fields, span);
            return Found::Record {
                fields: fields + 1,
                end: record_end,
                next: block.len().min(record_end + 1),
            };
        }
    }

    fn unquoted(&self, block: &[u8], start: usize, at_end: bool) -> (Span, FieldEnd) {
        let rest = &block[start..];
        let length = match self.delimiter {
            plan::Delimiter::Byte(delimiter) => memchr3(delimiter, b'\n', b'\r', rest),
            plan::Delimiter::Blanks => {
                rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            }
        };
        match length {
            Some(length) => {
                let end = start + length;
                (Span::plain(start, end), self.field_end(block, end, at_end))
            }
            None if at_end => (Span::plain(start, block.len()), FieldEnd::Record(block.len())),
            None => (Span::NULL, FieldEnd::Missing),
        }
    }

    fn quote_or_escape(&self, block: &[u8], from: usize) -> Option<usize> {
        let length = match self.escape {
            None => memchr(self.quote, &block[from..]),
            Some(escape) => memchr2(self.quote, escape, &block[from..]),
        };
        Some(from + length?)
    }

    /// Says what the end of a field is; of several blanks, the last one is the delimiter.
    fn field_end(&self, block: &[u8], end: usize, at_end: bool) -> FieldEnd {
        if matches!(block[end], b'\n' | b'\r') {
            return FieldEnd::Record(end);
        }
        let blanks = block[end..].iter().take_while(|byte| self.is_blank(**byte)).count();
        match block.get(end + blanks) {
            _ if blanks == 0 => FieldEnd::Delimiter(end),
            Some(b'\n' | b'\r') => FieldEnd::Record(end + blanks),
            Some(_) => FieldEnd::Delimiter(end + blanks - 1),
            None if at_end => FieldEnd::Record(block.len()),
            None => FieldEnd::Missing,
        }
    }

    /// Says whether a byte is one of the blanks that part fields.
    fn is_blank(&self, byte: u8) -> bool {
        self.delimiter == plan::Delimiter::Blanks && matches!(byte, b' ' | b'\t')
    }

    /// Finds the field whose opening quote is at `start`.
    fn quoted(
        &self,
        block: &[u8],
        start: usize,
        at_end: bool,
        unescaped: &mut Vec<u8>,
    ) -> (Span, FieldEnd) {
        let text_start = start + 1;
        let mark = unescaped.len();
        let mut piece = text_start;
        let mut from = text_start;
        let close = loop {
            let Some(stop) = self.quote_or_escape(block, from) else {
                unescaped.truncate(mark);
                return (Span::NULL, FieldEnd::Missing);
            };
            let (is_quote, next) = (block[stop] == self.quote, block.get(stop + 1));
            let next_is_text =
                next == Some(&self.quote) || !is_quote && next == self.escape.as_ref();
            match (is_quote, next_is_text) {
                (true, false) => break stop,
                (false, false) => from = stop + 1,
                (_, true) => {
                    unescaped.extend_from_slice(&block[piece..stop]);
                    piece = stop + 1;
                    from = stop + 2;
                }
            }
        };
        // A quote at the very end of the block may be the first of two: then nothing is found behind it.
        let (after, end) = self.unquoted(block, close + 1, at_end);
        if matches!(end, FieldEnd::Missing) {
            unescaped.truncate(mark);
            return (Span::NULL, end);
        }
        let tail = after.range();
        if piece == text_start && tail.is_empty() {
            return (Span::plain(text_start, close), end);
        }
        unescaped.extend_from_slice(&block[piece..close]);
        unescaped.extend_from_slice(&block[tail]);
        (Span::unescaped(mark, unescaped.len()), end)
    }
}
