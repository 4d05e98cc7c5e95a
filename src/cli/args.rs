//! The command line as written.

mod engineer;
mod identity;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::author_args::{DocsArguments, LineageArguments, New, PageFormat, SchemaOf};
use super::exit_status::ExitStatus;
use super::plan_args::PlanArguments;
use super::upkeep::{
    BackfillArguments, DiffArguments, DoctorArguments, ListArguments, RollbackArguments,
    ShowArguments, VacuumArguments,
};
use crate::names::DevName;

pub(super) use engineer::*;
pub(super) use identity::*;

/// Turns raw web, app and store exports into audited customer marts, one night at a time
#[derive(Debug, Parser)]
#[command(name = "martlet", version, max_term_width = 100, after_long_help = exit_statuses())]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

/// Flags every command takes.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The project's root, below which `pipelines`, `sql` and `config` lie
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".",
        help_heading = "Environment"
    )]
    pub(super) project: PathBuf,
    /// The environment: the file `config/<NAME>.yaml`
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "MARTLET_ENV",
        help_heading = "Environment"
    )]
    pub(super) env: Option<String>,
    /// Where raw exports lie: a folder or a URL
    #[arg(long, global = true, value_name = "PLACE", help_heading = "Environment")]
    pub(super) raw: Option<String>,
    /// Where to publish: a folder or a URL
    #[arg(long, global = true, value_name = "PLACE", help_heading = "Environment")]
    pub(super) warehouse: Option<String>,
    /// A local folder for files that are not yet published
    #[arg(long, global = true, value_name = "DIR", help_heading = "Environment")]
    pub(super) work: Option<String>,
    /// How much memory a run may use, such as `4GiB`
    #[arg(long, global = true, value_name = "SIZE", help_heading = "Environment")]
    pub(super) memory: Option<String>,
    /// How many threads compute
    #[arg(long, global = true, value_name = "N", help_heading = "Environment")]
    pub(super) threads: Option<String>,
    /// Print less: once for no progress, twice for errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(super) quiet: u8,
    /// Log to stderr what the libraries below say: once for information, twice for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(super) verbose: u8,
    /// Draw no progress bar
    #[arg(long, global = true, help_heading = "Output")]
    pub(super) no_progress: bool,
    /// How progress is written to stderr
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub(super) log_format: LogFormat,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub(super) color: Color,
}

/// How progress is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A bar on a terminal, plain lines elsewhere
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take one night from raw exports to published marts
    Run(RunArguments),
    /// Tell what the next run would do and why, without doing it
    Plan(PlanArguments),
    /// Validate pipelines and their SQL without touching data
    Check(CheckArguments),
    /// Run the tests of stages on what they are given, without touching data
    Test(TestArguments),
    /// Say what the code of a mistake means and what to do about it
    Explain(ExplainArguments),
    /// Write a first definition of a source from some of its files
    Infer(InferArguments),
    /// Draft a stage, a source or a pipeline
    #[command(subcommand)]
    New(New),
    /// Tell what columns are made of, and what is made of them
    Lineage(LineageArguments),
    /// Write the documents of a project as one HTML page
    Docs(DocsArguments),
    /// Tell the SQL functions that martlet adds to those of `DataFusion`
    Functions {
        /// How they are written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        format: PageFormat,
    },
    /// Ask the published tables
    Query(QueryArguments),
    /// List development warehouses or throw one away; `run --dev NAME` makes one
    #[command(subcommand)]
    Dev(DevCommand),
    /// Compute one stage from the present clean tables and show its first rows
    Preview(PreviewArguments),
    /// Show the records a run could not use, and why
    Rejects(RejectsArguments),
    /// Take in rejects that the present rules accept
    Replay(ReplayArguments),
    /// Run the nights of a range that are missing
    Backfill(BackfillArguments),
    /// List the runs of a pipeline
    Runs(ListArguments),
    /// Show the report of a run
    Show(ShowArguments),
    /// List what has been published, night by night
    Generations(ListArguments),
    /// Publish the tables of an older generation again
    Rollback(RollbackArguments),
    /// Say how two generations differ
    Diff(DiffArguments),
    /// Remove files that no generation that is kept needs
    Vacuum(VacuumArguments),
    /// Try whether the stores can do what martlet relies on
    Doctor(DoctorArguments),
    /// Explain who is who, and decide it
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Print the JSON Schema of a kind of file, for editors
    Schema {
        /// The kind of file
        of: SchemaOf,
    },
    /// Write raw exports of an invented retailer to try martlet on
    Sample(SampleArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What `run` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub(super) struct RunArguments {
    /// The pipeline's file
    pub(super) pipeline: PathBuf,
    /// The local date at whose beginning the night ends; the day before it is the last one covered
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) as_of: NaiveDate,
    /// Compute and publish even where nothing has changed
    #[arg(long)]
    pub(super) force: bool,
    /// Decode every object anew instead of building on earlier nights; customers keep their ids
    #[arg(long)]
    pub(super) full_refresh: bool,
    /// Compute and publish only these marts; `NAME+` is a stage and all that read it
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) select: Vec<String>,
    /// Leave out these stages and all that read them
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) exclude: Vec<String>,
    /// Compute nothing beyond these stages
    #[arg(long, value_name = "STAGE", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    pub(super) until: Vec<String>,
    /// Compute from the clean tables that are published into a warehouse of one's own
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(super) dev: Option<DevName>,
    /// Go on where objects, days, rows or markers are missing that a source expects
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// Exit with 99 instead of 0 where nothing has changed
    #[arg(long)]
    pub(super) skip_exit_code: bool,
    /// What is written to stdout at the end
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

