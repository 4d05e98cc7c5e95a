//! Finds the objects of a source and opens them.
//!
//! Guarantee: [`Extracted`] lists every object that belongs to the night, each once, in the order of their paths;
//! a [`RawReader`] yields every record of an object exactly once, decoded or as a [`BrokenRecord`], in order, in
//! memory that does not grow with the object. It never judges a value and never repairs a record.
//!
//! An object that ends in the middle of its compression, or has anything but compressed data behind it, is an error
//! of the object: what is missing cannot be counted.
//!
//! ```text
//! {"id": 7, "name": "Ann"}   ─►   record 1 at byte 0: id = `7`, name = `Ann`
//! {"id": 8, "na              ─►   broken record 2 at byte 25: expected `"` at character 13, found the end of the line
//! ```

mod ahead;
mod block;
mod csv;
mod decompress;
mod error;
mod json;
mod json_array;
mod layout;
mod list;
mod ndjson;
mod news;
mod open;
mod parquet;
mod parquet_bytes;
mod ranges;
mod raw;
mod records;
#[cfg(test)]
mod tests;
mod transcode;
mod types;
mod wanted;
mod xlsx;

pub(crate) use error::{ExtractError, ExtractErrorKind};
pub(crate) use list::extract;
pub(crate) use news::{Again, News, is_same, news};
pub(crate) use raw::{BrokenRecord, RawBatch};
pub(crate) use types::{Drift, Extracted, SourceObject};
