//! What is known of a pipeline after all of it has been looked at.

use std::sync::Arc;

use super::stage::{Plan, Stage};
use crate::diagnostics::Diagnostics;
use crate::spec::StageSpec;

/// A pipeline after all of it has been looked at, sound or not.
pub(crate) struct Examination {
    /// The pipeline as validated; only where `found` holds no error.
    pub(crate) plan: Option<Plan>,
    /// What is wrong with the pipeline and the stages it needs.
    pub(crate) found: Diagnostics,
    /// Every stage whose file holds one `SELECT`.
    pub(crate) stages: Vec<StageFinding>,
}

/// What was found out about one stage.
pub(crate) struct StageFinding {
    pub(crate) spec: StageSpec,
    /// Whether a published mart needs it.
    pub(crate) needed: bool,
    /// The stage, where its SQL could be planned, even if it is not what its contract says.
    pub(crate) stage: Option<Arc<Stage>>,
    /// What is wrong with it, where nothing needs it; else that is told with the pipeline.
    pub(crate) mistakes: Diagnostics,
}
