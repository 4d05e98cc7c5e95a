//! What earlier nights left, on which a night builds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::RunError;
use crate::names::SourceName;
use crate::plan::{self, Plan};
use crate::steps::dedupe::{Deduped, Former};
use crate::steps::extract::{Again, News};
use crate::steps::identity::{
    Before, CLUSTERS, CONFLICTS, Carried, EVIDENCE, LINKS, MAP, Registry, Retraction,
};
use crate::steps::publish::{LEDGER, Night};
use crate::warehouse::{
    Decision, Generation, Ledger, LedgerEntry, SourceLedger, StoredFile, TableRecord, Warehouse,
    WarehouseError, Zone,
};
use crate::zone::AsOf;

/// Stands among the rules of sources for those of identity; no source can have the name.
pub(super) const IDENTITY_RULES: &str = "(identity)";

/// The generation a night builds on.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) warehouse: Warehouse,
    pub(super) generation: Option<Generation>,
    ledger: Ledger,
    /// Every object is decoded anew; only the customers of earlier nights count.
    is_rebuilt: bool,
    /// The source whose objects with rejects are decoded once more.
    replayed: Option<SourceName>,
    /// Objects that generations took in on which the night does not build: those that a rollback has left behind, or that
    /// lie behind what `vacuum` has removed.
    elsewhere: Ledger,
    /// Files that are gone, and without which every object is decoded anew.
    pub(super) lost: Vec<String>,
}

/// Among what a night finds its base.
pub(super) struct Found<'a> {
    pub(super) current: Option<&'a Generation>,
    /// The generation the next night builds on.
    pub(super) head: Option<&'a Generation>,
    /// Whether every object is to be decoded anew.
    pub(super) is_rebuilt: bool,
}

/// How a source stands to what earlier nights have left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They have left a table that was made by the present rules.
    Same,
    OtherRules,
    /// They have left nothing.
    New,
    /// What they have left does not count, because that was asked for.
    Refreshed,
}

impl Base {
    /// Finds the latest night that knows nothing of what comes after `as_of`: the head, or else one that led to the
    /// present generation.
    pub(super) async fn find(
        warehouse: &Warehouse,
        Found { current, head, is_rebuilt }: Found<'_>,
        as_of: AsOf,
    ) -> Result<Self, RunError> {
        let (Some(current), Some(head)) = (current, head) else {
            return Self::of(warehouse, head.cloned(), is_rebuilt).await;
        };
        if head.as_of <= as_of.date {
            let base = Self::of(warehouse, Some(head.clone()), is_rebuilt).await?;
            return base.knowing(left_behind(warehouse, head).await?, as_of).await;
        }
        let Some(older) = older(warehouse, current, as_of).await? else {
            return Self::of(warehouse, None, is_rebuilt).await;
        };
        let (generation, night) = (older.number, older.as_of);
        // The head is kept for ever, and what is older than the oldest generation that is kept is gone altogether.
        match ledger_of(warehouse, &older).await {
            Err(RunError::Warehouse(WarehouseError::Missing { .. })) if is_rebuilt => {
                let base = Self::of(warehouse, None, is_rebuilt).await?;
                base.knowing(Some(head.clone()), as_of).await
            }
            Err(RunError::Warehouse(WarehouseError::Missing { .. })) => {
                Err(RunError::BaseGone { as_of: as_of.date, generation, night })
            }
            Err(error) => Err(error),
            Ok(_) => Self::of(warehouse, Some(older), is_rebuilt).await,
        }
    }

