//! A pipeline as executed: the spine, the only place that knows the order of the steps.

mod base;
mod compare;
mod complete;
mod develop;
mod digest;
mod error;
mod foresee;
mod former;
#[cfg(test)]
mod growth_tests;
mod history;
mod parts;
mod present;
mod preview;
mod rates;
mod rehearse;
mod report;
mod states;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::engine::{Context, Customers};
use crate::names::SourceName;
use crate::plan::{Load, Plan};
use crate::report::{MissingInput, RunReport, SourceReport, Status, Step};
use crate::steps::audit::{Audited, Verdict, adds_up, admit, admit_fields, audit, balance};
use crate::steps::clean::{RateTables, clean};
use crate::steps::dedupe::{Deduped, Former, dedupe};
use crate::steps::extract::{Extracted, News, extract, news};
use crate::steps::identity::{
    Before, GuardOutcome, Identified, MAP, Registry, admit_customers, identify,
};
use crate::steps::publish::{Night, Publication, keep_rejects, publish};
use crate::steps::transform::{Transformed, Unchanged, transform};
use crate::warehouse::{Decision, Generation, Parts, StageStates, Warehouse, Zone};

use base::{Base, Found};
pub(crate) use compare::{Pair, SEGMENT_MOVES};
pub(crate) use develop::develop;
pub(crate) use error::{ErrorClass, RunError, warehouse_class};
pub(crate) use foresee::foresee;
pub(crate) use present::Present;
pub(crate) use preview::preview;
pub(crate) use rehearse::rehearse;

/// How a night is to be run.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Compute and publish even where nothing has changed.
    pub(crate) force: bool,
    /// Decode every object anew.
    pub(crate) full_refresh: bool,
    /// Go on where inputs are missing that the sources expect.
    pub(crate) allow_incomplete: bool,
    /// The source whose objects with rejects are decoded once more.
    pub(crate) replayed: Option<SourceName>,
    /// Whether the night is meant for readers.
    pub(crate) purpose: Purpose,
    /// The secret from which customer ids are made.
    pub(crate) identity_key: Vec<u8>,
}

/// What a night is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is put in place, unless a check or guard forbids it.
    Publish,
    /// It shows what would become of it: nothing is written to the warehouse, and what would forbid it is only told.
    Rehearse,
}

/// Takes one night from raw exports to published marts, and tells in `report` what it did.
pub(crate) async fn execute(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    options: &Options,
    report: &mut RunReport,
) -> Result<Status, RunError> {
    warehouse.roll_forward().await?;
    let current = warehouse.current().await?;
    history::fits_present(plan, current.as_ref(), ctx.as_of)?;
    let listed = listed(ctx, plan, warehouse, current).await?;
    report.missing.clone_from(&listed.missing);
    report.allow_incomplete = options.allow_incomplete;
    complete::require(&report.missing, options.allow_incomplete)?;
    if let Some(current) = listed.unchanged().filter(|_| !options.force) {
        warehouse.refresh_latest(current).await?;
        report.generation = Some(current.number);
        return Ok(Status::Unchanged);
    }
    let computed = Box::pin(computed(ctx, plan, warehouse, listed, options, report));
    let (mut night, transformed) = computed.await?;
    let Verdict::Passed(audited) = judge(ctx, plan, transformed, report).await? else {
        return Ok(Status::ChecksFailed);
    };
    states::note_checks(&mut night.states, &report.checks);
    put_in_place(ctx, plan, warehouse, *audited, night, report).await?;
    Ok(Status::Published)
}

/// What is known of a night before anything of it is decoded.
struct Listed {
    /// The present generation.
    current: Option<Generation>,
    extracted: Vec<Extracted>,
    missing: Vec<MissingInput>,
    decisions: Vec<Decision>,
    digest: String,
}

