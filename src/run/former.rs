//! What the stages of a night may go on from.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::base::{Base, Standing};
use super::{Options, Purpose, RunError, parts, registry_of};
use crate::plan::Plan;
use crate::steps::transform::{Former, Why};
use crate::warehouse::{Generation, StageStates};
use crate::zone::AsOf;

/// Finds what the stages of a night that follow from `states` may go on from; otherwise says why all are computed whole.
pub(super) async fn of(
    plan: &Plan,
    base: &Base,
    options: &Options,
    states: &StageStates,
) -> Result<Result<Former, Why>, RunError> {
    if options.purpose == Purpose::Rehearse {
        return Ok(Err(Why::Asked));
    }
    if plan.stages.iter().all(|stage| stage.incremental.is_none()) {
        return Ok(Err(Why::New));
    }
    let generation = match generation(plan, base, options) {
        Ok(generation) => generation,
        Err(why) => return Ok(Err(why)),
    };
    let registry = registry_of(&base.warehouse, generation).await?;
    Ok(Ok(Former {
        as_of: AsOf::midnight(generation.as_of, plan.timezone),
        customers: Arc::new(registry.lookup()),
        identity: registry.customers()?,
        same: same(plan, generation, states),
        same_rules: same_rules(plan, base, generation),
        generation: generation.clone(),
    }))
}

/// Returns the generation whose tables stages may go on from; otherwise says why all are computed whole.
pub(super) fn generation<'a>(
    plan: &Plan,
    base: &'a Base,
    options: &Options,
) -> Result<&'a Generation, Why> {
    if options.force || options.full_refresh {
        return Err(Why::Asked);
    }
    let generation = base.generation.as_ref().ok_or(Why::New)?;
    if generation.timezone == plan.timezone.name() { Ok(generation) } else { Err(Why::OtherRules) }
}

/// Returns the stages and constant tables whose rows are those of the generation.
fn same(plan: &Plan, generation: &Generation, states: &StageStates) -> BTreeSet<String> {
    let is_same = |name: &String| {
        let former = generation.states.get(name);
        former.zip(states.get(name)).is_some_and(|(former, now)| former.rows == now.rows)
    };
    let stages = states.keys().filter(|name| is_same(name)).cloned();
    let former = generation.parts.iter().flat_map(|parts| &parts.constants);
    let now = parts::of(plan).constants;
    let constants = former.filter(|(name, digest)| now.get(*name) == Some(digest));
    stages.chain(constants.map(|(name, _)| name.clone())).collect()
}

/// Returns the sources and stages that were made by the rules of the plan.
pub(super) fn same_rules(plan: &Plan, base: &Base, generation: &Generation) -> BTreeSet<String> {
    let sources = plan.sources.iter().filter(|it| base.standing(it) == Standing::Same);
    let sources = sources.map(|source| source.name.to_string());
    let now = parts::of(plan).stages;
    let former = generation.parts.iter().flat_map(|parts| &parts.stages);
    let stages = former
        .filter(|(name, former)| now.get(*name).is_some_and(|now| now.digest == former.digest));
    sources.chain(stages.map(|(name, _)| name.clone())).collect()
}
