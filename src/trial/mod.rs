//! Runs the tests of stages on the engine that runs the stages.
//!
//! Guarantee: a test passes exactly where the rows its stage makes of what is given are those that
//! are expected. Reads no exports and no warehouse, and leaves nothing behind.

mod diff;
mod run;
mod tables;

pub(crate) use diff::{Difference, Sign};
pub(crate) use run::{Trial, Verdict};
