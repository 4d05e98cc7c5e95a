//! A local folder of a run's own for everything that is not yet published.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::names::RunId;

const LOCK: &str = "in-use";

/// A work folder; it is removed when the run ends, and by the next run where the process was killed.
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
        fs::create_dir_all(&path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders whose lock nobody holds; one that cannot be removed harms nobody.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if is_abandoned(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    match File::open(path.join(LOCK)) {
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
        fs::write(dead.join("in-use"), "").unwrap();
        let living = WorkFolder::create(parent.path(), &RunId::new("living")).unwrap();
        assert!(!dead.exists());
        let next = WorkFolder::create(parent.path(), &RunId::new("next")).unwrap();
        assert!(living.path().exists());
        drop(next);
        assert!(!parent.path().join("next").exists());
    }
}
