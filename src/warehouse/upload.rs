//! Brings finished local files into the warehouse.

use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use tokio::io::AsyncReadExt;

use super::swap::{is_local, local_path};
use super::{TableFile, Warehouse, WarehouseError, crash};
use crate::engine::FileSummary;

/// Files beyond this size go up in parts.
const PART: usize = 8 << 20;

/// Uploads that were given up half-way and still have to be aborted in the store.
pub(super) type Abandoned = Arc<Mutex<Vec<WriteMultipart>>>;

impl Warehouse {
    /// Puts a finished local file at `path`; it is visible there only when it is whole.
    pub(crate) async fn upload(
        &self,
        local: &FileSummary,
        path: &Path,
    ) -> Result<TableFile, WarehouseError> {
        let subject = self.subject(path);
        crash::point("uploading", &subject);
        let linked = if is_local(self.root()) { linked(local, path).await? } else { None };
        let (bytes, checksum) = match (linked, local.bytes) {
            (Some(linked), _) => linked,
            (None, bytes) if bytes <= PART as u64 => self.upload_whole(local, path).await?,
            (None, _) => self.upload_in_parts(local, path).await?,
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

/// Gives a finished file a second name in a local warehouse, so that not a byte is copied; returns its size and checksum.
///
/// Returns nothing where the system refuses, above all because the folders lie on different devices.
async fn linked(local: &FileSummary, path: &Path) -> Result<Option<(u64, String)>, WarehouseError> {
    let (from, to) = (local.path.clone(), local_path(path, ""));
    let link = move || {
        let parent = to.parent().map_or(Ok(()), std::fs::create_dir_all);
        if parent.and_then(|()| std::fs::hard_link(&from, &to)).is_err() {
            return Ok(None);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(&from)?)?;
        Ok(Some((hasher.count(), hasher.finalize().to_hex().to_string())))
    };
    let linked = tokio::task::spawn_blocking(link).await.unwrap_or_else(|error| Err(error.into()));
    linked.map_err(|source| unread(local, source))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::super::{TableFile, Warehouse};
    use crate::engine::{FileSummary, Root};

    /// Uploads a file of some bytes to a warehouse, and returns what came of it and what lies there.
    async fn uploaded(root: Root, local: &FileSummary) -> (TableFile, Vec<u8>) {
        let (store, path) = (Arc::clone(&root.store), root.prefix.clone().join("a/b/c"));
        let warehouse = Warehouse::open(root, &"shop".parse().unwrap());
        let file = warehouse.upload(local, &path).await.unwrap();
        (file, store.get(&path).await.unwrap().bytes().await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn a_local_warehouse_gets_a_second_name_of_what_others_get_a_copy_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 10_000]).unwrap();
        let local = FileSummary { path, rows: 3, bytes: 10_000 };
        let url = "memory:///".parse().unwrap();
        let memory = Root { store: Arc::new(InMemory::new()), prefix: Path::from("w"), url };
        let (copied, _) = uploaded(memory, &local).await;
        let warehouse = tempfile::tempdir().unwrap();
        let (linked, content) = uploaded(Root::of_folder(warehouse.path()).unwrap(), &local).await;
        assert_eq!(content, [7; 10_000]);
        assert_eq!((linked.bytes, &linked.checksum), (10_000, &copied.checksum));
        // Nothing but the second name says that no byte was copied.
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&local.path.metadata().unwrap()), 2);
    }

    #[tokio::test]
    async fn what_cannot_have_a_second_name_is_copied() {
        let warehouse = tempfile::tempdir().unwrap();
        let root = Root::of_folder(warehouse.path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 10]).unwrap();
        let local = FileSummary { path, rows: 3, bytes: 10 };
        let _ = uploaded(root.clone(), &local).await;
        // The place is taken, so there can be no second name.
        std::fs::write(&local.path, [8; 10]).unwrap();
        let other = FileSummary { path: folder.path().join("other"), ..local };
        std::fs::write(&other.path, [9; 10]).unwrap();
        let (_, content) = uploaded(root, &other).await;
        assert_eq!(content, [9; 10]);
    }
}
