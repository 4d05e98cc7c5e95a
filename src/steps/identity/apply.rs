//! Finds out which rows belong to the same customer.

use super::assign::{Inputs, assign};
use super::carry::Carry;
use super::causes::Causes;
use super::kinds::Kinds;
use super::matching::matches;
use super::numbers::Numbers;
use super::rank::Validity;
use super::resolve::resolve;
use super::resolved::Resolved;
use super::stored::Tables;
use super::take_in::{Taken, Tonight, Unresolved};
use super::told::{Known, Outcome, Told};
use super::types::{FormerFiles, LINKS, MAP};
use super::verdicts::Verdicts;
use super::{Before, Identified, IdentityError, Registry, clean_files};
use crate::engine::Context;
use crate::plan;
use crate::steps::dedupe::Deduped;

/// Works out the customers of a night and stamps its rows.
///
/// `deduped` holds the rows of objects that were not read before. `identity_key` keeps ids from being computed by
/// others from identifiers they know. Without rules nobody is a customer, and the registry stays as it is.
pub(crate) fn identify(
    ctx: &Context,
    rules: &plan::Identity,
    deduped: &[Deduped],
    before: &Before,
    identity_key: &[u8],
) -> Result<Identified, IdentityError> {
    if !rules.identifiers.is_empty() {
        return identify_by_rules(ctx, rules, deduped, before, identity_key);
    }
    let found = identify_by_rules(ctx, rules, deduped, &Before::nothing(), identity_key)?;
    found.known_by(Tables { folder: &ctx.work, threads: ctx.threads }, &before.registry)
}

impl Identified {
    /// Leaves a registry as it is.
    fn known_by(mut self, files: Tables<'_>, registry: &Registry) -> Result<Self, IdentityError> {
        for (name, rows) in [(MAP, registry.map()), (LINKS, registry.links())] {
            let table = files.store(name, rows, FormerFiles::Replaced)?;
            self.stored.retain(|other| other.name != name);
            self.stored.push(table);
        }
        let Known { customers, population, digest } = Known::by(registry)?;
        Ok(Self { customers, population, digest, guards: Vec::new(), ..self })
    }
}

fn identify_by_rules(
    ctx: &Context,
    rules: &plan::Identity,
    deduped: &[Deduped],
    before: &Before,
    identity_key: &[u8],
) -> Result<Identified, IdentityError> {
    let now = ctx.as_of.instant.timestamp_micros();
    let matched = matches(ctx, &Kinds::new(rules), deduped)?;
    let threads = ctx.threads;
    let tonight = Tonight { rules, before, matched: &matched, now, threads };
    let Taken { unresolved, numbers, rows, stored: evidence } = tonight.take_in(ctx, deduped)?;
    let files = Tables { folder: &ctx.work, threads: ctx.threads };
    let told = || tonight.told(files, unresolved, &numbers, identity_key);
    let (told, tables) = clean_files::write_beside(ctx, &numbers, deduped, &rows, told);
    let Told { known, mut stored, changes, guards, counts } = told?;
    stored.push(evidence);
    for (name, rows) in &matched.tables {
        stored.push(files.store(name, rows, FormerFiles::Replaced)?);
    }
    let (tables, match_counts) = (tables?, matched.counts);
    let Known { customers, population, digest } = known;
    Ok(Identified {
        tables,
        customers,
        population,
        digest,
        stored,
        changes,
        guards,
        match_counts,
        counts,
    })
}

impl Tonight<'_> {
    /// Works out who is one customer, and writes that down.
    fn told(
        &self,
        files: Tables<'_>,
        unresolved: Unresolved,
        numbers: &Numbers,
        identity_key: &[u8],
    ) -> Result<Told, IdentityError> {
        let Tonight { rules, before, now, threads, .. } = *self;
        let Unresolved { kinds, near, mut evidence, former, former_links } = unresolved;
        let carried = before.carried.as_ref().filter(|_| !near.is_everything());
        let carry = carried.map(|carried| Carry::new(&kinds, &before.registry, carried, &near));
        let carry = carry.transpose().map_err(IdentityError::RegistryRead)?;
        let validity = Validity::new(rules, &kinds, &mut evidence.sources, now);
        let verdicts = Verdicts::new(&kinds, &evidence.identifiers, &before.decisions);
        let resolution = resolve(&kinds, &mut evidence, &validity, &verdicts, threads);
        let assignment = assign(&Inputs {
            kinds: &kinds,
            identifiers: &evidence.identifiers,
            leaders: &resolution.leaders,
            former: &former,
            keepers: &verdicts.keepers,
            key: identity_key,
            now,
            is_taken: &|id| carry.as_ref().is_some_and(|carry| carry.has_id(id)),
        })?;
        let resolved = Resolved {
            kinds: &kinds,
            evidence: &evidence,
            resolution: &resolution,
            assignment: &assignment,
            former: &former,
            now,
        };
        let causes =
            Causes { resolved: &resolved, validity: &validity, former_links: &former_links };
        let outcome = Outcome { resolved: &resolved, numbers, causes: &causes, carry };
        outcome.told(files, &rules.guards, threads)
    }
}
