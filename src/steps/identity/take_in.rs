//! Takes in what a night shows, and opens as much of the registry as it can change.

use super::evidence::{Gathered, Sightings, gather};
use super::identifiers::Identifiers;
use super::kinds::{KindId, Kinds};
use super::matching::Matches;
use super::near::{Near, Touched};
use super::open::Opened;
use super::origins::Origins;
use super::rank::Validity;
use super::{Before, Carried, IdentityError};
use crate::engine::Context;
use crate::plan;
use crate::steps::dedupe::Deduped;

/// What a night has to work with.
pub(super) struct Tonight<'a> {
    pub(super) rules: &'a plan::Identity,
    pub(super) before: &'a Before,
    pub(super) matched: &'a Matches,
    /// The midnight of the night, in microseconds.
    pub(super) now: i64,
}

/// All evidence that is resolved: what the night shows, and what hangs together with it.
pub(super) struct Taken {
    pub(super) kinds: Kinds,
    pub(super) near: Near,
    pub(super) opened: Opened,
    pub(super) sightings: Sightings,
    /// How many links were known before; theirs are the first numbers.
    pub(super) known_links: usize,
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
        let mut opened = registry.open(&kinds, &kind_of, &near, (sources, retraction))?;
        let known_links = opened.evidence.links.len();
        let sightings = gathered.add_to(&mut opened.evidence, ctx.threads)?;
        opened.evidence.add_matches(&kinds, &self.matched.best_first);
        Ok(Taken { kinds, near, opened, sightings, known_links })
    }

    /// Returns the identifiers that the night can change; all where it may not build on what was resolved before.
    fn near(
        &self,
        kinds: &Kinds,
        kind_of: &[KindId],
        gathered: &Gathered,
        sources: &Origins,
    ) -> Near {
        let builds_on = |carried: &&Carried| {
            carried.as_of < self.now && self.before.retraction.objects.is_empty()
        };
        let carried = self.before.carried.as_ref().filter(builds_on);
        let Some(carried) = carried else { return Near::everything(kind_of.len()) };
        let validity =
            |instant: i64| Validity::new(self.rules, kinds, &mut sources.clone(), instant);
        let named = self.named(kinds);
        let seen: Vec<&Identifiers> = gathered.identifiers().chain([&named]).collect();
        let touched = Touched {
            kinds,
            kind_of,
            seen: &seen,
            validity: &[validity(carried.as_of), validity(self.now)],
            sources,
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