    /// Takes what a generation left; without one there is nothing to build on.
    async fn of(
        warehouse: &Warehouse,
        generation: Option<Generation>,
        is_rebuilt: bool,
    ) -> Result<Self, RunError> {
        let (mut generation, mut lost) = (generation, Vec::new());
        if is_rebuilt && let Some(found) = generation.take() {
            let (found, gone) = warehouse.without_lost(found).await?;
            (generation, lost) = (Some(without_broken_identity(found, &gone)), gone);
        }
        let ledger = match &generation {
            None => Ledger::default(),
            Some(generation) => ledger_of(warehouse, generation).await?,
        };
        let (warehouse, elsewhere) = (warehouse.clone(), Ledger::default());
        Ok(Self { warehouse, generation, ledger, is_rebuilt, replayed: None, elsewhere, lost })
    }

    /// Remembers what another generation took in of the days before `as_of`, as far as that is still known.
    async fn knowing(self, other: Option<Generation>, as_of: AsOf) -> Result<Self, RunError> {
        let Some(other) = other else { return Ok(self) };
        let mut elsewhere = match ledger_of(&self.warehouse, &other).await {
            Err(RunError::Warehouse(WarehouseError::Missing { .. })) => Ledger::default(),
            ledger => ledger?,
        };
        for objects in elsewhere.sources.values_mut() {
            objects.retain(|_, entry| entry.date.is_none_or(|date| date < as_of.date));
        }
        Ok(Self { elsewhere, ..self })
    }

    /// Returns the objects of a source that other generations took in, and this one did not.
    pub(super) fn elsewhere(&self, source: &plan::Source) -> SourceLedger {
        let name = source.name.as_str();
        let known = self.ledger.sources.get(name);
        let others = self.elsewhere.sources.get(name).into_iter().flatten();
        let others = others.filter(|(path, _)| known.is_none_or(|it| !it.contains_key(*path)));
        others.map(|(path, entry)| (Arc::clone(path), entry.clone())).collect()
    }

    /// Returns the objects of sources that are no more, among `sources`, whose names one of this source might have.
    pub(super) fn orphans(&self, source: &plan::Source, sources: &BTreeSet<&str>) -> SourceLedger {
        if self.standing(source) != Standing::New {
            return SourceLedger::new();
        }
        let gone = self.ledger.sources.iter().filter(|(name, _)| !sources.contains(name.as_str()));
        let objects = gone.flat_map(|(_, objects)| objects);
        let objects = objects.filter(|(path, _)| source.pattern.matches(path).is_some());
        objects.map(|(path, entry)| (Arc::clone(path), entry.clone())).collect()
    }

    /// Lets the objects of a source that have rejects be decoded once more.
    pub(super) fn replaying(self, replayed: Option<SourceName>) -> Self {
        Self { replayed, ..self }
    }

    /// Says which of a source's objects are decoded although they are known.
    pub(super) fn taken_again(&self, source: &plan::Source) -> Again {
        if self.replayed.as_ref() == Some(&source.name) { Again::WithRejects } else { Again::None }
    }

    /// Returns the objects a source's clean table was made of, where it was made by the present rules.
    pub(super) fn ledger(&self, source: &plan::Source) -> SourceLedger {
        if self.counts(source) { self.whole_ledger(source) } else { SourceLedger::new() }
    }

    /// Says how a source stands to what earlier nights have left of it.
    pub(super) fn standing(&self, source: &plan::Source) -> Standing {
        let generation = self.generation.as_ref();
        match generation.and_then(|found| found.rules.get(source.name.as_str())) {
            None => Standing::New,
            Some(_) if self.is_rebuilt => Standing::Refreshed,
            Some(rules) if *rules == source.rules() => Standing::Same,
            Some(_) => Standing::OtherRules,
        }
    }

    /// Says whether the night builds on the table of a source.
    fn counts(&self, source: &plan::Source) -> bool {
        self.standing(source) == Standing::Same
    }

    /// Returns the objects a source's clean table was made of, by whatever rules.
    pub(super) fn whole_ledger(&self, source: &plan::Source) -> SourceLedger {
        self.ledger.sources.get(source.name.as_str()).cloned().unwrap_or_default()
    }

