//! What a night has found out about customers, read back from its files, for tests.

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::registry::conform;
use super::schemas::{conflicts_schema, evidence_schema, history_schema};
use super::{
    CLUSTERS, CONFLICTS, CleanTable, EVIDENCE, FormerFiles, GuardOutcome, Identified,
    IdentityCounts, LINKS, MAP, Registry,
};
use crate::engine::FileSummary;

/// What a night has found.
pub(super) struct Findings {
    pub(super) tables: Vec<CleanTable>,
    pub(super) registry: Registry,
    pub(super) evidence: Evidence,
    pub(super) changes: RecordBatch,
    pub(super) conflicts: RecordBatch,
    pub(super) clusters: RecordBatch,
    pub(super) history: History,
    pub(super) guards: Vec<GuardOutcome>,
    /// The tables of fuzzy matching, by name.
    pub(super) matches: Vec<(&'static str, RecordBatch)>,
    pub(super) counts: IdentityCounts,
}

pub(super) struct Evidence {
    pub(super) rows: RecordBatch,
    pub(super) replaces_former: bool,
}

pub(super) struct History {
    pub(super) past: RecordBatch,
    pub(super) present: RecordBatch,
}

impl Findings {
    pub(super) fn read(found: Identified) -> Self {
        let table = |name: &str| found.stored.iter().find(|table| table.name == name).unwrap();
        let file = |name: &str, number: usize| read_file(&table(name).files[number]);
        let conform = |schema, batch: &RecordBatch| conform(&schema, batch).unwrap();
        let matches = found.stored.iter().filter(|table| table.name.starts_with("match"));
        Self {
            registry: Registry::from_batches(&[file(MAP, 0)], &[file(LINKS, 0)]).unwrap(),
            evidence: Evidence {
                rows: conform(evidence_schema(), &file(EVIDENCE, 0)),
                replaces_former: table(EVIDENCE).former == FormerFiles::Replaced,
            },
            changes: file("changes", 0),
            conflicts: conform(conflicts_schema(), &file(CONFLICTS, 0)),
            clusters: file(CLUSTERS, 0),
            history: History {
                past: conform(history_schema(), &file("history", 0)),
                present: conform(history_schema(), &file("history", 1)),
            },
            matches: matches.map(|table| (table.name, file(table.name, 0))).collect(),
            tables: found.tables,
            guards: found.guards,
            counts: found.counts,
        }
    }
}

pub(super) fn read_file(file: &FileSummary) -> RecordBatch {
    let file = File::open(&file.path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}
