//! Why a check could not be evaluated.

use datafusion::error::DataFusionError;

/// Says which check failed to run.
#[derive(Debug, thiserror::Error)]
#[error("the check `{check}` of the stage `{stage}` cannot be evaluated")]
pub(crate) struct AuditError {
    pub(crate) stage: String,
    pub(crate) check: String,
    #[source]
    pub(crate) source: Box<DataFusionError>,
}
