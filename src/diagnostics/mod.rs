//! What is wrong with a text an author wrote, and where.
//!
//! A [`Diagnostic`] is data: a stable code, a message, labelled places and a way out. The layers
//! that read texts collect diagnostics, so that all mistakes are reported at once; only `cli`
//! prints them.

mod code;
mod diagnostic;
mod nearest;
mod place;
mod render;

pub(crate) use code::{Code, Severity};
pub(crate) use diagnostic::{Diagnostic, Diagnostics, Label, SourceFile};
pub(crate) use nearest::nearest;
pub(crate) use place::Place;
pub(crate) use render::{Look, render, summary, to_json, to_sarif};
