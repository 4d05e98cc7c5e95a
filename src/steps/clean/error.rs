//! What can go wrong while a source is cleaned, beyond its single records.

use arrow::error::ArrowError;

use crate::engine::{ExpressionError, SpoolError};
use crate::names::{ColumnName, SourceName};
use crate::steps::extract::ExtractError;

/// Says which source cannot be cleaned, and why.
#[derive(Debug, thiserror::Error)]
#[error("the source `{source_name}` cannot be cleaned")]
pub(crate) struct CleanError {
    pub(crate) source_name: SourceName,
    #[source]
    pub(crate) kind: CleanErrorKind,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanErrorKind {
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error("rows cannot be parked")]
    Spool(#[from] SpoolError),
    #[error("a rule of column `{column}` means nothing: {reason}")]
    Rule { column: ColumnName, reason: String },
    #[error("a row check cannot be used")]
    Check(#[from] ExpressionError),
    #[error("clean rows do not fit their schema")]
    Batch(#[from] ArrowError),
    #[error("a thread that cleans objects has died")]
    Worker(#[from] tokio::task::JoinError),
    #[error("a thread that cleans batches has died")]
    Helper,
}
