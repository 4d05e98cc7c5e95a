//! `martlet vacuum`.

use arrow::array::RecordBatch;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::ObjectMeta;

use super::query::{NoAnswer, pipeline, refused, written};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::lease::{self, End};
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::upkeep::VacuumArguments;
use crate::names::PipelineName;
use crate::warehouse::{Keep, Warehouse, WarehouseError};

/// Lists the files that nothing that is kept needs, and removes them on request.
pub(in crate::cli) fn vacuum(
    global: &Global,
    arguments: &VacuumArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let found = runtime.block_on(swept(&environment, arguments, output));
    let told = found.and_then(|(pipeline, waste)| {
        let text = written(&[listed(&pipeline, &environment, &waste)?], arguments.format)?;
        Ok((text, waste))
    });
    match told {
        Ok((text, waste)) => {
            let bytes: u64 = waste.iter().map(|meta| meta.size).sum();
            let done = if arguments.apply { "removed" } else { "to be removed with `--apply`" };
            output.data(&text);
            output.note(&format!("{} files of {bytes} bytes {done}", waste.len()));
            ExitStatus::Success
        }
        Err(Ended::Told(status)) => status,
        Err(Ended::For(reason)) => refused(reason, "", output),
    }
}

/// Why nothing was found or removed.
enum Ended {
    /// The user has been told.
    Told(ExitStatus),
    For(NoAnswer),
}

impl From<NoAnswer> for Ended {
    fn from(reason: NoAnswer) -> Self {
        Self::For(reason)
    }
}

impl From<WarehouseError> for Ended {
    fn from(error: WarehouseError) -> Self {
        Self::For(NoAnswer::Warehouse(error))
    }
}

/// Returns the moment that lies so many days back; before all calendars everything is young.
fn since(now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    let age = TimeDelta::try_days(days.into());
    age.and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Finds what is not needed, and removes it where that is asked for.
async fn swept(
    environment: &Environment,
    arguments: &VacuumArguments,
    output: &Output,
) -> Result<(PipelineName, Vec<ObjectMeta>), Ended> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let keep = Keep {
        newest: arguments.keep as usize,
        since: since(environment::clock()(), arguments.min_age),
    };
    if !arguments.apply {
        let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
        return Ok((pipeline, warehouse.waste(keep).await?));
    }
    let (run_id, _) = environment::new_run();
    let taken = lease::take(environment, &pipeline, &run_id, output).await;
    let (warehouse, lease) = taken.map_err(Ended::Told)?;
    let end = lease::work(&lease, remove(&warehouse, keep)).await;
    lease::give_back(&warehouse, &lease).await;
    match end {
        End::Done(waste) => Ok((pipeline, waste?)),
        End::Lost(error) => Err(error.into()),
        End::Interrupted(status) => Err(Ended::Told(status)),
    }
}

async fn remove(warehouse: &Warehouse, keep: Keep) -> Result<Vec<ObjectMeta>, WarehouseError> {
    // What a run that died had decided must be what readers see before anything is judged.
    warehouse.roll_forward().await?;
    let waste = warehouse.waste(keep).await?;
    warehouse.remove(&waste).await?;
    warehouse.remove_fragments(keep);
    Ok(waste)
}

fn listed(
    pipeline: &PipelineName,
    environment: &Environment,
    waste: &[ObjectMeta],
) -> Result<RecordBatch, NoAnswer> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), pipeline);
    let path = |meta: &ObjectMeta| Some(warehouse.layout().relative(&meta.location));
    Table::default()
        .text("file", waste.iter().map(path))
        .number("bytes", waste.iter().map(|meta| Some(meta.size)))
        .text(
            "written",
            waste.iter().map(|meta| Some(meta.last_modified.format("%FT%TZ").to_string())),
        )
        .batch()
        .map_err(NoAnswer::Output)
}