impl Listed {
    /// Returns the present generation, where it was made of the same inputs by the same rules.
    fn unchanged(&self) -> Option<&Generation> {
        self.current.as_ref().filter(|current| current.digest == self.digest)
    }
}

/// Looks at what a night would be made of.
async fn listed(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    current: Option<Generation>,
) -> Result<Listed, RunError> {
    let extracted = extract_all(ctx, plan).await?;
    let missing = complete::missing(ctx, &extracted).await?;
    let decisions = warehouse.decisions().await?;
    let digest = digest::of(plan, ctx.as_of, &extracted, &missing, &decisions);
    Ok(Listed { current, extracted, missing, decisions, digest })
}

/// Finds the generation a night builds on, and the number of that of a later night, if there is one.
async fn base_of(
    ctx: &Context,
    warehouse: &Warehouse,
    current: Option<&Generation>,
    options: &Options,
) -> Result<(Base, Option<u64>), RunError> {
    let head = warehouse.head(current).await?;
    let found = Found { current, head: head.as_ref(), is_rebuilt: options.full_refresh };
    let base = Base::find(warehouse, found, ctx.as_of).await?;
    let newer = head.filter(|head| head.as_of > ctx.as_of.date).map(|head| head.number);
    Ok((base.replaying(options.replayed.clone()), newer))
}

/// Takes a night from listed objects to computed stages; nothing of it is seen by readers of the warehouse.
async fn computed(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    listed: Listed,
    options: &Options,
    report: &mut RunReport,
) -> Result<(Night, Transformed), RunError> {
    let Listed { current, extracted, decisions, digest, .. } = listed;
    let carried = history::carried(plan, &history::marts_before(plan, current.as_ref())?);
    let whole = match current.clone() {
        Some(current) if options.full_refresh => Some(warehouse.without_lost(current).await?.0),
        current => current,
    };
    let marts_before = history::marts_before(plan, whole.as_ref())?;
    // The number is taken now: of two runs that build on the same generation only one can commit.
    let number = warehouse.next_number(current.as_ref().map(|current| current.number)).await?;
    let (base, newer) = base_of(ctx, warehouse, current.as_ref(), options).await?;
    let lost = complete::lost(&extracted, &base);
    report.missing.extend_from_slice(&lost);
    complete::require(&lost, options.allow_incomplete)?;
    let mut night = Night::new(number, newer, digest);
    report.lost_files.clone_from(&base.lost);
    night.carried = carried;
    night.marts_before = marts_before;
    night.states = states::left_out(plan, current.as_ref());
    night.former = base.identity_tables();
    night.parts = Some(Parts { decisions: digest::of_decisions(&decisions), ..parts::of(plan) });
    let deduped = take_in(ctx, extracted, &base, options.purpose, &mut night, report).await?;
    let short = admit_sources(&deduped, report)?;
    complete::require(&short, options.allow_incomplete)?;
    night.digest = digest::without(&night.digest, &short);
    night.rules.insert(base::IDENTITY_RULES.to_owned(), digest::of_identity(plan, &decisions));
    let before = base.known_customers(plan, &night, decisions).await?;
    let identified = identify_customers(ctx, plan, deduped, before, options).await?;
    report.customers = report::customers(plan, &identified);
    report.checks.extend(identified.guards.iter().map(GuardOutcome::check));
    if options.purpose == Purpose::Publish {
        admit_customers(&identified)?;
    }
    let past = Past { base: &base, current: current.as_ref(), options };
    let (transformed, states) = transform_changed(ctx, plan, identified, past, report).await?;
    night.states.extend(states);
    Ok((night, transformed))
}

/// Lists the objects of every source.
async fn extract_all(ctx: &Context, plan: &Plan) -> Result<Vec<Extracted>, RunError> {
    let mut all = Vec::with_capacity(plan.sources.len());
    for source in &plan.sources {
        let step = report::started_on(ctx, Step::Extract, source.name.as_str());
        let extracted = extract(ctx, Arc::clone(source)).await?;
        step.finished(extracted.objects.len() as u64);
        all.push(match source.load {
            Load::Append | Load::Upsert => extracted,
            Load::Replace => extracted.of_last_day(),
        });
    }
    Ok(all)
}

