//! The `martlet` command.

use std::process::ExitCode;

/// A whole night takes about a tenth less time than with the system's allocator, in the same memory.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    martlet::cli::main()
}
