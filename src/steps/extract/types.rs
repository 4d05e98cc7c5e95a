//! What extract hands on.

use std::sync::Arc;

use chrono::NaiveDate;
use object_store::path::Path;

use crate::plan;

/// The objects of one source that belong to the night, in the order of their paths.
#[derive(Debug, Clone)]
pub(crate) struct Extracted {
    pub(crate) source: Arc<plan::Source>,
    pub(crate) objects: Vec<Arc<SourceObject>>,
}

impl Extracted {
    /// Keeps the objects of the last day only; those without a day are kept all.
    pub(crate) fn of_last_day(mut self) -> Self {
        let last = self.objects.iter().map(|object| object.date).max().flatten();
        self.objects.retain(|object| object.date == last);
        self
    }

    /// Says whether there is an object of this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        // They come in the order of their paths.
        self.objects.binary_search_by(|object| (*object.path).cmp(path)).is_ok()
    }
}

/// How the fields of an object differ from those its source declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// Fields that are there and are not declared.
    pub(crate) new: Vec<String>,
    /// Fields that are declared and are not there.
    pub(crate) vanished: Vec<String>,
    /// The stored types of the wanted fields, by field, where the format has any.
    pub(crate) types: Vec<(String, String)>,
}

/// One file in the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceObject {
    /// The full path in the store.
    pub(crate) location: Path,
    /// The path below the raw root, as shown to people and kept in `_object`.
    pub(crate) path: Arc<str>,
    pub(crate) etag: Option<String>,
    /// Size in bytes, as stored.
    pub(crate) size: u64,
    /// The day of the export, where the pattern holds `{date}`.
    pub(crate) date: Option<NaiveDate>,
}
