//! The wire types of the rules that prepare a column's raw texts.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::schema;
use super::types::Scalar;

/// The Unicode form a text is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Normalize {
    /// Compatible characters are brought to their plain form.
    Nfkc,
}

/// Which part of a text counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// What stands between the parts.
    pub(crate) by: String,
    /// Which part counts: a number from 1, `first` or `last`; the first where it is left out.
    #[serde(default)]
    #[schemars(with = "Option<schema::AnyScalar>")]
    pub(crate) take: Option<Scalar>,
}

/// The unit a number is written in, and the one it is stored in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitChange {
    /// The unit of the raw number, such as `g`.
    pub(crate) from: String,
    /// The unit of the clean number, such as `kg`.
    pub(crate) to: String,
}

/// What becomes of a value that is no key of `map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapOther {
    Reject,
    Keep,
    Null,
}

/// Reads what stands under `map_other`, where YAML's own `null` is a word like the others.
pub(super) fn map_other<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MapOther>, D::Error> {
    deserializer.deserialize_any(MapOtherVisitor).map(Some)
}

struct MapOtherVisitor;

impl Visitor<'_> for MapOtherVisitor {
    type Value = MapOther;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a word")
    }

    fn visit_unit<E: Error>(self) -> Result<MapOther, E> {
        Ok(MapOther::Null)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<MapOther, E> {
        match word {
            "reject" => Ok(MapOther::Reject),
            "keep" => Ok(MapOther::Keep),
            "null" => Ok(MapOther::Null),
            other => Err(E::unknown_variant(other, &["reject", "keep", "null"])),
        }
    }
}

/// What becomes of a local time that a clock change skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gap {
    /// It is rejected.
    Reject,
    /// It is moved on by as much as the clock was.
    Shift,
}

/// Which of the two moments of a local time that a clock change repeats counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Overlap {
    /// The first of the two moments.
    Earlier,
    /// The second of them.
    Later,
    /// Neither: it is rejected.
    Reject,
}
