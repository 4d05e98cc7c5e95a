//! The wire types of the file beside a stage.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Scalar;
use super::history::History;
use super::incremental::Incremental;
use super::ordered::Ordered;
use super::schema;
use super::schema::AnyScalar;
use super::unit_test::UnitTest;
use super::variable::VariableDefault;

/// The file beside a stage: contract, checks and tests.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sidecar {
    /// What the table holds, and what one row of it stands for.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What becomes of the rows of earlier nights, where the stage is a mart.
    #[serde(default)]
    pub(crate) history: History,
    /// Which rows are computed anew on a night that builds on another one; all of them, where this is not given.
    #[serde(default)]
    pub(crate) incremental: Option<Incremental>,
    /// Variables the stage uses, each with the value it has where a pipeline gives none.
    #[serde(default)]
    pub(crate) variables: Ordered<VariableDefault>,
    /// The contract: the columns the SQL yields, in their order.
    #[serde(default)]
    pub(crate) columns: Ordered<StageColumn>,
    /// What must hold for the table.
    #[serde(default)]
    pub(crate) checks: Vec<Check>,
    /// What the stage makes of a few rows.
    #[serde(default)]
    pub(crate) tests: Vec<UnitTest>,
}

/// One column of a stage's contract.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageColumn {
    /// The type of the column as it is published.
    #[serde(rename = "type")]
    #[schemars(schema_with = "schema::stage_type")]
    pub(crate) data_type: String,
    /// What the column means, for whoever reads the table.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Whether it holds personal data. A mart shows such data only where this says `true`; `false` says that what
    /// was made of them points at nobody any more.
    #[serde(default)]
    pub(crate) pii: Option<bool>,
    /// Whether its values may be added up over rows: an average, a threshold or a value that is repeated may not, and
    /// nights are compared without its sum.
    #[serde(default = "yes")]
    pub(crate) additive: bool,
    /// What must hold for the column; one rule each.
    #[serde(default)]
    pub(crate) checks: Vec<ColumnCheck>,
}

const fn yes() -> bool {
    true
}

/// A check on the column under which it stands.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnCheck {
    /// No value is missing.
    #[serde(default)]
    pub(crate) not_null: Option<bool>,
    /// No two values are equal.
    #[serde(default)]
    pub(crate) unique: Option<bool>,
    /// Every value is one of these.
    #[serde(default)]
    #[schemars(with = "Option<Vec<AnyScalar>>")]
    pub(crate) accepted_values: Option<Vec<Scalar>>,
    /// Every value lies between these, both included.
    #[serde(default)]
    pub(crate) range: Option<Range>,
    /// `table.column` in which every value is found.
    #[serde(default)]
    pub(crate) relationship: Option<String>,
    /// What a failure does.
    #[serde(default)]
    pub(crate) severity: CheckSeverity,
}

/// A check on the table; exactly one rule is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// The name of the check in reports.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// No two rows are equal in these columns.
    #[serde(default)]
    pub(crate) unique: Option<Vec<String>>,
    /// The table has so many rows.
    #[serde(default)]
    pub(crate) row_count: Option<Range>,
    /// A condition in SQL that every row fulfils.
    #[serde(default)]
    pub(crate) expression: Option<String>,
    /// A `SELECT` that yields the offending rows; none may come.
    #[serde(default)]
    pub(crate) query: Option<String>,
    /// What a failure does.
    #[serde(default)]
    pub(crate) severity: CheckSeverity,
}

/// Bounds, both inclusive.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// The least value.
    #[serde(default)]
    #[schemars(with = "Option<AnyScalar>")]
    pub(crate) min: Option<Scalar>,
    /// The greatest value.
    #[serde(default)]
    #[schemars(with = "Option<AnyScalar>")]
    pub(crate) max: Option<Scalar>,
}

/// What a failed check does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckSeverity {
    /// Nothing is published.
    #[default]
    Error,
    /// The failure is told in the report.
    Warn,
}
