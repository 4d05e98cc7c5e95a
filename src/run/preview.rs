//! One stage over the clean tables of the present generation; nothing is published.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::RunError;
use super::present::Present;
use crate::engine::Context;
use crate::plan::{self, Plan, Stage};
use crate::steps::transform;

/// Returns the first rows of a stage.
pub(crate) async fn preview(
    ctx: &Context,
    plan: &Plan,
    present: &Present<'_>,
    stage: &Stage,
    limit: usize,
) -> Result<Vec<RecordBatch>, RunError> {
    let tables = present.tables(plan).await?;
    let parameters = plan::parameters(ctx.as_of, &plan.currency, &plan.variables);
    let stages = on_the_way(plan, stage);
    Ok(transform::preview(ctx, present.session, tables, &parameters, &stages, limit).await?)
}

/// Returns a stage and those it needs, in order of their dependencies.
fn on_the_way(plan: &Plan, stage: &Stage) -> Vec<Arc<Stage>> {
    let stages: Vec<&Arc<Stage>> = plan.stages.iter().chain(&plan.idle).collect();
    let mut needed = BTreeSet::from([stage.name.as_str()]);
    let mut on_the_way = Vec::new();
    for stage in stages.into_iter().rev() {
        if needed.contains(stage.name.as_str()) {
            needed.extend(stage.select.tables.iter().map(String::as_str));
            on_the_way.push(Arc::clone(stage));
        }
    }
    on_the_way.reverse();
    on_the_way
}
