//! What identity hands on.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;

use super::{GuardOutcome, MatchCounts};
use crate::engine::{Customers, FileSummary};
use crate::plan;
use crate::warehouse::TableFile;

/// The clean tables of a night in files, their rows stamped with customers, and who these are.
#[derive(Debug)]
pub(crate) struct Identified {
    /// One for each source, in the order in which they came.
    pub(crate) tables: Vec<CleanTable>,
    /// Which customer each identifier belongs to.
    pub(crate) customers: Arc<Customers>,
    /// One row for each customer.
    pub(crate) population: RecordBatch,
    /// A digest of who is who, as far as a stage sees it.
    pub(crate) digest: String,
    /// The tables that make up the zone `identity`, in files.
    pub(crate) stored: Vec<StoredTable>,
    /// What became of customers that were known before.
    pub(crate) changes: RecordBatch,
    pub(crate) guards: Vec<GuardOutcome>,
    /// None where no source has rules for matching.
    pub(crate) match_counts: Option<MatchCounts>,
    pub(crate) counts: IdentityCounts,
}

/// A table of identity in files of the work folder.
#[derive(Debug)]
pub(crate) struct StoredTable {
    pub(crate) name: &'static str,
    /// Its new files, in their order.
    pub(super) files: Vec<FileSummary>,
    pub(crate) former: FormerFiles,
}

/// What becomes of the files that a table had the night before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormerFiles {
    /// The new ones stand for them.
    Replaced,
    /// The new ones come after them.
    Kept,
    /// The last one goes, the new ones come after the others.
    KeptButLast,
}

/// The identity table that says which identifier belongs to which customer.
pub(crate) const MAP: &str = "map";
/// The identity table of identifiers that were seen on one row.
pub(crate) const LINKS: &str = "links";
/// The identity table of links that were refused, and of values that are shared or seen with too many others.
pub(crate) const CONFLICTS: &str = "conflicts";
/// The identity table of customers with their identifiers by type.
pub(crate) const CLUSTERS: &str = "clusters";
/// The identity table that says which object showed which identifiers together.
pub(crate) const EVIDENCE: &str = "evidence";

/// The rows of a source that survive, new ones and those of earlier nights, with the schema
/// [`plan::Source::stored_schema`].
#[derive(Debug, Clone)]
pub(crate) struct CleanTable {
    pub(crate) source: Arc<plan::Source>,
    pub(crate) files: Vec<CleanFile>,
}

/// A file of a clean table.
#[derive(Debug, Clone)]
pub(crate) enum CleanFile {
    /// It lies in the warehouse and stays as it is.
    Stored(TableFile),
    /// It lies in the work folder.
    Written {
        file: FileSummary,
        /// The first and the last local event date of its rows, where they have one.
        dates: Option<[NaiveDate; 2]>,
    },
}

impl CleanTable {
    #[cfg(test)]
    pub(super) fn rows(&self) -> u64 {
        self.files.iter().map(CleanFile::rows).sum()
    }
}

impl CleanFile {
    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Stored(file) => file.rows,
            Self::Written { file, .. } => file.rows,
        }
    }
}

/// Tells the outcome in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct IdentityCounts {
    /// Identifiers that belong to a customer.
    pub(crate) identifiers: u64,
    /// Pairs of identifiers ever seen on one row.
    pub(crate) links: u64,
    pub(crate) customers: u64,
    pub(crate) created: u64,
    /// Customers whose id gave way to an older one.
    pub(crate) merged: u64,
    /// Groups of identifiers that left a customer.
    pub(crate) split: u64,
    pub(crate) retired: u64,
    /// Links that the rules refused.
    pub(crate) refused: u64,
    /// Values shared by too many customers.
    pub(crate) ambiguous: u64,
}

/// The stable name of a customer: 128 opaque bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CustomerId(u128);

impl CustomerId {
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for CustomerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Says that a text is no customer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoCustomerId;

impl FromStr for CustomerId {
    type Err = NoCustomerId;

    fn from_str(text: &str) -> Result<Self, NoCustomerId> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(NoCustomerId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| NoCustomerId)
    }
}