    /// Returns who was who, and which evidence for it counts no more.
    pub(super) async fn known_customers(
        &self,
        plan: &Plan,
        night: &Night,
        decisions: Vec<Decision>,
    ) -> Result<Before, RunError> {
        let Some(generation) = &self.generation else {
            return Ok(Before { decisions, ..Before::nothing() });
        };
        let table = |name| self.warehouse.table(generation, Zone::Identity, name);
        let registry = Registry::from_batches(&table(MAP).await?, &table(LINKS).await?)?;
        let (objects, sources) = (self.retracted(plan, night), self.retracted_sources(plan));
        let mut retraction = Retraction { objects, sources, ..Retraction::default() };
        if retraction.is_empty() {
            let carried = self.carried(night, generation).await?;
            return Ok(Before { registry, retraction, decisions, carried });
        }
        retraction.evidence = table(EVIDENCE).await?;
        retraction.is_evidence_lost = self.lost.iter().any(|path| is_of(path, EVIDENCE));
        Ok(Before { registry, retraction, decisions, carried: None })
    }

    /// Returns what the night before made of its evidence, where it did so by the rules and decisions of this one.
    async fn carried(
        &self,
        night: &Night,
        generation: &Generation,
    ) -> Result<Option<Carried>, RunError> {
        let rules = |rules: &BTreeMap<String, String>| rules.get(IDENTITY_RULES).cloned();
        let Ok(timezone) = generation.timezone.parse() else { return Ok(None) };
        if rules(&night.rules).is_none() || rules(&night.rules) != rules(&generation.rules) {
            return Ok(None);
        }
        let table = |name| self.warehouse.table(generation, Zone::Identity, name);
        let as_of = AsOf::midnight(generation.as_of, timezone).instant.timestamp_micros();
        let (clusters, conflicts) = (table(CLUSTERS).await?, table(CONFLICTS).await?);
        Ok(Some(Carried { as_of, clusters, conflicts }))
    }

    /// Returns the sources of which no evidence of earlier nights counts: those that are new, for one of their name may have
    /// been there before, and all where every object is decoded anew.
    fn retracted_sources(&self, plan: &Plan) -> Vec<SourceName> {
        let speak = plan.sources.iter().filter(|source| !source.links.is_empty());
        let anew = speak.filter(|source| self.is_rebuilt || self.standing(source) == Standing::New);
        anew.map(|source| source.name.clone()).collect()
    }

    /// Returns the objects whose evidence counts no more: those that leave the tables, and those that come anew.
    fn retracted(&self, plan: &Plan, night: &Night) -> Vec<(SourceName, String)> {
        let of_source = |source: &Arc<plan::Source>| {
            let now = night.ledger.sources.get(source.name.as_str());
            let is_same = |path: &Arc<str>, entry: &LedgerEntry| {
                now.and_then(|now| now.get(path)).is_some_and(|now| now.run_id == entry.run_id)
            };
            let former = self.whole_ledger(source).into_iter();
            let gone = former.filter(|(path, entry)| !is_same(path, entry));
            gone.map(|(path, _)| (source.name.clone(), path.to_string())).collect::<Vec<_>>()
        };
        // Who has never said anything of customers has nothing to take back.
        let speaks = |source: &&Arc<plan::Source>| !source.links.is_empty() || !self.counts(source);
        plan.sources.iter().filter(speaks).flat_map(of_source).collect()
    }

    /// Returns the identity tables of the night before.
    pub(super) fn identity_tables(&self) -> BTreeMap<String, TableRecord> {
        let tables = self.generation.as_ref().and_then(|found| found.tables.get(&Zone::Identity));
        tables.cloned().unwrap_or_default()
    }

