//! What the next run would do, told without doing any of it: nothing is decoded, computed or written.

mod advance;
mod changes;
mod expected;
mod sources;
mod stages;

use super::base::Base;
use super::{Listed, Options, RunError, base_of, complete, digest, listed, parts};
use crate::engine::Context;
use crate::plan::Plan;
use crate::report::{OUTLOOK_VERSION, Outlook, PresentNight, Verdict};
use crate::warehouse::{Generation, Parts, Warehouse};
use stages::Night;

/// Tells what a run would do now, and why; takes no lease.
pub(crate) async fn foresee(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    options: &Options,
) -> Result<Outlook, RunError> {
    let (current, completes) = warehouse.current_as_completed().await?;
    let mut listed = listed(ctx, plan, warehouse, current).await?;
    let (base, _) = base_of(ctx, warehouse, listed.current.as_ref(), options).await?;
    listed.missing.extend(complete::lost(&listed.extracted, &base));
    let verdict = verdict(&listed, options);
    let Listed { current, extracted, missing, decisions, .. } = listed;
    let sources: Vec<_> = extracted.into_iter().map(|it| sources::of(it, &base)).collect();
    let parts = Parts { decisions: digest::of_decisions(&decisions), ..parts::of(plan) };
    let night = Night {
        plan,
        parts: &parts,
        present: current.as_ref(),
        as_of: ctx.as_of.date,
        sources: &sources,
        is_forced: options.force,
    };
    let stages = match verdict {
        Verdict::Unchanged => stages::none(plan),
        Verdict::Run | Verdict::Incomplete => {
            let (mut stages, changing) = stages::of(&night);
            // What may have changed is told against the present generation.
            if is_of(&base, current.as_ref()) {
                advance::add(&mut stages, plan, &base, options, &changing);
            }
            stages
        }
    };
    let reports = warehouse.reports(expected::NEWEST).await?;
    Ok(Outlook {
        version: OUTLOOK_VERSION,
        pipeline: plan.name.to_string(),
        as_of: ctx.as_of.date,
        verdict,
        present: current.as_ref().map(present),
        base: base.generation.as_ref().map(present),
        completes,
        missing,
        changes: changes::of(&night),
        left_out: plan.left_out.iter().map(ToString::to_string).collect(),
        expected: expected::of(plan, verdict, &sources, &stages, &reports),
        sources,
        stages,
        impact: None,
    })
}

/// Says whether the night builds on the present generation, or neither is there.
fn is_of(base: &Base, present: Option<&Generation>) -> bool {
    base.generation.as_ref().map(|base| base.number) == present.map(|present| present.number)
}

fn present(generation: &Generation) -> PresentNight {
    PresentNight { generation: generation.number, as_of: generation.as_of }
}

fn verdict(listed: &Listed, options: &Options) -> Verdict {
    if !listed.missing.is_empty() && !options.allow_incomplete {
        Verdict::Incomplete
    } else if listed.unchanged().is_some() && !options.force {
        Verdict::Unchanged
    } else {
        Verdict::Run
    }
}
