//! Cuts a stream into blocks that end where a record ends.

use std::io::{self, Read};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Holds a window of the decompressed object: what is taken from its front leaves the rest for the next block.
pub(crate) struct Blocks {
    stream: Box<dyn Read + Send>,
    size: usize,
    window: Vec<u8>,
    /// Where the window begins in the decompressed object.
    offset: u64,
    at_end: bool,
}

impl Blocks {
    pub(crate) fn new(stream: Box<dyn Read + Send>, size: usize) -> Self {
        Self { stream, size, window: Vec::new(), offset: 0, at_end: false }
    }

    /// Fills the window to the size of a block.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        if self.offset == 0 && self.window.is_empty() {
            self.skip_byte_order_mark()?;
        }
        self.read_to(self.size)
    }

    /// Doubles the window, for a record that is longer than a block.
    pub(crate) fn grow(&mut self) -> io::Result<()> {
        self.read_to(self.window.len() * 2)
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        self.read_to(self.size.max(BYTE_ORDER_MARK.len()))?;
        if self.window.starts_with(BYTE_ORDER_MARK) {
            self.take(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    pub(crate) fn window(&self) -> &[u8] {
        &self.window
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Says whether the window reaches to the end of the object.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Takes the first `length` bytes of the window.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.size.max(self.window.len() - length));
        rest.extend_from_slice(&self.window[length..]);
        let mut block = std::mem::replace(&mut self.window, rest);
        block.truncate(length);
        self.offset += length as u64;
        block
    }

    fn read_to(&mut self, length: usize) -> io::Result<()> {
        let mut filled = self.window.len();
        self.window.resize(length.max(filled), 0);
        while filled < self.window.len() && !self.at_end {
            match self.stream.read(&mut self.window[filled..]) {
                Ok(0) => self.at_end = true,
                Ok(amount) => filled += amount,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.window.truncate(filled);
        Ok(())
    }
}
