//! Variables that stages bring with them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Scalar;
use super::schema::AnyScalar;
use super::sidecar::Range;

/// A variable that need not stand in a pipeline.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VariableDefault {
    /// The value it has where a pipeline gives none; a pipeline may give it too, whatever the other keys say.
    #[schemars(with = "AnyScalar")]
    pub(crate) default: Scalar,
    /// What values are; those of the kind of the default, where it is not given.
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<VariableType>,
    /// The only values that make sense; any does where there are none.
    #[serde(default)]
    #[schemars(with = "Vec<AnyScalar>")]
    pub(crate) accepted: Vec<Scalar>,
    /// Between which bounds a number makes sense, both included.
    #[serde(default)]
    pub(crate) range: Option<Range>,
    /// What the variable means.
    #[expect(dead_code, reason = "it is for whoever reads the file")]
    pub(crate) description: String,
}

/// What the values of a variable are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VariableType {
    /// A text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number, whole or with a point.
    Decimal,
    /// A text that is a date, such as "2026-01-31".
    Date,
}
