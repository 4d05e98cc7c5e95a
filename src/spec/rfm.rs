//! How a pipeline makes scores and segments of recency, frequency and monetary value.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::AnyScalar;
use super::types::Scalar;

/// The rules of a pipeline; where it has none, martlet's own hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rfm {
    /// The segments, the first that takes a pair of scores before the others; all 25 pairs must be taken.
    #[serde(default)]
    pub(crate) segments: Vec<SegmentRule>,
    /// Written cut points, for `rfm_mode: cutpoints`.
    #[serde(default)]
    pub(crate) cutpoints: Vec<Cutpoints>,
}

/// Gives a segment to the pairs of scores that no rule before it has taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentRule {
    /// The name of the segment.
    pub(crate) segment: String,
    /// Recency scores; all of them where none are given.
    #[serde(default)]
    pub(crate) r: Vec<i64>,
    /// Frequency and monetary scores; all of them where none are given.
    #[serde(default)]
    pub(crate) fm: Vec<i64>,
}

/// The values at which the scores 2, 3, 4 and 5 begin, from a day on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cutpoints {
    /// The first `as_of` they hold for, as `2026-01-01`.
    pub(crate) valid_from: String,
    /// Days since the last order, four falling numbers.
    #[schemars(with = "Vec<AnyScalar>")]
    pub(crate) recency_days: Vec<Scalar>,
    /// Orders, four rising numbers.
    #[schemars(with = "Vec<AnyScalar>")]
    pub(crate) frequency: Vec<Scalar>,
    /// Net value in the reporting currency, four rising numbers.
    #[schemars(with = "Vec<AnyScalar>")]
    pub(crate) monetary: Vec<Scalar>,
}
