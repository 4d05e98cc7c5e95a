//! What a generation was made by, part by part, so that a later night can tell what has changed since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The rules a generation was made by; those of its sources stand beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// The version of martlet.
    pub(crate) martlet: String,
    /// The variables and the reporting currency, as SQL shows them.
    pub(crate) variables: BTreeMap<String, String>,
    /// A digest of what says who is who: types of identifiers, links, rules of matching.
    pub(crate) identity: String,
    /// A digest of what people have decided about who is who, where they have decided anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decisions: Option<String>,
    /// A digest of all texts the rules stand in, those that change no row too.
    pub(crate) texts: String,
    /// By table that stands in the pipeline itself, a digest of its rows.
    pub(crate) constants: BTreeMap<String, String>,
    /// The stages that were computed; a mart that was left as it was is not among them.
    pub(crate) stages: BTreeMap<String, StagePart>,
}

/// What one stage is made by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagePart {
    /// A digest of all that makes its rows but the rows it reads and `as_of`: martlet's version, SQL, the values of the
    /// variables it uses, the types it yields, the names of its inputs and the time zone.
    pub(crate) digest: String,
    /// A digest of its SQL alone; comments and white space are no part of it.
    pub(crate) sql: String,
    /// A digest of the columns it yields.
    pub(crate) schema: String,
    /// A digest of its checks, which change no row.
    pub(crate) checks: String,
    /// The parameters its SQL uses.
    pub(crate) parameters: BTreeSet<String>,
    /// The tables it reads.
    pub(crate) inputs: BTreeSet<String>,
}
