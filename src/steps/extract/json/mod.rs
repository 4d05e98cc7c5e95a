//! Reads one JSON object and notes where the wanted values are.
//!
//! The grammar is that of RFC 8259, with one liberty: control characters may stand in strings as they are. Numbers
//! keep their text. Of a key that stands twice, the last value counts. An object or array where a single value is
//! wanted gives its JSON text. What is not wanted is checked all the same.

mod cursor;
mod fields;
mod walk;

pub(crate) use fields::Fields;
pub(crate) use walk::walk_object;
