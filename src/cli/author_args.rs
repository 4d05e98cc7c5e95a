//! What the commands for authors of pipelines take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The kinds of files an author writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// `pipelines/*.yaml`
    Pipeline,
    /// The YAML beside a stage
    Sidecar,
    /// `config/*.yaml`
    Environment,
}

/// How a page is written to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    /// For people
    #[default]
    Text,
    /// For documents
    Markdown,
    /// For machines, with a version field
    Json,
}

/// What can be drafted.
#[derive(Debug, Subcommand)]
pub(super) enum New {
    /// Write a stage and the file beside it
    Stage(NewStageArguments),
    /// Add a source to a pipeline, inferred from some of its files
    Source(NewSourceArguments),
    /// Write a pipeline with a source and a mart to begin with
    Pipeline(NewPipelineArguments),
}

/// What `new stage` takes.
#[derive(Debug, Args)]
pub(super) struct NewStageArguments {
    /// The name of the stage, which is that of its table
    pub(super) name: String,
    /// The folder to write to; the last under `stages` where it is left out
    #[arg(long, value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
    /// The source or stage it reads to begin with; the first source where it is left out
    #[arg(long, value_name = "TABLE")]
    pub(super) reads: Option<String>,
    /// The pipeline's file; the first of `pipelines/` where it is left out
    #[arg(short, long, value_name = "FILE")]
    pub(super) pipeline: Option<PathBuf>,
}

/// What `new source` takes.
#[derive(Debug, Args)]
pub(super) struct NewSourceArguments {
    /// The name of the source, which is that of its clean table
    pub(super) name: String,
    /// Local files of the source: CSV, NDJSON or Parquet, the first two also as `.gz` or `.zst`
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(super) from: Vec<PathBuf>,
    /// How many records are read of all files together
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(super) records: usize,
    /// The pipeline's file; not needed where the project has only one
    #[arg(short, long, value_name = "FILE")]
    pub(super) pipeline: Option<PathBuf>,
}

/// What `new pipeline` takes.
#[derive(Debug, Args)]
pub(super) struct NewPipelineArguments {
    /// The name of the pipeline, which is that of its file and of its folder in the warehouse
    pub(super) name: String,
    /// The IANA time zone in which days are counted
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    pub(super) timezone: String,
    /// The reporting currency, as an ISO 4217 code
    #[arg(long, default_value = "EUR", value_name = "CODE")]
    pub(super) currency: String,
}

/// What `lineage` takes.
#[derive(Debug, Args)]
pub(super) struct LineageArguments {
    /// The pipelines' files; all of `pipelines/` when none is named
    pub(super) pipelines: Vec<PathBuf>,
    /// Follow a column back to the raw fields it is made of
    #[arg(long, value_name = "TABLE.COLUMN", conflicts_with_all = ["impact", "columns"])]
    pub(super) column: Option<String>,
    /// Follow a column, or a raw field of a source, forward to all that is made of it
    #[arg(long, value_name = "TABLE.COLUMN", conflicts_with = "columns")]
    pub(super) impact: Option<String>,
    /// Tell every column with its direct origins
    #[arg(long)]
    pub(super) columns: bool,
    /// How lineage is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: LineageFormat,
}

/// How lineage is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LineageFormat {
    /// For people
    #[default]
    Text,
    /// A flowchart, for pages that draw Mermaid
    Mermaid,
    /// For machines, with a version field
    Json,
}

/// What `docs` takes.
#[derive(Debug, Args)]
pub(super) struct DocsArguments {
    /// The pipelines' files; all of `pipelines/` when none is named
    pub(super) pipelines: Vec<PathBuf>,
    /// The HTML file to write
    #[arg(short, long, value_name = "FILE")]
    pub(super) out: PathBuf,
}
