//! `martlet plan`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::args::{Global, ReportFormat};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::outlook;
use crate::cli::output::{Output, causes};
use crate::cli::plan_args::PlanArguments;
use crate::cli::progress::{Progress, Style};
use crate::cli::project::{all_pipelines, planned};
use crate::plan::{Plan, Selection};
use crate::report::{Header, Outlook, RunReport, Verdict};
use crate::run::{self, Purpose, RunError};
use crate::warehouse::Warehouse;
use crate::zone::AsOf;

/// Says why there is nothing to tell.
enum NoOutlook {
    Run(RunError),
    Work(std::io::Error),
}

/// Tells what the next run would do and why, without doing it.
pub(in crate::cli) fn plan(
    global: &Global,
    arguments: &PlanArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let plan = match selected(global, arguments, output) {
        Ok(plan) => plan,
        Err(status) => return status,
    };
    let outlook = runtime.block_on(Box::pin(outlook(&environment, arguments, &plan, output)));
    match outlook {
        Ok(outlook) => {
            tell(&outlook, arguments.format, output);
            status(&outlook)
        }
        Err(NoOutlook::Run(error)) => {
            output.error(&error);
            if let Some(help) = error.help() {
                output.note(&format!("hint: {help}"));
            }
            error.class().into()
        }
        Err(NoOutlook::Work(error)) => {
            output.error(&error);
            ExitStatus::Permanent
        }
    }
}

/// Returns the plan of the pipeline that is named, or of the only one there is, as far as it is selected.
fn selected(
    global: &Global,
    arguments: &PlanArguments,
    output: &Output,
) -> Result<Plan, ExitStatus> {
    let pipeline = pipeline(global, arguments, output)?;
    let plan = planned(&global.project, &pipeline).map_err(|found| {
        output.diagnostics(&found);
        ExitStatus::Usage
    })?;
    let selection = Selection {
        select: arguments.select.clone(),
        exclude: arguments.exclude.clone(),
        until: arguments.until.clone(),
    };
    plan.selected(&selection).map_err(|error| {
        output.plain_error(&error.to_string(), &error.help());
        ExitStatus::Usage
    })
}

fn pipeline(
    global: &Global,
    arguments: &PlanArguments,
    output: &Output,
) -> Result<PathBuf, ExitStatus> {
    if let Some(named) = &arguments.pipeline {
        return Ok(named.clone());
    }
    let (pipelines, found) = all_pipelines(&global.project);
    match pipelines.as_slice() {
        [only] => return Ok(only.clone()),
        [] => output.diagnostics(&found),
        several => {
            let names: Vec<_> = several.iter().map(|it| format!("`{}`", it.display())).collect();
            let message = format!("the project has several pipelines: {}", names.join(", "));
            output.plain_error(&message, "say which: `martlet plan PIPELINE --as-of …`");
        }
    }
    Err(ExitStatus::Usage)
}

async fn outlook(
    environment: &Environment,
    arguments: &PlanArguments,
    plan: &Plan,
    output: &Output,
) -> Result<Outlook, NoOutlook> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let (run_id, started_at) = environment::new_run();
    let as_of = AsOf::midnight(arguments.as_of, plan.timezone);
    let options = run::Options {
        force: arguments.force || arguments.full_refresh,
        full_refresh: arguments.full_refresh,
        allow_incomplete: arguments.allow_incomplete,
        replayed: None,
        purpose: Purpose::Rehearse,
        identity_key: environment.identity_key.clone(),
    };
    // What is only looked at needs no folder.
    let unseen = Arc::new(Progress::new(Style::Hidden));
    let ctx = environment.context(run_id.clone(), as_of, PathBuf::new(), unseen);
    let foreseen = Box::pin(run::foresee(&ctx, plan, &warehouse, &options)).await;
    let mut outlook = foreseen.map_err(NoOutlook::Run)?;
    if !arguments.impact || outlook.verdict != Verdict::Run {
        return Ok(outlook);
    }
    let work = environment.work_folder(&run_id).map_err(NoOutlook::Work)?;
    let progress = Arc::new(Progress::new(output.progress()));
    let listener: Arc<Progress> = Arc::clone(&progress);
    let ctx = environment.context(run_id, as_of, work.path().to_owned(), listener);
    let mut report = RunReport::begun(Header {
        run_id: ctx.run_id.to_string(),
        pipeline: plan.name.to_string(),
        as_of: as_of.date,
        environment: environment.name.clone(),
        started_at,
        raw: environment.raw.shown(&environment.raw.prefix),
        warehouse: environment.warehouse_shown(),
    });
    let impact = Box::pin(run::rehearse(&ctx, plan, &warehouse, &options, &mut report)).await;
    progress.end();
    outlook.impact = impact.map_err(NoOutlook::Run)?;
    Ok(outlook)
}

/// Returns how the run would end, as far as can be told.
fn status(outlook: &Outlook) -> ExitStatus {
    match (outlook.verdict, &outlook.impact) {
        (Verdict::Incomplete, _) => ExitStatus::Incomplete,
        (_, Some(impact)) if impact.blocks() => ExitStatus::ChecksFailed,
        _ => ExitStatus::Success,
    }
}

fn tell(outlook: &Outlook, format: ReportFormat, output: &Output) {
    match format {
        ReportFormat::Text => output.data(&outlook::text(outlook)),
        ReportFormat::Json => match serde_json::to_string_pretty(outlook) {
            Ok(text) => output.data(&format!("{text}\n")),
            Err(error) => output.note(&causes(&error).join(": ")),
        },
    }
}
