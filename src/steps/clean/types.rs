//! What clean hands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Rejects;
use super::faults::rule;
use crate::engine::Spool;
use crate::names::ColumnName;
use crate::plan;
use crate::report::FieldDrift;
use crate::steps::extract::SourceObject;

/// The rows of one source that keep its rules, and the records that do not.
#[derive(Debug, Clone)]
pub(crate) struct Cleaned {
    pub(crate) source: Arc<plan::Source>,
    /// One part for each object, in the order of their paths.
    pub(crate) parts: Vec<CleanPart>,
    /// Those of each object that has any, in the order of their paths.
    pub(crate) rejects: Vec<Rejects>,
    /// How the objects' fields differ from the declared ones; nothing where the source ignores that.
    pub(crate) drift: Vec<FieldDrift>,
}

/// The rows of one object, in the order of its records.
#[derive(Debug, Clone)]
pub(crate) struct CleanPart {
    pub(crate) object: Arc<SourceObject>,
    /// Records found in the object, decodable or not.
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    /// How many of its rows happened on which local date, in days since 1970.
    pub(crate) days: BTreeMap<i32, u64>,
    /// Why the object could not be taken in; it then counts as one record that is rejected.
    pub(crate) unreadable: Option<String>,
    /// Rows of [`plan::Source::cleaned_schema`].
    pub(crate) rows: Spool,
}

/// A raw record that could not become a clean row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) object: Arc<SourceObject>,
    /// The number of the record in its object, from 1; 0 for an object as a whole.
    pub(crate) record: u64,
    /// Where the record begins in the decompressed object, in bytes; none for Parquet.
    pub(crate) byte: Option<u64>,
    /// The line on which the record begins, from 1; none for Parquet.
    pub(crate) line: Option<u64>,
    /// The local date of the record's event time in days since 1970, where it could be read.
    pub(crate) event_date: Option<i32>,
    /// The column whose rule was broken; none where the record itself is broken.
    pub(crate) column: Option<ColumnName>,
    /// The rule that was broken: `decode`, `required`, `map`, `type`, `accepted`, `check` …
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
    /// The raw text of the record.
    pub(crate) raw: String,
}

impl Reject {
    /// Returns the reason as reports count it: the column, where it is one column's, and the rule.
    pub(super) fn shown_reason(&self) -> String {
        match &self.column {
            Some(column) => format!("{column}: {}", self.rule),
            None => self.rule.to_owned(),
        }
    }

    /// Makes the reject of an object that cannot be taken in.
    pub(super) fn of_object(object: &Arc<SourceObject>, reason: String) -> Self {
        Self {
            object: Arc::clone(object),
            record: 0,
            byte: None,
            line: None,
            event_date: None,
            column: None,
            rule: rule::OBJECT,
            reason,
            raw: String::new(),
        }
    }

    /// Returns the code of the reason, which stays the same while messages may change: `clean/<rule>`, or
    /// `decode/<format>` for a record that cannot be decoded, `decode/object` for an object that cannot be taken in.
    pub(crate) fn code(&self, format: &plan::Format) -> String {
        match self.rule {
            rule::OBJECT => format!("{}/{}", rule::DECODE, rule::OBJECT),
            rule::DECODE => format!("{}/{}", rule::DECODE, format.as_str()),
            rule => format!("clean/{rule}"),
        }
    }
}
