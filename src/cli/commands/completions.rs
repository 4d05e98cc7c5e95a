//! `martlet completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::cli::args::Arguments;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;

/// Prints a completion script.
pub(in crate::cli) fn completions(shell: Shell, output: &Output) -> ExitStatus {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "martlet", &mut script);
    output.data(&String::from_utf8_lossy(&script));
    ExitStatus::Success
}
