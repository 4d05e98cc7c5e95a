//! `martlet schema`.

use crate::cli::author_args::SchemaOf;
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::{settings, spec};

/// Prints the JSON Schema of a kind of file.
pub(in crate::cli) fn schema(of: SchemaOf, output: &Output) -> ExitStatus {
    let schema = match of {
        SchemaOf::Pipeline => spec::pipeline_schema(),
        SchemaOf::Sidecar => spec::sidecar_schema(),
        SchemaOf::Environment => settings::environment_schema(),
    };
    output.data(&format!("{:#}\n", schema.to_value()));
    ExitStatus::Success
}
