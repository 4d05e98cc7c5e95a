//! What is asked of a source's objects beyond their columns.

use chrono::NaiveDate;

use crate::spreadsheet::SheetChoice;

/// How long a record may be where a source does not say.
const RECORD: usize = 16 << 20;
/// Enough that what a batch costs does not show, and few enough to stay in the processor's cache.
const BATCH_ROWS: usize = 16_384;

/// Which sheet of a workbook holds the records, and where they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XlsxFormat {
    pub(crate) sheet: SheetChoice,
    /// The number of the row that names the columns; none for the first that holds anything.
    pub(crate) header_row: Option<u32>,
}

/// How much of an object is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many bytes a record may have; a longer one is a reject.
    pub(crate) record: usize,
    /// How many bytes an object may have once it is decompressed; a longer one cannot be taken in.
    pub(crate) object: Option<u64>,
    /// How many records are decoded at a time; no author sets it, and nothing depends on it.
    pub(crate) batch_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record: RECORD, object: None, batch_rows: BATCH_ROWS }
    }
}

/// What becomes of an object that cannot be taken in as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The object is one reject.
    Skip,
}

/// What must be there before a night is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expect {
    /// How many objects every day has at least; where it is zero, a source may have none at all.
    pub(crate) objects_per_day: Option<u64>,
    /// How many records every object has at least.
    pub(crate) min_rows: Option<u64>,
    /// The path of an object that says that the others are whole; `{date}` stands for each day.
    pub(crate) marker: Option<String>,
    pub(crate) days: Days,
}

/// Which days before `as_of` must be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    /// So many.
    Last(u32),
    /// This one and all after it.
    Since(NaiveDate),
}

impl Default for Days {
    fn default() -> Self {
        Self::Last(1)
    }
}

impl Expect {
    /// Returns the marker's path for a day.
    pub(crate) fn marker_of(&self, day: NaiveDate) -> Option<String> {
        Some(self.marker.as_ref()?.replace("{date}", &day.to_string()))
    }

    /// Says whether the marker tells the day it is for.
    pub(crate) fn is_daily(&self) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.contains("{date}"))
    }
}
