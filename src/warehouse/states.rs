//! What the tables of a generation followed from, so that a later night can tell which would be the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// By stage, what its rows followed from and what its checks found.
pub(crate) type StageStates = BTreeMap<String, StageState>;

/// What the rows of a stage followed from, and what its checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageState {
    /// A digest of all that its rows follow from: its rules, its parameters and the rows of the tables it reads.
    pub(crate) rows: String,
    /// A digest of all that the outcome of its checks follows from beside its own rows.
    pub(crate) checks: String,
    /// By check that failed without blocking, how many rows broke its rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failures: BTreeMap<String, u64>,
}

impl StageState {
    /// Says whether the stage would yield the same rows, and its checks find the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.rows == other.rows && self.checks == other.checks
    }
}
