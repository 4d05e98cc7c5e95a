//! A local folder of a run's own for everything that is not yet published.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::names::RunId;

/// The ending of the file beside a folder that is locked while the folder is in use.
const LOCK: &str = "in-use";

/// A work folder; it is removed when the run ends, and by the next run where the process was killed or threads still wrote
/// into it.
pub(crate) struct WorkFolder {
    path: PathBuf,
    /// Held locked for as long as the run lives; the system lets go of it when the process dies.
    _lock: File,
}

impl WorkFolder {
    /// Makes the folder of a run below `parent` and removes those that dead runs have left there.
    pub(crate) fn create(parent: &Path, run_id: &RunId) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        remove_leftovers(parent);
        let path = parent.join(run_id.as_str());
        let lock = File::create(lock_of(&path))?;
        lock.lock()?;
        fs::create_dir_all(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Names the file that is locked while a folder is in use. It lies beside the folder, so that it is there for as long as
/// anything of the folder is.
fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension(LOCK)
}

/// Removes a folder, then what says that it is there; what cannot be removed now is removed by the next run.
fn remove(folder: &Path) {
    let gone = fs::remove_dir_all(folder);
    if gone.is_ok() || !folder.exists() {
        let _ = fs::remove_file(lock_of(folder));
    }
}

/// Removes the folders whose lock nobody holds; one that cannot be removed harms nobody.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let is_lock = path.extension().is_some_and(|ending| ending == LOCK);
        if is_lock && is_abandoned(&path) {
            remove(&path.with_extension(""));
        }
    }
}

fn is_abandoned(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::WorkFolder;
    use crate::names::RunId;

    #[test]
    fn the_folder_of_a_dead_run_is_removed_and_that_of_a_living_one_kept() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("dead");
        fs::create_dir(&dead).unwrap();
        fs::write(parent.path().join("dead.in-use"), "").unwrap();
        let living = WorkFolder::create(parent.path(), &RunId::new("living")).unwrap();
        assert!(!dead.exists());
        let next = WorkFolder::create(parent.path(), &RunId::new("next")).unwrap();
        assert!(living.path().exists());
        drop(next);
        let left = fs::read_dir(parent.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["living", "living.in-use"]);
    }
}
