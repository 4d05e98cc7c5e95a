//! Copies objects within a store.

use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, Error, ObjectStoreExt, Result};

use crate::engine::Root;

/// Copies an object to where another one may be, which it then replaces.
///
/// The client for Google Cloud Storage of `object_store` 0.13 takes the two modes of copying for each other
/// (apache/arrow-rs-object-store#712): it refuses to replace. So a copy that is refused is asked for in the other mode. A
/// client without that mistake never refuses, nor replaces in the other mode.
pub(super) async fn copy_over(root: &Root, from: &Path, to: &Path) -> Result<()> {
    match root.store.copy(from, to).await {
        Err(Error::AlreadyExists { .. }) => {
            let other = CopyOptions::new().with_mode(CopyMode::Create);
            root.store.copy_opts(from, to, other).await
        }
        done => done,
    }
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
