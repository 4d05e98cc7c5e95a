//! Arguments, one file per command, printing, exit statuses.
//!
//! Guarantee: stdout is data, stderr is talk, and every end has its exit status.

mod answer;
mod args;
mod author_args;
mod commands;
mod contracts;
mod environment;
mod exit_status;
mod lease;
mod log;
mod main;
mod new;
mod outlook;
mod output;
mod personal;
mod plan_args;
mod plans;
mod progress;
mod project;
mod source_tree;
mod summary;
mod table;
mod test_report;
mod upkeep;
mod watch;

pub use main::main;
