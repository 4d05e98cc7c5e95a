//! Why tables could not be put in place.

use crate::engine::{ParquetFileError, SpoolError};
use crate::warehouse::WarehouseError;

/// Says what failed while publishing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("the warehouse failed")]
    Warehouse(#[from] WarehouseError),
    #[error("a table cannot be stored")]
    Store(#[from] ParquetFileError),
    #[error("rejects cannot be fetched back")]
    Spool(#[from] SpoolError),
    #[error("a thread of the step broke down")]
    Thread(#[source] tokio::task::JoinError),
    #[error("a table cannot be put together")]
    Table(#[from] arrow::error::ArrowError),
}
