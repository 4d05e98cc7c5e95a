//! What becomes of a mart's rows of earlier nights.

use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of a mart's rows of earlier nights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum History {
    /// The mart holds the rows of the last run alone.
    #[default]
    Replace,
    /// The mart holds the rows of every `as_of`, told apart by its column `as_of`; a run replaces those of its own.
    Snapshot,
}
