//! The table: a part for each partition.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use super::layout::Layout;
use super::scan::Partitions;
use crate::engine::{FileSummary, Kept, table_of_files};

/// Makes a table of rows in memory.
pub(crate) fn table_of_kept(
    schema: &SchemaRef,
    partitions: &[Kept],
    layout: Layout,
) -> Result<Arc<dyn TableProvider>> {
    let parts = partitions.iter().map(|kept| {
        let rows = MemTable::try_new(Arc::clone(schema), vec![kept.batches().to_vec()])?;
        Ok(Arc::new(rows) as Arc<dyn TableProvider>)
    });
    let parts = parts.collect::<Result<_>>()?;
    Ok(Arc::new(PartitionedTable { schema: Arc::clone(schema), parts, layout }))
}

/// Makes a table of local Parquet files, each of which holds one partition.
pub(crate) fn table_of_file_partitions(
    schema: &SchemaRef,
    files: &[FileSummary],
    layout: Layout,
) -> Result<Arc<dyn TableProvider>> {
    let parts = files.iter().map(|file| table_of_files(schema, std::slice::from_ref(file)));
    let parts = parts.collect::<Result<_>>()?;
    Ok(Arc::new(PartitionedTable { schema: Arc::clone(schema), parts, layout }))
}

#[derive(Debug)]
struct PartitionedTable {
    schema: SchemaRef,
    parts: Vec<Arc<dyn TableProvider>>,
    layout: Layout,
}

#[async_trait]
impl TableProvider for PartitionedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(part.scan(session, projection, filters, limit).await?);
        }
        let layout = match projection {
            Some(projection) => self.layout.projected(projection),
            None => self.layout.clone(),
        };
        let threads = session.config().target_partitions();
        match Partitions::new(&parts, &layout, threads)? {
            Some(partitions) => Ok(Arc::new(partitions)),
            None => UnionExec::try_new(parts),
        }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        match self.parts.first() {
            Some(part) => part.supports_filters_pushdown(filters),
            None => Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()]),
        }
    }
}
