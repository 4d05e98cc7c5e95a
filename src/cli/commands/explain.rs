//! `martlet explain`.

use crate::cli::args::ExplainArguments;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::diagnostics::{Code, nearest};

/// Prints what a code means, or all codes there are.
pub(in crate::cli) fn explain(arguments: &ExplainArguments, output: &Output) -> ExitStatus {
    let Some(written) = &arguments.code else {
        output.data(&all());
        return ExitStatus::Success;
    };
    match Code::ALL.iter().find(|code| code.as_str() == written) {
        Some(code) => {
            output.data(code.explanation());
            ExitStatus::Success
        }
        None => {
            let near = nearest(written, Code::ALL.iter().map(|code| code.as_str()));
            let hint = near.map_or_else(
                || "`martlet explain` lists all codes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            output.plain_error(&format!("no diagnostic has the code `{written}`"), &hint);
            ExitStatus::Usage
        }
    }
}

fn all() -> String {
    let title = |code: &Code| {
        let title = code.explanation().lines().next().unwrap_or_default();
        title.trim_start_matches("# ").to_owned()
    };
    let line = |code: &Code| format!("{:<24}  {}\n", code.as_str(), title(code));
    Code::ALL.iter().map(line).collect::<Vec<_>>().concat()
}
