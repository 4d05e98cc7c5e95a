//! Accounts: every record read is kept, rejected or a duplicate.

use std::iter::Sum;

use crate::names::SourceName;

/// Counts what became of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Account {
    /// Records found, decodable or not.
    pub(crate) read: u64,
    pub(crate) kept: u64,
    pub(crate) rejected: u64,
    pub(crate) duplicate: u64,
}

impl Account {
    /// Says whether nothing vanished: read = kept + rejected + duplicate.
    pub(crate) fn balances(&self) -> bool {
        self.read == self.kept + self.rejected + self.duplicate
    }
}

impl<'a> Sum<&'a Account> for Account {
    fn sum<I: Iterator<Item = &'a Account>>(accounts: I) -> Self {
        accounts.fold(Self::default(), |sum, account| Self {
            read: sum.read + account.read,
            kept: sum.kept + account.kept,
            rejected: sum.rejected + account.rejected,
            duplicate: sum.duplicate + account.duplicate,
        })
    }
}

/// The account of one object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ObjectAccount {
    pub(crate) source: SourceName,
    /// The object's path below the raw root.
    pub(crate) object: String,
    pub(crate) etag: Option<String>,
    /// Size in bytes, as stored.
    pub(crate) size: u64,
    #[serde(flatten)]
    pub(crate) account: Account,
}
