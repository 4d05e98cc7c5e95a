//! What a stage need not compute anew every night.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the table of a stage is taken over from one night to the next.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incremental {
    /// What tells apart the rows that are computed anew: all rows of a customer whose rows may differ are, those of
    /// others are taken over. `check` proves that the rows of a customer follow from the rows of that customer alone.
    pub(crate) by: Key,
}

/// A column that tells apart rows that have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    /// The customer.
    CustomerId,
}

impl Key {
    /// Returns the name of the column.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::CustomerId => "customer_id",
        }
    }
}
