//! The tables of a generation as Delta tables.
//!
//! Guarantee: every version of a Delta table holds exactly the files one generation names for it, and a later
//! generation is never followed by an earlier one. Nothing but the log is written: the files are in place already,
//! and are the same ones the generation names.

mod commit;
mod footer;
mod schema;
mod statistics;

pub(super) use commit::{Target, commit};
