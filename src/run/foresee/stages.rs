//! Which stages the next run would compute, and why.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::engine::Select;
use crate::plan::{AS_OF, AS_OF_DATE, History, IDENTITY_CUSTOMERS, Plan, Stage};
use crate::report::{Reason, ReasonKind, SourceOutlook, StageOutlook};
use crate::warehouse::{Generation, Parts, StagePart};

/// What the stages of the next run follow from.
pub(super) struct Night<'a> {
    pub(super) plan: &'a Plan,
    pub(super) parts: &'a Parts,
    /// The present generation.
    pub(super) present: Option<&'a Generation>,
    pub(super) as_of: NaiveDate,
    pub(super) sources: &'a [SourceOutlook],
    /// Whether everything is computed, changed or not.
    pub(super) is_forced: bool,
}

/// Tells of every stage whether it would be computed, and why; and which tables may have other rows.
pub(super) fn of(night: &Night<'_>) -> (Vec<StageOutlook>, BTreeSet<String>) {
    let mut changing = night.changing_tables();
    let mut reasons = Vec::with_capacity(night.plan.stages.len());
    for stage in &night.plan.stages {
        let of_rows = night.reasons(stage, &changing);
        if !of_rows.is_empty() {
            changing.insert(stage.name.to_string());
        }
        reasons.push(of_rows);
    }
    // The outcome of a check changes no row, and a check may read a stage that stands behind its own.
    let stages = night.plan.stages.iter().zip(reasons).map(|(stage, mut reasons)| {
        reasons.extend(night.of_checks(stage, &changing));
        if reasons.is_empty() && stage.history == History::Snapshot {
            reasons.push(reason(ReasonKind::KeepsNights, None));
        }
        outlook(stage, reasons)
    });
    let mut stages: Vec<StageOutlook> = stages.collect();
    add_needed(night.plan, &mut stages);
    (stages, changing)
}

/// Tells of every stage that it would not be computed.
pub(super) fn none(plan: &Plan) -> Vec<StageOutlook> {
    plan.stages.iter().map(|stage| outlook(stage, Vec::new())).collect()
}

fn outlook(stage: &Stage, reasons: Vec<Reason>) -> StageOutlook {
    StageOutlook {
        stage: stage.name.to_string(),
        mart: stage.published,
        runs: !reasons.is_empty(),
        reasons,
        incremental: None,
    }
}

fn reason(reason: ReasonKind, of: Option<&str>) -> Reason {
    Reason { reason, of: of.map(str::to_owned) }
}

