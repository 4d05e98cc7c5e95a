//! Tells on one machine whether the process that holds a lease still lives.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::path::Path;

use super::swap::local_path;

/// A file that is locked for as long as its process lives; the system lets go of it when the process dies.
///
/// Without it, a run killed on a local warehouse would keep the next one waiting until its lease expires.
#[derive(Debug)]
pub(super) struct Alive {
    path: PathBuf,
    _lock: File,
    /// Whether the file outlives its lock: then the lease that was not given back is known to be nobody's.
    stays: AtomicBool,
}

impl Alive {
    /// Locks the file of a lease's owner; none where the file system knows no locks.
    pub(super) fn of_owner(lease: &Path, owner: &str) -> Option<Self> {
        let path = file(lease, owner);
        fs::create_dir_all(path.parent()?).ok()?;
        let lock = File::create(&path).ok()?;
        lock.try_lock().ok()?;
        Some(Self { path, _lock: lock, stays: AtomicBool::new(false) })
    }

    /// Says whether the file is to stay when the process lets go of it.
    pub(super) fn stay(&self, stays: bool) {
        self.stays.store(stays, Ordering::Relaxed);
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.stays.load(Ordering::Relaxed) {
            // One that cannot be removed says only that its process is dead.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Says whether the owner of a lease on this machine is known to have died.
pub(super) fn has_died(lease: &Path, owner: &str) -> bool {
    let path = file(lease, owner);
    let Ok(lock) = File::open(&path) else { return false };
    match lock.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

/// Removes the file of an owner whose lease somebody else has.
pub(super) fn forget(lease: &Path, owner: &str) {
    let _ = fs::remove_file(file(lease, owner));
}

fn file(lease: &Path, owner: &str) -> PathBuf {
    local_path(lease, &format!("-{owner}.lock"))
}
