//! Reads what a Parquet file says of itself.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::engine::Root;
use crate::warehouse::WarehouseError;

/// How much of the end of a file is read at first; nearly every footer is smaller.
const TAIL: u64 = 64 << 10;

/// What a Parquet file says of itself.
pub(super) struct Footer {
    pub(super) metadata: ParquetMetaData,
    pub(super) schema: SchemaRef,
    pub(super) modified: DateTime<Utc>,
}

/// Reads the footer of a file of `bytes` bytes.
pub(super) async fn footer(
    root: &Root,
    folder: &Path,
    path: &str,
    bytes: u64,
) -> Result<Footer, WarehouseError> {
    let path = path.split('/').fold(folder.clone(), Path::join);
    let mut length = TAIL.min(bytes);
    loop {
        let (tail, modified) = tail(root, &path, bytes - length, bytes).await?;
        match parsed(&tail, bytes) {
            Ok((metadata, schema)) => return Ok(Footer { metadata, schema, modified }),
            Err(ParquetError::NeedMoreData(more))
                if more as u64 > length && more as u64 <= bytes =>
            {
                length = more as u64;
            }
            Err(source) => {
                let source = Box::new(source);
                return Err(WarehouseError::Damaged { path: path.to_string(), source });
            }
        }
    }
}

fn parsed(tail: &Bytes, bytes: u64) -> Result<(ParquetMetaData, SchemaRef), ParquetError> {
    let mut reader = ParquetMetaDataReader::new();
    reader.try_parse_sized(tail, bytes)?;
    let metadata = reader.finish()?;
    let file = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
    Ok((metadata, Arc::new(schema)))
}

async fn tail(
    root: &Root,
    path: &Path,
    from: u64,
    to: u64,
) -> Result<(Bytes, DateTime<Utc>), WarehouseError> {
    let failed = |source| WarehouseError::Read { path: path.to_string(), source };
    let options = GetOptions { range: Some(GetRange::Bounded(from..to)), ..GetOptions::default() };
    let found = root.store.get_opts(path, options).await.map_err(failed)?;
    let modified = found.meta.last_modified;
    Ok((found.bytes().await.map_err(failed)?, modified))
}
