//! What the next run of a pipeline would do, and why.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::{CheckReport, MissingInput, Step};

/// The version of the format.
pub(crate) const OUTLOOK_VERSION: u32 = 1;

/// What the next run would do, and why.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outlook {
    pub(crate) version: u32,
    pub(crate) pipeline: String,
    pub(crate) as_of: NaiveDate,
    pub(crate) verdict: Verdict,
    /// The generation that is published now.
    pub(crate) present: Option<PresentNight>,
    /// The generation on which the night builds; another one where later nights are published already.
    pub(crate) base: Option<PresentNight>,
    /// A generation that was decided by a run that died; the next run completes it before anything else.
    pub(crate) completes: Option<u64>,
    pub(crate) missing: Vec<MissingInput>,
    pub(crate) sources: Vec<SourceOutlook>,
    /// What has changed in the rules since the present generation; none where that is not known.
    pub(crate) changes: Option<Vec<RuleChange>>,
    pub(crate) stages: Vec<StageOutlook>,
    /// Marts that stay as they are, because the selection leaves them out.
    pub(crate) left_out: Vec<String>,
    pub(crate) expected: Expected,
    /// What would be different if the night were published; only where it was asked for.
    pub(crate) impact: Option<Impact>,
}

/// A night that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct PresentNight {
    pub(crate) generation: u64,
    pub(crate) as_of: NaiveDate,
}

/// What the next run would come to, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It computes and publishes.
    Run,
    /// It finds nothing new to do.
    Unchanged,
    /// It ends because inputs are missing.
    Incomplete,
}

/// What the next run would do with a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SourceOutlook {
    pub(crate) source: String,
    pub(crate) action: SourceAction,
    /// Objects the ledger does not know.
    pub(crate) new: ObjectSet,
    /// Objects of which there is another version.
    pub(crate) changed: ObjectSet,
    /// Known objects that are decoded once more: because the rules have changed, or because rows of theirs had lost to
    /// rows that leave.
    pub(crate) again: ObjectSet,
    /// Objects of earlier nights that are gone from the store; their rows stay.
    pub(crate) vanished: ObjectSet,
    /// Objects whose rows leave, since a later export supersedes them.
    pub(crate) superseded: ObjectSet,
    /// Objects that stay as they are.
    pub(crate) known: u64,
    /// The days of the objects whose rows come, change or leave, the earliest first.
    pub(crate) dates: Vec<NaiveDate>,
}

/// Why a source is decoded, or that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceAction {
    /// Nothing of it is new.
    Unchanged,
    /// What is new of it is decoded.
    News,
    /// It was not there before: all of it is decoded.
    First,
    /// Its rules have changed: all of it is decoded anew.
    RulesChanged,
    /// All of it is decoded anew, because that was asked for.
    Refreshed,
}

/// Some objects of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ObjectSet {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// The first of them.
    pub(crate) first: Vec<String>,
}

/// Something in the rules that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RuleChange {
    pub(crate) part: RulePart,
    /// Which one of its kind; none where there is only one.
    pub(crate) name: Option<String>,
    pub(crate) change: ChangeKind,
    /// What it was and is, where that is short enough to be told.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The kinds of rules a night is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RulePart {
    Martlet,
    Timezone,
    Variable,
    Source,
    Identity,
    /// What people have decided about who is who.
    Decisions,
    /// A table that stands in the pipeline.
    Table,
    StageSql,
    StageColumns,
    StageChecks,
    /// Something that changes no row: a description, a test, a limit.
    Rest,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeKind {
    New,
    Changed,
    Removed,
}

/// What the next run would do with a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StageOutlook {
    pub(crate) stage: String,
    /// Whether it is a mart.
    pub(crate) mart: bool,
    /// Whether it has to be computed; otherwise all that its rows follow from is as it was.
    pub(crate) runs: bool,
    pub(crate) reasons: Vec<Reason>,
    /// How far it would go on from the night before; only of incremental stages that run.
    pub(crate) incremental: Option<AdvanceOutlook>,
}

/// How far an incremental stage would go on from its table of the night before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdvanceOutlook {
    /// Customers whose rows may differ are computed, unless they are most of all.
    Customers {
        /// Tables of which every customer's rows follow: where rows of them differ, the whole stage is computed.
        unless: Vec<String>,
    },
    /// All of it is computed.
    Whole { why: String },
}

