//! Computes stages side by side, each after those it reads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::prelude::SessionContext;
use tokio::task::JoinSet;

use super::advance::{self, Advance, Extents};
use super::mart::Mart;
use super::materialise::{Stored, materialise};
use super::{StagedTable, TransformError, TransformErrorKind};
use crate::engine::{Context, Keeper, Parameters, Tables, table_of_files, table_of_kept};
use crate::plan;
use crate::report::{Event, Step};

/// What one stage must have to itself, so that its operators need not spill for the sake of another stage.
const MEMORY_OF_ONE: usize = 512 << 20;

/// The stored table of a stage, and what others read it by.
type Computed = (StagedTable, Arc<dyn TableProvider>);

/// Computes stages, each after those it reads, over tables that are there; adds their tables.
///
/// Sorting and encoding a mart, and planning, keep one core busy; stages that do not need each other fill the rest.
pub(crate) async fn transform_over(
    ctx: &Context,
    session: &SessionContext,
    tables: &mut Tables,
    parameters: &Parameters,
    stages: &[Arc<plan::Stage>],
    advance: &Arc<Advance>,
) -> Result<Vec<StagedTable>, TransformError> {
    let mut extents = Extents::new();
    let at_once = ctx.threads.min(ctx.memory / MEMORY_OF_ONE).max(1);
    let mut waiting = in_order(stages);
    let mut lacking: BTreeSet<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    let mut running = JoinSet::new();
    let mut all = Vec::with_capacity(stages.len());
    loop {
        while let Some(place) = waiting.iter().position(|stage| is_ready(stage, &lacking))
            && running.len() < at_once
        {
            let stage = Arc::clone(waiting.remove(place));
            let read = Read::of(tables, &extents, &stage);
            let over = Over {
                ctx: ctx.clone(),
                session: session.clone(),
                read,
                parameters: parameters.clone(),
                advance: Arc::clone(advance),
            };
            running.spawn(async move { over.told(stage).await });
        }
        let Some(ended) = running.join_next().await else { break };
        let ended = ended.unwrap_or_else(|error| Err(broken_down(stages, error)));
        let (staged, table) = match ended {
            Ok(computed) => computed,
            Err(error) => {
                // Nothing may write to the work folder once the run has given up.
                running.shutdown().await;
                return Err(error);
            }
        };
        lacking.remove(staged.stage.name.as_str());
        if let Some(extent) = &staged.extent {
            extents.insert(staged.stage.name.to_string(), extent.clone());
        }
        tables.insert(staged.stage.name.to_string(), provider_as_source(table));
        all.push(staged);
    }
    let place = |staged: &StagedTable| stages.iter().position(|it| it.name == staged.stage.name);
    all.sort_by_key(place);
    Ok(all)
}

/// Returns stages in the order in which they are begun as far as they can be: those on which most others hang one behind
/// the other come first, so that no long chain is left for the end, when nothing else keeps the other cores busy.
fn in_order(stages: &[Arc<plan::Stage>]) -> Vec<&Arc<plan::Stage>> {
    let reads = stages.iter().map(|stage| (stage.name.as_str(), &stage.select.tables));
    let heights = heights(&reads.collect::<Vec<_>>());
    let mut order: Vec<&Arc<plan::Stage>> = stages.iter().collect();
    order.sort_by_key(|stage| Reverse(heights.get(stage.name.as_str())));
    order
}

/// Returns for each table that is read how many stages hang on it one behind the other at most. Stages are given with what
/// they read, each after those.
fn heights<'a>(stages: &[(&'a str, &'a BTreeSet<String>)]) -> BTreeMap<&'a str, usize> {
    let mut heights: BTreeMap<&str, usize> = BTreeMap::new();
    // From behind, all readers of a stage are known when it comes.
    for (name, reads) in stages.iter().rev() {
        let height = heights.get(name).copied().unwrap_or_default();
        for read in *reads {
            let below = heights.entry(read.as_str()).or_default();
            *below = (*below).max(height + 1);
        }
    }
    heights
}

/// Says whether all that a stage reads is there.
fn is_ready(stage: &plan::Stage, lacking: &BTreeSet<&str>) -> bool {
    stage.select.tables.iter().all(|table| !lacking.contains(table.as_str()))
}

