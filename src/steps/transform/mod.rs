//! Runs the SQL stages, each after those it reads, and stores every table once.
//!
//! Guarantee: [`Transformed`] holds a finished table for every stage of the plan, in canonical types.
//! Nothing of it is visible outside the run's work folder.

mod advance;
mod apply;
mod error;
mod graph;
mod mart;
mod materialise;
mod preview;
mod repeats;
mod turns;
mod types;

pub(crate) use advance::{Advance, Extent, Former, Why};
pub(crate) use apply::{clean_files, transform};
pub(crate) use error::{TransformError, TransformErrorKind};
pub(crate) use graph::transform_over;
pub(crate) use mart::Failures;
pub(crate) use preview::preview;
pub(crate) use types::{StagedTable, Transformed, Unchanged};
