//! Writes the columns that SQL yields into the files beside the stages.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::project::Project;
use crate::plan::{self, Stage, StageFinding};
use crate::spec::{self, DeclaredColumn};

/// What became of a contract that differs from its SQL.
pub(super) enum Update {
    /// The file was written.
    Written(String),
    /// The columns stand in braces.
    InBraces(String),
}

/// Brings the contracts of marts, and of other stages that have one, in line with their SQL.
pub(super) fn update(root: &Path, project: &Project) -> io::Result<Vec<Update>> {
    let mut seen = BTreeSet::new();
    let mut updates = Vec::new();
    let marts = project.marts();
    for finding in project.examinations.iter().flat_map(|examination| &examination.stages) {
        let Some(stage) = &finding.stage else { continue };
        let has_contract = declared(finding).next().is_some();
        let is_mart = marts.contains(finding.spec.name.as_str());
        if (has_contract || is_mart) && seen.insert(&*finding.spec.sql.path) {
            updates.extend(updated(root, finding, stage)?);
        }
    }
    Ok(updates)
}

fn updated(root: &Path, finding: &StageFinding, stage: &Stage) -> io::Result<Option<Update>> {
    let columns: Vec<DeclaredColumn> = stage
        .schema
        .fields()
        .iter()
        .map(|field| DeclaredColumn {
            name: field.name().clone(),
            data_type: plan::written_type(field.data_type()),
        })
        .collect();
    if declared(finding).eq(columns.iter().cloned()) {
        return Ok(None);
    }
    let path = finding.spec.sidecar_path();
    match spec::with_columns(finding.spec.sidecar.as_ref(), &columns) {
        Ok(text) => {
            fs::write(root.join(&path), text)?;
            Ok(Some(Update::Written(path)))
        }
        Err(spec::InBraces) => Ok(Some(Update::InBraces(path))),
    }
}

/// Returns the columns a sidecar declares, as far as their types are known.
fn declared(finding: &StageFinding) -> impl Iterator<Item = DeclaredColumn> {
    let sidecar = finding.spec.sidecar.iter();
    let columns = sidecar.flat_map(|sidecar| sidecar.sidecar.columns.iter());
    columns.map(|(name, column)| DeclaredColumn {
        name: name.to_owned(),
        data_type: column.data_type.replace(' ', ""),
    })
}
