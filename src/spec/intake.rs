//! The wire types of what is asked of a source's objects beyond their columns.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::AnyScalar;
use super::types::Scalar;

/// Where the records of a workbook stand.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct XlsxOptions {
    /// The name of the sheet, or its place from 1.
    #[serde(default)]
    #[schemars(with = "Option<AnyScalar>")]
    pub(crate) sheet: Option<Scalar>,
    /// The number of the row that names the columns.
    #[serde(default)]
    pub(crate) header_row: Option<u32>,
}

/// How much of an object is taken in; sizes are written as `16MiB`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// How long one record may be, such as `16MiB`.
    #[serde(default)]
    pub(crate) record: Option<String>,
    /// How large an object may be once it is decompressed, such as `8GiB`.
    #[serde(default)]
    pub(crate) object: Option<String>,
}

/// What becomes of an object that cannot be taken in as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnError {
    #[default]
    Fail,
    Skip,
}

/// What must be there before a night is complete.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// How many objects each day has at least; 1 where it is left out.
    #[serde(default)]
    pub(crate) objects_per_day: Option<u64>,
    /// How many records each object has at least.
    #[serde(default)]
    pub(crate) min_rows: Option<u64>,
    /// The path of an object that says that the others are whole.
    #[serde(default)]
    pub(crate) marker: Option<String>,
    /// How many days before `as_of` must be complete.
    #[serde(default)]
    pub(crate) days: Option<u32>,
    /// The first day that must be complete.
    #[serde(default)]
    pub(crate) since: Option<String>,
}

/// The currency an amount is written in, and the one it is stored in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Convert {
    /// A column that holds the currency, or the currency of all rows.
    pub(crate) currency: String,
    /// The currency the amount is stored in, as an ISO 4217 code.
    pub(crate) to: String,
    /// The source of the rates.
    pub(crate) rates: String,
    /// The column whose local date decides which rate counts.
    pub(crate) date: String,
    /// How many days old a rate may be, written as `7d`.
    #[serde(default)]
    pub(crate) max_age: Option<String>,
}
