//! Evaluates the checks of every stage.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt, stream};

use super::{AuditError, Audited, Verdict};
use crate::engine::{
    Context, Parameters, Select, Tables, lacked_memory, may_repeat, on_one_thread, plan_select,
};
use crate::plan::{self, CheckSeverity, RowChecks};
use crate::report::{CheckReport, Event, Step};
use crate::steps::transform::{Failures, StagedTable, Transformed};

/// Evaluates every check; all of them, even where an early one fails, so that one night tells all.
pub(crate) async fn audit(
    ctx: &Context,
    transformed: Transformed,
) -> Result<(Verdict, Vec<CheckReport>), AuditError> {
    let Transformed { session, tables, parameters, staged, .. } = &transformed;
    let outcomes = evaluate(ctx, session, tables, parameters, staged).await?;
    if outcomes.iter().any(CheckReport::blocks) {
        return Ok((Verdict::Blocked, outcomes));
    }
    Ok((Verdict::Passed(Box::new(Audited { transformed })), outcomes))
}

/// Evaluates the checks of stages over the tables of a run.
pub(crate) async fn evaluate(
    ctx: &Context,
    session: &SessionContext,
    tables: &Tables,
    parameters: &Parameters,
    staged: &[StagedTable],
) -> Result<Vec<CheckReport>, AuditError> {
    // Most checks are planned longer than they run, and planning one keeps one core busy.
    let at_once = session.copied_config().target_partitions();
    let (session, tables, parameters) = (session.clone(), tables.clone(), parameters.clone());
    let over = Arc::new(Over { session, tables, parameters });
    let outcomes = largest_first(staged).into_iter().map(|place| {
        let (over, stage) = (Arc::clone(&over), Arc::clone(&staged[place].stage));
        let counted = staged[place].failures.clone();
        async move {
            let evaluated = tokio::spawn({
                let stage = Arc::clone(&stage);
                async move { over.stage(&stage, counted).await }
            });
            let evaluated = evaluated.await;
            let outcome = evaluated.unwrap_or_else(|error| Err(broken_down(&stage, error)));
            unless_memory_lacked(outcome).map(|outcome| (place, outcome))
        }
    });
    let outcomes: Vec<_> = outcomes.collect();
    let outcomes = stream::iter(outcomes).buffer_unordered(at_once);
    let mut outcomes: Vec<(usize, Option<Vec<CheckReport>>)> = outcomes.try_collect().await?;
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    over.settled(ctx, staged, outcomes.into_iter().map(|(_, outcome)| outcome)).await
}

/// Returns the places of the tables, those first that take longest, so that no core waits for one of them in the end.
fn largest_first(staged: &[StagedTable]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..staged.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(staged[*place].rows()));
    places
}

/// Makes nothing of an evaluation that found too little memory beside others.
fn unless_memory_lacked<T>(outcome: Result<T, AuditError>) -> Result<Option<T>, AuditError> {
    match outcome {
        Err(error) if lacked_memory(&error.source) => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn broken_down(stage: &plan::Stage, error: tokio::task::JoinError) -> AuditError {
    let first = stage.checks.first();
    AuditError {
        stage: stage.name.to_string(),
        check: first.map_or_else(String::new, |check| check.name.clone()),
        source: Box::new(DataFusionError::ExecutionJoin(Box::new(error))),
    }
}

/// What checks are evaluated over.
struct Over {
    session: SessionContext,
    tables: Tables,
    parameters: Parameters,
}

impl Over {
    /// Returns what checks are evaluated over by themselves, on one thread.
    fn alone(&self) -> Self {
        let (tables, parameters) = (self.tables.clone(), self.parameters.clone());
        Self { session: on_one_thread(&self.session), tables, parameters }
    }

    /// Evaluates by itself what has no outcome yet.
    async fn settled(
        &self,
        ctx: &Context,
        staged: &[StagedTable],
        outcomes: impl Iterator<Item = Option<Vec<CheckReport>>>,
    ) -> Result<Vec<CheckReport>, AuditError> {
        let mut settled = Vec::new();
        for (staged, outcome) in staged.iter().zip(outcomes) {
            settled.extend(match outcome {
                Some(outcome) => outcome,
                None => {
                    let (step, subject) = (Step::Audit, staged.stage.name.as_str());
                    ctx.listener.on(&Event::BegunAgain { step, subject });
                    self.alone().stage(&staged.stage, staged.failures.clone()).await?
                }
            });
        }
        Ok(settled)
    }

    /// Evaluates the checks of a stage; `counted` are those that were made while the rows were written.
    async fn stage(
        &self,
        stage: &plan::Stage,
        mut counted: Failures,
    ) -> Result<Vec<CheckReport>, AuditError> {
        let lacks = |together: &&RowChecks| {
            together.checks.iter().any(|check| !counted.contains_key(check))
        };
        if let Some(together) = stage.row_checks.as_ref().filter(lacks) {
            counted.extend(self.rows(together).await);
        }
        let mut outcomes = Vec::with_capacity(stage.checks.len());
        for (place, check) in stage.checks.iter().enumerate() {
            let failures = match counted.remove(&place) {
                Some(failures) => failures,
                None => self.failures(stage, check).await?,
            };
            outcomes.push(CheckReport {
                stage: stage.name.to_string(),
                check: check.name.clone(),
                blocking: check.severity == CheckSeverity::Error,
                failures,
            });
        }
        Ok(outcomes)
    }

    /// Counts the failures of all checks of single rows in one reading of the table, by the places of the checks.
    ///
    /// Where that fails, each is asked by itself, so that the error names the one it is about.
    async fn rows(&self, together: &RowChecks) -> Failures {
        let counts = self.counts(&together.select).await.unwrap_or_default();
        together.checks.iter().copied().zip(counts).collect()
    }

    async fn failures(&self, stage: &plan::Stage, check: &plan::Check) -> Result<u64, AuditError> {
        if let Some(key) = &check.key
            && self.are_unique(key).await
        {
            return Ok(0);
        }
        let counts = self.counts(&check.select).await.map_err(|source| AuditError {
            stage: stage.name.to_string(),
            check: check.name.clone(),
            source: Box::new(source),
        })?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    /// Says whether no two rows are equal for certain; which do, and whether any, is asked where that is not so.
    async fn are_unique(&self, key: &Select) -> bool {
        let state = self.session.state();
        let Ok(query) = plan_select(&state, &self.tables, &self.parameters, key) else {
            return false;
        };
        may_repeat(&self.session, query).await.is_ok_and(|may_repeat| !may_repeat)
    }

    /// Returns the numbers of the only row that a query yields.
    async fn counts(&self, select: &Select) -> Result<Vec<u64>, DataFusionError> {
        let state = self.session.state();
        let query = plan_select(&state, &self.tables, &self.parameters, select)?;
        let batches = DataFrame::new(state, query).collect().await?;
        let row = batches.iter().find(|batch| batch.num_rows() > 0);
        let columns = row.into_iter().flat_map(RecordBatch::columns);
        let counts = columns.map(|column| column.as_primitive::<Int64Type>().value(0));
        Ok(counts.map(i64::unsigned_abs).collect())
    }
}
