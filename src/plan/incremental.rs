//! Stages that are computed customer by customer.

use std::collections::BTreeMap;

use crate::engine::Separation;

/// How a stage comes apart by customers: proved, not believed.
#[derive(Debug, Clone)]
pub(crate) struct Incremental {
    /// The column that tells customers apart.
    pub(crate) key: &'static str,
    pub(crate) separation: Separation,
    /// How it is told what differs in each table it reads.
    pub(crate) inputs: BTreeMap<String, Reading>,
}

/// How it is told what differs in a table from the night before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Rows of both nights are laid side by side.
    Rows {
        /// Whether they belong to customers; otherwise all customers depend on all of them.
        is_keyed: bool,
        /// The columns that make a difference to the stage; those that only hold the night make none.
        columns: Vec<String>,
    },
    /// By a digest of all that its rows follow from.
    Digest,
}
