//! `martlet lineage`.

use crate::cli::args::Global;
use crate::cli::author_args::{LineageArguments, LineageFormat};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::plans;
use crate::diagnostics::SourceFile;
use crate::lineage::{self, Direction, Lineage, Origin, Sought};

/// Tells what columns are made of, and what is made of them.
pub(in crate::cli) fn lineage(
    global: &Global,
    arguments: &LineageArguments,
    output: &Output,
) -> ExitStatus {
    let pipelines = match pipelines(global, arguments, output) {
        Ok(pipelines) => pipelines,
        Err(status) => return status,
    };
    let (flag, column, direction) = match (&arguments.column, &arguments.impact) {
        (Some(column), _) => ("--column", column, Direction::Back),
        (None, Some(column)) => ("--impact", column, Direction::Forward),
        (None, None) => {
            output.data(&overview(&pipelines, arguments));
            return ExitStatus::Success;
        }
    };
    let file = SourceFile { path: flag.into(), text: column.as_str().into() };
    match lineage::find(&pipelines, &Sought { file }) {
        Ok(found) => {
            let reach =
                |(lineage, from): &(&'_ Lineage, Origin)| lineage::reach(lineage, from, direction);
            let reached = found.iter().map(|found| (found.0, reach(found)));
            output.data(&reaches(reached, arguments.format));
            ExitStatus::Success
        }
        Err(diagnostic) => {
            output.diagnostics(&[diagnostic]);
            ExitStatus::Usage
        }
    }
}

/// Returns the lineage of the named pipelines, or tells why there is none.
fn pipelines(
    global: &Global,
    arguments: &LineageArguments,
    output: &Output,
) -> Result<Vec<Lineage>, ExitStatus> {
    let planned = plans::planned(&global.project, &arguments.pipelines).map_err(|found| {
        output.diagnostics(&found);
        ExitStatus::Usage
    })?;
    let lineages: Result<Vec<Lineage>, _> =
        planned.iter().map(|planned| lineage::lineage(&planned.plan)).collect();
    lineages.map_err(|error| {
        // A plan is valid, so whatever cannot be followed in it is a bug.
        output.error(&error);
        ExitStatus::Bug
    })
}

fn overview(pipelines: &[Lineage], arguments: &LineageArguments) -> String {
    let texts: Vec<String> = match arguments.format {
        LineageFormat::Text => {
            let overview = |lineage| lineage::overview(lineage, arguments.columns);
            pipelines.iter().map(overview).collect()
        }
        LineageFormat::Mermaid => pipelines.iter().map(lineage::mermaid_graph).collect(),
        LineageFormat::Json => return format!("{:#}\n", lineage::to_json(pipelines)),
    };
    texts.join("\n")
}

fn reaches<'a>(
    found: impl Iterator<Item = (&'a Lineage, lineage::Reach)>,
    format: LineageFormat,
) -> String {
    let texts: Vec<String> = match format {
        LineageFormat::Text => {
            found.map(|(lineage, reach)| lineage::reach_text(lineage, &reach)).collect()
        }
        LineageFormat::Mermaid => found.map(|(_, reach)| lineage::mermaid_reach(&reach)).collect(),
        LineageFormat::Json => return format!("{:#}\n", lineage::reach_to_json(found)),
    };
    texts.join("\n")
}
