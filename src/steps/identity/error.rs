//! Why customers could not be identified.

use arrow::error::ArrowError;

use crate::engine::{ExpressionError, ParquetFileError, SpoolError};
use crate::names::SourceName;
use crate::warehouse::WarehouseError;

/// Says why customers could not be identified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("the rows of source `{source_name}` cannot be identified")]
    Source {
        source_name: SourceName,
        #[source]
        kind: IdentitySourceErrorKind,
    },
    #[error("the identity registry is damaged: {reason}")]
    Registry { reason: &'static str },
    #[error("the identity registry cannot be read")]
    RegistryRead(#[source] ArrowError),
    #[error("the identity tables cannot be made")]
    Tables(#[source] ArrowError),
    #[error("the identity table `{table}` cannot be stored")]
    File {
        table: &'static str,
        #[source]
        source: ParquetFileError,
    },
    #[error("there are more than {} identifiers or links", u32::MAX)]
    TooMany,
    #[error("the customers cannot be trusted: {troubles}")]
    Guard { troubles: String },
    #[error("the identity key cannot be used")]
    Key,
}

/// Says why the rows of a source could not be identified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentitySourceErrorKind {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("a column of identifiers or times cannot be read")]
    Column(#[from] ArrowError),
    #[error(transparent)]
    File(#[from] ParquetFileError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error("the condition of a link cannot be evaluated")]
    Condition(#[from] ExpressionError),
}

impl IdentityError {
    /// Returns the warehouse's own error, where it was the warehouse that failed.
    pub(crate) fn of_warehouse(&self) -> Option<&WarehouseError> {
        match self {
            Self::Source { kind: IdentitySourceErrorKind::Warehouse(error), .. } => Some(error),
            _ => None,
        }
    }
}

impl IdentitySourceErrorKind {
    pub(super) fn of(self, source_name: &SourceName) -> IdentityError {
        IdentityError::Source { source_name: source_name.clone(), kind: self }
    }
}
