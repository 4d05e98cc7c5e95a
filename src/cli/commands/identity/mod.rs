//! `martlet identity`: explains who is who, and takes down what people decide about it.
//!
//! Guarantee: tables are only read; a decision is a file of its own and takes effect with the next run. Values that
//! identify a person are masked unless they are asked for.

mod answer;
mod audit;
mod chain;
mod dispatch;
mod registry;
mod show;
mod split;
mod unlink;
mod why;

pub(in crate::cli) use dispatch::identity;
