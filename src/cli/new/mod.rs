//! Drafts of files that an author goes on with: they pass `martlet check` as they are.
//!
//! Guarantee: a draft is checked before anything is written, no file is overwritten, and what is added to a pipeline
//! leaves every line of it as it was.

mod draft;
mod pipeline;
mod source;
mod stage;

pub(super) use draft::{Draft, NoDraft};
pub(super) use pipeline::pipeline;
pub(super) use source::source;
pub(super) use stage::stage;
