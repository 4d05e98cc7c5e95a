//! Parts of a night by themselves, for the programs under `benches`; nobody else is promised anything.
//!
//! A part is made once, of what it is given, and is then done as often as wanted. It is done on the calling thread alone:
//! a profiler that looks at one thread sees all of it.

mod customers;
mod intake;
mod project;
mod query;

pub use customers::{Edges, groups, identity};
pub use intake::{Batches, Contest, Intake};
pub use project::Project;
pub use query::{Query, Rows, Tables, Value};

use std::error::Error;

/// Tells an error with all that caused it.
fn told(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
