//! Parses the command line, runs the command, maps its end to an exit status.

use std::process::ExitCode;

use clap::Parser;

use super::args::{Arguments, Command};
use super::commands;
use super::exit_status::ExitStatus;
use super::output::Output;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too and are no mistakes.
            let status = if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Success };
            let _ = error.print();
            return status.into();
        }
    };
    super::log::start(&arguments.global);
    let output = Output::new(&arguments.global);
    let outcome = std::panic::catch_unwind(|| dispatch(arguments, &output));
    outcome.unwrap_or(ExitStatus::Bug).into()
}

fn dispatch(arguments: Arguments, output: &Output) -> ExitStatus {
    let global = &arguments.global;
    match arguments.command {
        Command::Run(run) => commands::run(global, &run, output),
        Command::Plan(plan) => commands::plan(global, &plan, output),
        Command::Check(check) => commands::check(global, &check, output),
        Command::Test(test) => commands::test(global, &test, output),
        Command::Explain(explain) => commands::explain(&explain, output),
        Command::Infer(infer) => commands::infer(global, &infer, output),
        Command::Lineage(lineage) => commands::lineage(global, &lineage, output),
        Command::Dev(dev) => commands::dev(global, &dev, output),
        Command::Preview(preview) => commands::preview(global, &preview, output),
        Command::Docs(docs) => commands::docs(global, &docs, output),
        Command::Functions { format } => commands::functions(format, output),
        Command::New(new) => commands::new(global, &new, output),
        Command::Query(query) => commands::query(global, &query, output),
        Command::Replay(replay) => commands::replay(global, &replay, output),
        Command::Rejects(rejects) => commands::rejects(global, &rejects, output),
        Command::Backfill(backfill) => commands::backfill(global, &backfill, output),
        Command::Runs(runs) => commands::runs(global, &runs, output),
        Command::Show(show) => commands::show(global, &show, output),
        Command::Generations(list) => commands::generations(global, &list, output),
        Command::Rollback(rollback) => commands::rollback(global, &rollback, output),
        Command::Diff(diff) => commands::diff(global, &diff, output),
        Command::Vacuum(vacuum) => commands::vacuum(global, &vacuum, output),
        Command::Doctor(doctor) => commands::doctor(global, &doctor, output),
        Command::Identity(identity) => commands::identity(global, &identity, output),
        Command::Schema { of } => commands::schema(of, output),
        Command::Sample(sample) => commands::sample(global, &sample, output),
        Command::Completions { shell } => commands::completions(shell, output),
    }
}
