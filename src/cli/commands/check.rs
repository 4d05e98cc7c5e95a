//! `martlet check`.

use crate::cli::args::{CheckArguments, CheckFormat, Global};
use crate::cli::contracts::{self, Update};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::project::{Project, has_errors};
use crate::diagnostics::{self, Diagnostic};

/// Validates pipelines and everything they name.
pub(in crate::cli) fn check(
    global: &Global,
    arguments: &CheckArguments,
    output: &Output,
) -> ExitStatus {
    let mut project = Project::examine(&global.project, &arguments.pipelines);
    if arguments.update {
        if let Err(error) = updated(global, &project, output) {
            output.error(&error);
            return ExitStatus::Permanent;
        }
        project = Project::examine(&global.project, &arguments.pipelines);
    }
    let found = project.found();
    tell(&project, &found, arguments.format, output);
    if has_errors(&found) { ExitStatus::Usage } else { ExitStatus::Success }
}

/// Brings contracts in line with their SQL.
fn updated(global: &Global, project: &Project, output: &Output) -> std::io::Result<()> {
    for update in contracts::update(&global.project, project)? {
        output.note(&match update {
            Update::Written(path) => format!("wrote the columns into {path}"),
            Update::InBraces(path) => {
                format!("{path}: the columns stand in braces; write one on each line first")
            }
        });
    }
    Ok(())
}

fn tell(project: &Project, found: &[Diagnostic], format: CheckFormat, output: &Output) {
    match format {
        CheckFormat::Json => output.data(&format!("{:#}\n", diagnostics::to_json(found))),
        CheckFormat::Sarif => output.data(&format!("{:#}\n", diagnostics::to_sarif(found))),
        CheckFormat::Text if found.is_empty() => {
            let names: Vec<String> =
                project.pipelines.iter().map(|path| path.display().to_string()).collect();
            output.data(&format!("no mistakes in {}\n", names.join(", ")));
        }
        CheckFormat::Text => output.diagnostics(found),
    }
}
