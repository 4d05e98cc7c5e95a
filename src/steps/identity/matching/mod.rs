//! Finds records that are of one person though they share no identifier.
//!
//! Guarantee: a match is as probable as the source's threshold asks; within a source the matches of a group of
//! records form a tree, between two sources every record has one match at most. What is found is a function of
//! the records and the rules, and depends neither on the order of rows nor on the number of threads; it does depend
//! on all records of the source, because how telling an agreement is is estimated from them.
//!
//! Records that share a block or are neighbours are compared field by field. How often each level of agreement
//! occurs among pairs of strangers is counted (the share that agrees exactly) or sampled (the other levels); how
//! often it occurs among matches is estimated by expectation and maximisation, without labels. The weight of a
//! pair is the sum over its fields of the logarithm to base 2 of the ratio of the two (Fellegi and Sunter 1969); a
//! rare value weighs more than a common one, a missing value nothing. Different persons who are alike for a reason,
//! such as those of one household, are told apart where they are many; what they have in common then weighs less.
//!
//! It never compares all records with all, never leaves out pairs of a big block without counting them, and never
//! joins anything: its matches are the last and weakest links that identity takes.

mod apply;
mod blocking;
mod chance;
mod compare;
mod em;
mod gather;
mod keys;
mod model;
mod model_tables;
mod pattern;
mod records;
mod score;
mod select;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use apply::MatchCounts;
pub(super) use apply::{Match, Matches, matches};
