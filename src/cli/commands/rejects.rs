//! `martlet rejects`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::ParamValues;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;
use object_store::path::Path;
use serde_json::Value;

use super::query::{NoAnswer, pipeline, refused, unanswered, usage, written};
use crate::cli::args::{Global, RejectsArguments};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::diagnostics::nearest;
use crate::engine::Published;
use crate::names::{PipelineName, RunId};
use crate::warehouse::{Warehouse, Zone};

/// Counts by source, column and code; the example is the first in the order of objects.
const COUNTS: &str = r#"
SELECT source, "column", code, count(*) AS rejects,
       first_value(object ORDER BY object, record) AS object,
       first_value(record ORDER BY object, record) AS record,
       first_value(line ORDER BY object, record) AS line,
       first_value(message ORDER BY object, record) AS message,
       first_value(shown ORDER BY object, record) AS raw
FROM chosen
GROUP BY source, "column", code
ORDER BY rejects DESC, source, "column", code"#;

/// Every reject.
const FULL: &str = r#"
SELECT source, object, record, line, byte, "column", code, message, event_date, shown AS raw, run_id
FROM chosen
ORDER BY source, object, record"#;

/// What is shown of a raw record that may identify a person.
const CHOSEN: &str = "
WITH chosen AS (
  SELECT *, CASE WHEN personal AND NOT $show_personal
            THEN concat('[masked: ', character_length(raw), ' characters]') ELSE raw END AS shown
  FROM rejects
  WHERE ($source IS NULL OR source = $source)
    AND ($reason IS NULL OR code = $reason OR rule = $reason)
)";

/// Shows the rejects of a run, published or not.
pub(in crate::cli) fn rejects(
    global: &Global,
    arguments: &RejectsArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let answer = runtime.block_on(answer(&environment, arguments));
    let told = answer.and_then(|(header, rejects)| {
        output.note(&header);
        written(&rejects, arguments.format)
    });
    match told {
        Ok(text) => {
            output.data(&text);
            ExitStatus::Success
        }
        Err(reason) => refused(reason, &select(arguments), output),
    }
}

/// Returns which run is shown, and its rejects.
async fn answer(
    environment: &Environment,
    arguments: &RejectsArguments,
) -> Result<(String, Vec<RecordBatch>), NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
    let runs = warehouse.files_by_run(Zone::Rejects).await.map_err(NoAnswer::Warehouse)?;
    let Some((newest, _)) = runs.last_key_value() else {
        return Err(usage(
            format!("no run of the pipeline `{pipeline}` has read its sources yet"),
            "take a night in with `martlet run`",
        ));
    };
    let run = arguments.run.as_deref().map_or_else(|| newest.clone(), RunId::new);
    let Some(files) = runs.get(&run) else {
        let message = format!("the run `{run}` of the pipeline `{pipeline}` has kept no rejects");
        return Err(usage(message, &format!("the newest run that has is `{newest}`")));
    };
    known_source(files, arguments)?;
    let report = warehouse.report(&run).await.map_err(NoAnswer::Warehouse)?;
    let header = header(&pipeline, &run, report.as_ref());
    let rejects = selected(environment, &warehouse, files, arguments).await;
    let rejects = rejects.map_err(|error| unanswered(error, &[]))?;
    Ok((header, rejects))
}

/// Refuses a source that the run has not read.
fn known_source(
    files: &BTreeMap<String, Path>,
    arguments: &RejectsArguments,
) -> Result<(), NoAnswer> {
    match &arguments.source {
        Some(source) if !files.contains_key(source) => {
            let names = || files.keys().map(String::as_str);
            let hint = match nearest(source, names()) {
                Some(right) => format!("did you mean `{right}`?"),
                None => format!("it has read {}", names().collect::<Vec<_>>().join(", ")),
            };
            Err(usage(format!("the run has read no source `{source}`"), &hint))
        }
        _ => Ok(()),
    }
}

/// Says which run it is, and whether it was published.
fn header(pipeline: &PipelineName, run: &RunId, report: Option<&Value>) -> String {
    let Some(report) = report else {
        return format!(
            "run {run} of {pipeline}: not published; it was killed or is still under way"
        );
    };
    let text = |key: &str| report[key].as_str().unwrap_or_default();
    let end = match (text("status"), report["generation"].as_u64()) {
        ("published", Some(generation)) => format!("published as generation {generation}"),
        (status, _) => format!("not published: {}", status.replace('_', " ")),
    };
    format!("run {run} of {pipeline} as of {}: {end}", text("as_of"))
}

fn select(arguments: &RejectsArguments) -> String {
    let rest = if arguments.full { FULL } else { COUNTS };
    format!("{CHOSEN}{rest}\nLIMIT {}", arguments.limit)
}

async fn selected(
    environment: &Environment,
    warehouse: &Warehouse,
    files: &BTreeMap<String, Path>,
    arguments: &RejectsArguments,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let published = Published::open(warehouse.root(), &environment.resources(), chrono_tz::UTC)?;
    published.add(None, "rejects", files.values().cloned().collect()).await?;
    let text = |value: &Option<String>| ScalarValue::Utf8(value.clone());
    let parameters = ParamValues::from(vec![
        ("source", text(&arguments.source)),
        ("reason", text(&arguments.reason)),
        ("show_personal", ScalarValue::from(arguments.show_personal)),
    ]);
    let frame = published.session.sql(&select(arguments)).await?;
    let frame = frame.with_param_values(parameters)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let mut batches = frame.collect().await?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}
