//! What the commands about customers take.

use clap::{Args, Subcommand};

use super::ReportFormat;

/// The commands about customers.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IdentityCommand {
    /// Show a customer: its identifiers, what connects them, and what became of them
    Show {
        /// An identifier, as `ann@x.org` or `email:ann@x.org`, or a customer's id
        who: String,
        #[command(flatten)]
        options: IdentityOptions,
    },
    /// Show the shortest chain of evidence between two identifiers
    Why {
        /// An identifier, as `ann@x.org` or `email:ann@x.org`
        one: String,
        /// Another
        other: String,
        #[command(flatten)]
        options: IdentityOptions,
    },
    /// Show how many identifiers come together, and what looks wrong
    Audit {
        /// How many lines of each kind are shown at most
        #[arg(long, default_value_t = 10, value_name = "N")]
        limit: u64,
        #[command(flatten)]
        options: IdentityOptions,
    },
    /// Decide that some identifiers keep a customer's id and the others are somebody else
    Split {
        /// The customer's id, or one of its identifiers
        customer: String,
        /// An identifier that stays; may be given several times
        #[arg(long, required = true, num_args = 1.., value_name = "IDENTIFIER")]
        keep: Vec<String>,
        #[command(flatten)]
        options: IdentityOptions,
    },
    /// Decide that two identifiers never belong to one customer
    Unlink {
        /// An identifier, as `ann@x.org` or `email:ann@x.org`
        one: String,
        /// Another
        other: String,
        #[command(flatten)]
        options: IdentityOptions,
    },
}

/// What every command about customers takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct IdentityOptions {
    /// The pipeline; not needed where the warehouse has only one
    #[arg(short, long, value_name = "NAME")]
    pub(in crate::cli) pipeline: Option<String>,
    /// Show values although they identify a person
    #[arg(long)]
    pub(in crate::cli) show_personal: bool,
    /// What is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(in crate::cli) format: ReportFormat,
}
