//! Why a stage could not be computed.

use datafusion::error::DataFusionError;

use crate::engine::{ParquetFileError, lacked_memory};
use crate::names::StageName;

/// Says which stage failed and how.
#[derive(Debug, thiserror::Error)]
#[error("the stage `{stage}` cannot be computed")]
pub(crate) struct TransformError {
    pub(crate) stage: StageName,
    #[source]
    pub(crate) kind: TransformErrorKind,
}

/// Says what failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransformErrorKind {
    #[error("the query failed")]
    Query(#[source] Box<DataFusionError>),
    #[error("its table cannot be stored")]
    Store(#[source] ParquetFileError),
    #[error("a task of it broke down")]
    Task(#[source] tokio::task::JoinError),
}

impl From<DataFusionError> for TransformErrorKind {
    fn from(error: DataFusionError) -> Self {
        Self::Query(Box::new(error))
    }
}

impl TransformErrorKind {
    /// Says whether the query found too little memory.
    pub(super) fn lacked_memory(&self) -> bool {
        matches!(self, Self::Query(error) if lacked_memory(error))
    }
}
