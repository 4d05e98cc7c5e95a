//! The `martlet` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    martlet::cli::main()
}
