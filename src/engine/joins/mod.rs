//! Which side of a join is held in memory, and which joins hold neither.
//!
//! `DataFusion` 55 takes a join for as small as the smaller side where it does not know how many different keys there
//! are, so behind a join of orders with their touches it holds the touches in memory. And what it holds cannot spill:
//! where it does not fit, the run ends. Here a join is taken for as large as the larger side, which it is wherever one
//! side's key is unique, and sides that are too large to be held are sorted, which may spill.

mod rule;
mod size;

pub(super) use rule::BoundedJoins;

#[cfg(test)]
mod tests;
