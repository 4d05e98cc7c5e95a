//! `martlet show`.

use std::fmt::Write as _;

use serde_json::Value;

use super::query::{NoAnswer, pipeline, refused, usage};
use crate::cli::args::{Global, ReportFormat};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::upkeep::ShowArguments;
use crate::names::RunId;
use crate::warehouse::Warehouse;

/// Shows the report of a run.
pub(in crate::cli) fn show(
    global: &Global,
    arguments: &ShowArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    match runtime.block_on(report(&environment, arguments)) {
        Ok(report) => {
            output.data(&match arguments.format {
                ReportFormat::Json => format!("{report:#}\n"),
                ReportFormat::Text => text(&report),
            });
            ExitStatus::Success
        }
        Err(reason) => refused(reason, "", output),
    }
}

async fn report(environment: &Environment, arguments: &ShowArguments) -> Result<Value, NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
    let found = match &arguments.run {
        Some(run) => warehouse.report(&RunId::new(run)).await,
        None => warehouse.reports(1).await.map(|reports| reports.into_iter().next()),
    };
    let missing = || {
        let run = arguments.run.as_deref().unwrap_or("any run");
        usage(format!("there is no report of {run}"), "see `martlet runs`")
    };
    found.map_err(NoAnswer::Warehouse)?.ok_or_else(missing)
}

/// Tells a report to people: how the run ended, what became of the records, what was checked and published.
fn text(report: &Value) -> String {
    let mut text = String::new();
    for key in ["run_id", "pipeline", "as_of", "status", "exit_status", "generation", "started_at"]
    {
        let _ = writeln!(text, "{key:<12} {}", plain(&report[key]));
    }
    for error in items(report, "errors") {
        let _ = writeln!(text, "error        {}", plain(error));
    }
    for source in items(report, "sources") {
        let [name, read, kept, rejected, duplicate] =
            ["source", "read", "kept", "rejected", "duplicate"].map(|key| plain(&source[key]));
        let _ = writeln!(
            text,
            "source       {name}: {read} read, {kept} kept, {rejected} rejected, {duplicate} duplicate"
        );
    }
    for stage in items(report, "incremental") {
        let [name, customers, taken_over, rows, whole] =
            ["stage", "customers", "taken_over", "rows", "whole"].map(|key| plain(&stage[key]));
        let _ = match &stage["whole"] {
            Value::Null => writeln!(
                text,
                "advanced     {name}: {customers} customers computed, {taken_over} of {rows} rows taken over"
            ),
            _ => writeln!(text, "computed     {name} whole: {whole}"),
        };
    }
    for check in items(report, "checks").iter().filter(|check| check["failures"] != 0) {
        let [stage, name, failures] = ["stage", "check", "failures"].map(|key| plain(&check[key]));
        let _ = writeln!(text, "failed       {stage} {name}: {failures} rows");
    }
    for table in items(report, "published") {
        let [name, rows, url] = ["table", "rows", "url"].map(|key| plain(&table[key]));
        let _ = writeln!(text, "published    {name}: {rows} rows  {url}");
    }
    for step in items(report, "steps") {
        let [name, subject, elapsed] =
            ["step", "subject", "elapsed_ms"].map(|key| plain(&step[key]));
        let _ = writeln!(text, "step         {name} {subject}: {elapsed} ms");
    }
    text
}

fn items<'a>(report: &'a Value, key: &str) -> &'a [Value] {
    report[key].as_array().map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