impl Night<'_> {
    /// Says whether a stage can be compared with the present generation.
    pub(super) fn compares(&self, stage: &str) -> bool {
        !self.plan.left_out.iter().any(|mart| mart.as_str() == stage)
    }

    /// Returns the tables a stage reads that are no stages and may have other rows than in the present generation.
    fn changing_tables(&self) -> BTreeSet<String> {
        let customers = self.changes_customers();
        let has_links = |name: &str| {
            let mut sources = self.plan.sources.iter();
            sources.any(|source| source.name.as_str() == name && !source.links.is_empty())
        };
        let is_changing =
            |it: &&SourceOutlook| it.changes_rows() || (customers && has_links(&it.source));
        let sources = self.sources.iter().filter(is_changing).map(|it| it.source.clone());
        let former = self.former().map(|former| &former.constants);
        let constants = self.parts.constants.iter();
        let other = constants
            .filter(|(name, digest)| former.and_then(|former| former.get(*name)) != Some(digest));
        let other = other.map(|(name, _)| name.clone());
        sources.chain(other).chain(customers.then(|| IDENTITY_CUSTOMERS.to_owned())).collect()
    }

    /// Says whether somebody may be another customer than in the present generation.
    fn changes_customers(&self) -> bool {
        if self.plan.identity.identifiers.is_empty() {
            return false;
        }
        let is_linked = |it: &&SourceOutlook| {
            let mut sources = self.plan.sources.iter();
            sources.any(|source| source.name.as_str() == it.source && !source.links.is_empty())
        };
        let other = self.former().is_none_or(|former| {
            (&former.identity, &former.decisions) != (&self.parts.identity, &self.parts.decisions)
        });
        let rules = &self.plan.identity;
        let expires = rules.identifiers.iter().any(|it| it.window.is_some())
            || rules.sources.iter().any(|it| it.types.iter().any(|(_, window)| window.is_some()));
        other
            || (expires && self.is_other_night())
            || self.sources.iter().filter(is_linked).any(SourceOutlook::changes_rows)
    }

    fn former(&self) -> Option<&Parts> {
        self.present.and_then(|present| present.parts.as_ref())
    }

    fn is_other_night(&self) -> bool {
        self.present.is_none_or(|present| present.as_of != self.as_of)
    }

    /// Says why the rows of a stage may be others.
    fn reasons(&self, stage: &Stage, changing: &BTreeSet<String>) -> Vec<Reason> {
        let Some(present) = self.present else {
            return vec![reason(ReasonKind::FirstNight, None)];
        };
        if self.is_forced {
            return vec![reason(ReasonKind::Forced, None)];
        }
        let Some(former) = present.parts.as_ref() else {
            return vec![reason(ReasonKind::Unknown, None)];
        };
        if former.martlet != self.parts.martlet {
            return vec![reason(ReasonKind::Martlet, None)];
        }
        if present.timezone != self.plan.timezone.name() {
            return vec![reason(ReasonKind::Timezone, None)];
        }
        let name = stage.name.as_str();
        let Some((before, after)) = former.stages.get(name).zip(self.parts.stages.get(name)) else {
            let has_table =
                present.tables(crate::warehouse::Zone::Marts).any(|(mart, _)| mart == name);
            let kind = if has_table { ReasonKind::Unknown } else { ReasonKind::New };
            return vec![reason(kind, None)];
        };
        let mut reasons = self.of_rules(before, after);
        reasons.extend(self.of_night(&stage.select).then(|| reason(ReasonKind::AsOf, None)));
        let inputs = after.inputs.iter().filter(|input| changing.contains(*input));
        reasons.extend(inputs.map(|input| reason(ReasonKind::Input, Some(input))));
        reasons
    }

    fn of_rules(&self, before: &StagePart, after: &StagePart) -> Vec<Reason> {
        if before.digest == after.digest {
            return Vec::new();
        }
        let mut reasons = Vec::new();
        if before.sql != after.sql {
            reasons.push(reason(ReasonKind::Sql, None));
        }
        if before.schema != after.schema {
            reasons.push(reason(ReasonKind::Columns, None));
        }
        let variables = after.parameters.iter().filter(|name| self.is_other_value(name));
        reasons.extend(variables.map(|name| reason(ReasonKind::Variable, Some(name))));
        reasons
    }

    /// Says whether a variable has another value than in the present generation.
    fn is_other_value(&self, name: &str) -> bool {
        let former = self.former().and_then(|former| former.variables.get(name));
        former != self.parts.variables.get(name)
    }

    /// Says whether a query asks for `as_of`, which is another than that of the present generation.
    fn of_night(&self, select: &Select) -> bool {
        let mut uses = select.parameters.iter();
        self.is_other_night() && uses.any(|used| used.name == AS_OF || used.name == AS_OF_DATE)
    }

    /// Says whether the checks of a stage may find something else in the same rows.
    fn of_checks(&self, stage: &Stage, changing: &BTreeSet<String>) -> Option<Reason> {
        let former = self.former()?.stages.get(stage.name.as_str())?;
        let part = self.parts.stages.get(stage.name.as_str())?;
        let may_differ = |select: &Select| {
            let mut tables = select.tables.iter().filter(|table| *table != stage.name.as_str());
            self.of_night(select)
                || select.parameters.iter().any(|used| self.is_other_value(&used.name))
                || tables.any(|table| changing.contains(table))
        };
        let differs = former.checks != part.checks
            || stage.checks.iter().any(|check| may_differ(&check.select));
        (differs && !changing.contains(stage.name.as_str()))
            .then(|| reason(ReasonKind::Checks, None))
    }
}

/// Adds the stages that would yield what they yielded, but have no table that a computed stage could read.
fn add_needed(plan: &Plan, stages: &mut [StageOutlook]) {
    loop {
        let mut is_done = true;
        for place in (0..stages.len()).rev() {
            if stages[place].runs || stages[place].mart {
                continue;
            }
            let name = &plan.stages[place].name;
            let reads = |it: &Stage| {
                let checks = it.checks.iter().map(|check| &check.select);
                let mut selects = std::iter::once(&it.select).chain(checks);
                selects.any(|select| select.tables.contains(name.as_str()))
            };
            let mut computed = plan.stages.iter().zip(&*stages).filter(|(_, told)| told.runs);
            let Some((reader, _)) = computed.find(|(stage, _)| reads(stage)) else { continue };
            let needed = reason(ReasonKind::NeededBy, Some(reader.name.as_str()));
            stages[place] = outlook(&plan.stages[place], vec![needed]);
            is_done = false;
        }
        if is_done {
            return;
        }
    }
}