/// Why a stage is computed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Reason {
    pub(crate) reason: ReasonKind,
    /// The variable, table or stage it is about.
    pub(crate) of: Option<String>,
}

/// The kinds of reasons for which a stage is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasonKind {
    /// Everything is computed, because that was asked for.
    Forced,
    /// There is no generation to compare with.
    FirstNight,
    /// The present generation does not tell what the stage was made by.
    Unknown,
    Martlet,
    Timezone,
    /// The present generation does not have it.
    New,
    Sql,
    Columns,
    Variable,
    /// Its checks are others, or read something that changes; they are asked of its rows.
    Checks,
    /// It asks for `as_of`, which is another.
    AsOf,
    /// It keeps its nights, so that each night adds one, though it be like the last.
    KeepsNights,
    /// A table it reads may change.
    Input,
    /// It has no table of its own in the warehouse, and a stage that is computed reads it.
    NeededBy,
}

/// How long the next run is likely to take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Expected {
    /// None where no run has done any of it.
    pub(crate) elapsed_ms: Option<u64>,
    /// How many earlier runs tell.
    pub(crate) runs: u64,
    pub(crate) steps: BTreeMap<Step, u64>,
    /// What no earlier run has done, and is therefore not counted.
    pub(crate) unknown: Vec<String>,
}

/// What would be different if the night were published.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Impact {
    /// The generation it is compared with: the one the night builds on.
    pub(crate) generation: u64,
    /// Rows and sums of money by mart, those that stay the same too.
    pub(crate) totals: Vec<Total>,
    /// How many customers would be in another segment.
    pub(crate) segments: Vec<SegmentMove>,
    pub(crate) customers: Option<CustomerImpact>,
    /// Money on rows that would belong to another customer.
    pub(crate) moved: Vec<MovedMoney>,
    /// Checks and guards that fail; a blocking one keeps the night from being published.
    pub(crate) failed: Vec<CheckReport>,
}

/// What a mart counts or sums up to in both nights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Total {
    pub(crate) mart: String,
    /// `rows`, or a decimal column that may be added up.
    pub(crate) measure: String,
    /// None where the mart is not there.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Customers that would go from one segment to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SegmentMove {
    /// None where they are in no segment.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) customers: u64,
}

/// What would become of the customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CustomerImpact {
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) created: u64,
    pub(crate) merged: u64,
    pub(crate) split: u64,
    pub(crate) retired: u64,
    /// Identifiers that would belong to another customer than they do.
    pub(crate) identifiers_moved: u64,
    /// The largest merges and splits.
    pub(crate) examples: Vec<CustomerChange>,
}

/// A customer that would merge into another, or split from one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CustomerChange {
    /// `merged`, `split` or `retired`.
    pub(crate) change: String,
    pub(crate) customer_id: String,
    pub(crate) from_customer_id: Option<String>,
    pub(crate) identifiers: u64,
    /// What causes it, without values: `link: email, phone (crm_customers)`.
    pub(crate) cause: Option<String>,
}

/// Money on rows that would belong to another customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MovedMoney {
    pub(crate) source: String,
    pub(crate) column: String,
    pub(crate) rows: u64,
    pub(crate) moved: String,
    /// The sum over all rows that belong to a customer now.
    pub(crate) total: String,
}

impl Impact {
    /// Says whether a check or guard would keep the night from being published.
    pub(crate) fn blocks(&self) -> bool {
        self.failed.iter().any(CheckReport::blocks)
    }
}

impl ObjectSet {
    /// Says whether there is no object in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects == 0
    }
}

impl SourceOutlook {
    /// Says whether the clean table would have other rows.
    pub(crate) fn changes_rows(&self) -> bool {
        let sets = [&self.new, &self.changed, &self.again, &self.superseded];
        sets.iter().any(|set| !set.is_empty())
    }

    /// Returns how many objects and bytes would be decoded.
    pub(crate) fn decoded(&self) -> (u64, u64) {
        let sets = [&self.new, &self.changed, &self.again];
        (sets.iter().map(|set| set.objects).sum(), sets.iter().map(|set| set.bytes).sum())
    }
}
