//! `martlet diff`.

use arrow::array::RecordBatch;

use super::query::{NoAnswer, numbered, pipeline, refused, unanswered, usage, written};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::upkeep::DiffArguments;
use crate::report::Total;
use crate::run::{Pair, SEGMENT_MOVES};
use crate::warehouse::Warehouse;

/// Says how two generations differ.
pub(in crate::cli) fn diff(
    global: &Global,
    arguments: &DiffArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let answer = runtime.block_on(answer(&environment, arguments));
    match answer.and_then(|batches| written(&batches, arguments.format)) {
        Ok(text) => {
            output.data(&text);
            ExitStatus::Success
        }
        Err(reason) => refused(reason, SEGMENT_MOVES, output),
    }
}

async fn answer(
    environment: &Environment,
    arguments: &DiffArguments,
) -> Result<Vec<RecordBatch>, NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
    let before = numbered(&warehouse, arguments.before).await?;
    let after = numbered(&warehouse, arguments.after).await?;
    let refused = |error| unanswered(error, &[]);
    let resources = environment.resources();
    let pair = Pair::of_generations(&warehouse, &resources, &before, &after);
    let pair = pair.await.map_err(refused)?;
    if !arguments.segments {
        let totals = pair.totals().await.map_err(refused)?;
        return Ok(vec![told(&totals).map_err(NoAnswer::Output)?]);
    }
    if !pair.has_segments() {
        let message = "not both generations have `fact_rfm_segments`".to_owned();
        return Err(usage(message, "leave out `--segments`"));
    }
    pair.ask(SEGMENT_MOVES).await.map_err(refused)
}

fn told(totals: &[Total]) -> Result<RecordBatch, arrow::error::ArrowError> {
    Table::default()
        .text("mart", totals.iter().map(|total| Some(total.mart.clone())))
        .text("measure", totals.iter().map(|total| Some(total.measure.clone())))
        .text("before", totals.iter().map(|total| total.before.clone()))
        .text("after", totals.iter().map(|total| total.after.clone()))
        .batch()
}
