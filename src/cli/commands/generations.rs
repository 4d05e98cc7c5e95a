//! `martlet generations`.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use object_store::path::Path;

use super::query::{NoAnswer, pipeline, refused, written};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::upkeep::ListArguments;
use crate::warehouse::{Generation, Warehouse, Zone};

/// Lists what has been published, the newest first.
pub(in crate::cli) fn generations(
    global: &Global,
    arguments: &ListArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let answer = runtime.block_on(answer(&environment, arguments));
    match answer.and_then(|batch| written(&[batch], arguments.format)) {
        Ok(text) => {
            output.data(&text);
            ExitStatus::Success
        }
        Err(reason) => refused(reason, "", output),
    }
}

async fn answer(
    environment: &Environment,
    arguments: &ListArguments,
) -> Result<RecordBatch, NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
    let current = warehouse.current_number().await.map_err(NoAnswer::Warehouse)?;
    let mut all = warehouse.generations().await.map_err(NoAnswer::Warehouse)?;
    all.reverse();
    all.truncate(arguments.limit);
    let files = warehouse.table_files().await.map_err(NoAnswer::Warehouse)?;
    let state = |generation: &Generation| state(&warehouse, generation, current, &files).to_owned();
    Table::default()
        .number("generation", all.iter().map(|generation| Some(generation.number)))
        .text("as_of", all.iter().map(|generation| Some(generation.as_of.to_string())))
        .text("run_id", all.iter().map(|generation| Some(generation.run_id.clone())))
        .number("restores", all.iter().map(|generation| generation.restores))
        .number("marts", all.iter().map(|generation| Some(marts(generation).0)))
        .number("rows", all.iter().map(|generation| Some(marts(generation).1)))
        .text("state", all.iter().map(|generation| Some(state(generation))))
        .batch()
        .map_err(NoAnswer::Output)
}

/// Counts the marts of a generation and their rows.
fn marts(generation: &Generation) -> (u64, u64) {
    let marts = generation.tables(Zone::Marts);
    marts.fold((0, 0), |(marts, rows), (_, table)| (marts + 1, rows + table.rows_of_last_night()))
}

/// Says whether readers see a generation, and whether it can be gone back to.
fn state(
    warehouse: &Warehouse,
    generation: &Generation,
    current: Option<u64>,
    files: &BTreeSet<Path>,
) -> &'static str {
    match current {
        Some(number) if generation.number == number => "current",
        None => "incomplete",
        Some(number) if generation.number > number => "incomplete",
        _ if warehouse.is_whole(generation, files) => "kept",
        _ => "vacuumed",
    }
}
