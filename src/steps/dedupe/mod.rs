//! Keeps one row per key.
//!
//! Guarantee: [`Deduped`] marks exactly one row of every key as surviving, chosen by a total order that
//! does not depend on file order, batch size or number of threads, nor on the nights in which the rows
//! came: new rows compete with those of earlier nights. Only files of the table that may hold copies are
//! read, and of these only what the contest needs.
//!
//! The order: the `order_by` columns, NULL lowest; then the path of the object; then the number of the
//! record. `keep: last` keeps the greatest row of a key, `keep: first` the least.
//!
//! A row whose key has a NULL part survives: NULL is no value that two rows could share. Only a key of
//! all columns (`exact_rows`) compares whole rows, and takes NULL as equal to NULL.
//!
//! With a `window`, rows of a key are copies of each other only where their local event dates lie no
//! further apart; rows in a chain of such dates are all copies. The distance to a row of an earlier night
//! is measured to the copy that was kept.
//!
//! | in | out |
//! | --- | --- |
//! | `e1` at 10:00, `e1` at 10:05, `e2` at 10:01 | `e1` at 10:05, `e2` at 10:01 |
//!
//! It never moves, changes or guesses: a source without a dedupe rule keeps every row, equal or not.

mod apply;
mod bucket;
mod contest;
mod error;
mod former;
mod key;
mod marks;
mod objects;
mod order;
mod spill;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use apply::dedupe;
pub(crate) use error::{DedupeError, DedupeErrorKind};
pub(crate) use former::Former;
pub(crate) use types::{Deduped, FormerFile, ObjectPath};
