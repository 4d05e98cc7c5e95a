//! `martlet infer`.

use std::path::{Path, PathBuf};

use crate::cli::args::{Global, InferArguments};
use crate::cli::environment;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::infer;

/// Writes a first definition of a source from some of its files.
pub(in crate::cli) fn infer(
    global: &Global,
    arguments: &InferArguments,
    output: &Output,
) -> ExitStatus {
    let environment = match environment::resolve(global) {
        Ok(environment) => environment,
        Err(found) => {
            output.diagnostics(&found);
            return ExitStatus::Usage;
        }
    };
    let root = environment.raw.shown(&environment.raw.prefix);
    let draft = match drafted_source(&root, &arguments.files, arguments.records) {
        Ok(draft) => draft,
        Err(error) => {
            output.error(&error);
            return ExitStatus::Usage;
        }
    };
    if draft.fields.is_empty() {
        output.plain_error("the files hold no records", "name files that hold some");
        return ExitStatus::Usage;
    }
    output.data(&infer::definition(&draft, None));
    ExitStatus::Success
}

/// Reads some files of a source whose paths start from the raw root.
pub(in crate::cli) fn drafted_source(
    root: &str,
    files: &[PathBuf],
    records: usize,
) -> Result<infer::Draft, infer::InferError> {
    let mut draft = infer::read(files, records)?;
    draft.paths = files.iter().map(|file| below(Path::new(root), file)).collect();
    Ok(draft)
}

/// Returns the path of a file below the raw root, or as much of it as a pattern can hold.
fn below(root: &Path, file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let relative = absolute.strip_prefix(root).unwrap_or(file);
    let parts = relative.components().filter_map(|part| match part {
        std::path::Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