/// Returns which customer each identifier of a generation belongs to.
pub(crate) async fn customers_of(
    warehouse: &Warehouse,
    generation: &Generation,
) -> Result<Customers, RunError> {
    Ok(registry_of(warehouse, generation).await?.lookup())
}

/// Reads who is who in a generation, not why.
async fn registry_of(warehouse: &Warehouse, generation: &Generation) -> Result<Registry, RunError> {
    let map = warehouse.table(generation, Zone::Identity, MAP).await?;
    Ok(Registry::from_batches(&map, &[])?)
}

/// Cleans and deduplicates what is new of every source, those of rates first, and keeps the rejects.
async fn take_in(
    ctx: &Context,
    extracted: Vec<Extracted>,
    base: &Base,
    purpose: Purpose,
    night: &mut Night,
    report: &mut RunReport,
) -> Result<Vec<Deduped>, RunError> {
    let mut all = Vec::with_capacity(extracted.len());
    let mut tables = RateTables::new();
    for (place, extracted) in rates::rates_first(extracted) {
        let (news, deduped) = take_in_source(ctx, extracted, base, &tables, purpose, night).await?;
        let (deduped, rates) = blocking(ctx, move |_| rates::of(deduped)).await??;
        tables.extend(rates);
        all.push((place, report::source(ctx, &deduped, &news), deduped));
    }
    all.sort_by_key(|(place, ..)| *place);
    let told = all.into_iter().map(|(_, told, deduped)| (told, deduped));
    let (told, all): (Vec<SourceReport>, Vec<Deduped>) = told.unzip();
    report.sources = told;
    Ok(all)
}

/// Takes in what is new of one source, and enters into the night what became of it.
async fn take_in_source(
    ctx: &Context,
    extracted: Extracted,
    base: &Base,
    rates: &RateTables,
    purpose: Purpose,
    night: &mut Night,
) -> Result<(News, Deduped), RunError> {
    let source = Arc::clone(&extracted.source);
    let ledger = base.ledger(&source);
    let news = news(extracted, &ledger, base.taken_again(&source));
    let files = |zone| base.files(zone, &source, &ledger);
    let former = base::former(files(Zone::Clean), &ledger, &news);
    let deduped = clean_and_dedupe(ctx, news.fresh.clone(), former, rates).await?;
    let name = source.name.to_string();
    if purpose == Purpose::Publish {
        let (rejects, forgotten) = (files(Zone::Rejects), &news.forgotten);
        let kept = keep_rejects(ctx, &base.warehouse, &deduped.cleaned, rejects, forgotten);
        night.rejects.insert(name.clone(), kept.await?);
    }
    let ledger = base::entered(ledger, &news, &deduped, ctx.run_id.as_str());
    balance(&source, &ledger, deduped.rows_in_all())?;
    night.ledger.sources.insert(name.clone(), ledger);
    night.rules.insert(name, source.rules());
    Ok((news, deduped))
}

/// Judges what was taken in, and returns what the sources expect and did not get.
fn admit_sources(
    deduped: &[Deduped],
    report: &mut RunReport,
) -> Result<Vec<MissingInput>, RunError> {
    let mut short = Vec::new();
    for (deduped, told) in deduped.iter().zip(&report.sources) {
        let source = &deduped.cleaned.source;
        report.checks.push(adds_up(source, &told.objects));
        admit(source, &told.objects)?;
        admit_fields(source, &told.drift)?;
        short.extend(complete::too_few_rows(source, &told.objects));
    }
    report.missing.extend_from_slice(&short);
    Ok(short)
}

