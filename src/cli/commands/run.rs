//! `martlet run`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};

use super::dev;
use crate::cli::args::{Global, ReportFormat, RunArguments};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::{ExitStatus, run_status};
use crate::cli::lease::{self, End};
use crate::cli::output::{Output, causes};
use crate::cli::progress::Progress;
use crate::cli::project::planned;
use crate::cli::summary;
use crate::engine::Context;
use crate::names::SourceName;
use crate::plan::{Plan, Selection};
use crate::report::{Header, RunReport, Status};
use crate::run::{self, Purpose, RunError};
use crate::warehouse::Warehouse;
use crate::zone::AsOf;

/// Takes one night from raw exports to published marts.
pub(in crate::cli) fn run(
    global: &Global,
    arguments: &RunArguments,
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
    let plan = match plan.selected(&selection(arguments)) {
        Ok(plan) => plan,
        Err(error) => {
            output.plain_error(&error.to_string(), &error.help());
            return ExitStatus::Usage;
        }
    };
    if let Some(name) = &arguments.dev {
        let night = dev::night(&environment, arguments, &plan, name, output);
        return runtime.block_on(night).map_or_else(
            |status| status,
            |mut report| {
                let status = concluded(&mut report, arguments);
                tell(&report, arguments.format, output);
                status
            },
        );
    }
    let night = night_of(arguments);
    let status = runtime.block_on(Box::pin(run_night(&environment, &night, &plan, output)));
    // Threads that still decode when a run is interrupted are not waited for.
    runtime.shutdown_background();
    status
}

/// Writes the exit status of a night that came to its end into the report.
fn concluded(report: &mut RunReport, arguments: &RunArguments) -> ExitStatus {
    let status = conclude(report, End::Done(Ok(report.status)), &night_of(arguments));
    report.exit_status = status.code();
    status
}

fn selection(arguments: &RunArguments) -> Selection {
    Selection {
        select: arguments.select.clone(),
        exclude: arguments.exclude.clone(),
        until: arguments.until.clone(),
    }
}

fn night_of(arguments: &RunArguments) -> Night {
    Night {
        force: arguments.force || arguments.full_refresh,
        full_refresh: arguments.full_refresh,
        allow_incomplete: arguments.allow_incomplete,
        skip_exit_code: arguments.skip_exit_code,
        format: arguments.format,
        ..Night::of(arguments.as_of)
    }
}

/// One night that is to be run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of a command")]
pub(super) struct Night {
    pub(super) as_of: NaiveDate,
    pub(super) force: bool,
    pub(super) full_refresh: bool,
    pub(super) allow_incomplete: bool,
    /// The source whose objects with rejects are decoded once more.
    pub(super) replayed: Option<SourceName>,
    pub(super) skip_exit_code: bool,
    pub(super) format: ReportFormat,
}

impl Night {
    /// Returns the night of a date as any other night is run.
    pub(super) fn of(as_of: NaiveDate) -> Self {
        Self {
            as_of,
            force: false,
            full_refresh: false,
            allow_incomplete: false,
            replayed: None,
            skip_exit_code: false,
            format: ReportFormat::default(),
        }
    }
}

