//! Finds out which rows belong to the same customer.

use super::assign::{Inputs, assign};
use super::carry::{Carried, Carry};
use super::causes::Causes;
use super::kinds::Kinds;
use super::matching::matches;
use super::open::{Opened, Retraction};
use super::rank::Validity;
use super::resolve::resolve;
use super::resolved::Resolved;
use super::stamp::Stamp;
use super::take_in::{Taken, Tonight};
use super::told::Outcome;
use super::types::Findings;
use super::verdicts::Verdicts;
use super::{Identified, IdentityError, Registry, clean_files};
use crate::engine::{Context, both};
use crate::plan;
use crate::steps::dedupe::Deduped;
use crate::warehouse::Decision;

/// What earlier nights have left, and what people have decided since.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) registry: Registry,
    pub(crate) retraction: Retraction,
    pub(crate) decisions: Vec<Decision>,
    /// What need not be worked out again; none where rules or decisions have changed.
    pub(crate) carried: Option<Carried>,
}

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
    find(ctx, rules, deduped, before, identity_key)?.stored(ctx)
}

/// Works out the customers of a night, and leaves all it finds but the rows in memory.
pub(super) fn find(
    ctx: &Context,
    rules: &plan::Identity,
    deduped: &[Deduped],
    before: &Before,
    identity_key: &[u8],
) -> Result<Findings, IdentityError> {
    if !rules.identifiers.is_empty() {
        return find_by_rules(ctx, rules, deduped, before, identity_key);
    }
    let nobody = Before::nothing();
    let found = find_by_rules(ctx, rules, deduped, &nobody, identity_key)?;
    let registry = before.registry.clone();
    Ok(Findings { registry, guards: Vec::new(), ..found })
}

impl Before {
    /// Returns what there is before the first night.
    pub(crate) fn nothing() -> Self {
        Self {
            registry: Registry::empty(),
            retraction: Retraction::default(),
            decisions: Vec::new(),
            carried: None,
        }
    }
}

fn find_by_rules(
    ctx: &Context,
    rules: &plan::Identity,
    deduped: &[Deduped],
    before: &Before,
    identity_key: &[u8],
) -> Result<Findings, IdentityError> {
    let now = ctx.as_of.instant.timestamp_micros();
    let matched = matches(ctx, &Kinds::new(rules), deduped)?;
    let tonight = Tonight { rules, before, matched: &matched, now };
    let Taken { kinds, near, opened, sightings, known_links } = tonight.take_in(ctx, deduped)?;
    let Opened { mut evidence, former, former_links, kept } = opened;
    let carried = before.carried.as_ref().filter(|_| !near.is_everything());
    let carry = carried.map(|carried| Carry::new(&kinds, &before.registry, carried, &near));
    let carry = carry.transpose().map_err(IdentityError::RegistryRead)?;
    let validity = Validity::new(rules, &kinds, &mut evidence.sources, now);
    let verdicts = Verdicts::new(&kinds, &evidence.identifiers, &before.decisions);
    let resolution = resolve(&kinds, &mut evidence, &validity, &verdicts);
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
        known: &near.numbers,
        given: before.registry.map().num_rows(),
        resolution: &resolution,
        assignment: &assignment,
        former: &former,
        now,
    };
    let (links, former_links) = (validity, &former_links[..]);
    let causes = Causes { resolved: &resolved, validity: &links, known_links, former_links };
    let numbers = resolved.numbers();
    let outcome = Outcome { resolved: &resolved, numbers: &numbers, causes: &causes, carry };
    let stamp = Stamp { resolved: &resolved, numbers: &numbers };
    let write = |deduped| clean_files::write(ctx, &stamp, deduped);
    let (found, tables) = both(
        ctx.threads,
        || outcome.told(&sightings, kept, &rules.guards),
        || deduped.iter().map(write).collect::<Result<_, _>>(),
    );
    let (matches, match_counts) = (matched.tables, matched.counts);
    Ok(Findings { tables: tables?, matches, match_counts, ..found? })
}
