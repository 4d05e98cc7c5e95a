//! The pipelines a command speaks of, as written and as validated.

use std::path::{Path, PathBuf};

use super::project::{all_pipelines, read, resolved};
use crate::diagnostics::Diagnostics;
use crate::plan::Plan;
use crate::spec::PipelineSpec;

/// A pipeline as written and as validated.
pub(super) struct Planned {
    pub(super) spec: PipelineSpec,
    pub(super) plan: Plan,
}

/// Reads and validates the named pipelines, or all of the project; says everything that is wrong with any.
pub(super) fn planned(project: &Path, named: &[PathBuf]) -> Result<Vec<Planned>, Diagnostics> {
    let (pipelines, mut found) = match named {
        [] => all_pipelines(project),
        named => (named.to_vec(), Diagnostics::new()),
    };
    let mut planned = Vec::with_capacity(pipelines.len());
    for pipeline in &pipelines {
        match one(project, pipeline) {
            Ok(one) => planned.push(one),
            // Two pipelines may share a stage; its mistakes are told once.
            Err(more) => {
                for new in more {
                    if !found.contains(&new) {
                        found.push(new);
                    }
                }
            }
        }
    }
    if found.is_empty() { Ok(planned) } else { Err(found) }
}

fn one(project: &Path, pipeline: &Path) -> Result<Planned, Diagnostics> {
    let spec = read(project, pipeline)?;
    let plan = resolved(&spec)?;
    Ok(Planned { spec, plan })
}
