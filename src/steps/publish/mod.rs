//! Puts the audited tables in place and moves one pointer.
//!
//! Guarantee: readers that go by `CURRENT` see all tables of a night or none. Nothing that is visible is
//! ever changed in place but `CURRENT` and the files under `latest/`, each replaced in one go.

mod apply;
mod error;
mod marts;
mod rejects;

pub(crate) use apply::{LEDGER, Night, Publication, publish};
pub(crate) use error::PublishError;
pub(crate) use marts::publish_marts;
pub(crate) use rejects::keep_rejects;