async fn clean_and_dedupe(
    ctx: &Context,
    fresh: Extracted,
    former: Former,
    rates: &RateTables,
) -> Result<Deduped, RunError> {
    let source = fresh.source.name.clone();
    let step = report::started_on(ctx, Step::Clean, source.as_str());
    let cleaned = clean(ctx, fresh, rates).await?;
    step.finished(cleaned.parts.iter().map(|part| part.read).sum());
    let step = report::started_on(ctx, Step::Dedupe, source.as_str());
    let deduped = blocking(ctx, move |ctx| dedupe(ctx, cleaned, former)).await??;
    step.finished(deduped.kept());
    Ok(deduped)
}

async fn identify_customers(
    ctx: &Context,
    plan: &Plan,
    deduped: Vec<Deduped>,
    before: Before,
    options: &Options,
) -> Result<Identified, RunError> {
    let step = report::started(ctx, Step::Identify, plan);
    let (rules, key) = (plan.identity.clone(), options.identity_key.clone());
    let identify = move |ctx: &Context| identify(ctx, &rules, &deduped, &before, &key);
    let identified = blocking(ctx, identify).await??;
    step.finished(identified.counts.identifiers);
    Ok(identified)
}

/// What the stages of a night may be spared by.
struct Past<'a> {
    /// What the night builds on.
    base: &'a Base,
    current: Option<&'a Generation>,
    options: &'a Options,
}

/// Computes the stages whose rows may differ from those of the present generation.
async fn transform_changed(
    ctx: &Context,
    plan: &Plan,
    identified: Identified,
    Past { base, current, options }: Past<'_>,
    report: &mut RunReport,
) -> Result<(Transformed, StageStates), RunError> {
    // A rehearsal shows every table, also those that would stay as they are.
    let is_whole = options.force || options.purpose == Purpose::Rehearse;
    let present = current.filter(|_| !is_whole);
    let warehouse = &base.warehouse;
    let states = states::of(ctx, plan, warehouse, &identified);
    let unchanged = present
        .map_or_else(Unchanged::default, |present| states::unchanged(plan, &states, present));
    let former = present.map(|present| states::former_checks(plan, &unchanged, present));
    report.checks.extend(former.into_iter().flatten());
    report.unchanged = unchanged.names().cloned().collect();
    let former = former::of(plan, base, options, &states).await?;
    let transformed = transform(ctx, plan, warehouse, identified, unchanged, former).await?;
    report.incremental = report::incremental(&transformed);
    Ok((transformed, states))
}

async fn judge(
    ctx: &Context,
    plan: &Plan,
    transformed: Transformed,
    report: &mut RunReport,
) -> Result<Verdict, RunError> {
    let step = report::started(ctx, Step::Audit, plan);
    let (verdict, checks) = audit(ctx, transformed).await?;
    step.finished(checks.len() as u64);
    report.checks.extend(checks);
    Ok(verdict)
}

async fn put_in_place(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    audited: Audited,
    night: Night,
    report: &mut RunReport,
) -> Result<(), RunError> {
    let step = report::started(ctx, Step::Publish, plan);
    let before: Vec<String> = night.marts_before.keys().cloned().collect();
    let generation = match publish(ctx, plan, warehouse, audited, night).await? {
        Publication::Conflict { generation } => return Err(RunError::Conflict { generation }),
        Publication::Published(generation) => *generation,
    };
    report.published = report::published(warehouse, &generation);
    report.withdrawn = report::withdrawn(before, &report.published);
    report.generation = Some(generation.number);
    step.finished(report.published.iter().map(|table| table.rows).sum());
    Ok(())
}

/// Runs a computation off the threads that serve input and output.
async fn blocking<T: Send + 'static>(
    ctx: &Context,
    work: impl FnOnce(&Context) -> T + Send + 'static,
) -> Result<T, RunError> {
    let ctx = ctx.clone();
    Ok(tokio::task::spawn_blocking(move || work(&ctx)).await?)
}
