//! The grammar of JSON.

use memchr::memchr2;

use crate::steps::extract::raw::Span;

/// How deep objects and arrays may be nested.
pub(super) const MAX_DEPTH: usize = 64;

/// Says what is wrong with a record: what should stand at a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

impl Fault {
    /// Says what is wrong with the record `raw` that begins at `start`; `unit` is what a record is in its object.
    pub(crate) fn reason(self, raw: &[u8], start: usize, unit: &str) -> String {
        let Self { at, expected } = self;
        let column = at - start + 1;
        match raw.get(at - start..).map(String::from_utf8_lossy) {
            Some(rest) if !rest.trim_end().is_empty() => {
                let found: String = rest.chars().take(1).collect();
                format!("expected {expected} at byte {column}, found `{found}`")
            }
            _ => format!("expected {expected} at byte {column}, found the end of the {unit}"),
        }
    }
}

/// A place in a record.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                Err(self.fault("no more than 64 levels of nesting"))
            }
            Some(b'{') => self.skip_object(depth + 1),
            Some(b'[') => self.skip_array(depth + 1),
            _ => Err(self.fault("a value")),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fault("a key in quotes"));
            }
            self.skip_string()?;
            self.skip_blanks();
            self.expect(b':', "`:`")?;
            self.skip_blanks();
            self.skip_value(depth)?;
            if self.closes(b'}', "`,` or `}`")? {
                return Ok(());
            }
        }
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_value(depth)?;
            if self.closes(b']', "`,` or `]`")? {
                return Ok(());
            }
        }
    }

    /// Reads what follows a member: a comma, or the bracket that closes.
    #[inline]
    pub(super) fn closes(&mut self, bracket: u8, expected: &'static str) -> Result<bool, Fault> {
        self.skip_blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_blanks();
                Ok(false)
            }
            Some(byte) if byte == bracket => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.fault(expected)),
        }
    }

    pub(super) fn literal(&mut self, literal: &'static [u8]) -> Result<(), Fault> {
        if self.bytes[self.at..].starts_with(literal) {
            self.at += literal.len();
            return Ok(());
        }
        Err(self.fault("a value"))
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.fault("a digit"));
        }
        Ok(())
    }

    /// Reads the string whose quote is at the present byte and returns the place of its text.
    #[inline]
    pub(super) fn string(&mut self, unescaped: &mut Vec<u8>) -> Result<Span, Fault> {
        let start = self.at + 1;
        let stop = self.string_stop(start)?;
        if self.bytes[stop] == b'"' {
            self.at = stop + 1;
            return Ok(Span::plain(start, stop));
        }
        self.string_with_escapes(start, stop, unescaped)
    }

    fn string_with_escapes(
        &mut self,
        start: usize,
        stop: usize,
        unescaped: &mut Vec<u8>,
    ) -> Result<Span, Fault> {
        let mark = unescaped.len();
        let (mut piece, mut stop) = (start, stop);
        while self.bytes[stop] == b'\\' {
            unescaped.extend_from_slice(&self.bytes[piece..stop]);
            self.at = stop + 1;
            let character = self.escape()?;
            let mut encoded = [0; 4];
            let encoded = character.encode_utf8(&mut encoded);
            unescaped.extend_from_slice(encoded.as_bytes());
            piece = self.at;
            stop = self.string_stop(piece)?;
        }
        unescaped.extend_from_slice(&self.bytes[piece..stop]);
        self.at = stop + 1;
        Ok(Span::unescaped(mark, unescaped.len()))
    }

    fn skip_string(&mut self) -> Result<(), Fault> {
        let mut stop = self.string_stop(self.at + 1)?;
        while self.bytes[stop] == b'\\' {
            self.at = stop + 1;
            self.escape()?;
            stop = self.string_stop(self.at)?;
        }
        self.at = stop + 1;
        Ok(())
    }

    /// Returns where the next quote or backslash is.
    #[inline]
    fn string_stop(&mut self, from: usize) -> Result<usize, Fault> {
        if let Some(length) = memchr2(b'"', b'\\', &self.bytes[from..]) {
            return Ok(from + length);
        }
        self.at = self.bytes.len();
        Err(self.fault("`\"`"))
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, Fault> {
        let character = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.fault("an escape")),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let alone = Fault { at: self.at, expected: "a pair of surrogates" };
        let first = self.code_unit()?;
        if !(0xD800..=0xDBFF).contains(&first) {
            return char::from_u32(first).ok_or(alone);
        }
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(alone);
        }
        self.at += 1;
        let second = self.code_unit()?;
        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400);
        let code = low.map(|low| 0x1_0000 + ((first - 0xD800) << 10) + low);
        code.and_then(char::from_u32).ok_or(alone)
    }

    /// Reads `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
        let digit = |code: Option<u32>, byte: &u8| {
            let value = char::from(*byte).to_digit(16)?;
            Some(code? << 4 | value)
        };
        match digits.iter().fold(Some(0), digit) {
            Some(code) if digits.len() == 4 => {
                self.at += 5;
                Ok(code)
            }
            _ => Err(self.fault("four hexadecimal digits")),
        }
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn fault(&self, expected: &'static str) -> Fault {
        Fault { at: self.at, expected }
    }
}
