//! What transform hands on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::prelude::SessionContext;

use super::Extent;
use super::mart::Failures;
use crate::engine::{FileSummary, Kept, Parameters, Tables};
use crate::names::StageName;
use crate::plan;
use crate::steps::identity::Identified;
use crate::warehouse::TableRecord;

/// The tables of all stages, stored in the work folder.
pub(crate) struct Transformed {
    pub(crate) identified: Identified,
    pub(crate) staged: Vec<StagedTable>,
    /// The stages that were not computed.
    pub(crate) unchanged: Unchanged,
    /// The session that made the tables; the audit asks them in it.
    pub(crate) session: SessionContext,
    /// Every table of the run by name: sources, stages, customers.
    pub(crate) tables: Tables,
    pub(crate) parameters: Parameters,
}

/// The stored table of one stage.
#[derive(Debug, Clone)]
pub(crate) struct StagedTable {
    pub(crate) stage: Arc<plan::Stage>,
    /// The files of its rows; none where they are kept in memory.
    pub(crate) files: Vec<FileSummary>,
    /// Its rows in memory.
    pub(crate) kept: Arc<Vec<Kept>>,
    /// What breaks the checks that were made while the rows were written, as those of the key and of single rows of a mart.
    pub(crate) failures: Failures,
    /// What of it was computed, where it goes on from night to night.
    pub(crate) extent: Option<Extent>,
}

impl StagedTable {
    pub(crate) fn rows(&self) -> u64 {
        let in_files: u64 = self.files.iter().map(|file| file.rows).sum();
        in_files + self.kept.iter().map(Kept::rows).sum::<u64>()
    }
}

/// Stages that are not computed, because all that their rows follow from is as it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unchanged {
    /// Marts, and other stages whose tables are kept, with the tables they have.
    pub(crate) tables: BTreeMap<String, TableRecord>,
    /// Stages without a table, which nobody reads this night.
    pub(crate) others: BTreeSet<String>,
}

impl Unchanged {
    pub(crate) fn contains(&self, stage: &StageName) -> bool {
        self.tables.contains_key(stage.as_str()) || self.others.contains(stage.as_str())
    }

    /// Returns the names of the stages.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.tables.keys().chain(&self.others)
    }
}
