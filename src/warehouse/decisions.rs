//! What people have decided about who is who.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version of the file format.
pub(crate) const DECISION_VERSION: u32 = 1;

/// Says that some identifiers never share a customer with some others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) version: u32,
    /// The command that made it: `split` or `unlink`.
    pub(crate) made_by: String,
    pub(crate) made_at: DateTime<Utc>,
    /// The customer whose id stays with the identifiers of `keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
    pub(crate) keep: Vec<NamedIdentifier>,
    pub(crate) apart: Vec<NamedIdentifier>,
}

/// An identifier as it is written in files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct NamedIdentifier {
    #[serde(rename = "type")]
    pub(crate) identifier_type: String,
    pub(crate) value: String,
}
