//! What has changed in the rules since the present generation.

use std::collections::{BTreeMap, BTreeSet};

use super::stages::Night;
use crate::names::SourceName;
use crate::report::{ChangeKind, RuleChange, RulePart};
use crate::warehouse::{Generation, Parts, StagePart};

/// Compares the rules with those the present generation was made by; none where it does not tell, or there is none.
pub(super) fn of(night: &Night<'_>) -> Option<Vec<RuleChange>> {
    let present = night.present?;
    let former = present.parts.as_ref()?;
    let mut changes = Vec::new();
    changes.extend(of_one(RulePart::Martlet, &former.martlet, &night.parts.martlet));
    changes.extend(of_one(RulePart::Timezone, &present.timezone, night.plan.timezone.name()));
    changes.extend(variables(former, night.parts));
    changes.extend(sources(night, present));
    if former.identity != night.parts.identity {
        changes.push(untold(RulePart::Identity, None, ChangeKind::Changed));
    }
    if former.decisions != night.parts.decisions {
        changes.push(untold(RulePart::Decisions, None, ChangeKind::Changed));
    }
    changes.extend(digests(RulePart::Table, &former.constants, &night.parts.constants));
    changes.extend(stages(night, former));
    if changes.is_empty() && former.texts != night.parts.texts {
        changes.push(untold(RulePart::Rest, None, ChangeKind::Changed));
    }
    Some(changes)
}

fn of_one(part: RulePart, before: &str, after: &str) -> Option<RuleChange> {
    (before != after).then(|| RuleChange {
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        ..untold(part, None, ChangeKind::Changed)
    })
}

fn untold(part: RulePart, name: Option<&str>, change: ChangeKind) -> RuleChange {
    RuleChange { part, name: name.map(str::to_owned), change, before: None, after: None }
}

/// Names what is new, other or gone of two sets of rules.
fn digests(
    part: RulePart,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<RuleChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let change = change(before.get(name), after.get(name))?;
        Some(untold(part, Some(name), change))
    });
    changes.collect()
}

/// Says what became of a rule; none where it is as it was.
fn change<T: PartialEq>(before: Option<T>, after: Option<T>) -> Option<ChangeKind> {
    match (before, after) {
        (None, Some(_)) => Some(ChangeKind::New),
        (Some(_), None) => Some(ChangeKind::Removed),
        (before, after) => (before != after).then_some(ChangeKind::Changed),
    }
}

fn variables(former: &Parts, parts: &Parts) -> Vec<RuleChange> {
    let told = digests(RulePart::Variable, &former.variables, &parts.variables).into_iter();
    let with_values = told.map(|change| {
        let name = change.name.clone().unwrap_or_default();
        let (before, after) = (former.variables.get(&name), parts.variables.get(&name));
        RuleChange { before: before.cloned(), after: after.cloned(), ..change }
    });
    with_values.collect()
}

fn sources(night: &Night<'_>, present: &Generation) -> Vec<RuleChange> {
    let rules = night.plan.sources.iter().map(|source| (source.name.to_string(), source.rules()));
    // Other rules than those of sources may stand there too, under names that no source can have.
    let former = present.rules.iter().filter(|(name, _)| name.parse::<SourceName>().is_ok());
    let former = former.map(|(name, rules)| (name.clone(), rules.clone())).collect();
    digests(RulePart::Source, &former, &rules.collect())
}

/// Picks one digest of a stage.
type Digest = fn(&StagePart) -> &String;

fn stages(night: &Night<'_>, former: &Parts) -> Vec<RuleChange> {
    let of = |parts: &Parts, digest: Digest| -> BTreeMap<String, String> {
        // A mart that was left as it was is not among the parts of its generation, but no less there.
        let stages = parts.stages.iter().filter(|(name, _)| night.compares(name));
        stages.map(|(name, part)| (name.clone(), digest(part).clone())).collect()
    };
    let kinds: [(RulePart, Digest); 3] = [
        (RulePart::StageSql, |part| &part.sql),
        (RulePart::StageColumns, |part| &part.schema),
        (RulePart::StageChecks, |part| &part.checks),
    ];
    let mut changes = Vec::new();
    for (part, digest) in kinds {
        let of_kind = digests(part, &of(former, digest), &of(night.parts, digest));
        // That a stage comes or goes is told once.
        let is_told = |change: &RuleChange| {
            part == RulePart::StageSql || change.change == ChangeKind::Changed
        };
        changes.extend(of_kind.into_iter().filter(is_told));
    }
    changes
}
