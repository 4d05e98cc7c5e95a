//! Tables of exactly some objects.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::listing::{ListingTable, ListingTableUrl};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;

/// So many objects are looked for at once.
const AT_ONCE: usize = 32;

/// A table of objects that all have to be there.
///
/// The engine lists the objects of a table, and what is gone is not listed: a file that somebody has removed would be so many
/// rows less, and nobody would know.
#[derive(Debug)]
pub(super) struct Exact {
    pub(super) listing: ListingTable,
    pub(super) objects: Vec<ListingTableUrl>,
}

impl Exact {
    /// Fails where an object is gone.
    async fn require_all(&self, session: &dyn Session) -> Result<()> {
        let looks = self.objects.iter().map(|object| async move {
            let store = session.runtime_env().object_store(object)?;
            store.head(object.prefix()).await.map_err(Into::into).map(|_| ())
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await
    }
}

#[async_trait]
impl TableProvider for Exact {
    fn schema(&self) -> SchemaRef {
        self.listing.schema()
    }

    fn table_type(&self) -> TableType {
        self.listing.table_type()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.listing.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.require_all(session).await?;
        self.listing.scan(session, projection, filters, limit).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};

    use crate::engine::{ParquetFile, ParquetOptions, planning_session, table_of_files};

    #[tokio::test]
    async fn a_file_that_is_gone_is_no_file_without_rows() {
        let folder = tempfile::tempdir().unwrap();
        let numbers: Int64Array = [1, 2].into_iter().map(Some).collect();
        let rows =
            RecordBatch::try_from_iter([("number", Arc::new(numbers) as arrow::array::ArrayRef)]);
        let rows = rows.unwrap();
        let written = ["a.parquet", "b.parquet"].map(|name| {
            let path = folder.path().join(name);
            let options = ParquetOptions::staged();
            let mut file = ParquetFile::create(&path, &rows.schema(), options).unwrap();
            file.write(&rows).unwrap();
            file.finish().unwrap()
        });
        let session = planning_session(chrono_tz::UTC);
        let count = async || {
            let table = table_of_files(&rows.schema(), &written).unwrap();
            session.read_table(table).unwrap().count().await
        };
        assert_eq!(count().await.unwrap(), 4);
        std::fs::remove_file(&written[1].path).unwrap();
        let error = count().await.unwrap_err().to_string();
        assert!(error.contains("b.parquet"), "{error}");
    }
}
