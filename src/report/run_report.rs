//! The report of a run, written for every end it may come to.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{Account, ObjectAccount, Step};

/// The version of the file format.
const VERSION: u32 = 1;

/// Everything a run has to say for itself.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunReport {
    pub(crate) version: u32,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
    pub(crate) as_of: NaiveDate,
    /// The environment that was chosen.
    pub(crate) environment: String,
    pub(crate) status: Status,
    /// The exit status of the process.
    pub(crate) exit_status: u8,
    /// What went wrong, from the outermost cause to the innermost.
    pub(crate) errors: Vec<String>,
    /// The way out, where there is one to name.
    pub(crate) help: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) elapsed_ms: u64,
    /// Where things were read and written.
    pub(crate) raw: String,
    pub(crate) warehouse: String,
    pub(crate) generation: Option<u64>,
    /// What the sources expect and do not have.
    pub(crate) missing: Vec<MissingInput>,
    /// Whether the run was to go on without it.
    pub(crate) allow_incomplete: bool,
    pub(crate) sources: Vec<SourceReport>,
    pub(crate) customers: Option<CustomerReport>,
    pub(crate) steps: Vec<StepReport>,
    /// Stages that were not computed, because all that their rows follow from is as it was.
    pub(crate) unchanged: Vec<String>,
    /// What was computed of the stages that go on from night to night.
    pub(crate) incremental: Vec<IncrementalReport>,
    pub(crate) checks: Vec<CheckReport>,
    pub(crate) published: Vec<PublishedTable>,
    /// Files of earlier nights that are gone, and that `--full-refresh` did without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost_files: Vec<String>,
    /// Marts of the night before that are published no more: their Delta tables are empty, and `latest/` has no file of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) withdrawn: Vec<String>,
}

/// What is known of a run when it begins.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
    pub(crate) as_of: NaiveDate,
    pub(crate) environment: String,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) raw: String,
    pub(crate) warehouse: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Published,
    /// The present generation was made from the same inputs and rules.
    Unchanged,
    /// A check of severity `error` failed, or a source has too many rejects.
    ChecksFailed,
    /// Inputs are missing or cut off.
    Incomplete,
    Failed,
    Interrupted,
}

/// What of a stage was computed that can be computed customer by customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct IncrementalReport {
    pub(crate) stage: String,
    /// How many customers were computed; none where all were.
    pub(crate) customers: Option<u64>,
    /// How many rows were taken over from the night before.
    pub(crate) taken_over: u64,
    pub(crate) rows: u64,
    /// Why all of it was computed, where it was.
    pub(crate) whole: Option<String>,
}

/// Something that a source expects and does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MissingInput {
    pub(crate) source: String,
    pub(crate) missing: String,
}

/// What became of the records of one source.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SourceReport {
    pub(crate) source: String,
    #[serde(flatten)]
    pub(crate) total: Account,
    /// Rejects by column and rule.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// Objects that could not be taken in and were passed over.
    pub(crate) unreadable: Vec<UnreadableObject>,
    /// How the objects' fields differ from the declared ones.
    pub(crate) drift: Vec<FieldDrift>,
    /// Objects that went in on earlier nights and stay as they are.
    pub(crate) known: u64,
    /// Rows of earlier nights that are duplicates of new ones.
    pub(crate) superseded: u64,
    /// Rows that came more days after they happened than the dedupe rule's window is wide; none where it has none.
    pub(crate) late: u64,
    /// Objects that went in on earlier nights and are gone from the store; their rows stay.
    pub(crate) vanished: Vec<String>,
    /// Objects that are gone from the store, and had lost rows to objects that came anew: those rows cannot come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) out_of_reach: Vec<String>,
    /// The objects that were decoded.
    pub(crate) objects: Vec<ObjectAccount>,
}

/// An object that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct UnreadableObject {
    pub(crate) object: String,
    pub(crate) reason: String,
}

/// A field that is not declared, or that is declared and not there or of another type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldDrift {
    pub(crate) field: String,
    pub(crate) change: FieldChange,
    /// How many objects it was found in, or missed in.
    pub(crate) objects: u64,
    /// The first of them.
    pub(crate) object: String,
    /// What the field seems to be, ready to be pasted below `columns:`.
    pub(crate) column: Option<String>,
}

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldChange {
    New,
    Vanished,
    /// Its values are not of the declared type any more, or not stored as in other objects.
    Type,
}

/// What became of the customers.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CustomerReport {
    pub(crate) customers: u64,
    pub(crate) identifiers: u64,
    pub(crate) created: u64,
    pub(crate) merged: u64,
    pub(crate) split: u64,
    /// Links that were refused because they would have broken a rule.
    pub(crate) refused: u64,
    /// Values shared by too many customers, which therefore link nobody.
    pub(crate) ambiguous: u64,
    /// What fuzzy matching did, where a source has rules for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) matching: Option<MatchReport>,
}

/// What fuzzy matching did.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct MatchReport {
    /// Pairs of records that were compared.
    pub(crate) compared: u64,
    pub(crate) matched: u64,
    /// Blocks with more records than their source allows.
    pub(crate) blocks_capped: u64,
    /// Pairs of those blocks that the blocking rule left out.
    pub(crate) pairs_left_out: u64,
    /// Sources whose estimate still moved when it was given up; their weights are not what they would have come to.
    pub(crate) unsettled: u64,
}

/// How long a step worked on something.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepReport {
    pub(crate) step: Step,
    pub(crate) subject: String,
    /// Objects, records, rows, identifiers or checks, as the step counts them.
    pub(crate) count: u64,
    /// How long after the beginning of the run it began.
    pub(crate) started_ms: u64,
    /// How long it worked; others may have worked at the same time.
    pub(crate) elapsed_ms: u64,
    /// Whether it found too little memory at first and did the work once more, by itself; the time is that of the second
    /// attempt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) again: bool,
}

/// How one check went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CheckReport {
    pub(crate) stage: String,
    pub(crate) check: String,
    /// Whether a failure blocks publication.
    pub(crate) blocking: bool,
    /// Rows that break the rule; none where the check passed.
    pub(crate) failures: u64,
}

impl CheckReport {
    /// Says whether this outcome keeps the night from being published.
    pub(crate) fn blocks(&self) -> bool {
        self.blocking && self.failures > 0
    }
}

/// A table a run has put in place.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PublishedTable {
    pub(crate) table: String,
    /// Those of this night, where it keeps others too.
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// How many nights it holds, where it keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nights: Option<u64>,
    /// Where to open it.
    pub(crate) url: String,
}

impl RunReport {
    /// Starts the report of a run that has done nothing yet.
    pub(crate) fn begun(header: Header) -> Self {
        let Header { run_id, pipeline, as_of, environment, started_at, raw, warehouse } = header;
        Self {
            version: VERSION,
            run_id,
            pipeline,
            as_of,
            environment,
            status: Status::Failed,
            exit_status: 0,
            errors: Vec::new(),
            help: None,
            started_at,
            elapsed_ms: 0,
            raw,
            warehouse,
            generation: None,
            missing: Vec::new(),
            allow_incomplete: false,
            sources: Vec::new(),
            customers: None,
            steps: Vec::new(),
            unchanged: Vec::new(),
            incremental: Vec::new(),
            checks: Vec::new(),
            published: Vec::new(),
            lost_files: Vec::new(),
            withdrawn: Vec::new(),
        }
    }

    /// Sums the accounts of all sources.
    pub(crate) fn total(&self) -> Account {
        self.sources.iter().map(|source| &source.total).sum()
    }
}
