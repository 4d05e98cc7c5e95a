//! The wire types: one field for each key an author may write, nothing resolved.

use schemars::JsonSchema;
use serde::Deserialize;

use super::column::Column;
use super::identity::Identity;
use super::intake::{Expect, Limits, OnError, XlsxOptions};
use super::margins::Margin;
use super::matching::Matching;
use super::ordered::Ordered;
use super::rfm::Rfm;
use super::schema;

/// A pipeline file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) version: u32,
    /// Names the pipeline and its folder in the warehouse: lower-case letters, digits and `_`.
    #[schemars(schema_with = "schema::name")]
    pub(crate) name: String,
    /// What the pipeline is for, for whoever reads the file.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// The IANA time zone in which days are counted, such as `Asia/Shanghai`.
    pub(crate) timezone: String,
    /// The reporting currency: an ISO 4217 code, such as `CNY`. SQL sees it as `$currency`.
    pub(crate) currency: String,
    /// Values that SQL sees as `$name`: whole numbers, decimals, texts, `true` and `false`.
    #[serde(default)]
    #[schemars(with = "Ordered<schema::AnyScalar>")]
    pub(crate) variables: Ordered<Scalar>,
    /// Folders of stages, relative to the project's root; each `.sql` file below them is a stage.
    #[expect(dead_code, reason = "the folders are read with their places, before this")]
    pub(crate) stages: Vec<String>,
    /// The families of raw exports, by name. SQL sees the clean rows of each under its name.
    pub(crate) sources: Ordered<Source>,
    /// Which identifiers there are, and which columns hold them; without it nobody is a customer.
    #[serde(default)]
    pub(crate) identity: Option<Identity>,
    /// How customers are segmented by recency, frequency and money.
    #[serde(default)]
    pub(crate) rfm: Rfm,
    /// What remains of a unit of money sold, by category, where the cost of goods is unknown. SQL sees it as
    /// the table `category_margins`.
    #[serde(default)]
    pub(crate) margins: Vec<Margin>,
    /// The stages to publish. What they need follows from their SQL.
    pub(crate) publish: Vec<String>,
}

/// A value of a variable, a default or an accepted value.
pub(crate) type Scalar = serde_yaml::Value;

/// One family of raw exports.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// What the exports hold, for whoever reads the file.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// How a new export relates to the rows already there.
    #[serde(default)]
    pub(crate) load: Load,
    /// Which objects belong to the source, below the raw root: `{date}` stands for a day, `*` for a part of a
    /// name, `**` for folders.
    pub(crate) path: String,
    /// How the objects are written.
    pub(crate) format: Format,
    /// How the CSV is written, where it is not plain.
    #[serde(default)]
    pub(crate) csv: Option<CsvOptions>,
    /// Where the records of a workbook stand.
    #[serde(default)]
    pub(crate) xlsx: Option<XlsxOptions>,
    /// How the objects are compressed.
    #[serde(default)]
    pub(crate) compression: Compression,
    /// The charset of the texts, such as `gbk`; UTF-8 where it is left out. A byte order mark wins.
    #[serde(default)]
    pub(crate) encoding: Option<String>,
    /// The IANA time zone of local times in this source; the pipeline's where it is left out.
    #[serde(default)]
    pub(crate) timezone: Option<String>,
    /// Texts that mean "no value", for all columns that have none of their own; only the empty text where it is
    /// left out.
    #[serde(default)]
    pub(crate) null_if: Option<Vec<String>>,
    /// The columns of the clean table, in their order, with the rules that make them.
    pub(crate) columns: Ordered<Column>,
    /// Conditions in SQL over the clean columns; a row for which one is false is a reject, NULL passes.
    #[serde(default)]
    pub(crate) checks: Vec<String>,
    /// The column that says when a row happened; its local date is the day of the row.
    #[serde(default)]
    pub(crate) event_time: Option<String>,
    /// Which of several rows of one key survives; without it every row does.
    #[serde(default)]
    pub(crate) dedupe: Option<Dedupe>,
    /// How many records may be rejected before the run fails; any number where it is left out.
    #[serde(default)]
    pub(crate) rejects: RejectLimits,
    /// What must be there before a night is complete.
    #[serde(default)]
    pub(crate) expect: Expect,
    /// What is done about fields that the source does not declare, or that its objects no longer have.
    #[serde(default)]
    pub(crate) drift: Drift,
    /// How records that share no identifier are compared with each other.
    #[serde(default, rename = "match")]
    pub(crate) matching: Option<Matching>,
    /// What becomes of an object that cannot be taken in as a whole.
    #[serde(default)]
    pub(crate) on_error: OnError,
    /// How much of an object is taken in.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// What is done about fields that a source does not declare, or that its objects no longer have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Drift {
    /// It is not told.
    Ignore,
    /// It is told in the summary and in the report.
    #[default]
    Warn,
    /// It is told, and nothing is published.
    Fail,
}

