//! A pipeline with a source, a stage and a mart to begin with.

use std::path::Path;

use super::draft::{Draft, NoDraft, name, schema_line};
use crate::cli::author_args::NewPipelineArguments;
use crate::names::PipelineName;
use crate::plan;
use crate::spec::{self, SourceTree};

/// The stage a new pipeline publishes.
const STAGE: &str = "daily_orders";

/// Drafts a pipeline that adds up orders by day.
pub(in crate::cli) fn pipeline(
    project: &Path,
    arguments: &NewPipelineArguments,
) -> Result<Draft, NoDraft> {
    let pipeline: PipelineName = name(&arguments.name)?;
    let path = format!("pipelines/{pipeline}.yaml");
    let sidecar = format!("sql/{pipeline}/{STAGE}.yaml");
    let schema = |path, kind| schema_line(project, path, kind);
    let written = written(&pipeline, arguments);
    let files = vec![
        (path.clone(), format!("{}{written}", schema(&path, "pipeline"))),
        (format!("sql/{pipeline}/{STAGE}.sql"), SELECT.to_owned()),
        (sidecar.clone(), format!("{}{SIDECAR}", schema(&sidecar, "sidecar"))),
    ];
    let mut tree = SourceTree::default();
    for (path, text) in &files {
        tree.insert(path, text);
    }
    plan::resolve(&spec::load(&tree, &path)?)?;
    let next = vec![
        format!("write in {path} how the exports look; `martlet new source` guesses it from files"),
        "martlet check".to_owned(),
        format!("martlet run {path} --as-of YYYY-MM-DD"),
    ];
    Ok(Draft { files, grown: None, next })
}

fn written(pipeline: &PipelineName, arguments: &NewPipelineArguments) -> String {
    let NewPipelineArguments { timezone, currency, .. } = arguments;
    format!(
        "\
version: 1
name: {pipeline}
description: What this pipeline is for.
timezone: {timezone} # business days
currency: {currency} # reporting currency

stages: [sql/{pipeline}] # folders; one SELECT in each .sql file

sources:
  orders:
    description: One row for each order.
    path: orders/dt={{date}}/*.csv # below the raw root
    format: csv
    columns:
      order_id: {{ type: string, required: true }}
      placed_at: {{ type: timestamp, formats: [rfc3339], required: true }}
      amount: {{ type: \"decimal(18,4)\", required: true, check: \"amount >= 0\" }}
    event_time: placed_at
    dedupe: {{ key: [order_id], keep: last, order_by: [placed_at] }}

publish: [{STAGE}]
"
    )
}

const SELECT: &str = "\
SELECT
    local_date(placed_at) AS order_date,
    COUNT(*) AS orders,
    CAST(SUM(amount) AS DECIMAL(18, 4)) AS amount,
    $as_of AS as_of
FROM orders
WHERE placed_at < $as_of
GROUP BY local_date(placed_at)
-- Sorted, so that the same inputs give the same file.
ORDER BY order_date
";

const SIDECAR: &str = "\
description: Orders before `as_of` by day; one row for each local day with an order.
columns:
  order_date: { type: date, description: Local date of the orders, checks: [{ not_null: true }, { unique: true }] }
  orders: { type: integer, description: Number of orders, checks: [{ range: { min: 1 } }] }
  amount: { type: \"decimal(18,4)\", description: Sum of their amounts, checks: [{ not_null: true }] }
  as_of: { type: timestamp, description: Exclusive local midnight the row was computed up to, checks: [{ not_null: true }] }
checks:
  - name: every_order_is_counted
    query: |
      SELECT counted.orders, kept.orders AS kept_orders
      FROM (SELECT COALESCE(SUM(orders), 0) AS orders FROM daily_orders) AS counted
      CROSS JOIN (SELECT COUNT(*) AS orders FROM orders WHERE placed_at < $as_of) AS kept
      WHERE counted.orders <> kept.orders
";
