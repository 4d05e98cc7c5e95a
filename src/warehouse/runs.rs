//! What runs have left of themselves.

use object_store::ObjectStore;
use serde_json::{Value, json};

use super::{Warehouse, WarehouseError};
use crate::names::RunId;

impl Warehouse {
    /// Returns the runs that have written a report, the oldest first.
    pub(crate) async fn run_ids(&self) -> Result<Vec<RunId>, WarehouseError> {
        let folder = self.layout().runs();
        let failed = |source| WarehouseError::Read { path: folder.to_string(), source };
        let listed = self.root().store.list_with_delimiter(Some(&folder)).await;
        let listed = match listed {
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            listed => listed.map_err(failed)?,
        };
        let names = listed.common_prefixes.iter().filter_map(|path| path.filename());
        let mut runs: Vec<RunId> = names.map(RunId::new).collect();
        runs.sort();
        Ok(runs)
    }

    /// Returns the reports of the newest runs, the newest first; of one that is damaged, that it is.
    pub(crate) async fn reports(&self, newest: usize) -> Result<Vec<Value>, WarehouseError> {
        let mut reports = Vec::new();
        for run in self.run_ids().await?.iter().rev().take(newest) {
            match self.report(run).await {
                // One report that is damaged must not hide all others.
                Err(WarehouseError::Corrupt { .. }) => {
                    reports.push(json!({ "run_id": run.as_str(), "status": "damaged" }));
                }
                report => reports.extend(report?),
            }
        }
        Ok(reports)
    }
}
