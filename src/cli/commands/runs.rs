//! `martlet runs`.

use arrow::array::RecordBatch;
use serde_json::Value;

use super::query::{NoAnswer, pipeline, refused, written};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::upkeep::ListArguments;
use crate::warehouse::Warehouse;

/// Lists the runs that have come to an end, the newest first.
pub(in crate::cli) fn runs(
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
    let reports = warehouse.reports(arguments.limit).await.map_err(NoAnswer::Warehouse)?;
    let text = |key: &'static str| {
        reports.iter().map(move |report: &Value| report[key].as_str().map(str::to_owned))
    };
    let number = |key: &'static str| reports.iter().map(move |report: &Value| report[key].as_u64());
    Table::default()
        .text("run_id", text("run_id"))
        .text("as_of", text("as_of"))
        .text("status", text("status"))
        .number("exit_status", number("exit_status"))
        .number("generation", number("generation"))
        .text("started_at", text("started_at"))
        .number("elapsed_ms", number("elapsed_ms"))
        .batch()
        .map_err(NoAnswer::Output)
}