/// Puts a breakdown that nobody can be named for down to the first stage.
fn broken_down(stages: &[Arc<plan::Stage>], error: tokio::task::JoinError) -> TransformError {
    TransformError { stage: stages[0].name.clone(), kind: TransformErrorKind::Task(error) }
}

/// What one stage is computed over.
struct Over {
    ctx: Context,
    session: SessionContext,
    read: Read,
    parameters: Parameters,
    advance: Arc<Advance>,
}

/// The tables that a stage reads, and how far those that go on did.
pub(super) struct Read {
    pub(super) tables: Tables,
    pub(super) extents: Extents,
}

impl Read {
    fn of(tables: &Tables, extents: &Extents, stage: &plan::Stage) -> Self {
        let reads = |name: &String| stage.select.tables.contains(name);
        let tables = tables.iter().filter(|(name, _)| reads(name));
        let extents = extents.iter().filter(|(name, _)| reads(name));
        Self {
            tables: tables.map(|(name, table)| (name.clone(), Arc::clone(table))).collect(),
            extents: extents.map(|(name, extent)| (name.clone(), extent.clone())).collect(),
        }
    }
}

impl Over {
    /// Computes a stage and tells when it begins and ends.
    async fn told(self, stage: Arc<plan::Stage>) -> Result<Computed, TransformError> {
        let (started, listener) = (Instant::now(), Arc::clone(&self.ctx.listener));
        let (step, subject) = (Step::Transform, stage.name.as_str());
        listener.on(&Event::Started { step, subject });
        let Self { ctx, session, read, parameters, advance } = &self;
        let over = advance::Over {
            session,
            tables: &read.tables,
            parameters,
            as_of: ctx.as_of,
            advance,
            extents: &read.extents,
        };
        let computed = computed(ctx, &over, &stage).await;
        let (staged, table) =
            computed.map_err(|kind| TransformError { stage: stage.name.clone(), kind })?;
        let (count, elapsed) = (staged.rows(), started.elapsed());
        listener.on(&Event::Finished { step, subject, count, elapsed });
        Ok((staged, table))
    }
}

/// Computes one stage and stores its table.
pub(super) async fn computed(
    ctx: &Context,
    over: &advance::Over<'_>,
    stage: &Arc<plan::Stage>,
) -> Result<Computed, TransformErrorKind> {
    let (logical, extent) = advance::query(over, stage).await?;
    let session = over.session;
    let folder = ctx.work.join("stages").join(stage.name.as_str());
    let pool = Arc::clone(&session.runtime_env().memory_pool);
    let keeper = Keeper { budget: ctx.spools.clone(), pool };
    let stored = materialise(session, logical, stage, &folder, &keeper).await?;
    let (files, kept, repeated_keys) = match stored {
        Stored::Mart(Mart { file, repeated_keys }) => (vec![file], Vec::new(), Some(repeated_keys)),
        Stored::Files(files) => (files, Vec::new(), None),
        Stored::Kept(kept) => (Vec::new(), kept, None),
    };
    let table = match kept.as_slice() {
        [] => table_of_files(&stage.schema, &files)?,
        kept => table_of_kept(&stage.schema, kept)?,
    };
    let (stage, kept) = (Arc::clone(stage), Arc::new(kept));
    Ok((StagedTable { stage, files, kept, repeated_keys, extent }, table))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::heights;

    #[test]
    fn the_longest_chain_tells_how_high_a_stage_stands() {
        let reads = |tables: &[&str]| -> BTreeSet<String> {
            tables.iter().map(|table| (*table).to_owned()).collect()
        };
        let stages = [
            ("orders", reads(&["raw"])),
            ("touches", reads(&["raw"])),
            ("segments", reads(&["orders"])),
            ("paths", reads(&["orders", "touches"])),
            ("credits", reads(&["paths"])),
        ];
        let stages: Vec<_> = stages.iter().map(|(name, reads)| (*name, reads)).collect();
        // Nothing reads `segments` and `credits`.
        let expected = BTreeMap::from([("raw", 3), ("orders", 2), ("touches", 2), ("paths", 1)]);
        assert_eq!(heights(&stages), expected);
    }
}
