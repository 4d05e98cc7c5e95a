//! Fuzzy matching as validated.

use crate::names::{ColumnName, SourceName};
use crate::plan::Link;

/// How the records of a source are compared with each other or with those of other sources.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matching {
    /// The identifier that names a record.
    pub(crate) record: Link,
    /// The columns that blocks and comparisons speak of, each once.
    pub(crate) fields: Vec<MatchField>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) neighbours: Vec<Neighbours>,
    pub(crate) comparisons: Vec<Comparison>,
    /// Indexes of the comparisons in which persons of one household agree; none where nobody has said so.
    pub(crate) household: Vec<usize>,
    /// How probable a match must be.
    pub(crate) threshold: f64,
    /// How many records a block may hold before it is cut.
    pub(crate) max_block: usize,
    /// Whether records of the source itself are compared with each other.
    pub(crate) within: bool,
    /// The other sources with whose records those of the source are compared.
    pub(crate) others: Vec<OtherSource>,
}

/// A column that takes part in matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatchField {
    pub(crate) name: ColumnName,
    /// Its index among the columns of the source.
    pub(crate) column: usize,
    pub(crate) folding: Folding,
}

/// What of a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folding {
    /// Letters and digits, without case, accents, blanks and punctuation.
    Text,
    /// The same, but of a year, a month and a day eight digits.
    Date,
    /// All of it.
    Number,
}

/// Another source with whose records those of a source are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherSource {
    pub(crate) source: SourceName,
    pub(crate) record: Link,
    /// For each field, the index of its column in the other source.
    pub(crate) columns: Vec<usize>,
}

/// A blocking rule: records are compared that agree in all its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// As an author writes it.
    pub(crate) text: String,
    pub(crate) keys: Vec<Key>,
}

/// Something made of a record, in which records of a block agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) function: KeyFunction,
    /// Indexes of the fields; the key of any of them will do.
    pub(crate) fields: Vec<usize>,
}

/// How a key is made of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFunction {
    Whole,
    /// The first so many characters.
    Prefix(usize),
    /// The last so many characters.
    Suffix(usize),
    /// The American Soundex code.
    Soundex,
    /// Each run of so many characters.
    QGrams(usize),
    /// The value, and the value without each one of its characters: one typing mistake leaves one in common.
    Deletions,
}

/// Sorted neighbourhood: records are compared that stand near each other in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// Indexes of the fields that order the records.
    pub(crate) by: Vec<usize>,
    /// With how many of those that follow a record is compared.
    pub(crate) window: usize,
}

/// How one field of two records is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) field: usize,
    pub(crate) kind: ComparisonKind,
    /// The index of the comparison whose field may have been taken for this one.
    pub(crate) swaps_with: Option<usize>,
    /// Whether agreement in a rare value counts for more than in a common one.
    pub(crate) frequencies: bool,
}

/// How two values are compared; every kind has the levels exact, its own, and other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ComparisonKind {
    Exact,
    /// One level for each similarity, falling.
    JaroWinkler(Vec<f64>),
    /// One level for each number of edits, rising.
    Levenshtein(Vec<usize>),
    /// One level for a mistyped digit or day and month exchanged, one for two parts of three that agree.
    Date,
    /// One level for equal last digits, one for a mistyped digit.
    Phone,
    /// One level for each difference relative to the greater value, rising.
    Numeric(Vec<f64>),
}

impl ComparisonKind {
    /// Returns how many levels the kind has between exact and other.
    pub(crate) fn between(&self) -> usize {
        match self {
            Self::Exact => 0,
            Self::JaroWinkler(levels) | Self::Numeric(levels) => levels.len(),
            Self::Levenshtein(levels) => levels.len(),
            Self::Date | Self::Phone => 2,
        }
    }

    /// Returns the kind as an author writes it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::JaroWinkler(_) => "jaro_winkler",
            Self::Levenshtein(_) => "levenshtein",
            Self::Date => "date",
            Self::Phone => "phone",
            Self::Numeric(_) => "numeric",
        }
    }
}
