//! Brings finished local files into the warehouse.

use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;

use super::{TableFile, Warehouse, WarehouseError, crash};
use crate::engine::FileSummary;

/// Files beyond this size go up in parts.
const PART: usize = 8 << 20;

/// Uploads that were given up half-way and still have to be aborted in the store.
pub(super) type Abandoned = Arc<Mutex<Vec<WriteMultipart>>>;

impl Warehouse {
    /// Copies a finished local file to `path`; it is visible there only when it is whole.
    pub(crate) async fn upload(
        &self,
        local: &FileSummary,
        path: &Path,
    ) -> Result<TableFile, WarehouseError> {
        let subject = self.subject(path);
        crash::point("uploading", &subject);
        let (bytes, checksum) = match local.bytes {
            bytes if bytes <= PART as u64 => self.upload_whole(local, path).await?,
            _ => self.upload_in_parts(local, path).await?,
        };
        crash::point("uploaded", &subject);
        let path = self.layout().relative(path);
        Ok(TableFile { path, rows: local.rows, bytes, checksum, ..TableFile::default() })
    }

    /// Ends the uploads that were given up half-way, so that their parts are not kept for ever.
    pub(crate) async fn abort_uploads(&self) {
        let abandoned: Vec<_> = {
            let mut abandoned = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *abandoned)
        };
        // One that cannot be aborted is left to the bucket's own rule for unfinished uploads.
        let aborts = abandoned.into_iter().map(WriteMultipart::abort);
        let _ = futures::future::join_all(aborts).await;
    }

    async fn upload_whole(
        &self,
        local: &FileSummary,
        path: &Path,
    ) -> Result<(u64, String), WarehouseError> {
        let content = tokio::fs::read(&local.path).await.map_err(|source| unread(local, source))?;
        let checksum = blake3::hash(&content).to_hex().to_string();
        let bytes = content.len() as u64;
        self.write(path, content.into()).await?;
        Ok((bytes, checksum))
    }

    async fn upload_in_parts(
        &self,
        local: &FileSummary,
        path: &Path,
    ) -> Result<(u64, String), WarehouseError> {
        let failed = |source| WarehouseError::Write { path: path.to_string(), source };
        let mut file =
            tokio::fs::File::open(&local.path).await.map_err(|source| unread(local, source))?;
        let upload = self.root().store.put_multipart(path).await.map_err(failed)?;
        let writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut under_way =
            UnderWay { writer: Some(writer), abandoned: Arc::clone(&self.abandoned) };
        let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
        let mut buffer = vec![0; PART];
        while let Some(writer) = under_way.writer.as_mut() {
            let read = file.read(&mut buffer).await.map_err(|source| unread(local, source))?;
            if read == 0 {
                break;
            }
            writer.wait_for_capacity(2).await.map_err(failed)?;
            hasher.update(&buffer[..read]);
            writer.write(&buffer[..read]);
            bytes += read as u64;
        }
        if let Some(writer) = under_way.writer.take() {
            writer.finish().await.map_err(failed)?;
        }
        Ok((bytes, hasher.finalize().to_hex().to_string()))
    }
}

/// An upload in parts; one that is dropped before it is finished is remembered.
struct UnderWay {
    writer: Option<WriteMultipart>,
    abandoned: Abandoned,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(writer);
        }
    }
}

fn unread(local: &FileSummary, source: std::io::Error) -> WarehouseError {
    WarehouseError::WorkFile { path: local.path.display().to_string(), source }
}
