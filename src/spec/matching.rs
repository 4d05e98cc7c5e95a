//! The wire types of fuzzy matching.

use schemars::JsonSchema;
use serde::Deserialize;

use super::ordered::Ordered;

/// How the records of a source are compared with each other or with those of other sources.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matching {
    /// The type of identifier that names a record.
    pub(crate) record: String,
    /// Lists of keys, such as `prefix(surname, 3)`; records that agree in all keys of a list are compared.
    #[serde(default)]
    pub(crate) blocks: Vec<Vec<String>>,
    /// Orders of the records; each is compared with some that follow it.
    #[serde(default)]
    pub(crate) neighbours: Vec<Neighbours>,
    /// How each column is compared.
    pub(crate) compare: Ordered<Comparison>,
    /// The compared columns that persons of one household have in common, such as surname, street and phone.
    #[serde(default)]
    pub(crate) household: Vec<String>,
    /// How probable a match must be, at least 0.5 and below 1; 0.9 where it is left out.
    #[serde(default)]
    pub(crate) threshold: Option<f64>,
    /// How many records a block may hold before it is cut; 500 where it is left out.
    #[serde(default)]
    pub(crate) max_block: Option<u64>,
    /// Whether records of this source are compared with each other.
    #[serde(default)]
    pub(crate) within: Option<bool>,
    /// Other sources whose records are compared with those of this one.
    #[serde(default)]
    pub(crate) with: Ordered<OtherSource>,
}

/// An order in which records that stand near each other are compared.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbours {
    /// The columns the records are ordered by.
    pub(crate) by: Vec<String>,
    /// With how many that follow each record is compared.
    #[serde(default)]
    pub(crate) window: Option<u64>,
}

/// How a column of two records is compared.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comparison {
    /// How two values are compared.
    #[serde(rename = "as")]
    pub(crate) kind: ComparisonKind,
    /// What is told apart between equal and different: similarities, edits or relative differences.
    #[serde(default)]
    pub(crate) levels: Option<Vec<f64>>,
    /// A column whose values may have been taken for those of this one.
    #[serde(default)]
    pub(crate) swaps_with: Option<String>,
    /// Whether agreement in a rare value counts for more than in a common one; true where it is left out.
    #[serde(default)]
    pub(crate) frequencies: Option<bool>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComparisonKind {
    Exact,
    JaroWinkler,
    Levenshtein,
    Date,
    Phone,
    Numeric,
}

/// Another source with whose records those of a source are compared.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherSource {
    /// The type of identifier that names a record there.
    pub(crate) record: String,
    /// The columns that have another name there.
    #[serde(default)]
    pub(crate) columns: Ordered<String>,
}
