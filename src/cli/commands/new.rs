//! `martlet new`.

use crate::cli::args::Global;
use crate::cli::author_args::New;
use crate::cli::environment;
use crate::cli::exit_status::ExitStatus;
use crate::cli::new::{self, Draft, NoDraft};
use crate::cli::output::Output;

/// Drafts files for an author to go on with.
pub(in crate::cli) fn new(global: &Global, what: &New, output: &Output) -> ExitStatus {
    let draft = match what {
        New::Stage(stage) => new::stage(&global.project, stage),
        New::Pipeline(pipeline) => new::pipeline(&global.project, pipeline),
        New::Source(source) => {
            environment::resolve(global).map_err(NoDraft::from).and_then(|environment| {
                let raw = environment.raw.shown(&environment.raw.prefix);
                new::source(&global.project, &raw, source)
            })
        }
    };
    let written = draft.and_then(|draft| Ok((draft.write(&global.project)?, draft)));
    match written {
        Ok((paths, Draft { next, .. })) => {
            output.data(&format!("{}\n", paths.join("\n")));
            output.note(&format!("\nnext:\n  {}", next.join("\n  ")));
            ExitStatus::Success
        }
        Err(reason) => refused(reason, output),
    }
}

fn refused(reason: NoDraft, output: &Output) -> ExitStatus {
    match reason {
        NoDraft::Mistakes(found) => output.diagnostics(&found),
        NoDraft::Usage { message, hint } => output.plain_error(&message, &hint),
        NoDraft::Infer(error) => output.error(&error),
        NoDraft::File(path, error) => {
            output.plain_error(&format!("`{path}` cannot be written: {error}"), "see `--project`");
            return ExitStatus::Permanent;
        }
    }
    ExitStatus::Usage
}
