//! What the commands of those who write stages take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::names::DevName;

/// What `check` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    /// The pipelines' files; all of `pipelines/` when none is named
    pub(in crate::cli) pipelines: Vec<PathBuf>,
    /// Write the columns that the SQL yields into the files beside marts and stages with a contract
    #[arg(long)]
    pub(in crate::cli) update: bool,
    /// How what is found is told
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(in crate::cli) format: CheckFormat,
}

/// How what is found in a project is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// For people, on stderr
    #[default]
    Text,
    /// For machines, with a version field, on stdout
    Json,
    /// For code hosts and editors: SARIF 2.1.0 on stdout
    Sarif,
}

/// What `test` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct TestArguments {
    /// The stages; all that have tests when none is named
    #[arg(value_name = "STAGE")]
    pub(in crate::cli) stages: Vec<String>,
    /// The pipelines' files; all of `pipelines/` when none is named
    #[arg(long = "pipeline", value_name = "FILE")]
    pub(in crate::cli) pipelines: Vec<PathBuf>,
    /// Run them again whenever a file of the project changes
    #[arg(long)]
    pub(in crate::cli) watch: bool,
    /// How the outcome is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(in crate::cli) format: TestFormat,
}

/// How the outcome of tests is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TestFormat {
    /// For people
    #[default]
    Text,
    /// For machines, with a version field
    Json,
    /// For build servers: the XML of `JUnit`
    Junit,
}

/// What `explain` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArguments {
    /// The code, such as `sql/unknown-column`; without it all codes are listed
    pub(in crate::cli) code: Option<String>,
}

/// Where and how an answer is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct AnswerArguments {
    /// How the answer is written; without it as the ending of FILE says, or else for people
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<AnswerFormat>,
    /// Write the answer to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

impl AnswerArguments {
    /// Returns how the answer is written.
    pub(in crate::cli) fn format(&self) -> AnswerFormat {
        let ending = || self.output.as_ref()?.extension()?.to_str();
        let by_ending = || match ending()? {
            "csv" => Some(AnswerFormat::Csv),
            "json" | "jsonl" | "ndjson" => Some(AnswerFormat::Json),
            "parquet" => Some(AnswerFormat::Parquet),
            _ => None,
        };
        self.format.or_else(by_ending).unwrap_or(AnswerFormat::Table)
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AnswerFormat {
    /// For people
    Table,
    /// With a header line
    Csv,
    /// One JSON object a line
    Json,
    /// A Parquet file
    Parquet,
}

/// What `dev` does.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DevCommand {
    /// List the development warehouses of a pipeline
    List {
        /// The pipeline; not needed where the warehouse has only one
        #[arg(short, long, value_name = "NAME")]
        pipeline: Option<String>,
    },
    /// Throw a development warehouse away
    Drop {
        /// Its name
        name: DevName,
        /// The pipeline; not needed where the warehouse has only one
        #[arg(short, long, value_name = "NAME")]
        pipeline: Option<String>,
    },
}

/// What `preview` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct PreviewArguments {
    /// The stage, published or not
    #[arg(value_name = "STAGE")]
    pub(in crate::cli) stage: String,
    /// The pipeline's file; without it the first that has the stage
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) pipeline: Option<PathBuf>,
    /// How many rows are shown at most
    #[arg(short, long, default_value_t = 20, value_name = "N")]
    pub(in crate::cli) limit: usize,
    #[command(flatten)]
    pub(in crate::cli) answer: AnswerArguments,
}
