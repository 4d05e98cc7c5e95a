//! `martlet sample`.

use std::fmt::Write as _;

use crate::cli::args::{Global, SampleArguments};
use crate::cli::environment::available_threads;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::sample::{self, Summary};

/// Writes the raw exports of an invented retailer.
pub(in crate::cli) fn sample(
    global: &Global,
    arguments: &SampleArguments,
    output: &Output,
) -> ExitStatus {
    let threads = global.threads.as_ref().and_then(|threads| threads.parse().ok());
    let options = sample::Options {
        customers: arguments.customers,
        days: arguments.days,
        seed: arguments.seed,
        last_day: arguments.last_day,
        activity: arguments.activity,
        out: arguments.out.clone(),
        threads: threads.unwrap_or_else(available_threads),
    };
    match sample::write(&options, &|_| {}) {
        Ok(summary) => {
            output.data(&text(&summary));
            ExitStatus::Success
        }
        Err(error) => {
            output.error(&error);
            ExitStatus::Permanent
        }
    }
}

/// Tells what was written, and what was planted in it.
fn text(summary: &Summary) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<20}{:>7}{:>12}{:>10}{:>12}{:>8}{:>8}",
        "source", "files", "bytes", "rows", "duplicates", "dirty", "late"
    );
    for (name, source) in &summary.sources {
        let dirty: u64 = source.dirty.values().sum();
        let _ = writeln!(
            text,
            "{name:<20}{:>7}{:>12}{:>10}{:>12}{dirty:>8}{:>8}",
            source.files, source.bytes, source.rows, source.duplicates, source.late
        );
    }
    text
}
