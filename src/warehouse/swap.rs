//! Creates and replaces small objects on condition that nobody else has done so meanwhile.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};

use super::WarehouseError;
use crate::engine::Root;

/// How often a local lock is tried before somebody who holds it is taken for stuck.
const TRIES: usize = 200;
/// How often a conflict over an object that nobody has touched is tried again.
const CONFLICTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// An object as it was read: its content, and the version a replacement must find.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) content: Bytes,
    version: UpdateVersion,
}

/// What became of a conditional write.
#[must_use]
#[derive(Debug)]
pub(super) enum Swap {
    Done,
    /// The object is not as it was seen.
    Lost,
}

/// Reads an object for a later replacement.
pub(super) async fn seen(root: &Root, path: &Path) -> Result<Option<Seen>, WarehouseError> {
    let failed = |source| WarehouseError::Read { path: path.to_string(), source };
    let found = match root.store.get(path).await {
        Err(Error::NotFound { .. }) => return Ok(None),
        found => found.map_err(failed)?,
    };
    let version =
        UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
    Ok(Some(Seen { content: found.bytes().await.map_err(failed)?, version }))
}

/// Writes an object that is `before`, or not there where that is `None`.
///
/// The content must be nobody else's: an answer that was lost, which a store may tell as a conflict or as an
/// error, is recognised by reading the object back. A conflict that is told of an object nobody has touched, as
/// stores do that are asked to try again, is tried again.
pub(super) async fn swap(
    root: &Root,
    path: &Path,
    before: Option<&Seen>,
    content: Bytes,
) -> Result<Swap, WarehouseError> {
    for _ in 0..CONFLICTS {
        let put = match before {
            None => put(root, path, PutMode::Create, &content).await,
            Some(seen) if is_local(root) => return replace_local(root, path, seen, content).await,
            Some(seen) => put(root, path, PutMode::Update(seen.version.clone()), &content).await,
        };
        let Err(source) = put else { return Ok(Swap::Done) };
        let after = seen(root, path).await?;
        if after.as_ref().is_some_and(|after| after.content == content) {
            return Ok(Swap::Done);
        }
        if !is_conflict(&source) {
            return Err(WarehouseError::Write { path: path.to_string(), source });
        }
        if after.map(|after| after.version) != before.map(|before| before.version.clone()) {
            return Ok(Swap::Lost);
        }
    }
    Ok(Swap::Lost)
}

/// Says whether a store refuses to write because of what is there; some say so where there is nothing to replace.
fn is_conflict(error: &Error) -> bool {
    matches!(
        error,
        Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }
    )
}

async fn put(root: &Root, path: &Path, mode: PutMode, content: &Bytes) -> Result<(), Error> {
    let options = PutOptions { mode, ..PutOptions::default() };
    root.store.put_opts(path, content.clone().into(), options).await.map(|_| ())
}

/// Replaces a local file under a lock, since folders know no conditional replacement.
async fn replace_local(
    root: &Root,
    path: &Path,
    before: &Seen,
    content: Bytes,
) -> Result<Swap, WarehouseError> {
    let lock = lock(local_path(path, ".lock"), path).await?;
    let unchanged = seen(root, path).await?.is_some_and(|seen| seen.content == before.content);
    if !unchanged {
        return Ok(Swap::Lost);
    }
    let written = root.store.put(path, content.into()).await;
    written.map_err(|source| WarehouseError::Write { path: path.to_string(), source })?;
    drop(lock);
    Ok(Swap::Done)
}

/// Says whether a place is a folder of this machine.
pub(super) fn is_local(root: &Root) -> bool {
    root.url.scheme() == "file"
}

/// Returns the local path of an object, with an ending more.
pub(super) fn local_path(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("/{path}{ending}"))
}

async fn lock(file: PathBuf, path: &Path) -> Result<File, WarehouseError> {
    let failed = |source| WarehouseError::Lock { path: path.to_string(), source };
    let opened = File::options().create(true).write(true).truncate(false).open(&file);
    let opened = opened.map_err(failed)?;
    for _ in 0..TRIES {
        match opened.try_lock() {
            Ok(()) => return Ok(opened),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(WarehouseError::Busy { path: path.to_string() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::{Swap, seen, swap};
    use crate::engine::Root;

    fn memory() -> (Root, Path) {
        let url = url::Url::parse("memory:///").unwrap();
        let root = Root { store: Arc::new(InMemory::new()), prefix: Path::default(), url };
        (root, Path::from("object"))
    }

    async fn only_one_replaces(root: &Root, path: &Path) {
        let first = Bytes::from_static(b"first");
        assert!(matches!(swap(root, path, None, first.clone()).await.unwrap(), Swap::Done));
        let again = swap(root, path, None, Bytes::from_static(b"other")).await.unwrap();
        assert!(matches!(again, Swap::Lost));
        // A lost answer makes a writer repeat what it has done already.
        assert!(matches!(swap(root, path, None, first).await.unwrap(), Swap::Done));

        let before = seen(root, path).await.unwrap().unwrap();
        let won = swap(root, path, Some(&before), Bytes::from_static(b"second")).await.unwrap();
        assert!(matches!(won, Swap::Done));
        let late = swap(root, path, Some(&before), Bytes::from_static(b"third")).await.unwrap();
        assert!(matches!(late, Swap::Lost));
        assert_eq!(seen(root, path).await.unwrap().unwrap().content, "second");
    }

    #[tokio::test]
    async fn of_two_who_saw_the_same_object_one_replaces_it() {
        let (root, path) = memory();
        only_one_replaces(&root, &path).await;
    }

    #[tokio::test]
    async fn a_local_file_is_replaced_by_one_of_two_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::of_folder(folder.path()).unwrap();
        let path = root.prefix.clone().join("object");
        only_one_replaces(&root, &path).await;
    }
}
