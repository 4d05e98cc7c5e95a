//! Proves that the rows of one customer follow from the rows of that customer alone.
//!
//! Guarantee: where [`separable`] tells how a query comes apart, its rows of any customers are those it yields over tables
//! that hold the rows of these customers and nobody else's, beside tables that have no customers, which are read whole.
//! What it cannot follow it refuses, however true it may be.

mod expressions;
mod facts;
mod join;
mod prove;
mod stamps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::Span;

pub(crate) use prove::separable;
pub(crate) use stamps::stamps;

/// What is known of the tables a query may read, and of the night.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// The column that tells customers apart, in every table that has it.
    pub(crate) key: String,
    pub(crate) inputs: BTreeMap<String, Input>,
    /// The parameters that are the night.
    pub(crate) nights: BTreeMap<String, Night>,
}

/// What is known of a table that is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    /// Whether its rows belong to customers.
    pub(crate) is_keyed: bool,
    /// The columns that hold the night it was computed for, and nothing else.
    pub(crate) stamps: Stamps,
}

/// By column that holds the night and nothing else, in which form.
pub(crate) type Stamps = BTreeMap<String, Night>;

/// A form in which a query asks for the night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Night {
    /// Its midnight.
    Instant,
    /// The local date of that midnight.
    Date,
}

/// How a query comes apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Separation {
    /// The columns whose comparison with the night decides about rows.
    pub(crate) compared: BTreeSet<Compared>,
    /// The names of all columns the query mentions: those of a table that are not among them make no difference.
    pub(crate) mentioned: BTreeSet<String>,
    /// The columns that it fills with the night.
    pub(crate) stamps: Stamps,
}

/// A column of a table with customers that is compared with the night.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Compared {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) night: Night,
}

/// Says what a query does with rows of several customers at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inseparable {
    pub(crate) reason: String,
    /// The way out.
    pub(crate) help: &'static str,
    /// Where it does so, if that is known.
    pub(crate) place: Option<Span>,
}
