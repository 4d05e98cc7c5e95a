//! Why the warehouse could not be read or written.

use std::error::Error;

use datafusion::error::DataFusionError;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::TransactionError;

/// Says which object was touched and what failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WarehouseError {
    #[error("the warehouse object `{path}` cannot be read")]
    Read {
        path: String,
        #[source]
        source: object_store::Error,
    },
    #[error("the warehouse object `{path}` cannot be written")]
    Write {
        path: String,
        #[source]
        source: object_store::Error,
    },
    #[error("the work file `{path}` cannot be read")]
    WorkFile {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the warehouse object `{path}` is gone")]
    Missing { path: String },
    #[error(
        "the warehouse object `{path}` has {bytes} bytes, not the {written} it was written with"
    )]
    Altered { path: String, bytes: u64, written: u64 },
    #[error("a file of a published table cannot be read")]
    Query(#[source] Box<DataFusionError>),
    #[error("the file `{path}` cannot be locked")]
    Lock {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("others keep changing the warehouse object `{path}`")]
    Busy { path: String },
    #[error("another run has taken the lease `{path}` meanwhile")]
    LeaseLost { path: String },
    #[error("nothing may be published without the lease `{path}`")]
    NoLease { path: String },
    #[error("the Delta table `{path}` cannot be committed")]
    Delta {
        path: String,
        #[source]
        source: Box<DeltaTableError>,
    },
    #[error("the warehouse object `{path}` is no whole Parquet file")]
    Damaged {
        path: String,
        #[source]
        source: Box<parquet::errors::ParquetError>,
    },
    #[error("the warehouse object `{path}` is not what martlet writes")]
    Corrupt {
        path: String,
        #[source]
        source: serde_json::Error,
    },
}

/// The way out where a file is gone or damaged.
pub(crate) const BRING_IT_BACK: &str = "bring it back from a copy of the warehouse; without one, `martlet run … --full-refresh` \
     makes what it can from the exports and tells what is lost, and `martlet rollback --to N` goes back to a generation whose \
     files are there";

impl WarehouseError {
    /// Takes the error of a query for one of the warehouse, where it comes from its store or its files.
    pub(crate) fn of_query(error: DataFusionError) -> Result<Self, DataFusionError> {
        match error.find_root() {
            DataFusionError::ObjectStore(_) | DataFusionError::ParquetError(_) => {
                Ok(Self::Query(Box::new(error)))
            }
            _ => Err(error),
        }
    }

    /// Returns the store's own error, where there is one.
    pub(crate) fn store_error(&self) -> Option<&object_store::Error> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Delta { source, .. } => root_store_error(source.as_ref()),
            Self::Query(source) => root_store_error(source.as_ref()),
            _ => None,
        }
    }

    /// Returns the way out, where there is one to name.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } | Self::Altered { .. } | Self::Damaged { .. } | Self::Query(_) => {
                Some(BRING_IT_BACK)
            }
            Self::Corrupt { path, .. } if path.ends_with("/LEASE") => {
                Some("where no run is under way, remove it: the next run writes it anew")
            }
            Self::Corrupt { path, .. } if path.ends_with("/CURRENT") => {
                Some("remove it: the next run points it at the newest generation")
            }
            Self::Corrupt { path, .. } if path.contains("/generations/") => Some(
                "bring it back from a copy of the warehouse; without one, remove it, and that generation is no more",
            ),
            Self::Corrupt { .. } => Some("bring it back from a copy of the warehouse"),
            _ => None,
        }
    }

    /// Says whether something was in the way that may be gone when it is tried again, another process above all.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::LeaseLost { .. } => true,
            Self::Delta { source, .. } => is_conflict(source) || is_hidden_trouble(source),
            _ => false,
        }
    }
}

/// Returns the error of the store that lies below another error.
fn root_store_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a object_store::Error> {
    match error.downcast_ref() {
        Some(found) => Some(found),
        None => error.source().and_then(root_store_error),
    }
}

/// Says whether another writer of a Delta table was faster again and again.
pub(super) fn is_conflict(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_)
                    | TransactionError::CommitConflict(_)
                    | TransactionError::VersionAlreadyExists(_)
            }
    )
}

/// Says whether a store failed for now; the library below tells its errors in words only.
fn is_hidden_trouble(error: &DeltaTableError) -> bool {
    let text = error.to_string();
    let lasts = ["401 Unauthorized", "403 Forbidden", "LocalFileSystem"];
    text.contains("object store") && !lasts.iter().any(|lasting| text.contains(lasting))
}