/// How a new export relates to the rows already there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Load {
    /// Every export adds events.
    #[default]
    Append,
    /// Every export brings newer versions of entities; the dedupe rule keeps one of each.
    Upsert,
    /// The export of the last day supersedes all before it.
    Replace,
}

/// The format of a source's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Comma-separated values and their like.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One array of JSON objects.
    Json,
    /// Apache Parquet.
    Parquet,
    Xlsx,
}

/// How a source's CSV is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CsvOptions {
    /// The character between fields, or `blanks` for any number of spaces and tabs; a comma where it is left out.
    #[serde(default)]
    pub(crate) delimiter: Option<String>,
    /// The character around fields; `"` where it is left out.
    #[serde(default)]
    pub(crate) quote: Option<String>,
    /// The names of the fields, where the objects have no header line.
    #[serde(default)]
    pub(crate) header: Option<Vec<String>>,
    /// What a line begins with that is no record.
    #[serde(default)]
    pub(crate) comment: Option<String>,
    /// What makes a quote inside quotes text, besides a second quote.
    #[serde(default)]
    pub(crate) escape: Option<String>,
    /// What becomes of a record with too few fields; it is rejected where this is left out.
    #[serde(default)]
    pub(crate) ragged: Option<Ragged>,
}

/// What becomes of a record with too few fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ragged {
    /// It is rejected.
    Reject,
    /// The missing fields are NULL.
    Pad,
}

/// How a source's objects are compressed; `auto` goes by the ending of the object's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compression {
    /// By the ending of the name: `.gz`, `.zst`, `.bz2`, otherwise none.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
}

/// Which of several rows of one key survives.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dedupe {
    /// The columns in which rows of one key are equal.
    #[serde(default)]
    pub(crate) key: Vec<String>,
    /// Whether rows are of one key when they are equal in all columns; `key` is then left out.
    #[serde(default)]
    pub(crate) exact_rows: bool,
    /// The end of the order that survives.
    #[serde(default)]
    pub(crate) keep: Keep,
    /// The columns that order the rows of a key; ties go by object, then by record.
    #[serde(default)]
    pub(crate) order_by: Vec<String>,
    /// How far apart copies of a row may have happened, as in `3d`.
    pub(crate) window: Option<String>,
}

/// The end of the order that survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keep {
    /// The first row.
    First,
    /// The last row.
    #[default]
    Last,
}

/// How many rows of a run may be rejected before the run fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectLimits {
    /// The most records of a run that may be rejected.
    #[serde(default)]
    pub(crate) max_rows: Option<u64>,
    /// The most records of a run that may be rejected, in percent of those read, rounded up to whole records.
    #[serde(default)]
    pub(crate) max_percent: Option<f64>,
    /// The same for every object by itself.
    #[serde(default)]
    pub(crate) per_object: RejectLimit,
}

/// How many rows of one object may be rejected before the run fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectLimit {
    /// The most records of one object that may be rejected.
    #[serde(default)]
    pub(crate) max_rows: Option<u64>,
    /// The most records of one object that may be rejected, in percent of those read, rounded up to whole records.
    #[serde(default)]
    pub(crate) max_percent: Option<f64>,
}
