//! The wire type of a source's column.

use schemars::JsonSchema;
use serde::Deserialize;

use super::intake::Convert;
use super::ordered::Ordered;
use super::preparation::{Gap, MapOther, Normalize, Overlap, Split, UnitChange, map_other};
use super::schema;
use super::types::Scalar;

/// One column of a source with its cleaning rules.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// The type of the clean value.
    #[serde(rename = "type")]
    #[schemars(schema_with = "schema::column_type")]
    pub(crate) data_type: String,
    /// What the column means, for whoever reads the file and the documents made of it.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The raw field, where it has another name than the column; dots lead into nested JSON objects.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// Several raw fields, the first of which that has a value counts.
    #[serde(default)]
    pub(crate) from_any: Option<Vec<String>>,
    /// Whether a record without a value is a reject.
    #[serde(default)]
    pub(crate) required: bool,
    /// Whether the values identify a person; they are then left out of the reasons of rejects.
    #[serde(default)]
    pub(crate) pii: bool,
    /// Whether white space at both ends is taken away; it is where this is left out.
    #[serde(default)]
    pub(crate) trim: Option<bool>,
    /// Texts that mean "no value"; those of the source where it is left out.
    #[serde(default)]
    pub(crate) null_if: Option<Vec<String>>,
    /// The Unicode form the text is brought to.
    #[serde(default)]
    pub(crate) normalize: Option<Normalize>,
    /// Which part of the text counts.
    #[serde(default)]
    pub(crate) split: Option<Split>,
    /// The case the text is brought to.
    #[serde(default)]
    pub(crate) case: Option<Case>,
    /// A regular expression and what stands in place of its matches.
    #[serde(default)]
    pub(crate) replace: Option<Replace>,
    /// What each value becomes.
    #[serde(default)]
    #[schemars(with = "Option<Ordered<schema::AnyScalar>>")]
    pub(crate) map: Option<Ordered<Scalar>>,
    /// What becomes of a value that is no key of `map`; a reject where it is left out.
    #[serde(default, deserialize_with = "map_other")]
    pub(crate) map_other: Option<MapOther>,
    /// The character between groups of three digits.
    #[serde(default)]
    pub(crate) thousands: Option<String>,
    /// The character before decimals; a point where it is left out.
    #[serde(default)]
    pub(crate) decimal_point: Option<String>,
    /// Whether a number that is finer than the column's last place is rounded to it, half to even; a reject where it is left
    /// out.
    #[serde(default)]
    pub(crate) round: bool,
    /// The unit the number is written in, and the one it is stored in.
    #[serde(default)]
    pub(crate) unit: Option<UnitChange>,
    /// Leads from the currency the amount is written in to the pipeline's, by dated rates of another source.
    #[serde(default)]
    pub(crate) convert: Option<Convert>,
    /// How a date or timestamp may be written, tried in order: `rfc3339`, `unix_s`, `unix_ms`, or a pattern of
    /// `strftime`.
    #[serde(default)]
    pub(crate) formats: Vec<String>,
    /// The IANA time zone of times without an offset; the source's where it is left out.
    #[serde(default)]
    pub(crate) timezone: Option<String>,
    /// What becomes of a local time that a clock change skips; a reject where it is left out.
    #[serde(default)]
    pub(crate) gap: Option<Gap>,
    /// Which moment a local time means that a clock change repeats; the earlier where it is left out.
    #[serde(default)]
    pub(crate) overlap: Option<Overlap>,
    /// The country of telephone numbers without a country code: an ISO 3166 code, such as `CN`.
    #[serde(default)]
    pub(crate) region: Option<String>,
    /// The values allowed; every value where it is left out.
    #[serde(default)]
    pub(crate) accepted: Vec<String>,
    /// A condition in SQL over the clean columns of the row; a row for which it is false is a reject.
    #[serde(default)]
    pub(crate) check: Option<String>,
    /// What stands in for "no value".
    #[serde(default)]
    #[schemars(with = "Option<schema::AnyScalar>")]
    pub(crate) default: Option<Scalar>,
}

/// The case a text column is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Case {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
}

/// A regular expression and what stands in place of its matches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replace {
    /// The regular expression.
    pub(crate) pattern: String,
    /// What stands in place of each match; `$1` is the first group.
    pub(crate) with: String,
}
