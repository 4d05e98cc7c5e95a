//! Gives the Parquet reader the bytes it asks for.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, ObjectStore, coalesce_ranges};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::SourceObject;
use super::ranges::fetch;

/// One object as the Parquet reader sees it.
pub(crate) struct ParquetBytes {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) object: Arc<SourceObject>,
}

impl ParquetBytes {
    fn fetch(&self, range: Range<u64>) -> BoxFuture<'static, object_store::Result<Bytes>> {
        fetch(Arc::clone(&self.store), Arc::clone(&self.object), range).boxed()
    }
}

impl AsyncFileReader for ParquetBytes {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        self.fetch(range).map(|bytes| bytes.map_err(of_the_store)).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        let fetch_all = async move {
            let fetch = |range| self.fetch(range);
            let fetched = coalesce_ranges(&ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT).await;
            fetched.map_err(of_the_store)
        };
        fetch_all.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        let load = async move {
            let size = self.object.size;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            reader.load_and_finish(self, size).await.map(Arc::new)
        };
        load.boxed()
    }
}

fn of_the_store(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
