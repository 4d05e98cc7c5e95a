//! Reads the rows of a sheet of an XLSX workbook.
//!
//! Guarantee: every row of the sheet that holds anything is handed on once, in the order of its number, and what it
//! shows as a value is a text: dates and times in ISO 8601, numbers with the fifteen digits that spreadsheets keep,
//! formulas by the value that was computed last. A cell that holds an error, or a formula that was never computed,
//! says so. The sheet is read as a stream; the texts that cells share are in memory, and so is the archive. A workbook
//! that is longer than its limit once it is decompressed is refused before any part of it is read.
//!
//! It knows nothing of sources, headers or types.

mod cell;
mod error;
#[cfg(test)]
mod tests;
mod workbook;
#[cfg(test)]
pub(crate) mod write;

pub(crate) use cell::Cell;
pub(crate) use error::WorkbookError;
pub(crate) use workbook::{Limits, Row, SheetChoice, read_rows};