    /// Returns a table of a source, where it was made by the present rules: what its ledger tells.
    pub(super) fn files(
        &self,
        zone: Zone,
        source: &plan::Source,
        ledger: &SourceLedger,
    ) -> Vec<StoredFile> {
        if ledger.is_empty() {
            return Vec::new();
        }
        let tables = self.generation.iter().flat_map(|generation| generation.tables(zone));
        let of_source = tables.filter(|(name, _)| *name == source.name.as_str());
        let files = of_source.flat_map(|(_, table)| &table.files);
        files
            .map(|file| StoredFile::new(&self.warehouse, file.clone(), Handle::current()))
            .collect()
    }
}

/// Reads which objects a generation was made of.
async fn ledger_of(warehouse: &Warehouse, generation: &Generation) -> Result<Ledger, RunError> {
    let objects = warehouse.table(generation, Zone::Ledger, LEDGER).await?;
    Ledger::from_batches(&objects).map_err(RunError::Ledger)
}

/// Says whether a file that a generation names is one of this table of identity.
fn is_of(path: &str, table: &str) -> bool {
    path.contains(&format!("/{}/{table}/", Zone::Identity.folder()))
}

/// Takes away the tables of identity that mean nothing without files that are gone: who is who has to begin anew where it
/// is not known which identifiers there were, and in part evidence would link some and not others.
fn without_broken_identity(mut generation: Generation, lost: &[String]) -> Generation {
    let is_lost = |table| lost.iter().any(|path| is_of(path, table));
    if is_lost(MAP) || is_lost(LINKS) {
        generation.tables.remove(&Zone::Identity);
    } else if is_lost(EVIDENCE)
        && let Some(tables) = generation.tables.get_mut(&Zone::Identity)
    {
        tables.remove(EVIDENCE);
    }
    generation
}

/// Returns the newest night that a rollback to `head` has left behind.
async fn left_behind(
    warehouse: &Warehouse,
    head: &Generation,
) -> Result<Option<Generation>, RunError> {
    if head.restores.is_none() {
        return Ok(None);
    }
    let mut above = head.number;
    while let Some(before) = warehouse.generation_before(above).await? {
        if before.number <= head.origin() {
            break;
        }
        if before.restores.is_none() {
            return Ok(Some(before));
        }
        above = before.number;
    }
    Ok(None)
}

/// Returns the generation of the latest night up to `as_of`; of several of one night the newest.
async fn older(
    warehouse: &Warehouse,
    current: &Generation,
    as_of: AsOf,
) -> Result<Option<Generation>, RunError> {
    let lineage = warehouse.lineage(current).await?.into_iter();
    let earlier = lineage.filter(|generation| generation.as_of <= as_of.date);
    Ok(earlier.max_by_key(|generation| (generation.as_of, generation.number)))
}

/// Returns what a source's table is before the night's rows come in.
pub(super) fn former(files: Vec<StoredFile>, ledger: &SourceLedger, news: &News) -> Former {
    let objects: BTreeSet<Arc<str>> = ledger.keys().cloned().collect();
    Former { files, objects, forgotten: news.forgotten.clone() }
}

/// Enters what became of a night's objects into the ledger of their source.
pub(super) fn entered(
    mut ledger: SourceLedger,
    news: &News,
    deduped: &Deduped,
    run_id: &str,
) -> SourceLedger {
    ledger.retain(|path, _| !news.forgotten.contains(path));
    for (part, account) in deduped.cleaned.parts.iter().zip(deduped.accounts()) {
        let entry = LedgerEntry {
            etag: account.etag,
            size: account.size,
            date: part.object.date,
            run_id: run_id.to_owned(),
            account: account.account,
            beaten: BTreeSet::new(),
        };
        ledger.insert(Arc::clone(&part.object.path), entry);
    }
    for (path, rows) in &deduped.superseded {
        if let Some(entry) = ledger.get_mut(path) {
            entry.account.kept -= rows;
            entry.account.duplicate += rows;
        }
    }
    for (winner, loser) in &deduped.beaten {
        if let Some(entry) = ledger.get_mut(winner) {
            entry.beaten.insert(Arc::clone(loser));
        }
    }
    ledger
}
