//! Guesses a source's definition from values that were seen.
//!
//! Guarantee: what is printed parses as a source and names only fields that were seen. It is a first draft for an
//! author to judge: never used by a run, and never a promise about values that were not seen.
//!
//! ```text
//! ts = `1767312000000`, `1767312060000`   ─►   ts: { type: timestamp, formats: ["unix_ms"], required: true }
//! ```

mod definition;
mod guess;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use definition::{Draft, definition};
pub(crate) use guess::Field;
pub(crate) use read::{InferError, read};
