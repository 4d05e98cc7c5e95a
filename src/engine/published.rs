//! A session that sees published tables.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono_tz::Tz;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::SessionContext;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::{CleanFiles, Customers, Resources, Root, clean_table, session, table_of_urls};

const DEFAULT_SCHEMA: &str = "public";

/// A session that sees published tables.
pub(crate) struct Published {
    pub(crate) session: SessionContext,
    root: Root,
}

impl Published {
    pub(crate) fn open(root: &Root, resources: &Resources<'_>, timezone: Tz) -> Result<Self> {
        let session = session(resources, timezone)?;
        session.register_object_store(&root.url, Arc::clone(&root.store));
        Ok(Self { session, root: root.clone() })
    }

    /// Adds a table of Parquet files, in a schema or, without one, by its bare name.
    ///
    /// It has the columns of the first file; one that another file lacks is NULL there.
    pub(crate) async fn add(
        &self,
        schema: Option<&str>,
        table: &str,
        files: Vec<Path>,
    ) -> Result<()> {
        let Some(columns) = self.columns(&files).await? else { return Ok(()) };
        let urls: Vec<_> = files.iter().map(|file| self.root.url_of(file)).collect();
        let provider = table_of_urls(&columns, &urls)?;
        self.schema(schema.unwrap_or(DEFAULT_SCHEMA))?
            .register_table(table.to_owned(), provider)?;
        Ok(())
    }

    /// Adds a table of some of the files that the table of its bare name has.
    pub(crate) async fn add_part(&self, schema: &str, table: &str, files: Vec<Path>) -> Result<()> {
        let Some(whole) = self.schema(DEFAULT_SCHEMA)?.table(table).await? else { return Ok(()) };
        let urls: Vec<_> = files.iter().map(|file| self.root.url_of(file)).collect();
        let provider = table_of_urls(&whole.schema(), &urls)?;
        self.schema(schema)?.register_table(table.to_owned(), provider)?;
        Ok(())
    }

    /// Adds a clean table whose rows find their customers by the identifiers they bear.
    pub(crate) async fn add_clean(
        &self,
        schema: &str,
        table: &str,
        files: Vec<Path>,
        (identifiers, customer): (&str, &str),
        customers: &Arc<Customers>,
    ) -> Result<()> {
        let Some(stored) = self.columns(&files).await? else { return Ok(()) };
        let has_customers = stored.index_of(identifiers).is_ok();
        let remote = files.iter().map(|file| self.root.url_of(file)).collect();
        let files = CleanFiles {
            stored,
            identity: has_customers.then_some((identifiers, customer)),
            local: Vec::new(),
            remote,
        };
        let provider = clean_table(&files, customers)?;
        self.schema(schema)?.register_table(table.to_owned(), provider)?;
        Ok(())
    }

    /// Adds a table that is there already.
    pub(crate) fn put(
        &self,
        schema: &str,
        table: &str,
        provider: Arc<dyn TableProvider>,
    ) -> Result<()> {
        self.schema(schema)?.register_table(table.to_owned(), provider)?;
        Ok(())
    }

    /// Returns the columns of the first of some files.
    async fn columns(&self, files: &[Path]) -> Result<Option<SchemaRef>> {
        let Some(first) = files.first() else { return Ok(None) };
        let meta = self.root.store.head(first).await?;
        let state = self.session.state();
        ParquetFormat::default().infer_schema(&state, &self.root.store, &[meta]).await.map(Some)
    }

    fn schema(&self, name: &str) -> Result<Arc<dyn SchemaProvider>> {
        let catalog = self.session.catalog_names().into_iter().next();
        let catalog = catalog.and_then(|catalog| self.session.catalog(&catalog));
        let missing = || DataFusionError::Internal("the session has no catalog".to_owned());
        let catalog = catalog.ok_or_else(missing)?;
        if let Some(schema) = catalog.schema(name) {
            return Ok(schema);
        }
        let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema(name, Arc::clone(&schema))?;
        Ok(schema)
    }
}
