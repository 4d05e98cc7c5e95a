//! `martlet rollback`.

use super::query::{NoAnswer, numbered, pipeline, present, refused, usage};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::lease::{self, End};
use crate::cli::output::Output;
use crate::cli::upkeep::RollbackArguments;
use crate::names::PipelineName;
use crate::run::warehouse_class;
use crate::warehouse::{Generation, Restored, Warehouse, WarehouseError};

/// Publishes the tables of an older generation again.
pub(in crate::cli) fn rollback(
    global: &Global,
    arguments: &RollbackArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let chosen = runtime.block_on(chosen(&environment, arguments));
    match chosen {
        Ok((pipeline, older)) => runtime.block_on(go_back(&environment, &pipeline, &older, output)),
        Err(reason) => refused(reason, "", output),
    }
}

/// Returns the pipeline and the generation to go back to.
async fn chosen(
    environment: &Environment,
    arguments: &RollbackArguments,
) -> Result<(PipelineName, Generation), NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
    let older = match arguments.to {
        Some(number) => numbered(&warehouse, number).await?,
        None => one_before(&warehouse, &present(&warehouse, &pipeline).await?).await?,
    };
    Ok((pipeline, older))
}

/// Returns the newest generation that was published before what is shown now.
///
/// Where a way back was cut off before all of `latest/` followed, that is what is gone on with.
async fn one_before(warehouse: &Warehouse, current: &Generation) -> Result<Generation, NoAnswer> {
    let shown = warehouse.latest_shown().await.map_err(NoAnswer::Warehouse)?;
    if current.restores.is_some() && shown != Some(current.number) {
        return Ok(current.clone());
    }
    let all = warehouse.generations().await.map_err(NoAnswer::Warehouse)?;
    let is_before = |generation: &Generation| {
        generation.restores.is_none() && generation.number < current.origin()
    };
    all.into_iter().rev().find(is_before).ok_or_else(|| {
        let message = format!("there is no generation before {}", current.origin());
        usage(message, "see `martlet generations`")
    })
}

async fn go_back(
    environment: &Environment,
    pipeline: &PipelineName,
    older: &Generation,
    output: &Output,
) -> ExitStatus {
    let (run_id, _) = environment::new_run();
    let (warehouse, lease) = match lease::take(environment, pipeline, &run_id, output).await {
        Ok(taken) => taken,
        Err(status) => return status,
    };
    let end = lease::work(&lease, warehouse.restore(older, &run_id)).await;
    lease::give_back(&warehouse, &lease).await;
    match end {
        End::Interrupted(status) => status,
        End::Lost(error) => failed(&error, output),
        End::Done(restored) => told(restored, pipeline, older, output),
    }
}

fn told(
    restored: Result<Restored, WarehouseError>,
    pipeline: &PipelineName,
    older: &Generation,
    output: &Output,
) -> ExitStatus {
    match restored {
        Ok(Restored::As(number)) => {
            let Generation { number: older, as_of, .. } = older;
            output.data(&format!(
                "{pipeline} is at generation {number}: the tables of generation {older}, as of {as_of}\n"
            ));
            ExitStatus::Success
        }
        Ok(Restored::Already(number)) => {
            output.data(&format!(
                "{pipeline} is at generation {number}, which has the tables of generation {} already\n",
                older.origin()
            ));
            ExitStatus::Success
        }
        Ok(Restored::Vacuumed) => {
            let message = format!("files of generation {} have been removed", older.number);
            output.plain_error(&message, "see `martlet generations` for those that are kept");
            ExitStatus::Permanent
        }
        Ok(Restored::Conflict) => {
            output.plain_error("another run has published meanwhile", "look at what it published");
            ExitStatus::TryAgain
        }
        Err(error) => failed(&error, output),
    }
}

fn failed(error: &WarehouseError, output: &Output) -> ExitStatus {
    output.failure(error, error.help());
    warehouse_class(error).into()
}
