//! A generation: the set of tables a run published together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Parts, StageStates};

/// The version of the file format.
pub(crate) const GENERATION_VERSION: u32 = 2;

/// The parts of a warehouse; only marts are for everybody's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Zone {
    Ledger,
    Clean,
    Rejects,
    Identity,
    /// Tables of stages that are no marts, from which the next night goes on.
    Stages,
    Marts,
}

impl Zone {
    pub(crate) const ALL: &[Self] =
        &[Self::Ledger, Self::Clean, Self::Rejects, Self::Identity, Self::Stages, Self::Marts];

    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Clean => "clean",
            Self::Rejects => "rejects",
            Self::Identity => "identity",
            Self::Stages => "stages",
            Self::Marts => "marts",
        }
    }
}

/// The tables a run published together, and what they were made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generation {
    pub(crate) version: u32,
    #[serde(rename = "generation")]
    pub(crate) number: u64,
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) as_of: NaiveDate,
    /// The business time zone, as an IANA name.
    pub(crate) timezone: String,
    /// A digest of the rules, the inputs and `as_of`: a run with the same digest would publish the same.
    pub(crate) digest: String,
    /// The generation the next night builds on: this one, or the one of a later `as_of` where this is an older night
    /// computed again.
    #[serde(default)]
    pub(crate) head: u64,
    /// By source a digest of the rules its clean table was made by.
    #[serde(default)]
    pub(crate) rules: BTreeMap<String, String>,
    /// What else it was made by, part by part; unknown of generations that older versions have published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<Parts>,
    /// By stage, what its rows followed from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) states: StageStates,
    /// The fencing token of the lease under which it was published.
    #[serde(default)]
    pub(crate) fence: u64,
    /// The generation whose tables these are, where it was restored by a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restores: Option<u64>,
    /// The tables by zone and name.
    pub(crate) tables: BTreeMap<Zone, BTreeMap<String, TableRecord>>,
}

/// The files of a published table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) rows: u64,
    /// What the columns mean, where their author says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) columns: BTreeMap<String, String>,
    /// The columns whose values may not be added up over rows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) not_additive: BTreeSet<String>,
    pub(crate) files: Vec<TableFile>,
    /// What is known of the nights, where the table keeps the rows of every `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<TableHistory>,
}

/// What is known of the nights whose rows a table keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableHistory {
    /// The night that was computed last; it need not be the newest.
    pub(crate) as_of: NaiveDate,
    /// The type, as its author writes it, of every column that a file of any night has.
    pub(crate) types: BTreeMap<String, String>,
}

/// One file of a published table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableFile {
    /// Relative to the pipeline's warehouse.
    pub(crate) path: String,
    /// The first and the last local event date of its rows, where they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dates: Option<[NaiveDate; 2]>,
    /// The night its rows are of, in a table that keeps those of every `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_of: Option<NaiveDate>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// BLAKE3 of the content, in hexadecimal.
    pub(crate) checksum: String,
}

impl Generation {
    /// Returns the generation that first had these tables.
    pub(crate) fn origin(&self) -> u64 {
        self.restores.unwrap_or(self.number)
    }

    /// Returns the files of all tables.
    pub(crate) fn files(&self) -> impl Iterator<Item = &TableFile> {
        let tables = self.tables.values().flat_map(BTreeMap::values);
        tables.flat_map(|table| &table.files)
    }

    /// Returns the table of a stage; of a mart that keeps its nights, the files of this one.
    pub(crate) fn stage_table(&self, stage: &str) -> Option<TableRecord> {
        let zones = [Zone::Marts, Zone::Stages].into_iter();
        let mut tables = zones.flat_map(|zone| self.tables(zone));
        let (_, table) = tables.find(|(name, _)| *name == stage)?;
        // A mart that keeps its nights may have been left out of the last one.
        let is_of_the_night =
            table.history.as_ref().is_none_or(|history| history.as_of == self.as_of);
        let files: Vec<TableFile> = table.last_night().cloned().collect();
        is_of_the_night.then(|| TableRecord::of(files))
    }

    /// Returns the tables that `former` has and this generation has not.
    pub(super) fn withdrawn<'a>(&self, former: Option<&'a Self>) -> Vec<(Zone, &'a str)> {
        let had = former.into_iter().flat_map(Self::all_tables);
        let has = |zone, name| self.tables.get(&zone).is_some_and(|it| it.contains_key(name));
        had.map(|(zone, name, _)| (zone, name)).filter(|(zone, name)| !has(*zone, *name)).collect()
    }

    /// Returns the tables of all zones.
    pub(super) fn all_tables(&self) -> impl Iterator<Item = (Zone, &str, &TableRecord)> {
        let of_zone = |zone| self.tables(zone).map(move |(name, table)| (zone, name, table));
        Zone::ALL.iter().copied().flat_map(of_zone)
    }

    pub(crate) fn tables(&self, zone: Zone) -> impl Iterator<Item = (&str, &TableRecord)> {
        self.tables.get(&zone).into_iter().flatten().map(|(name, table)| (name.as_str(), table))
    }
}
