//! The first rows of one stage, computed over tables that are there already.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::prelude::SessionContext;

use super::advance::{Extents, Over};
use super::graph::computed;
use super::{Advance, TransformError, TransformErrorKind, Why};
use crate::engine::{Context, Parameters, Tables, in_stored_types, plan_select};
use crate::plan;

/// Computes `stages`, each after those it reads, and returns the first rows of the last one.
pub(crate) async fn preview(
    ctx: &Context,
    session: &SessionContext,
    mut tables: Tables,
    parameters: &Parameters,
    stages: &[Arc<plan::Stage>],
    limit: usize,
) -> Result<Vec<RecordBatch>, TransformError> {
    let Some((last, before)) = stages.split_last() else {
        return Ok(Vec::new());
    };
    let failed = |stage: &plan::Stage, kind| TransformError { stage: stage.name.clone(), kind };
    let advance = Advance::none(Why::Asked);
    for stage in before {
        let over = Over {
            session,
            tables: &tables,
            parameters,
            as_of: ctx.as_of,
            advance: &advance,
            extents: &Extents::new(),
        };
        let (_, table) = computed(ctx, &over, stage).await.map_err(|kind| failed(stage, kind))?;
        tables.insert(stage.name.to_string(), provider_as_source(table));
    }
    let rows = first_rows(session, &tables, parameters, last, limit).await;
    rows.map_err(|kind| failed(last, kind))
}

async fn first_rows(
    session: &SessionContext,
    tables: &Tables,
    parameters: &Parameters,
    stage: &plan::Stage,
    limit: usize,
) -> Result<Vec<RecordBatch>, TransformErrorKind> {
    let query = plan_select(&session.state(), tables, parameters, &stage.select)?;
    let frame = in_stored_types(DataFrame::new(session.state(), query), &stage.schema)?;
    let mut rows = frame.limit(0, Some(limit))?.collect().await?;
    if rows.is_empty() {
        rows.push(RecordBatch::new_empty(Arc::clone(&stage.schema)));
    }
    Ok(rows)
}
