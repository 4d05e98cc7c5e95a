//! A source, inferred from some of its files and added to a pipeline.

use std::path::{Path, PathBuf};

use super::draft::{Draft, NoDraft, name, usage};
use crate::cli::author_args::NewSourceArguments;
use crate::cli::commands::drafted_source;
use crate::cli::project::all_pipelines;
use crate::cli::source_tree;
use crate::diagnostics::SourceFile;
use crate::infer;
use crate::names::SourceName;
use crate::{plan, spec};

/// Drafts a pipeline that has one source more, `raw` being the folder that paths start from.
pub(in crate::cli) fn source(
    project: &Path,
    raw: &str,
    arguments: &NewSourceArguments,
) -> Result<Draft, NoDraft> {
    let source: SourceName = name(&arguments.name)?;
    let pipeline = pipeline_of(project, arguments)?;
    let path = source_tree::project_path(project, &pipeline)?;
    let mut tree = source_tree::read(project, &pipeline)?;
    let before = spec::load(&tree, &path)?;
    if before.pipeline.sources.iter().any(|(known, _)| known == source.as_str()) {
        let message = format!("the pipeline `{path}` has a source `{source}` already");
        return Err(usage(message, "choose another name"));
    }
    let draft = drafted_source(raw, &arguments.from, arguments.records).map_err(NoDraft::Infer)?;
    if draft.fields.is_empty() {
        return Err(usage("the files hold no records".to_owned(), "name files that hold some"));
    }
    let definition = infer::definition(&draft, Some(&source));
    let text = added(&before.file, &definition)?;
    tree.insert(&path, &text);
    plan::resolve(&spec::load(&tree, &path)?)?;
    Ok(Draft {
        files: Vec::new(),
        next: vec![
            format!("look at `{source}` in {path}: types, keys and personal data are guesses"),
            format!("read it: martlet new stage NAME --reads {source} --pipeline {path}"),
            "martlet check".to_owned(),
        ],
        grown: Some((path, text)),
    })
}

/// Returns the pipeline that is named, or the only one there is.
fn pipeline_of(project: &Path, arguments: &NewSourceArguments) -> Result<PathBuf, NoDraft> {
    if let Some(path) = &arguments.pipeline {
        return Ok(path.clone());
    }
    let (pipelines, found) = all_pipelines(project);
    match pipelines.as_slice() {
        [] => Err(found.into()),
        [only] => Ok(only.clone()),
        _ => Err(usage(
            "the project has several pipelines".to_owned(),
            "say which gets the source with `--pipeline`",
        )),
    }
}

/// Returns the text of a pipeline with a definition added at the end of its sources.
fn added(pipeline: &SourceFile, definition: &str) -> Result<String, NoDraft> {
    let text = pipeline.text.as_ref();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_sources = |line: &&str| {
        let rest = line.strip_prefix("sources:").map(str::trim);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    };
    let Some(start) = lines.iter().position(is_sources) else {
        let message = format!("`sources` of `{}` is not written as a block", pipeline.path);
        return Err(usage(message, "print the definition with `martlet infer`, and paste it"));
    };
    let is_top =
        |line: &&&str| line.starts_with(|first: char| !first.is_whitespace() && first != '#');
    let next = lines[start + 1..].iter().position(|line| is_top(&line));
    let mut end = next.map_or(lines.len(), |next| start + 1 + next);
    // Comments and empty lines before the next key belong to that key.
    while lines[end - 1].trim().is_empty() || lines[end - 1].starts_with('#') {
        end -= 1;
    }
    let mut text = lines[..end].concat();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push('\n');
    text.push_str(definition);
    text.push_str(&lines[end..].concat());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{NoDraft, added};
    use crate::diagnostics::SourceFile;

    fn with_source(text: &str) -> Result<String, NoDraft> {
        added(&SourceFile { path: "shop.yaml".into(), text: text.into() }, "  new:\n    path: x\n")
    }

    #[test]
    fn a_source_goes_behind_the_last_one_and_every_line_stays() {
        let before = "name: shop\nsources: # raw\n  old:\n    path: y\n";
        let after = "\n# who is who\nidentity: {}\n";
        let text = with_source(&format!("{before}{after}")).ok().unwrap();
        assert_eq!(text, format!("{before}\n  new:\n    path: x\n{after}"));
    }

    #[test]
    fn sources_may_stand_at_the_end_of_a_file_without_a_last_line_end() {
        let text = with_source("sources:\n  old: {}").ok().unwrap();
        assert_eq!(text, "sources:\n  old: {}\n\n  new:\n    path: x\n");
    }

    #[test]
    fn sources_in_braces_are_left_alone() {
        assert!(with_source("sources: { old: {} }\n").is_err());
        assert!(with_source("name: shop\n").is_err());
    }
}
