//! Parquet files as tables of a session, and queries in the types of tables.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, ExprSchemable};
use url::Url;

use super::FileSummary;
use super::exact::Exact;

/// Makes a table of exactly these local Parquet files.
pub(crate) fn table_of_files(
    schema: &SchemaRef,
    files: &[FileSummary],
) -> Result<Arc<dyn TableProvider>> {
    let urls: Vec<Url> = files.iter().map(|file| file_url(&file.path)).collect::<Result<_>>()?;
    table_of_urls(schema, &urls)
}

/// Makes a table of exactly these Parquet objects, in stores the session knows.
pub(crate) fn table_of_urls(schema: &SchemaRef, urls: &[Url]) -> Result<Arc<dyn TableProvider>> {
    if urls.is_empty() {
        return Ok(Arc::new(EmptyTable::new(Arc::clone(schema))));
    }
    let objects: Vec<ListingTableUrl> =
        urls.iter().map(ListingTableUrl::parse).collect::<Result<_>>()?;
    let options =
        ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(objects.clone())
        .with_listing_options(options)
        .with_schema(Arc::clone(schema));
    Ok(Arc::new(Exact { listing: ListingTable::try_new(config)?, objects }))
}

/// Casts what a query yields to the types in which a stage is stored.
pub(crate) fn in_stored_types(frame: DataFrame, schema: &Schema) -> Result<DataFrame> {
    let yielded = frame.schema().clone();
    let columns = yielded.columns().into_iter().zip(schema.fields());
    let casts: Vec<Expr> = columns
        .map(|(column, field)| {
            let cast = Expr::Column(column).cast_to(field.data_type(), &yielded)?;
            Ok(cast.alias(field.name()))
        })
        .collect::<Result<_>>()?;
    frame.select(casts)
}

fn file_url(path: &Path) -> Result<Url> {
    Url::from_file_path(path).map_err(|()| {
        DataFusionError::Plan(format!("the path `{}` is not absolute", path.display()))
    })
}
