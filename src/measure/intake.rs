//! Extract, clean and dedupe.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use tokio::runtime::Runtime;

use super::{Project, told};
use crate::engine::{Context, Root, SpoolBudget};
use crate::names::RunId;
use crate::plan::{self, Plan};
use crate::report::{Event, Listener};
use crate::steps::clean::{Cleaned, MeasuredBatches, RateTables, Rates, clean};
use crate::steps::dedupe::{Former, dedupe};
use crate::steps::extract::{Extracted, extract};
use crate::zone::AsOf;

/// More than any benchmark needs, so that nothing goes to a file.
const MEMORY: usize = 1 << 30;

/// A source with its objects, which lie in memory.
pub struct Intake {
    runtime: Runtime,
    ctx: Context,
    extracted: Extracted,
    rates: RateTables,
}

/// Decoded records that are to be cleaned.
pub struct Batches(MeasuredBatches);

/// Clean rows of which one of each key shall survive.
pub struct Contest {
    ctx: Context,
    cleaned: Cleaned,
}

impl Intake {
    /// Takes a source of a project and objects by their paths; those of sources of rates may be among them.
    pub fn new(
        project: &Project,
        source: &str,
        objects: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, String> {
        let plan = project.plan()?;
        // Requests run on a thread of their own; they hand over bytes that lie ready.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let runtime = runtime.map_err(told)?;
        let store = InMemory::new();
        for (path, bytes) in objects {
            runtime.block_on(store.put(&Path::from(path), bytes.into())).map_err(told)?;
        }
        let ctx = context(store, plan.timezone)?;
        let source = named(&plan, source)?;
        let rates = rates(&runtime, &ctx, &plan, &source)?;
        let extracted = runtime.block_on(extract(&ctx, source)).map_err(told)?;
        Ok(Self { runtime, ctx, extracted, rates })
    }

    /// Decodes all objects; returns how many records they hold.
    pub fn decode(&self) -> Result<u64, String> {
        let mut records = 0;
        for object in &self.extracted.objects {
            let reader = self.extracted.open(&self.ctx, self.runtime.handle(), object);
            for batch in reader.map_err(told)? {
                records += batch.map_err(told)?.rows() as u64;
            }
        }
        Ok(records)
    }

    /// Decodes all objects, for what comes next.
    pub fn batches(&self) -> Result<Batches, String> {
        let mut batches = Vec::new();
        for object in &self.extracted.objects {
            let reader = self.extracted.open(&self.ctx, self.runtime.handle(), object);
            for batch in reader.map_err(told)? {
                batches.push((Arc::clone(object), batch.map_err(told)?));
            }
        }
        let batches = MeasuredBatches::new(&self.extracted.source, &self.rates, batches);
        batches.map(Batches).map_err(told)
    }

    /// Decodes and cleans all objects, for what comes next.
    pub fn contest(&self) -> Result<Contest, String> {
        let cleaned = clean(&self.ctx, self.extracted.clone(), &self.rates);
        let cleaned = self.runtime.block_on(cleaned).map_err(told)?;
        Ok(Contest { ctx: self.ctx.clone(), cleaned })
    }
}

impl Batches {
    /// Cleans all records, with parsers that have seen none before; returns how many keep all rules.
    pub fn clean(&self) -> Result<u64, String> {
        self.0.clean().map_err(told)
    }
}

impl Contest {
    /// Lets the rows compete; returns how many survive.
    pub fn dedupe(&self) -> Result<u64, String> {
        let deduped = dedupe(&self.ctx, self.cleaned.clone(), Former::default());
        Ok(deduped.map_err(told)?.kept())
    }
}

struct Deaf;

impl Listener for Deaf {
    fn on(&self, _event: &Event<'_>) {}
}

fn context(store: InMemory, timezone: chrono_tz::Tz) -> Result<Context, String> {
    let date = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap_or_default();
    Ok(Context {
        run_id: RunId::new("20260131T021500000000Z-4f2a9c01"),
        as_of: AsOf::midnight(date, timezone),
        raw: Root {
            store: Arc::new(store),
            prefix: Path::default(),
            url: "memory:///".parse().map_err(told)?,
        },
        work: PathBuf::new(),
        threads: 1,
        memory: MEMORY,
        spools: SpoolBudget::new(MEMORY),
        kept: SpoolBudget::new(MEMORY),
        listener: Arc::new(Deaf),
    })
}

fn named(plan: &Plan, name: &str) -> Result<Arc<plan::Source>, String> {
    let source = plan.sources.iter().find(|source| source.name.as_str() == name);
    source.map(Arc::clone).ok_or_else(|| format!("there is no source `{name}`"))
}

/// Reads the tables of rates that a source converts by.
fn rates(
    runtime: &Runtime,
    ctx: &Context,
    plan: &Plan,
    source: &plan::Source,
) -> Result<RateTables, String> {
    let mut tables = RateTables::new();
    for name in source.rates() {
        let source = named(plan, name.as_str())?;
        let Some(columns) = source.rate_columns() else { continue };
        let mut rates = Rates::new(columns);
        let extracted = runtime.block_on(extract(ctx, source)).map_err(told)?;
        let cleaned = runtime.block_on(clean(ctx, extracted, &RateTables::new())).map_err(told)?;
        for part in &cleaned.parts {
            for batch in part.rows.batches().map_err(told)? {
                rates.add(&batch.map_err(told)?);
            }
        }
        tables.insert(name.clone(), Arc::new(rates));
    }
    Ok(tables)
}
