//! `martlet functions`.

use crate::cli::author_args::PageFormat;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::functions;

/// Tells the SQL functions martlet adds.
pub(in crate::cli) fn functions(format: PageFormat, output: &Output) -> ExitStatus {
    output.data(&match format {
        PageFormat::Text => functions::text(),
        PageFormat::Markdown => functions::markdown(),
        PageFormat::Json => format!("{:#}\n", functions::to_json()),
    });
    ExitStatus::Success
}
