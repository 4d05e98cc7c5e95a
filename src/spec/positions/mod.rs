//! Where each key and value of a YAML text stands.
//!
//! Guarantee: every position is a byte range on character borders of the text, and a path that does
//! not exist leads to the nearest parent that does. Never says what a value means.

mod map;
mod offsets;
mod reader;

pub(crate) use map::PositionMap;
pub(crate) use offsets::byte_of_character;
pub(crate) use reader::{MAX_BYTES, read};

#[cfg(test)]
mod tests;
