//! `martlet replay`.

use super::query::{NoAnswer, refused};
use super::run::{Night, run_night};
use crate::cli::args::{Global, ReplayArguments};
use crate::cli::environment;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::project::planned;
use crate::diagnostics::nearest;
use crate::names::SourceName;
use crate::plan::Plan;
use crate::warehouse::Warehouse;

/// Decodes the objects of a source that have rejects once more, and publishes the present night with what is accepted.
pub(in crate::cli) fn replay(
    global: &Global,
    arguments: &ReplayArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let plan = match planned(&global.project, &arguments.pipeline) {
        Ok(plan) => plan,
        Err(found) => {
            output.diagnostics(&found);
            return ExitStatus::Usage;
        }
    };
    let Some(source) = source_of(&plan, &arguments.source, output) else {
        return ExitStatus::Usage;
    };
    let warehouse = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let present = match runtime.block_on(warehouse.current_as_completed()) {
        Err(error) => return refused(NoAnswer::Warehouse(error), "", output),
        Ok((None, _)) => {
            let message = format!("the pipeline `{}` has published nothing yet", plan.name);
            output.plain_error(&message, "publish a night with `martlet run`");
            return ExitStatus::Usage;
        }
        Ok((Some(present), _)) => present,
    };
    let night = Night {
        replayed: Some(source),
        force: true,
        allow_incomplete: arguments.allow_incomplete,
        format: arguments.format,
        ..Night::of(present.as_of)
    };
    let status = runtime.block_on(Box::pin(run_night(&environment, &night, &plan, output)));
    runtime.shutdown_background();
    status
}

fn source_of(plan: &Plan, name: &str, output: &Output) -> Option<SourceName> {
    let names = || plan.sources.iter().map(|source| source.name.as_str());
    if names().any(|known| known == name) {
        return name.parse().ok();
    }
    let hint = match nearest(name, names()) {
        Some(right) => format!("did you mean `{right}`?"),
        None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("the pipeline `{}` has no source `{name}`", plan.name);
    output.plain_error(&message, &hint);
    None
}
