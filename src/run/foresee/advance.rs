//! How far the incremental stages of the next run would go on from their tables of the night before, as far as that can be
//! told before anything is computed.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{IDENTITY_CUSTOMERS, Incremental, Plan, Reading, Stage};
use crate::report::{AdvanceOutlook, StageOutlook};
use crate::run::base::Base;
use crate::run::{Options, former};
use crate::steps::transform::Why;
use crate::warehouse::Generation;

/// What the stages would go on from.
struct Earlier<'a> {
    generation: &'a Generation,
    /// The sources and stages that were made by the present rules.
    same_rules: BTreeSet<String>,
    /// The tables that may have other rows.
    changing: &'a BTreeSet<String>,
}

/// Adds how far they would go on to the incremental stages that would be computed.
pub(super) fn add(
    stages: &mut [StageOutlook],
    plan: &Plan,
    base: &Base,
    options: &Options,
    changing: &BTreeSet<String>,
) {
    let earlier = Earlier::of(plan, base, options, changing);
    let mut told: BTreeMap<&str, AdvanceOutlook> = BTreeMap::new();
    for (stage, outlook) in plan.stages.iter().zip(stages).filter(|(_, outlook)| outlook.runs) {
        let Some(incremental) = &stage.incremental else { continue };
        let earlier = earlier.as_ref().map_err(Clone::clone);
        let advance = earlier.and_then(|earlier| earlier.advance(stage, incremental, &told));
        let advance = advance.unwrap_or_else(|why| AdvanceOutlook::Whole { why: why.to_string() });
        told.insert(stage.name.as_str(), advance.clone());
        outlook.incremental = Some(advance);
    }
}

impl<'a> Earlier<'a> {
    fn of(
        plan: &Plan,
        base: &'a Base,
        options: &Options,
        changing: &'a BTreeSet<String>,
    ) -> Result<Self, Why> {
        let generation = former::generation(plan, base, options)?;
        Ok(Self { generation, same_rules: former::same_rules(plan, base, generation), changing })
    }

    /// Tells how far one stage would go on, knowing it of those before.
    fn advance(
        &self,
        stage: &Stage,
        incremental: &Incremental,
        told: &BTreeMap<&str, AdvanceOutlook>,
    ) -> Result<AdvanceOutlook, Why> {
        let name = stage.name.as_str();
        if self.generation.stage_table(name).is_none() {
            return Err(Why::New);
        }
        if !self.same_rules.contains(name) {
            return Err(Why::OtherRules);
        }
        let mut unless = Vec::new();
        for (table, reading) in &incremental.inputs {
            let is_changing = self.changing.contains(table);
            let is_comparable = match reading {
                Reading::Digest => !is_changing,
                Reading::Rows { .. } => self.compares(table, told),
            };
            if !is_comparable {
                return Err(Why::Input(table.clone()));
            }
            if is_changing && matches!(reading, Reading::Rows { is_keyed: false, .. }) {
                unless.push(table.clone());
            }
        }
        Ok(AdvanceOutlook::Customers { unless })
    }

    /// Says whether it can be told which rows of a table differ.
    fn compares(&self, table: &str, told: &BTreeMap<&str, AdvanceOutlook>) -> bool {
        table == IDENTITY_CUSTOMERS
            || matches!(told.get(table), Some(AdvanceOutlook::Customers { .. }))
            || self.same_rules.contains(table)
    }
}
