//! The tables of the present generation, as stages read them.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::{RunError, registry_of};
use crate::engine::Tables;
use crate::plan::{IDENTITY_CUSTOMERS, Plan};
use crate::steps::transform::{TransformError, TransformErrorKind};
use crate::warehouse::{Generation, Warehouse, Zone};

/// A generation in its warehouse, and a session that sees its tables.
pub(crate) struct Present<'a> {
    pub(crate) warehouse: &'a Warehouse,
    pub(crate) generation: &'a Generation,
    pub(crate) session: &'a SessionContext,
}

impl Present<'_> {
    /// Returns the clean table of every source, the customers and what stands in the pipeline.
    pub(super) async fn tables(&self, plan: &Plan) -> Result<Tables, RunError> {
        // Before the first stage, a failure is put down to it.
        let broken = |error: DataFusionError| TransformError {
            stage: plan.stages[0].name.clone(),
            kind: TransformErrorKind::from(error),
        };
        let mut tables = self.clean(plan).await.map_err(broken)?;
        tables.extend(plan.constant_tables().map_err(broken)?);
        let registry = registry_of(self.warehouse, self.generation).await?;
        let customers = registry.customers()?;
        let customers = MemTable::try_new(customers.schema(), vec![vec![customers]]);
        let customers = Arc::new(customers.map_err(broken)?);
        tables.insert(IDENTITY_CUSTOMERS.to_owned(), provider_as_source(customers));
        Ok(tables)
    }

    /// Returns the clean table of each source; one that the generation does not have is empty.
    async fn clean(&self, plan: &Plan) -> Result<Tables, DataFusionError> {
        let mut tables = Tables::new();
        for source in &plan.sources {
            let name = TableReference::partial(Zone::Clean.folder(), source.name.as_str());
            let table = if self.session.table_exist(name.clone())? {
                self.session.table_provider(name).await?
            } else {
                Arc::new(MemTable::try_new(source.table_schema(), vec![vec![]])?)
            };
            tables.insert(source.name.to_string(), provider_as_source(table));
        }
        Ok(tables)
    }
}
