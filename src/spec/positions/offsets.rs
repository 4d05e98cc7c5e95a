//! From the characters a YAML parser counts to the bytes a label needs.

/// Turns a count of characters into an offset in bytes.
pub(super) struct Offsets {
    /// Where each character begins; empty for ASCII, where the two counts agree.
    starts: Vec<usize>,
    length: usize,
}

impl Offsets {
    pub(super) fn new(text: &str) -> Self {
        let starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(start, _)| start).collect()
        };
        Self { starts, length: text.len() }
    }

    /// Returns the byte at which the character begins; beyond the last one, the end of the text.
    pub(super) fn byte(&self, character: usize) -> usize {
        if self.starts.is_empty() {
            character.min(self.length)
        } else {
            self.starts.get(character).copied().unwrap_or(self.length)
        }
    }
}

/// Returns the byte at which the character begins; beyond the last one, the end of the text.
pub(crate) fn byte_of_character(text: &str, character: usize) -> usize {
    Offsets::new(text).byte(character)
}
