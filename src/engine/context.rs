//! What every step of a run is given.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{Root, SpoolBudget};
use crate::names::RunId;
use crate::report::Listener;
use crate::zone::AsOf;

/// What every step of a run is given: values and handles, no behaviour.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) run_id: RunId,
    pub(crate) as_of: AsOf,
    /// Where raw exports lie.
    pub(crate) raw: Root,
    /// A local folder of this run's own, removed when the run ends.
    pub(crate) work: PathBuf,
    /// How many threads compute.
    pub(crate) threads: usize,
    /// How many bytes of memory the run may use.
    pub(crate) memory: usize,
    /// What all spools of the run together may keep in memory; a part of `memory`.
    pub(crate) spools: SpoolBudget,
    /// What stages that only others read may keep there later, when what spools held is written; a part of `memory`.
    pub(crate) kept: SpoolBudget,
    pub(crate) listener: Arc<dyn Listener>,
}
