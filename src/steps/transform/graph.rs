//! Computes stages side by side, each after those it reads.

use std::sync::Arc;
use std::time::Instant;

use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::prelude::SessionContext;
use tokio::task::JoinSet;

use super::advance::{self, Advance, Extents};
use super::mart::{Failures, Mart};
use super::materialise::{Stored, materialise};
use super::turns::{Manner, Turns};
use super::{StagedTable, TransformError, TransformErrorKind};
use crate::engine::{
    Context, Keeper, Parameters, Tables, on_one_thread, table_of_file_partitions, table_of_files,
    table_of_kept,
};
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
    let mut turns = Turns::new(stages, at_once);
    let mut running = JoinSet::new();
    let mut all = Vec::with_capacity(stages.len());
    loop {
        while let Some((stage, manner)) = turns.next(running.len()) {
            let (ctx, session) = attempt(ctx, session, manner);
            let over = Over {
                ctx,
                session,
                read: Read::of(tables, &extents, &stage),
                parameters: parameters.clone(),
                advance: Arc::clone(advance),
            };
            running.spawn(async move { over.told(stage).await });
        }
        let Some(ended) = running.join_next().await else { break };
        let ended = ended.unwrap_or_else(|error| Err(broken_down(stages, error)));
        let (staged, table) = match ended {
            Ok(computed) => computed,
            Err(error) if error.kind.lacked_memory() && turns.once_more(error.stage.as_str()) => {
                let (step, subject) = (Step::Transform, error.stage.as_str());
                ctx.listener.on(&Event::BegunAgain { step, subject });
                continue;
            }
            Err(error) => {
                // Nothing may write to the work folder once the run has given up.
                running.shutdown().await;
                return Err(error);
            }
        };
        turns.ended(staged.stage.name.as_str());
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

/// Returns what a stage is computed with. A second attempt has a folder of its own: tasks of the first may still be writing.
fn attempt(ctx: &Context, session: &SessionContext, manner: Manner) -> (Context, SessionContext) {
    match manner {
        Manner::Beside => (ctx.clone(), session.clone()),
        Manner::Alone => {
            let work = ctx.work.join("again");
            (Context { work, ..ctx.clone() }, on_one_thread(session))
        }
    }
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
    let keeper = Keeper { budget: ctx.kept.clone(), pool };
    let stored = materialise(session, logical, stage, (&folder, &keeper), over.parameters).await?;
    let schema = &stage.schema;
    let table = match &stored {
        Stored::Mart(mart) => table_of_files(schema, std::slice::from_ref(&mart.file))?,
        Stored::Files(files, layout) => table_of_file_partitions(schema, files, layout.clone())?,
        Stored::Kept(kept, layout) => table_of_kept(schema, kept, layout.clone())?,
    };
    let (files, kept, failures) = match stored {
        Stored::Mart(Mart { file, failures }) => (vec![file], Vec::new(), failures),
        Stored::Files(files, _) => (files, Vec::new(), Failures::new()),
        Stored::Kept(kept, _) => (Vec::new(), kept, Failures::new()),
    };
    let (stage, kept) = (Arc::clone(stage), Arc::new(kept));
    Ok((StagedTable { stage, files, kept, failures, extent }, table))
}
