//! What the commands take that look after a warehouse.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use super::args::{ReportFormat, TableFormat};

/// What `backfill` takes.
#[derive(Debug, Args)]
pub(super) struct BackfillArguments {
    /// The pipeline's file
    pub(super) pipeline: PathBuf,
    /// The `--as-of` of the first night
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) from: NaiveDate,
    /// The `--as-of` of the last night
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) to: NaiveDate,
    /// Go on where objects, days, rows or markers are missing that a source expects
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// What is written to stdout at the end of each night
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

/// What commands that list something of a pipeline take.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// How many are shown at most, the newest first
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub(super) limit: usize,
    /// How the list is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: TableFormat,
}

/// What `show` takes.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The run, as `martlet runs` lists it; the newest when none is named
    pub(super) run: Option<String>,
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// How the report is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

/// What `rollback` takes.
#[derive(Debug, Args)]
pub(super) struct RollbackArguments {
    /// The generation whose tables are published again; without it the one before the present one
    #[arg(long, value_name = "N")]
    pub(super) to: Option<u64>,
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
}

/// What `diff` takes.
#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The older generation
    pub(super) before: u64,
    /// The newer generation
    pub(super) after: u64,
    /// Show how many customers moved from which RFM segment to which, instead of rows and totals
    #[arg(long)]
    pub(super) segments: bool,
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// How the difference is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: TableFormat,
}

/// What `vacuum` takes.
#[derive(Debug, Args)]
pub(super) struct VacuumArguments {
    /// How many of the newest generations and runs keep all their files
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) keep: u64,
    /// How many days old a file must be to be removed
    #[arg(long, default_value_t = 7, value_name = "DAYS")]
    pub(super) min_age: u32,
    /// Remove the files; without it they are only listed
    #[arg(long)]
    pub(super) apply: bool,
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// How the list of files is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: TableFormat,
}

/// What `doctor` takes.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// How the findings are written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: TableFormat,
}
