//! What a sample is made of, and what can go wrong.

use std::path::PathBuf;

use chrono::{Days, NaiveDate};

/// Customers a sample may have; identifiers stay unique up to here.
const MOST_CUSTOMERS: u64 = 20_000_000;
/// Days a sample may have.
const MOST_DAYS: u32 = 3650;
/// Browsing beyond this would exhaust the numbers of visits.
const MOST_ACTIVITY: u32 = 500;

/// What a sample is made of.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How many people there are.
    pub(crate) customers: u64,
    /// How many local days are exported.
    pub(crate) days: u32,
    pub(crate) seed: u64,
    /// The last local day that is exported.
    pub(crate) last_day: NaiveDate,
    /// How much people browse, in percent; purchases do not depend on it.
    pub(crate) activity: u32,
    pub(crate) threads: usize,
    /// The raw root; folders of sources and `truth` are made below it.
    pub(crate) out: PathBuf,
}

impl Options {
    /// Returns the first local day that is exported.
    pub(crate) fn first_day(&self) -> NaiveDate {
        let before = u64::from(self.days.saturating_sub(1));
        self.last_day.checked_sub_days(Days::new(before)).unwrap_or(self.last_day)
    }

    /// Says which option is out of its bounds.
    pub(crate) fn check(&self) -> Result<(), SampleError> {
        in_bounds("customers", self.customers, MOST_CUSTOMERS)?;
        in_bounds("days", u64::from(self.days), u64::from(MOST_DAYS))?;
        in_bounds("activity", u64::from(self.activity), u64::from(MOST_ACTIVITY))?;
        in_bounds("threads", self.threads as u64, u64::from(u16::MAX))
    }
}

fn in_bounds(option: &'static str, value: u64, most: u64) -> Result<(), SampleError> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(SampleError::OutOfBounds { option, most, value })
}

/// Says why a sample could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    #[error("`{option}` must lie between 1 and {most}: {value}")]
    OutOfBounds { option: &'static str, most: u64, value: u64 },
    #[error("the folder `{path}` is there already and holds no sample")]
    Foreign { path: PathBuf },
    #[error("the file `{path}` cannot be written")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("a row cannot be encoded")]
    Encode(#[from] serde_json::Error),
}
