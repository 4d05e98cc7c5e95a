//! Why a source could not be deduplicated.

use arrow::error::ArrowError;

use super::spill::SpillError;
use crate::engine::SpoolError;
use crate::names::SourceName;
use crate::warehouse::WarehouseError;

/// Says which source could not be deduplicated, and why.
#[derive(Debug, thiserror::Error)]
#[error("source `{source_name}` cannot be deduplicated")]
pub(crate) struct DedupeError {
    pub(crate) source_name: SourceName,
    #[source]
    pub(crate) kind: DedupeErrorKind,
}

/// Says why a source could not be deduplicated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DedupeErrorKind {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Spill(#[from] SpillError),
    #[error("a key or order column cannot be compared")]
    Compare(#[from] ArrowError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The ledger and the table disagree: a bug, or a warehouse somebody has changed.
    #[error("the clean table holds rows of an object that the ledger does not know")]
    UnknownObject,
    #[error("an object has more than {} clean rows", u32::MAX)]
    TooManyRows,
}

impl DedupeErrorKind {
    /// Returns the warehouse's own error, where it was the warehouse that failed.
    pub(crate) fn of_warehouse(&self) -> Option<&WarehouseError> {
        match self {
            Self::Warehouse(error) => Some(error),
            _ => None,
        }
    }
}