/// Runs one night under the lease of its pipeline, tells its end and returns the exit status.
pub(super) async fn run_night(
    environment: &Environment,
    night: &Night,
    plan: &Plan,
    output: &Output,
) -> ExitStatus {
    let (run_id, started_at) = environment::new_run();
    let (warehouse, lease) = match lease::take(environment, &plan.name, &run_id, output).await {
        Ok(taken) => taken,
        Err(status) => return status,
    };
    let work = match environment.work_folder(&run_id) {
        Ok(work) => work,
        Err(error) => {
            output.error(&error);
            lease::give_back(&warehouse, &lease).await;
            return ExitStatus::Permanent;
        }
    };
    let progress = Arc::new(Progress::new(output.progress()));
    let listener: Arc<Progress> = Arc::clone(&progress);
    let as_of = AsOf::midnight(night.as_of, plan.timezone);
    let ctx = environment.context(run_id, as_of, work.path().to_owned(), listener);
    let mut report = RunReport::begun(header(environment, &ctx, plan, started_at));
    tracing::info!(run_id = %ctx.run_id, pipeline = %plan.name, as_of = %as_of.date, "the run begins");
    let begun_at = Instant::now();
    let options = run::Options {
        force: night.force,
        full_refresh: night.full_refresh,
        allow_incomplete: night.allow_incomplete,
        replayed: night.replayed.clone(),
        purpose: Purpose::Publish,
        identity_key: environment.identity_key.clone(),
    };
    let run = Box::pin(run::execute(&ctx, plan, &warehouse, &options, &mut report));
    let end = lease::work(&lease, run).await;
    let status = conclude(&mut report, end, night);
    if matches!(report.status, Status::Failed | Status::Interrupted) {
        report.generation = decided(&warehouse, &ctx).await;
    }
    report.steps = progress.end();
    report.elapsed_ms = begun_at.elapsed().as_millis() as u64;
    report.exit_status = status.code();
    keep_report(&warehouse, &ctx, &report, output).await;
    lease::give_back(&warehouse, &lease).await;
    tell(&report, night.format, output);
    status
}

/// Returns the generation that a run had decided on before it was cut off, as far as that can be found out in time.
async fn decided(warehouse: &Warehouse, ctx: &Context) -> Option<u64> {
    let decided = warehouse.decided_by(&ctx.run_id);
    tokio::time::timeout(Duration::from_secs(1), decided).await.ok()?.ok()?
}

/// Writes the report into the warehouse; a store that does not answer keeps nobody waiting for the exit status.
async fn keep_report(warehouse: &Warehouse, ctx: &Context, report: &RunReport, output: &Output) {
    let written = warehouse.write_report(&ctx.run_id, report);
    let written = tokio::select! {
        written = written => Some(written),
        () = tokio::time::sleep(Duration::from_mins(1)) => None,
        // Whoever sent a signal soon sends one that cannot be handled.
        () = soon_after_a_signal() => None,
    };
    match written {
        Some(Ok(())) => {}
        Some(Err(error)) => output.failure(&error, error.help()),
        None => output.note("warning: the report could not be written in time"),
    }
}

async fn soon_after_a_signal() {
    lease::interrupted().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// Writes the end into the report and returns the exit status.
fn conclude(
    report: &mut RunReport,
    end: End<Result<Status, RunError>>,
    night: &Night,
) -> ExitStatus {
    let ended = match end {
        End::Interrupted(status) => {
            report.status = Status::Interrupted;
            return status;
        }
        End::Lost(error) => Err(RunError::from(error)),
        End::Done(ended) => ended,
    };
    match ended {
        Err(error) => {
            let class = error.class();
            report.status = run_status(class);
            report.errors = causes(&error);
            report.help = error.help();
            class.into()
        }
        Ok(status) => {
            report.status = status;
            match status {
                Status::Unchanged if night.skip_exit_code => ExitStatus::Skipped,
                Status::ChecksFailed => ExitStatus::ChecksFailed,
                _ => ExitStatus::Success,
            }
        }
    }
}

fn header(
    environment: &Environment,
    ctx: &Context,
    plan: &Plan,
    started_at: DateTime<Utc>,
) -> Header {
    Header {
        run_id: ctx.run_id.to_string(),
        pipeline: plan.name.to_string(),
        as_of: ctx.as_of.date,
        environment: environment.name.clone(),
        started_at,
        raw: environment.raw.shown(&environment.raw.prefix),
        warehouse: environment.warehouse_shown(),
    }
}

fn tell(report: &RunReport, format: ReportFormat, output: &Output) {
    match format {
        ReportFormat::Text => output.data(&summary::text(report)),
        ReportFormat::Json => {
            if let Ok(text) = serde_json::to_string_pretty(report) {
                output.data(&format!("{text}\n"));
            }
        }
    }
}
