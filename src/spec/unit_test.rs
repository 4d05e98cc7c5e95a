//! The wire types of a stage's tests.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::ordered::Ordered;
use super::schema::AnyScalar;
use super::types::Scalar;

/// A test of a stage: what it is given and what it must make of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitTest {
    /// What the test is called: what is given and what follows.
    pub(crate) name: String,
    /// What the test is for, for whoever reads the file.
    #[serde(default)]
    #[expect(dead_code, reason = "it is for whoever reads the file")]
    pub(crate) description: Option<String>,
    /// The local date at whose beginning the night ends.
    #[serde(default)]
    pub(crate) as_of: Option<String>,
    /// The business time zone, as an IANA name; that of the pipeline where it is left out.
    #[serde(default)]
    pub(crate) timezone: Option<String>,
    /// Variables that have another value in this test.
    #[serde(default)]
    #[schemars(with = "Ordered<AnyScalar>")]
    pub(crate) variables: Ordered<Scalar>,
    /// The table of the stage's `WITH` that is tested instead of the stage.
    #[serde(default)]
    pub(crate) cte: Option<String>,
    /// Rows of the tables on the way to the stage; a source that is left out is empty, a stage is computed.
    #[serde(default)]
    pub(crate) given: Ordered<Rows>,
    /// The rows that must come.
    pub(crate) expect: Rows,
    /// How the rows that are expected relate to those that come.
    #[serde(default, rename = "match")]
    pub(crate) matching: Match,
}

/// How the rows that are expected relate to those that come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    /// They are all rows; only the columns that are written are compared.
    #[default]
    Columns,
    /// They are all rows, with all columns.
    Exact,
    /// They are among the rows.
    Some,
}

/// One row: columns and values.
pub(crate) type Row = Ordered<Scalar>;

/// Rows, written out or kept elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) enum Rows {
    #[default]
    None,
    Inline(Vec<Row>),
    Elsewhere(Elsewhere),
}

/// Where rows are kept; exactly one is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    /// A CSV file with a header line, beside or below the sidecar.
    #[serde(default)]
    pub(crate) csv: Option<String>,
    /// A file with one JSON object a line, beside or below the sidecar.
    #[serde(default)]
    pub(crate) ndjson: Option<String>,
    /// A `SELECT` that reads no table.
    #[serde(default)]
    pub(crate) sql: Option<String>,
}

impl Elsewhere {
    /// Returns the path of the file, as written.
    pub(crate) fn file(&self) -> Option<&str> {
        self.csv.as_deref().or(self.ndjson.as_deref())
    }
}

impl UnitTest {
    /// Returns everything that may be kept in a file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let given = self.given.iter().map(|(_, rows)| rows);
        given.chain([&self.expect]).filter_map(|rows| match rows {
            Rows::Elsewhere(elsewhere) => elsewhere.file(),
            Rows::Inline(_) | Rows::None => None,
        })
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowsVisitor)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Rows;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rows")
    }

    fn visit_unit<E>(self) -> Result<Rows, E> {
        Ok(Rows::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<Rows, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(rows)).map(Rows::Inline)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rows, A::Error> {
        Elsewhere::deserialize(MapAccessDeserializer::new(map)).map(Rows::Elsewhere)
    }
}
