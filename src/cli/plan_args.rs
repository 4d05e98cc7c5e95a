//! What `plan` takes.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use super::args::ReportFormat;

/// What `plan` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub(super) struct PlanArguments {
    /// The pipeline's file; not needed where the project has only one
    pub(super) pipeline: Option<PathBuf>,
    /// The local date at whose beginning the night ends, as `run` takes it
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) as_of: NaiveDate,
    /// Compute the night without publishing it, and tell what it would change
    #[arg(long)]
    pub(super) impact: bool,
    /// As `run --force`: tell what is computed where nothing has changed
    #[arg(long)]
    pub(super) force: bool,
    /// As `run --full-refresh`: every object is decoded anew
    #[arg(long)]
    pub(super) full_refresh: bool,
    /// As `run --allow-incomplete`: go on where something is missing
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// As `run --select`: only these marts; `NAME+` is a stage and all that read it
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) select: Vec<String>,
    /// As `run --exclude`: without these stages and all that read them
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) exclude: Vec<String>,
    /// As `run --until`: nothing beyond these stages
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) until: Vec<String>,
    /// How the plan is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}
