//! Decodes one JSON array of objects, element by element.
//!
//! An element ends where a comma or the closing bracket stands outside its brackets and strings; one that is no sound
//! object is a broken record, and its neighbours are not. Where the ends of elements cannot be told any more, or
//! something stands behind the array, the rest of the object is one broken record.

use memchr::memchr2;

use super::csv::MAX_RECORD;
use super::json::{Fields, walk_object};
use super::records::Records;
use super::{Drift, ExtractErrorKind};

/// Decodes the elements of one JSON array, block by block.
#[derive(Debug)]
pub(crate) struct JsonArrayDecoder {
    fields: Fields,
    max_record: usize,
    state: State,
    element: Element,
}

/// What stands at the present byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Array,
    /// The first element, or the end of an array without elements.
    First,
    Element,
    /// The middle of an element that is too long; it is broken already.
    Skipped,
    /// What is behind the array.
    Behind,
    /// What is part of a broken record already.
    Lost,
}

/// How far the search for the end of the present element has come.
#[derive(Debug, Default)]
struct Element {
    /// How many bytes of the element have been looked at.
    seen: usize,
    depth: usize,
    in_string: bool,
}

impl JsonArrayDecoder {
    pub(crate) fn new(wanted: &[String]) -> Self {
        Self {
            fields: Fields::new(wanted),
            max_record: MAX_RECORD,
            state: State::Array,
            element: Element::default(),
        }
    }

    /// Returns how the keys of the elements so far differ from those that are wanted.
    pub(crate) fn drift(&self, wanted: &[String]) -> Drift {
        self.fields.drift(wanted)
    }

    /// Sets another limit.
    pub(crate) fn with_max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Decodes the whole elements of `block` and returns how many bytes they take.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        at_end: bool,
        records: &mut Records,
    ) -> Result<usize, ExtractErrorKind> {
        let mut at = 0;
        while !records.is_full() {
            if !matches!(self.state, State::Skipped | State::Lost) {
                let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
                at += block[at..].iter().take_while(blank).count();
            }
            if at == block.len() {
                self.end(at, at_end, records);
                break;
            }
            match self.step(block, at, at_end, records)? {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(at)
    }

    /// Breaks one more record where the object ends before its array does.
    fn end(&mut self, at: usize, at_end: bool, records: &mut Records) {
        if at_end && matches!(self.state, State::First | State::Element) {
            records.break_row(at, b"", "the array is never closed".to_owned());
            self.state = State::Lost;
        }
    }

    /// Decodes what is at `at` and returns where the next part begins, or nothing when the block ends too early.
    fn step(
        &mut self,
        block: &[u8],
        at: usize,
        at_end: bool,
        records: &mut Records,
    ) -> Result<Option<usize>, ExtractErrorKind> {
        Ok(match self.state {
            State::Array => {
                if block[at] != b'[' {
                    let found = String::from_utf8_lossy(&block[at..block.len().min(at + 4)]);
                    let found = found.chars().take(1).collect();
                    return Err(ExtractErrorKind::NoArray { found });
                }
                self.state = State::First;
                Some(at + 1)
            }
            State::First | State::Element => self.element(block, at, at_end, records),
            State::Skipped => self.skipped(block, at, at_end),
            State::Behind => {
                let reason = "expected nothing more behind the array";
                self.rest_is_lost(block, at, at_end, reason, records)
            }
            State::Lost => Some(block.len()),
        })
    }

    fn element(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
        records: &mut Records,
    ) -> Option<usize> {
        let Some(length) = self.element.end(&block[start..]) else {
            return self.without_end(block, start, at_end, records);
        };
        let end = start + length;
        let raw = block[start..end].trim_ascii_end();
        let closes = block[end] == b']';
        if length > self.max_record {
            self.too_long(&block[start..], start, records);
        } else if !(raw.is_empty() && closes && self.state == State::First) {
            self.object(block, start, start + raw.len(), records);
        }
        self.ended(closes);
        Some(end + 1)
    }

    fn object(&mut self, block: &[u8], start: usize, end: usize, records: &mut Records) {
        let place = records.open_row();
        let row = &mut records.spans[place..];
        match walk_object(&block[..end], start, &mut self.fields, row, &mut records.unescaped) {
            Ok(()) => records.close_row(start, end),
            Err(fault) => {
                let raw = &block[start..end];
                records.break_row(start, raw, fault.reason(raw, start, "element"));
            }
        }
    }

    /// Leaves the element at `start` for the next block, unless there is none or it is too long for any.
    fn without_end(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
        records: &mut Records,
    ) -> Option<usize> {
        if block.len() - start > self.max_record {
            self.too_long(&block[start..], start, records);
            self.state = State::Skipped;
            return Some(start + std::mem::take(&mut self.element.seen));
        }
        self.rest_is_lost(block, start, at_end, "the element is never closed", records)
    }

    fn too_long(&self, raw: &[u8], start: usize, records: &mut Records) {
        let reason = format!("the record is longer than {} bytes", self.max_record);
        records.break_row(start, &raw[..self.max_record], reason);
    }

    /// Goes to the end of an element that is too long, or as far as its end can be looked for.
    fn skipped(&mut self, block: &[u8], at: usize, at_end: bool) -> Option<usize> {
        match self.element.end(&block[at..]) {
            Some(length) => {
                self.ended(block[at + length] == b']');
                Some(at + length + 1)
            }
            None if at_end => Some(block.len()),
            None => {
                let seen = std::mem::take(&mut self.element.seen);
                (seen > 0).then_some(at + seen)
            }
        }
    }

    fn ended(&mut self, closes: bool) {
        self.element = Element::default();
        self.state = if closes { State::Behind } else { State::Element };
    }

    /// Breaks one record that takes all the rest; waits for as much of its text as a record may have.
    fn rest_is_lost(
        &mut self,
        block: &[u8],
        start: usize,
        at_end: bool,
        reason: &str,
        records: &mut Records,
    ) -> Option<usize> {
        let rest = &block[start..];
        if !at_end && rest.len() <= self.max_record {
            return None;
        }
        let raw = rest[..rest.len().min(self.max_record)].trim_ascii_end();
        records.break_row(start, raw, reason.to_owned());
        self.state = State::Lost;
        Some(block.len())
    }
}

impl Element {
    /// Returns where the comma or bracket behind the element stands; goes on where it stopped when there is more text.
    fn end(&mut self, text: &[u8]) -> Option<usize> {
        while let Some(&byte) = text.get(self.seen) {
            if self.in_string {
                self.string(text)?;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return Some(self.seen),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.seen += 1;
        }
        None
    }

    /// Goes to the end of the string, or to the last place from which to go on.
    fn string(&mut self, text: &[u8]) -> Option<()> {
        let Some(length) = memchr2(b'"', b'\\', &text[self.seen..]) else {
            self.seen = text.len();
            return None;
        };
        self.seen += length;
        if text[self.seen] == b'"' {
            self.in_string = false;
            self.seen += 1;
        } else if self.seen + 1 < text.len() {
            self.seen += 2;
        } else {
            return None;
        }
        Some(())
    }
}
