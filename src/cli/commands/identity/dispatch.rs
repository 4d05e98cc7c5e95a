//! `martlet identity`.

use super::answer::Answer;
use super::registry::Registry;
use super::{audit, show, split, unlink, why};
use crate::cli::args::{Global, IdentityCommand, IdentityOptions};
use crate::cli::commands::query::{NoAnswer, refused};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;

/// Explains who is who, or takes down a decision.
pub(in crate::cli) fn identity(
    global: &Global,
    command: &IdentityCommand,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let options = options(command);
    let answer = runtime.block_on(answer(&environment, command, options));
    match answer.and_then(|answer| answer.written(options.format)) {
        Ok((notes, data)) => {
            for note in &notes {
                output.note(note);
            }
            output.data(&data);
            ExitStatus::Success
        }
        Err(reason) => refused(reason, "identity", output),
    }
}

async fn answer(
    environment: &Environment,
    command: &IdentityCommand,
    options: &IdentityOptions,
) -> Result<Answer, NoAnswer> {
    let registry = Registry::open(environment, options).await?;
    match command {
        IdentityCommand::Show { who, .. } => show::show(&registry, who).await,
        IdentityCommand::Why { one, other, .. } => why::why(&registry, one, other).await,
        IdentityCommand::Audit { limit, .. } => audit::audit(&registry, *limit).await,
        IdentityCommand::Split { customer, keep, .. } => {
            split::split(&registry, customer, keep).await
        }
        IdentityCommand::Unlink { one, other, .. } => unlink::unlink(&registry, one, other).await,
    }
}

fn options(command: &IdentityCommand) -> &IdentityOptions {
    match command {
        IdentityCommand::Show { options, .. }
        | IdentityCommand::Why { options, .. }
        | IdentityCommand::Audit { options, .. }
        | IdentityCommand::Split { options, .. }
        | IdentityCommand::Unlink { options, .. } => options,
    }
}
