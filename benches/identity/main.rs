//! Resolves edges from a Parquet file to a map: `identity EDGES MAP THREADS`; `run.py` beside this measures it.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [edges, map, threads] = arguments.as_slice() else {
        // `cargo bench` and `cargo test --benches` pass arguments of their own.
        return ExitCode::SUCCESS;
    };
    let threads = threads.parse().unwrap_or(1);
    match martlet::measure::identity(Path::new(edges), Path::new(map), threads) {
        Ok((identifiers, customers)) => {
            report(&format!("{identifiers} {customers}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the harness reads it")]
fn report(line: &str) {
    println!("{line}");
}
