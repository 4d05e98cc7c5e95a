//! `martlet backfill`.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::query::{NoAnswer, refused};
use super::run::{Night, run_night};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::lease;
use crate::cli::output::Output;
use crate::cli::project::planned;
use crate::cli::upkeep::BackfillArguments;
use crate::plan::Plan;
use crate::warehouse::{Warehouse, WarehouseError};

/// Runs the nights of a range that have not been published yet, the oldest first.
pub(in crate::cli) fn backfill(
    global: &Global,
    arguments: &BackfillArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let plan = match planned(&global.project, &arguments.pipeline) {
        Ok(plan) => plan,
        Err(found) => {
            output.diagnostics(&found);
            return ExitStatus::Usage;
        }
    };
    if arguments.from > arguments.to {
        let message = format!("`--from {}` lies behind `--to {}`", arguments.from, arguments.to);
        output.plain_error(&message, "exchange them");
        return ExitStatus::Usage;
    }
    let status = runtime.block_on(fill(&environment, arguments, &plan, output));
    runtime.shutdown_background();
    status
}

async fn fill(
    environment: &Environment,
    arguments: &BackfillArguments,
    plan: &Plan,
    output: &Output,
) -> ExitStatus {
    let nights = match missing(environment, arguments, plan).await {
        Ok(nights) => nights,
        Err(error) => return refused(NoAnswer::Warehouse(error), "", output),
    };
    output.note(&format!("{} nights are missing", nights.gaps.len()));
    for as_of in nights.in_order() {
        if let Some(status) = lease::has_been_interrupted() {
            output.note(&format!("stopped before {as_of}; the same command goes on from there"));
            return status;
        }
        let (format, allow_incomplete) = (arguments.format, arguments.allow_incomplete);
        let night = Night { allow_incomplete, format, ..Night::of(as_of) };
        let status = Box::pin(run_night(environment, &night, plan, output)).await;
        if status != ExitStatus::Success {
            output.note(&format!("stopped at {as_of}; the same command goes on from there"));
            return status;
        }
    }
    ExitStatus::Success
}

/// The nights that are missing, and the one readers are to see in the end.
struct Missing {
    gaps: Vec<NaiveDate>,
    /// The newest night that was published.
    newest: Option<NaiveDate>,
    /// The night readers see now; none where somebody has chosen it by a rollback.
    shown: Option<NaiveDate>,
}

impl Missing {
    /// Returns the missing nights, and then the newest one again where an older one would hide it.
    fn in_order(&self) -> impl Iterator<Item = NaiveDate> {
        let last = self.gaps.last().copied().or(self.shown);
        let again = self.newest.filter(|newest| last.is_some_and(|last| last < *newest));
        self.gaps.iter().copied().chain(again)
    }
}

/// Finds the nights of the range that no generation was published for, or that a rollback has taken back.
async fn missing(
    environment: &Environment,
    arguments: &BackfillArguments,
    plan: &Plan,
) -> Result<Missing, WarehouseError> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let (current, _) = warehouse.current_as_completed().await?;
    let published = match &current {
        Some(current) => warehouse.lineage(current).await?,
        None => Vec::new(),
    };
    let there: BTreeSet<NaiveDate> = published.iter().map(|generation| generation.as_of).collect();
    let range = arguments.from.iter_days().take_while(|date| *date <= arguments.to);
    let gaps = range.filter(|date| !there.contains(date)).collect();
    let current = current.filter(|current| current.restores.is_none());
    let shown = current.map(|current| current.as_of);
    Ok(Missing { gaps, newest: there.last().copied(), shown })
}
