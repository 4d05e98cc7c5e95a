//! What a night goes on from, and how far stages did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::engine::{Customers, KeySet};
use crate::steps::identity::CleanTable;
use crate::warehouse::{Generation, TableRecord, Warehouse};
use crate::zone::AsOf;

/// What stages may go on from.
pub(crate) struct Advance {
    pub(super) night: Result<Night, Why>,
}

/// A night and the one it builds on.
pub(crate) struct Night {
    pub(crate) former: Former,
    pub(crate) warehouse: Warehouse,
    /// The clean tables of this night.
    pub(crate) clean: BTreeMap<String, CleanTable>,
    /// Which customer an identifier belongs to by now.
    pub(crate) customers: Arc<Customers>,
    /// The tables of stages that are not computed.
    pub(crate) unchanged: BTreeMap<String, TableRecord>,
}

/// The night that a night builds on.
pub(crate) struct Former {
    pub(crate) generation: Generation,
    pub(crate) as_of: AsOf,
    /// Which customer an identifier belonged to.
    pub(crate) customers: Arc<Customers>,
    /// One row for each customer there was.
    pub(crate) identity: RecordBatch,
    /// The stages and constant tables that follow from what they followed from then.
    pub(crate) same: BTreeSet<String>,
    /// The sources and stages whose rules are those of then, whatever their rows.
    pub(crate) same_rules: BTreeSet<String>,
}

/// How far stages went on, by their names.
pub(crate) type Extents = BTreeMap<String, Extent>;

/// What of an incremental stage was computed.
#[derive(Debug, Clone)]
pub(crate) enum Extent {
    Whole(Why),
    Advanced(Advanced),
}

/// A stage that went on from its table of the night before.
#[derive(Debug, Clone)]
pub(crate) struct Advanced {
    /// The customers that were computed.
    pub(crate) keys: Arc<KeySet>,
    /// The rows of all others.
    pub(crate) taken_over: u64,
}

/// Why all of a stage was computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// That was asked for.
    Asked,
    /// There is no table to go on from.
    New,
    /// The table was made by other rules.
    OtherRules,
    /// A table of which every customer's rows follow differs, or may.
    Input(String),
    /// The rows of most customers may differ.
    Most,
}

impl Advance {
    /// Lets all stages be computed whole.
    pub(crate) const fn none(why: Why) -> Self {
        Self { night: Err(why) }
    }

    /// Lets stages go on from the night before.
    pub(crate) const fn from(night: Night) -> Self {
        Self { night: Ok(night) }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => text.write_str("that was asked for"),
            Self::New => text.write_str("there is no table to go on from"),
            Self::OtherRules => text.write_str("its rules have changed"),
            Self::Input(table) => write!(text, "`{table}` has changed for all customers"),
            Self::Most => text.write_str("the rows of most customers may differ"),
        }
    }
}
