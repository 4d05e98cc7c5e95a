//! `martlet run --dev` and `martlet dev`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use super::query::{self, NoAnswer, pipeline, refused, usage, with_customers};
use crate::cli::args::{DevCommand, Global, RunArguments};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::lease::{self, End};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::names::{DevName, PipelineName};
use crate::plan::Plan;
use crate::report::{Header, RunReport};
use crate::run::{self, Present, RunError};
use crate::warehouse::{DevWarehouse, Generation, Warehouse, WarehouseError, dev_warehouses};
use crate::zone::AsOf;

/// Lists development warehouses or throws one away.
pub(in crate::cli) fn dev(global: &Global, command: &DevCommand, output: &Output) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let done = runtime.block_on(async {
        match command {
            DevCommand::List { pipeline } => listed(&environment, pipeline.as_deref()).await,
            DevCommand::Drop { name, pipeline } => {
                dropped(&environment, name, pipeline.as_deref()).await
            }
        }
    });
    match done {
        Ok(text) => {
            output.data(&text);
            ExitStatus::Success
        }
        Err(reason) => refused(reason, "", output),
    }
}

async fn listed(environment: &Environment, named: Option<&str>) -> Result<String, NoAnswer> {
    let pipeline = pipeline(environment, named).await?;
    let root = &environment.warehouse;
    let mut text = String::new();
    for name in dev_warehouses(root, &pipeline).await.map_err(NoAnswer::Warehouse)? {
        let dev = DevWarehouse::open(root.clone(), &pipeline, &name);
        let current = dev.warehouse().current().await.map_err(NoAnswer::Warehouse)?;
        if let Some(Generation { as_of, number, .. }) = current {
            let _ = writeln!(text, "{name}  as of {as_of}, generation {number}");
        }
    }
    Ok(text)
}

async fn dropped(
    environment: &Environment,
    name: &DevName,
    named: Option<&str>,
) -> Result<String, NoAnswer> {
    let pipeline = pipeline(environment, named).await?;
    let dev = DevWarehouse::open(environment.warehouse.clone(), &pipeline, name);
    match dev.destroy().await.map_err(NoAnswer::Warehouse)? {
        0 => Err(unknown(&pipeline, name)),
        files => Ok(format!("threw {pipeline}@{name} away: {files} files\n")),
    }
}

/// Returns the present generation of a development warehouse.
pub(super) async fn present(
    warehouse: &Warehouse,
    pipeline: &PipelineName,
    name: &DevName,
) -> Result<Generation, NoAnswer> {
    let current = warehouse.current().await.map_err(NoAnswer::Warehouse)?;
    current.ok_or_else(|| unknown(pipeline, name))
}

fn unknown(pipeline: &PipelineName, name: &DevName) -> NoAnswer {
    usage(
        format!("the pipeline `{pipeline}` has no development warehouse `{name}`"),
        "`martlet dev list` shows those there are",
    )
}

/// Says why a night could not be computed into a development warehouse.
enum NoNight {
    Question(NoAnswer),
    Work(std::io::Error),
    Run(RunError),
    Lease(WarehouseError),
    /// The reason has been told already.
    Told(ExitStatus),
}

/// Computes the marts from production's clean tables into a development warehouse.
pub(super) async fn night(
    environment: &Environment,
    arguments: &RunArguments,
    plan: &Plan,
    name: &DevName,
    output: &Output,
) -> Result<RunReport, ExitStatus> {
    let night = computed(environment, arguments, plan, name, output).await;
    night.map_err(|reason| match reason {
        NoNight::Question(reason) => refused(reason, "", output),
        NoNight::Work(error) => {
            output.error(&error);
            ExitStatus::Permanent
        }
        NoNight::Run(error) => {
            output.failure(&error, error.help().as_deref());
            error.class().into()
        }
        NoNight::Lease(error) => {
            output.failure(&error, error.help());
            run::warehouse_class(&error).into()
        }
        NoNight::Told(status) => status,
    })
}

async fn computed(
    environment: &Environment,
    arguments: &RunArguments,
    plan: &Plan,
    name: &DevName,
    output: &Output,
) -> Result<RunReport, NoNight> {
    let production = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let generation = query::present(&production, &plan.name).await.map_err(NoNight::Question)?;
    if arguments.as_of > generation.as_of {
        let message = format!("the clean tables that are published end with {}", generation.as_of);
        let hint = "a development warehouse computes no later night than that";
        return Err(NoNight::Question(usage(message, hint)));
    }
    let published = with_customers(environment, &production, &generation).await;
    let published = published.map_err(NoNight::Question)?;
    let (run_id, started_at) = environment::new_run();
    let work = environment.work_folder(&run_id).map_err(NoNight::Work)?;
    let progress = Arc::new(Progress::new(output.progress()));
    let listener: Arc<Progress> = Arc::clone(&progress);
    let as_of = AsOf::midnight(arguments.as_of, plan.timezone);
    let ctx = environment.context(run_id, as_of, work.path().to_owned(), listener);
    let own = DevWarehouse::open(environment.warehouse.clone(), &plan.name, name);
    let whose = format!("the development warehouse `{}@{name}`", plan.name);
    let taken = lease::take_of(own.warehouse().clone(), &whose, &ctx.run_id, output).await;
    let (own, lease) = taken.map_err(NoNight::Told)?;
    let mut report = RunReport::begun(Header {
        run_id: ctx.run_id.to_string(),
        pipeline: format!("{}@{name}", plan.name),
        as_of: ctx.as_of.date,
        environment: environment.name.clone(),
        started_at,
        raw: production.shown(production.layout().base()),
        warehouse: environment.warehouse_shown(),
    });
    let begun_at = Instant::now();
    let present =
        Present { warehouse: &production, generation: &generation, session: &published.session };
    let end = lease::work(&lease, run::develop(&ctx, plan, &present, &own, &mut report)).await;
    lease::give_back(&own, &lease).await;
    report.steps = progress.end();
    report.elapsed_ms = begun_at.elapsed().as_millis() as u64;
    report.status = match end {
        End::Done(status) => status.map_err(NoNight::Run)?,
        End::Lost(error) => return Err(NoNight::Lease(error)),
        End::Interrupted(status) => return Err(NoNight::Told(status)),
    };
    Ok(report)
}
