//! Takes in what a night shows, and opens as much of the registry as it can change.

use arrow::array::RecordBatch;

use super::assign::Former;
use super::evidence::{Evidence, Gathered, gather};
use super::identifiers::Identifiers;
use super::kinds::{KindId, Kinds};
use super::links::Link;
use super::matching::Matches;
use super::near::{Near, Touched};
use super::numbers::Numbers;
use super::open::Opened;
use super::origins::Origins;
use super::rank::Validity;
use super::schemas::evidence_schema;
use super::sightings::{RowsOfSources, Sightings};
use super::stored::Tables;
use super::types::{EVIDENCE, FormerFiles, StoredTable};
use super::{Before, Carried, IdentityError};
use crate::engine::{Context, Queue, both, on_threads};
use crate::plan;
use crate::steps::dedupe::Deduped;

/// What a night has to work with.
pub(super) struct Tonight<'a> {
    pub(super) rules: &'a plan::Identity,
    pub(super) before: &'a Before,
    pub(super) matched: &'a Matches,
    /// The midnight of the night, in microseconds.
    pub(super) now: i64,
    pub(super) threads: usize,
}

/// What a night shows, and what hangs together with it.
pub(super) struct Taken {
    pub(super) unresolved: Unresolved,
    pub(super) numbers: Numbers,
    /// What the rows of each source bear.
    pub(super) rows: RowsOfSources,
    /// The table of evidence.
    pub(super) stored: StoredTable,
}

/// All evidence that is to be resolved.
pub(super) struct Unresolved {
    pub(super) kinds: Kinds,
    pub(super) near: Near,
    pub(super) evidence: Evidence,
    pub(super) former: Former,
    /// The links of the night before, where some of them may have been taken back.
    pub(super) former_links: Vec<Link>,
}

impl Tonight<'_> {
    pub(super) fn take_in(
        &self,
        ctx: &Context,
        deduped: &[Deduped],
    ) -> Result<Taken, IdentityError> {
        let registry = &self.before.registry;
        let mut kinds = Kinds::new(self.rules);
        let mut sources = Origins::new(self.rules);
        let gathered = gather(ctx, &kinds, deduped, &mut sources)?;
        registry.check_links()?;
        let kind_of = registry.kinds(&mut kinds)?;
        let near = self.near(&kinds, &kind_of, &gathered, &sources);
        let retraction = &self.before.retraction;
        let opened = registry.open(&kinds, &kind_of, &near, (sources, retraction))?;
        let Opened { mut evidence, former, former_links, kept } = opened;
        let sightings = gathered.add_to(&mut evidence.identifiers);
        let given = registry.map().num_rows();
        let numbers =
            Numbers::new(&kinds, &evidence.identifiers, &near.numbers, given, self.threads);
        // Several files of evidence are written side by side, each by one thread.
        let files = Tables { folder: &ctx.work, threads: 1 };
        let (sources, links) = (&evidence.sources, &evidence.links);
        let (stored, ()) = both(
            ctx.threads,
            || stored(files, kept, &sightings, (sources, &numbers), ctx.threads),
            || sightings.note_links(links, ctx.threads),
        );
        let (stored, rows) = (stored?, sightings.into_rows());
        evidence.add_matches(&kinds, &self.matched.best_first);
        let evidence = evidence.build()?;
        let unresolved = Unresolved { kinds, near, evidence, former, former_links };
        Ok(Taken { unresolved, numbers, rows, stored })
    }

    /// Returns the identifiers that the night can change; all where it may not build on what was resolved before.
    fn near(
        &self,
        kinds: &Kinds,
        kind_of: &[KindId],
        gathered: &Gathered,
        sources: &Origins,
    ) -> Near {
        let builds_on =
            |carried: &&Carried| carried.as_of < self.now && self.before.retraction.is_empty();
        let carried = self.before.carried.as_ref().filter(builds_on);
        let Some(carried) = carried else { return Near::everything(kind_of.len()) };
        let validity =
            |instant: i64| Validity::new(self.rules, kinds, &mut sources.clone(), instant);
        let named = self.named(kinds);
        let touched = Touched {
            kinds,
            kind_of,
            seen: &gathered.interner,
            named: &named,
            validity: &[validity(carried.as_of), validity(self.now)],
            sources,
            threads: self.threads,
        };
        touched.near(&self.before.registry)
    }

    /// Returns the identifiers that matches and decisions name.
    fn named(&self, kinds: &Kinds) -> Identifiers {
        let mut named = Identifiers::default();
        let mut note = |name: &str, value: &str| {
            if let Some(kind) = kinds.known(name) {
                named.note(kinds, kind, value, self.now);
            }
        };
        for (name, value) in self.matched.best_first.iter().flat_map(|found| &found.ends) {
            note(name.as_str(), value);
        }
        for decision in &self.before.decisions {
            for one in decision.keep.iter().chain(&decision.apart) {
                note(&one.identifier_type, &one.value);
            }
        }
        named
    }
}

/// Writes the table of evidence: what is left of that of earlier nights, where some was taken back, and what was seen now.
fn stored(
    files: Tables<'_>,
    kept: Option<Vec<RecordBatch>>,
    sightings: &Sightings,
    (sources, numbers): (&Origins, &Numbers),
    threads: usize,
) -> Result<StoredTable, IdentityError> {
    let former = if kept.is_some() { FormerFiles::Replaced } else { FormerFiles::Kept };
    let schema = evidence_schema();
    let mut written = Vec::new();
    if let Some(kept) = kept {
        written.push(files.file(EVIDENCE, 0, &schema, kept.into_iter().map(Ok))?);
    }
    let first = written.len();
    let queue = Queue::new((first..).zip(sightings.files_of_evidence(sources)));
    let new = on_threads(threads, |_| {
        let mut written = Vec::new();
        while let Some((number, groups)) = queue.next() {
            let rows = groups.iter().map(|group| group.evidence(sources, numbers));
            written.push((number, files.file(EVIDENCE, number, &schema, rows)?));
        }
        Ok::<_, IdentityError>(written)
    })?;
    let mut new: Vec<_> = new.into_iter().flatten().collect();
    new.sort_by_key(|(number, _)| *number);
    written.extend(new.into_iter().map(|(_, file)| file));
    Ok(StoredTable { name: EVIDENCE, files: written, former })
}
