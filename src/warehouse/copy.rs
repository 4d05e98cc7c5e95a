//! Copies objects within a store.

use std::path::Path as FilePath;
use std::{fs, io};

use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, Error, ObjectStoreExt, Result};

use super::swap::{is_local, local_path};
use crate::engine::Root;

/// Copies an object to where another one may be, which it then replaces.
///
/// The client for Google Cloud Storage of `object_store` 0.13 takes the two modes of copying for each other
/// (apache/arrow-rs-object-store#712): it refuses to replace. So a copy that is refused is asked for in the other mode. A
/// client without that mistake never refuses, nor replaces in the other mode.
///
/// In a folder `object_store` gives a file a second name instead of copying it, and whoever writes into the one writes into the
/// other. What is copied there is a file of its own.
pub(super) async fn copy_over(root: &Root, from: &Path, to: &Path) -> Result<()> {
    if is_local(root) {
        let [from, to] = [local_path(from, ""), local_path(to, "")];
        let copied = tokio::task::spawn_blocking(move || copy_file(&from, &to)).await;
        let copied = copied.unwrap_or_else(|error| Err(io::Error::other(error)));
        return copied.map_err(|source| Error::Generic { store: LOCAL, source: source.into() });
    }
    match root.store.copy(from, to).await {
        Err(Error::AlreadyExists { .. }) => {
            let other = CopyOptions::new().with_mode(CopyMode::Create);
            root.store.copy_opts(from, to, other).await
        }
        done => done,
    }
}

/// The name under which a folder reports its errors.
const LOCAL: &str = "LocalFileSystem";

/// Copies a file and puts it in its place whole.
fn copy_file(from: &FilePath, to: &FilePath) -> io::Result<()> {
    let mut half = to.as_os_str().to_owned();
    // Cut off, it is a fragment of a write like those of `object_store`, which no listing shows.
    half.push(format!("#{}", std::process::id()));
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    let copied = fs::copy(from, &half).and_then(|_| fs::rename(&half, to));
    if copied.is_err() {
        let _ = fs::remove_file(&half);
    }
    copied
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::path::Path;
    use object_store::{ObjectStore, ObjectStoreExt};

    use super::copy_over;
    use crate::engine::Root;
    use crate::warehouse::fault::{Fault, FaultStore};

    async fn copied(store: Arc<dyn ObjectStore>) -> Vec<u8> {
        let [from, to] = ["new", "latest"].map(Path::from);
        let url = "memory:///".parse().unwrap();
        let root = Root { store, prefix: Path::default(), url };
        for (path, content) in [(&to, "old"), (&from, "new")] {
            root.store.put(path, content.into()).await.unwrap();
        }
        copy_over(&root, &from, &to).await.unwrap();
        root.store.get(&to).await.unwrap().bytes().await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn a_copy_replaces_what_is_there_whatever_the_client_takes_its_modes_for() {
        assert_eq!(copied(Arc::new(InMemory::new())).await, b"new");
        let confused = FaultStore::new(InMemory::new(), Fault::ModesOfCopies, 0, true);
        assert_eq!(copied(confused).await, b"new");
    }
}
