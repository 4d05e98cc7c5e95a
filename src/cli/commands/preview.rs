//! `martlet preview`.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::query::{NoAnswer, present, refused, with_customers};
use crate::cli::answer;
use crate::cli::args::{Global, PreviewArguments};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::progress::{Progress, Style};
use crate::cli::project::{Project, has_errors};
use crate::diagnostics::{Severity, nearest};
use crate::plan::{Plan, Stage};
use crate::run::{self, Present, RunError};
use crate::warehouse::Warehouse;
use crate::zone::AsOf;

/// Says why there is nothing to show.
enum NoPreview {
    Question(NoAnswer),
    Run(RunError),
    Work(std::io::Error),
}

/// Shows the first rows of a stage as it would be computed now.
pub(in crate::cli) fn preview(
    global: &Global,
    arguments: &PreviewArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let named: Vec<_> = arguments.pipeline.iter().cloned().collect();
    let project = Project::examine(&global.project, &named);
    let Some((plan, stage)) = found(&project, &arguments.stage) else {
        return not_found(&project, &arguments.stage, output);
    };
    let rows = runtime.block_on(rows(&environment, plan, &stage, arguments.limit));
    let told = rows.and_then(|rows| {
        let told = answer::tell(&rows, &arguments.answer, output);
        told.map_err(|error| NoPreview::Question(NoAnswer::Unwritten(error)))
    });
    match told {
        Ok(()) => ExitStatus::Success,
        Err(NoPreview::Question(reason)) => refused(reason, "", output),
        Err(NoPreview::Run(error)) => {
            output.error(&error);
            error.class().into()
        }
        Err(NoPreview::Work(error)) => {
            output.error(&error);
            ExitStatus::Permanent
        }
    }
}

/// Returns the first sound pipeline that has the stage.
fn found<'a>(project: &'a Project, name: &str) -> Option<(&'a Plan, Arc<Stage>)> {
    project.examinations.iter().find_map(|examination| {
        let plan = examination.plan.as_ref()?;
        let mut stages = plan.stages.iter().chain(&plan.idle);
        let stage = stages.find(|stage| stage.name.as_str() == name)?;
        Some((plan, Arc::clone(stage)))
    })
}

fn not_found(project: &Project, name: &str, output: &Output) -> ExitStatus {
    let mut found = project.found();
    if has_errors(&found) {
        found.retain(|diagnostic| diagnostic.severity == Severity::Error);
        output.diagnostics(&found);
        return ExitStatus::Usage;
    }
    let stages = project.examinations.iter().flat_map(|examination| &examination.stages);
    let near = nearest(name, stages.map(|stage| stage.spec.name.as_str()));
    let hint = near.map_or_else(
        || "a stage has the name of its file, without `.sql`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    output.plain_error(&format!("no stage is named `{name}`"), &hint);
    ExitStatus::Usage
}

async fn rows(
    environment: &Environment,
    plan: &Plan,
    stage: &Stage,
    limit: usize,
) -> Result<Vec<RecordBatch>, NoPreview> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let generation = present(&warehouse, &plan.name).await.map_err(NoPreview::Question)?;
    let published = with_customers(environment, &warehouse, &generation).await;
    let published = published.map_err(NoPreview::Question)?;
    let (run_id, _) = environment::new_run();
    let work = environment.work_folder(&run_id).map_err(NoPreview::Work)?;
    let as_of = AsOf::midnight(generation.as_of, plan.timezone);
    let listener = Arc::new(Progress::new(Style::Hidden));
    let ctx = environment.context(run_id, as_of, work.path().to_owned(), listener);
    let present =
        Present { warehouse: &warehouse, generation: &generation, session: &published.session };
    run::preview(&ctx, plan, &present, stage, limit).await.map_err(NoPreview::Run)
}
