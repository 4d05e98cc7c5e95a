//! The stages over production's clean tables, into a warehouse of one's own.

use std::sync::Arc;

use super::present::Present;
use super::{RunError, history, parts, report};
use crate::engine::{Context, Tables};
use crate::plan::{self, Plan};
use crate::report::{CheckReport, RunReport, Status, Step};
use crate::steps::audit::evaluate;
use crate::steps::publish::{Night, Publication, publish_marts};
use crate::steps::transform::{Advance, StagedTable, Why, transform_over};
use crate::warehouse::Warehouse;

/// Computes and audits the stages of the plan, and publishes the marts in `own`; production is only read.
pub(crate) async fn develop(
    ctx: &Context,
    plan: &Plan,
    present: &Present<'_>,
    own: &Warehouse,
    report: &mut RunReport,
) -> Result<Status, RunError> {
    own.roll_forward().await?;
    let before = own.current().await?;
    let marts_before = history::marts_before(plan, before.as_ref())?;
    let mut tables = present.tables(plan).await?;
    let parameters = plan::parameters(ctx.as_of, &plan.currency, &plan.variables);
    let stages = &plan.stages;
    let advance = Arc::new(Advance::none(Why::Asked));
    let session = present.session;
    let staged = transform_over(ctx, session, &mut tables, &parameters, stages, &advance).await?;
    report.checks = judged(ctx, plan, present, &tables, &staged).await?;
    if report.checks.iter().any(CheckReport::blocks) {
        return Ok(Status::ChecksFailed);
    }
    let number = own.next_number(before.as_ref().map(|before| before.number)).await?;
    let digest = format!("{} of generation {}", plan.fingerprint, present.generation.number);
    let night = Night {
        carried: history::carried(plan, &marts_before),
        marts_before,
        parts: Some(parts::of(plan)),
        ..Night::new(number, None, digest)
    };
    let step = report::started(ctx, Step::Publish, plan);
    let marts = staged.iter().map(|table| (&*table.stage, table.files.as_slice()));
    let generation = match publish_marts(ctx, plan, own, marts, night).await? {
        Publication::Conflict { generation } => return Err(RunError::Conflict { generation }),
        Publication::Published(generation) => *generation,
    };
    report.published = report::published(own, &generation);
    report.generation = Some(generation.number);
    step.finished(report.published.iter().map(|table| table.rows).sum());
    Ok(Status::Published)
}

async fn judged(
    ctx: &Context,
    plan: &Plan,
    present: &Present<'_>,
    tables: &Tables,
    staged: &[StagedTable],
) -> Result<Vec<CheckReport>, RunError> {
    let step = report::started(ctx, Step::Audit, plan);
    let parameters = plan::parameters(ctx.as_of, &plan.currency, &plan.variables);
    let checks = evaluate(ctx, present.session, tables, &parameters, staged).await?;
    step.finished(checks.len() as u64);
    Ok(checks)
}
