//! Planning.

use crate::diagnostics::Diagnostics;
use crate::plan::{self, Plan};
use crate::spec::{self, SourceTree};

/// The texts of a project.
pub struct Project {
    tree: SourceTree,
    pipeline: String,
}

impl Project {
    /// Takes texts by their paths, and the path of the pipeline among them.
    pub fn new<'a>(pipeline: &str, texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = SourceTree::default();
        for (path, text) in texts {
            tree.insert(path, text);
        }
        Self { tree, pipeline: pipeline.to_owned() }
    }

    /// Reads and validates the pipeline, as `martlet check` does; returns how many stages its marts need.
    pub fn check(&self) -> Result<u64, String> {
        Ok(self.plan()?.stages.len() as u64)
    }

    pub(super) fn plan(&self) -> Result<Plan, String> {
        let spec = spec::load(&self.tree, &self.pipeline).map_err(mistakes)?;
        plan::resolve(&spec).map_err(mistakes)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn mistakes(found: Diagnostics) -> String {
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    messages.join("; ")
}