/// How a report is written to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// For machines, with a version field
    Json,
}

/// What `infer` takes.
#[derive(Debug, Args)]
pub(super) struct InferArguments {
    /// Local files of one source: CSV, NDJSON or Parquet, the first two also as `.gz` or `.zst`
    #[arg(required = true, value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// How many records are read of all files together
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(super) records: usize,
}

/// What `query` takes.
#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    /// One `SELECT`, or `EXPLAIN` and one; marts by name, others as `clean.<source>`, `rejects.<source>`, `identity.map`, `stages.<stage>`
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(super) sql: Option<String>,
    /// Read the question from a file, `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// The pipeline whose tables are asked; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// Ask the development warehouse of this name
    #[arg(long, value_name = "NAME")]
    pub(super) dev: Option<DevName>,
    /// The generation whose tables are asked; without it the present one
    #[arg(long, value_name = "N")]
    pub(super) generation: Option<u64>,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
}

/// What `replay` takes.
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The pipeline's file
    pub(super) pipeline: PathBuf,
    /// The source whose objects with rejects are decoded once more
    #[arg(long, value_name = "SOURCE")]
    pub(super) source: String,
    /// Go on where objects, days, rows or markers are missing that a source expects
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// What is written to stdout at the end
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

/// What `rejects` takes.
#[derive(Debug, Args)]
pub(super) struct RejectsArguments {
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(super) pipeline: Option<String>,
    /// Only rejects of this source
    #[arg(short, long, value_name = "NAME")]
    pub(super) source: Option<String>,
    /// Only rejects with this code or rule, such as `clean/type` or `decode`
    #[arg(long, value_name = "CODE")]
    pub(super) reason: Option<String>,
    /// The run, published or not; without it the newest that has read its sources
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<String>,
    /// Show every reject, not their counts by source, column and code with one example each
    #[arg(long)]
    pub(super) full: bool,
    /// How many lines are shown at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(super) limit: u64,
    /// Show raw records although they may identify a person
    #[arg(long)]
    pub(super) show_personal: bool,
    /// How the rejects are written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: TableFormat,
}

/// How a table is written to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// For people
    #[default]
    Table,
    /// With a header line
    Csv,
    /// One JSON object a line
    Json,
}

/// What `sample` takes.
#[derive(Debug, Args)]
pub(super) struct SampleArguments {
    /// How many people the retailer has
    #[arg(long, default_value_t = 300, value_name = "N")]
    pub(super) customers: u64,
    /// How many days of exports to write
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub(super) days: u32,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// The last day of exports
    #[arg(long, default_value = "2026-01-30", value_name = "YYYY-MM-DD")]
    pub(super) last_day: NaiveDate,
    /// How much people browse, in percent; purchases do not depend on it
    #[arg(long, default_value_t = 100, value_name = "PERCENT")]
    pub(super) activity: u32,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

/// Lists the exit statuses for the manual.
fn exit_statuses() -> String {
    let lines = ExitStatus::ALL.iter().map(|status| {
        format!("  {:>3}  {} ({})\n", status.code(), status.meaning(), status.action())
    });
    format!("Exit statuses:\n{}", lines.collect::<String>())
}
