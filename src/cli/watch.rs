//! Waits until a text of the project changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// When each file was changed last, and how long it is.
pub(super) type Stamp = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Looks at the files below the folder of pipelines and the `folders`.
pub(super) fn stamp(root: &Path, folders: &[PathBuf]) -> Stamp {
    let mut stamp = Stamp::new();
    look(&root.join("pipelines"), &mut stamp);
    for folder in folders {
        look(&root.join(folder), &mut stamp);
    }
    stamp
}

/// Sleeps until a file is another than it was when `before` was taken, or is new, or gone.
pub(super) fn until_changed(root: &Path, folders: &[PathBuf], before: &Stamp, patience: Duration) {
    // A file that was changed while the tests ran shows in the first look; others are new to `before`.
    let known = stamp(root, folders);
    let is_changed = |(path, now): (&PathBuf, &(Option<SystemTime>, u64))| {
        before.get(path).is_some_and(|before| before != now)
    };
    if known.iter().any(is_changed) {
        return;
    }
    while stamp(root, folders) == known {
        std::thread::sleep(patience);
    }
}

fn look(path: &Path, stamp: &mut Stamp) {
    let Ok(data) = std::fs::metadata(path) else { return };
    if data.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        entries.for_each(|entry| look(&entry.path(), stamp));
    } else {
        stamp.insert(path.to_owned(), (data.modified().ok(), data.len()));
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::stamp;

    #[test]
    fn a_file_that_is_changed_new_or_gone_shows() {
        let project = tempfile::tempdir().unwrap();
        let stage = project.path().join("sql/deep/a.sql");
        std::fs::create_dir_all(stage.parent().unwrap()).unwrap();
        let look = || stamp(project.path(), &[PathBuf::from("sql")]);
        let none = look();
        std::fs::write(&stage, "SELECT 1").unwrap();
        let first = look();
        assert_ne!(none, first);
        assert_eq!(first, look());
        std::fs::write(&stage, "SELECT 12").unwrap();
        assert_ne!(first, look());
        std::fs::remove_file(&stage).unwrap();
        assert_eq!(none, look());
    }
}
