//! Stages that go on from their table of the night before: customers whose rows may differ are computed, the rows of all
//! others are taken over.
//!
//! Guarantee: the rows are those that computing the whole stage would yield. Where that cannot be told, the whole stage is
//! computed.

mod affected;
mod apply;
mod types;

pub(super) use apply::{Over, query};
pub(crate) use types::{Advance, Advanced, Extent, Former, Why};
pub(super) use types::{Extents, Night};
