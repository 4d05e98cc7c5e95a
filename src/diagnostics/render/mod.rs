//! Diagnostics as people and machines read them.
//!
//! Guarantee: every diagnostic is shown, in the order of files and places, whatever order it was
//! found in. Never writes anywhere: the texts go to the caller.

mod human;
mod json;
mod order;
mod sarif;

pub(crate) use human::{Look, render};
pub(crate) use json::to_json;
pub(crate) use order::summary;
pub(crate) use sarif::to_sarif;

#[cfg(test)]
mod tests;
