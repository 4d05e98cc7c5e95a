//! The rules of identity as validated.

use std::sync::Arc;

use regex::Regex;

use crate::names::{IdentifierType, SourceName};

/// The rules of identity, strongest type first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Identity {
    pub(crate) identifiers: Vec<Identifier>,
    /// The sources whose rows say which identifiers belong together.
    pub(crate) sources: Vec<LinkedSource>,
    pub(crate) guards: Guards,
}

/// The rules of one type of identifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identifier {
    pub(crate) name: IdentifierType,
    /// 1 is the strongest.
    pub(crate) priority: u32,
    /// Two values of this type never share a customer.
    pub(crate) unique: bool,
    /// How many values of this type one customer may have.
    pub(crate) max_per_customer: Option<u64>,
    /// With how many strong owners a value may be seen before it links nobody.
    pub(crate) max_customers: Option<u64>,
    /// With how many other identifiers a value may be seen before it identifies nobody.
    pub(crate) block_above: Option<u64>,
    /// For how long a link of a value of this type counts after it was last seen.
    pub(crate) window: Option<Window>,
    /// Values that identify nobody, compared after cleaning.
    pub(crate) blocked: Vec<String>,
    /// Values that match one of these as a whole identify nobody.
    pub(crate) blocked_patterns: Vec<Pattern>,
}

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    pub(crate) days: u32,
}

/// A regular expression that a whole value must match.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: Arc<str>,
    whole: Regex,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, regex::Error> {
        // The text must be sound by itself: `a)(b` would only become so inside the group.
        Regex::new(text)?;
        let whole = Regex::new(&format!("^(?:{text})$"))?;
        Ok(Self { text: text.into(), whole })
    }

    pub(crate) fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Says that a column holds identifiers of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) identifier: IdentifierType,
    /// Index of the column.
    pub(crate) column: usize,
    /// A boolean SQL expression over the clean columns; a row for which it does not hold says nothing of the identifier.
    pub(crate) when: Option<String>,
}

/// A source whose rows say which identifiers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkedSource {
    pub(crate) name: SourceName,
    /// The types that are linked, and for how long a link counts after this source last showed it.
    pub(crate) types: Vec<(IdentifierType, Option<Window>)>,
}

/// Limits beyond which a night is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "they are the keys an author writes")]
pub(crate) struct Guards {
    /// How many identifiers the largest customer may have.
    pub(crate) max_cluster_size: Guard,
    /// How many identifiers all but one in a thousand customers may have.
    pub(crate) max_p999_size: Guard,
    /// What share of the customers of the night before may merge into others, in percent.
    pub(crate) max_merged_percent: Guard,
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) limit: u64,
    /// Whether a night beyond the limit is kept from being published.
    pub(crate) blocks: bool,
}

impl Default for Guards {
    fn default() -> Self {
        let guard = |limit| Guard { limit, blocks: true };
        Self {
            max_cluster_size: guard(5_000),
            max_p999_size: guard(500),
            max_merged_percent: guard(20),
        }
    }
}
