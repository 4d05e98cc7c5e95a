//! Decoded records: texts that point into the block they were found in.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use memchr::memchr_iter;

/// How much of the raw text of a record is kept with a reject.
const RAW_LIMIT: usize = 64 << 10;

/// The place of a field's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The field is missing or `null`; an empty range that no text has.
    pub(crate) const NULL: Self = Self { start: u32::MAX, end: !Self::UNESCAPED };
    /// Set on the start of what lies in the unescaped text behind the block.
    const UNESCAPED: u32 = 1 << 31;

    /// Points into the block.
    pub(crate) fn plain(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Points into the unescaped text.
    pub(crate) fn unescaped(start: usize, end: usize) -> Self {
        Self { start: start as u32 | Self::UNESCAPED, end: end as u32 }
    }

    pub(crate) fn is_unescaped(self) -> bool {
        self != Self::NULL && self.start & Self::UNESCAPED != 0
    }

    /// Returns the place in the block, or in the unescaped text.
    pub(crate) fn range(self) -> Range<usize> {
        (self.start & !Self::UNESCAPED) as usize..self.end as usize
    }
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRow {
    /// The number of the record in its object, from 1.
    pub(crate) record: u64,
    /// The place of the record in the block; its line in a sheet.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl RawRow {
    /// Makes a row that has no place but its number.
    pub(crate) fn without_place(record: u64) -> Self {
        Self { record, start: 0, end: 0 }
    }

    /// Makes a row of a sheet.
    pub(crate) fn at_line(record: u64, line: u32) -> Self {
        Self { record, start: line, end: line }
    }
}

/// A record that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenRecord {
    /// The number of the record in its object, from 1.
    pub(crate) record: u64,
    /// Where the record begins in the decompressed object; none for what is no text.
    pub(crate) byte: Option<u64>,
    /// The line on which the record begins, where that is known without its place.
    pub(crate) line: Option<u64>,
    pub(crate) reason: String,
    /// The text of the record, with replacement characters for what is no UTF-8.
    pub(crate) raw: String,
}

/// What the records of a batch were found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Text {
        /// Where the block begins in the decompressed object.
        offset: u64,
        /// The number of the line with which the block begins, from 1.
        first_line: u64,
    },
    /// A sheet, whose rows have numbers.
    Sheet,
    /// A table without lines, as in Parquet.
    Table,
}

/// Records as texts, one for each distinct raw field of the source, in the order of the object.
#[derive(Debug)]
pub(crate) struct RawBatch {
    /// The block, then the unescaped texts.
    pub(super) text: String,
    pub(super) block: usize,
    pub(super) origin: Origin,
    pub(super) names: Arc<[String]>,
    /// The fields, row by row.
    pub(super) spans: Vec<Span>,
    pub(super) rows: Vec<RawRow>,
    pub(super) broken: Vec<BrokenRecord>,
}

impl RawBatch {
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the records of the batch that cannot be decoded.
    pub(crate) fn broken(&self) -> &[BrokenRecord] {
        &self.broken
    }

    /// Returns the texts of one field in the order of the rows.
    pub(crate) fn column(&self, field: usize) -> impl Iterator<Item = Option<&str>> {
        let spans = self.spans.iter().skip(field).step_by(self.names.len().max(1));
        spans.map(|span| self.text_at(*span))
    }

    /// Returns how many bytes the texts of one field have together.
    pub(crate) fn column_bytes(&self, field: usize) -> usize {
        let spans = self.spans.iter().skip(field).step_by(self.names.len().max(1));
        spans.map(|span| span.range().len()).sum()
    }

    /// Returns the number of a row's record in its object, from 1.
    pub(crate) fn record(&self, row: usize) -> u64 {
        self.rows[row].record
    }

    /// Returns where a row's record begins in the decompressed object; none for what is no text.
    pub(crate) fn byte(&self, row: usize) -> Option<u64> {
        match self.origin {
            Origin::Text { offset, .. } => Some(offset + u64::from(self.rows[row].start)),
            Origin::Sheet | Origin::Table => None,
        }
    }

    /// Returns the number of a row in its sheet; none for what is no sheet.
    pub(crate) fn line(&self, row: usize) -> Option<u64> {
        (self.origin == Origin::Sheet).then(|| self.rows[row].start.into())
    }

    /// Starts to tell the lines of places in the object.
    pub(crate) fn lines(&self) -> Lines<'_> {
        let block = &self.text.as_bytes()[..self.block];
        let (offset, line) = match self.origin {
            Origin::Text { offset, first_line } => (Some(offset), first_line),
            Origin::Sheet | Origin::Table => (None, 1),
        };
        Lines { block, offset, at: 0, line }
    }

    /// Returns the text of a row's record; that of what is no text is put together from its fields.
    pub(crate) fn raw(&self, row: usize) -> String {
        let RawRow { start, end, .. } = self.rows[row];
        match self.origin {
            Origin::Text { .. } => raw_text(&self.text.as_bytes()[start as usize..end as usize]),
            _ => raw_text(self.as_json(row).to_string().as_bytes()),
        }
    }

    fn as_json(&self, row: usize) -> serde_json::Value {
        let width = self.names.len();
        let spans = &self.spans[row * width..(row + 1) * width];
        let fields = self.names.iter().zip(spans);
        fields
            .map(|(name, span)| (name.clone(), serde_json::Value::from(self.text_at(*span))))
            .collect()
    }

    #[inline]
    fn text_at(&self, span: Span) -> Option<&str> {
        if span == Span::NULL {
            return None;
        }
        let shift = if span.is_unescaped() { self.block } else { 0 };
        let Range { start, end } = span.range();
        // Decoders cut at ASCII characters, so every span lies on character boundaries.
        self.text.get(start + shift..end + shift)
    }
}

/// Tells the lines of places in a block; counts no byte twice while the places ascend.
pub(crate) struct Lines<'a> {
    block: &'a [u8],
    offset: Option<u64>,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// Returns the line, from 1, of a place in the decompressed object that is not before the last one asked for;
    /// none for what is no text.
    pub(crate) fn at(&mut self, byte: u64) -> Option<u64> {
        let place = (byte.checked_sub(self.offset?)? as usize).min(self.block.len());
        let passed = self.block.get(self.at..place)?;
        self.line += line_ends(passed, self.block.get(place).copied());
        self.at = place;
        Some(self.line)
    }
}

/// Counts the line ends in `text`: `\n`, `\r\n` and `\r`. `next` is the byte behind it.
pub(super) fn line_ends(text: &[u8], next: Option<u8>) -> u64 {
    let feeds = memchr_iter(b'\n', text).count();
    let is_alone = |at: &usize| text.get(at + 1).copied().or(next) != Some(b'\n');
    (feeds + memchr_iter(b'\r', text).filter(is_alone).count()) as u64
}

/// Returns bytes of a record as a text for people.
pub(super) fn raw_text(bytes: &[u8]) -> String {
    match bytes.get(..RAW_LIMIT) {
        None => String::from_utf8_lossy(bytes).into_owned(),
        Some(head) => {
            let head: Cow<'_, str> = String::from_utf8_lossy(head);
            format!("{head}… ({} bytes)", bytes.len())
        }
    }
}
