//! The `martlet` command.

use std::process::ExitCode;

/// A whole night takes a sixth less of processor time than with the system's allocator, and less memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    martlet::cli::main()
}
