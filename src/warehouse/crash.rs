//! Named places, before and after every write, at which a test lets the process die; none in a release build.

use std::fmt::Display;
#[cfg(debug_assertions)]
use std::path::PathBuf;
#[cfg(debug_assertions)]
use std::sync::OnceLock;

/// What a test has asked for.
#[cfg(debug_assertions)]
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// The place at which the process is to die.
    pub(crate) at: Option<String>,
    /// A file to which every place that is reached is added.
    pub(crate) noted_in: Option<PathBuf>,
}

#[cfg(debug_assertions)]
static WISH: OnceLock<Wish> = OnceLock::new();

/// Remembers what a test has asked for; only the first wish of a process counts.
#[cfg(debug_assertions)]
pub(crate) fn wish(wish: Wish) {
    let _ = WISH.set(wish);
}

/// Ends the process at once, as a crash would, where a test has asked for that at this place.
#[cfg(debug_assertions)]
pub(super) fn point(place: &str, subject: impl Display) {
    let Some(wish) = WISH.get() else { return };
    let name = format!("{place} {subject}");
    if let Some(file) = &wish.noted_in {
        let file = std::fs::File::options().create(true).append(true).open(file);
        let _ = file.and_then(|mut file| {
            std::io::Write::write_all(&mut file, format!("{name}\n").as_bytes())
        });
    }
    if wish.at.as_ref() == Some(&name) {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn point(_place: &str, _subject: impl Display) {}
