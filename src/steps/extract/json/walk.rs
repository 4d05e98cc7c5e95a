//! Walks a record and picks the wanted values.

use super::cursor::{Cursor, Fault, MAX_DEPTH};
use super::fields::{Child, Fields};
use crate::steps::extract::raw::Span;

/// Walks the record at `start..line.len()` of `line`; writes the places of the wanted values to `row`.
pub(crate) fn walk_object(
    line: &[u8],
    start: usize,
    fields: &mut Fields,
    row: &mut [Span],
    unescaped: &mut Vec<u8>,
) -> Result<(), Fault> {
    let cursor = Cursor { bytes: line, at: start };
    let mut walk = Walk { cursor, fields, row, unescaped };
    let walked = walk.record();
    fields.end_record(walked.is_ok());
    walked
}

struct Walk<'a> {
    cursor: Cursor<'a>,
    fields: &'a mut Fields,
    row: &'a mut [Span],
    unescaped: &'a mut Vec<u8>,
}

impl Walk<'_> {
    /// Walks the whole line.
    fn record(&mut self) -> Result<(), Fault> {
        self.cursor.skip_blanks();
        if self.cursor.peek() != Some(b'{') {
            return Err(self.cursor.fault("an object"));
        }
        self.object(0, 1)?;
        self.cursor.skip_blanks();
        match self.cursor.peek() {
            None => Ok(()),
            Some(_) => Err(self.cursor.fault("nothing more")),
        }
    }

    /// Walks the object whose brace is at the present byte.
    fn object(&mut self, node: usize, depth: usize) -> Result<(), Fault> {
        self.cursor.at += 1;
        self.cursor.skip_blanks();
        if self.cursor.peek() == Some(b'}') {
            self.cursor.at += 1;
            return Ok(());
        }
        for place in 0.. {
            let child = self.key(node, place)?;
            self.cursor.skip_blanks();
            self.cursor.expect(b':', "`:`")?;
            self.cursor.skip_blanks();
            self.wanted_value(child, depth)?;
            if self.cursor.closes(b'}', "`,` or `}`")? {
                break;
            }
        }
        Ok(())
    }

    /// Reads a key and says what is wanted of its value; recognises the key of the record before at a glance.
    #[inline]
    fn key(&mut self, node: usize, place: usize) -> Result<Child, Fault> {
        if let Some((quoted, child)) = self.fields.nodes[node].remembered.get(place)
            && self.cursor.bytes[self.cursor.at..].starts_with(quoted)
        {
            self.cursor.at += quoted.len();
            return Ok(*child);
        }
        self.unfamiliar_key(node, place)
    }

    fn unfamiliar_key(&mut self, node: usize, place: usize) -> Result<Child, Fault> {
        let start = self.cursor.at;
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.fault("a key in quotes"));
        }
        let mark = self.unescaped.len();
        let span = self.cursor.string(self.unescaped)?;
        let key = if span.is_unescaped() {
            &self.unescaped[span.range()]
        } else {
            &self.cursor.bytes[span.range()]
        };
        let child = self.fields.look_up(node, key);
        if !span.is_unescaped() {
            self.fields.nodes[node].remember(
                place,
                &self.cursor.bytes[start..self.cursor.at],
                child,
            );
        }
        self.unescaped.truncate(mark);
        Ok(child)
    }

    #[inline]
    fn wanted_value(&mut self, child: Child, depth: usize) -> Result<(), Fault> {
        let start = self.cursor.at;
        if let Some(node) = child.node {
            self.fields.clear(node, self.row);
            if self.cursor.peek() == Some(b'{') {
                self.nested(node, depth)?;
                if let Some(slot) = child.slot {
                    self.row[slot] = Span::plain(start, self.cursor.at);
                }
                return Ok(());
            }
        }
        match child.slot {
            Some(slot) => self.row[slot] = self.value(depth)?,
            None => self.cursor.skip_value(depth)?,
        }
        Ok(())
    }

    fn nested(&mut self, node: usize, depth: usize) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(self.cursor.fault("no more than 64 levels of nesting"));
        }
        self.object(node, depth + 1)
    }

    /// Reads a value and returns the place of its text.
    #[inline]
    fn value(&mut self, depth: usize) -> Result<Span, Fault> {
        let start = self.cursor.at;
        match self.cursor.peek() {
            Some(b'"') => self.cursor.string(self.unescaped),
            Some(b'n') => self.cursor.literal(b"null").map(|()| Span::NULL),
            _ => {
                self.cursor.skip_value(depth)?;
                Ok(Span::plain(start, self.cursor.at))
            }
        }
    }
}
