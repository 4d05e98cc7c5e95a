//! A stage and the file beside it.

use std::path::Path;

use super::draft::{Draft, NoDraft, name, schema_line, usage};
use crate::cli::author_args::NewStageArguments;
use crate::cli::project::all_pipelines;
use crate::cli::source_tree;
use crate::diagnostics::nearest;
use crate::names::StageName;
use crate::spec::{self, PipelineSpec};

/// Drafts a stage that counts the rows of a table.
pub(in crate::cli) fn stage(
    project: &Path,
    arguments: &NewStageArguments,
) -> Result<Draft, NoDraft> {
    let stage: StageName = name(&arguments.name)?;
    let spec = pipeline_of(project, arguments)?;
    let folder = folder_of(project, arguments, &spec)?;
    let tables: Vec<&str> = tables(&spec).collect();
    if tables.contains(&stage.as_str()) {
        let message = format!("the pipeline `{}` has a table `{stage}` already", spec.file.path);
        return Err(usage(message, "choose another name"));
    }
    let reads = match &arguments.reads {
        Some(table) if tables.contains(&table.as_str()) => table.as_str(),
        Some(table) => return Err(unknown(table, &tables)),
        None => tables.first().copied().unwrap_or_default(),
    };
    let yaml = format!("{folder}/{stage}.yaml");
    let schema = schema_line(project, &yaml, "sidecar");
    Ok(Draft {
        files: vec![
            (format!("{folder}/{stage}.sql"), select(reads)),
            (yaml, format!("{schema}{}", sidecar(reads))),
        ],
        grown: None,
        next: vec![
            format!(
                "write the `SELECT` in {folder}/{stage}.sql, and its columns in the `.yaml` beside it"
            ),
            format!(
                "name `{stage}` under `publish` in {}, or read it in another stage",
                spec.file.path
            ),
            "martlet check".to_owned(),
        ],
    })
}

/// Returns the folder that is named, which has to be one of the pipeline's, or the last of these.
fn folder_of(
    project: &Path,
    arguments: &NewStageArguments,
    spec: &PipelineSpec,
) -> Result<String, NoDraft> {
    let (folders, _) = spec::stage_folders(&spec.file);
    let folder = match &arguments.folder {
        Some(folder) => source_tree::project_path(project, folder)?,
        None => folders.last().map(|folder| folder.path.clone()).unwrap_or_default(),
    };
    if !folders.iter().any(|known| is_below(&folder, &known.path)) {
        let message = format!("the pipeline `{}` reads no stages from `{folder}`", spec.file.path);
        return Err(usage(message, "name one of the folders under its `stages`, or add this one"));
    }
    Ok(folder)
}

/// Returns the pipeline that is named, or the first one there is.
fn pipeline_of(project: &Path, arguments: &NewStageArguments) -> Result<PipelineSpec, NoDraft> {
    let path = match &arguments.pipeline {
        Some(path) => path.clone(),
        None => {
            let (mut pipelines, found) = all_pipelines(project);
            if pipelines.is_empty() {
                return Err(found.into());
            }
            pipelines.swap_remove(0)
        }
    };
    let tree = source_tree::read(project, &path)?;
    Ok(spec::load(&tree, &source_tree::project_path(project, &path)?)?)
}

/// Returns every table of a pipeline, sources first.
fn tables(spec: &PipelineSpec) -> impl Iterator<Item = &str> {
    let sources = spec.pipeline.sources.iter().map(|(name, _)| name);
    sources.chain(spec.stages.iter().map(|stage| stage.name.as_str()))
}

fn is_below(folder: &str, known: &str) -> bool {
    folder == known || folder.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
}

fn unknown(table: &str, tables: &[&str]) -> NoDraft {
    let hint = match nearest(table, tables.iter().copied()) {
        Some(right) => format!("did you mean `{right}`?"),
        None => format!("there are {}", tables.join(", ")),
    };
    usage(format!("no source or stage is named `{table}`"), hint)
}

fn select(reads: &str) -> String {
    format!(
        "\
-- What the table is for, and which rows belong to it.
SELECT
    COUNT(*) AS records,
    $as_of AS as_of
FROM {reads}
"
    )
}

fn sidecar(reads: &str) -> String {
    format!(
        "\
description: What the table holds, and what one row of it stands for; so far the number of rows of {reads}.
columns:
  records: {{ type: integer, description: Rows of {reads}, checks: [{{ not_null: true }}] }}
  as_of: {{ type: timestamp, description: Exclusive local midnight the row was computed up to, checks: [{{ not_null: true }}] }}
checks:
  - row_count: {{ min: 1 }}
"
    )
}
