//! From a YAML text to a typed value, with every mistake at its place.
//!
//! Guarantee: a value is returned only where nothing is wrong; otherwise all mistakes are reported
//! at once, in the words of a YAML author. Never resolves what a value refers to.

mod node;
mod parse;
mod problem;
mod shape;
mod tree;

pub(crate) use parse::{parse, parse_optional, parse_tree};
pub(crate) use tree::Tree;

#[cfg(test)]
mod tests;
