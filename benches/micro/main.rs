//! Parts of a night by themselves: `cargo bench --bench micro [FILTER]` tells how long each takes.
//!
//! `micro --names` lists them; `micro --once NAME…` does the work of each once, in [`counted`], after once for nothing:
//! `instructions.py` beside this counts how many instructions that takes.

mod attribution;
mod bench;
mod chance;
mod clean;
mod decode;
mod dedupe;
mod functions;
mod identity;
mod operators;
mod pipeline;
mod planning;
mod scoring;
mod write;

use std::process::ExitCode;
use std::time::Duration;

use criterion::{Criterion, Throughput};

use bench::{Amount, Bench, Failure, Work};

/// What the command itself uses.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--names"] => {
            for bench in benches() {
                say(&bench.name);
            }
            Ok(())
        }
        ["--once", names @ ..] => names.iter().try_for_each(|name| once(name)),
        _ => {
            measure();
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// Returns all benchmarks; those with the same word before the `/` come one after the other.
fn benches() -> Vec<Bench> {
    let groups = [
        decode::benches(),
        clean::benches(),
        dedupe::benches(),
        identity::benches(),
        scoring::benches(),
        attribution::benches(),
        functions::benches(),
        operators::benches(),
        write::benches(),
        planning::benches(),
    ];
    groups.into_iter().flatten().collect()
}

/// Does the work of a benchmark once for nothing, which fills what is filled once in a process, and once more.
fn once(name: &str) -> Result<(), Failure> {
    let bench = benches().into_iter().find(|bench| bench.name == name);
    let bench = bench.ok_or_else(|| format!("there is no benchmark `{name}`"))?;
    let mut work = bench.prepared()?;
    bench.judge(work())?;
    bench.judge(counted(&mut work))
}

/// Does the work; a function of its own, so that a profiler can tell it from what prepares it.
#[inline(never)]
fn counted(work: &mut Work) -> Result<u64, Failure> {
    work()
}

fn measure() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for group in benches().chunk_by(|left, right| left.group() == right.group()) {
        let mut measured = criterion.benchmark_group(group[0].group());
        for bench in group {
            measured.throughput(match bench.amount {
                Amount::Rows(rows) => Throughput::Elements(rows),
                Amount::Bytes(bytes) => Throughput::Bytes(bytes()),
            });
            // Nothing is prepared for what the filter leaves out.
            measured.bench_function(bench.part(), |bencher| {
                let mut work = succeeded(bench.prepared());
                bencher.iter(|| succeeded(bench.judge(counted(&mut work))));
            });
        }
        measured.finish();
    }
    criterion.final_summary();
}

#[expect(clippy::panic, reason = "a benchmark that fails measures nothing")]
fn succeeded<T>(outcome: Result<T, Failure>) -> T {
    outcome.unwrap_or_else(|failure| panic!("{failure}"))
}

#[expect(clippy::print_stdout, reason = "whoever asked for the names reads it")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "nothing else would tell it")]
fn complain(failure: &str) {
    eprintln!("{failure}");
}
