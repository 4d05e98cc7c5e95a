//! Sorting rows that are sorted by the first of the columns already.
//!
//! Stages number, sum up and share out what belongs to one order or one customer, each in an order of its own but all of
//! them order by order. Where rows come so, only those of one group have to be put in order, a handful at a time; the
//! engine would sort the whole table again, and spill it where it is large.

mod exec;
mod group;
mod rule;

#[cfg(test)]
mod tests;

pub(super) use rule::SortedGroups;
