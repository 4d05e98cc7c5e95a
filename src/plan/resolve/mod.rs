//! From a pipeline as written to a pipeline as validated.
//!
//! Every mistake is reported at once; only what would merely follow from another mistake is left out.

mod checks;
mod column;
mod contract;
mod defaults;
mod exchange;
mod fixtures;
mod format;
mod history;
mod identity;
mod incremental;
mod intake;
mod lints;
mod margins;
mod match_key;
mod matching;
mod pipeline;
mod place;
mod planned;
mod preparation;
mod rfm;
mod source;
mod stages;
mod unit_tests;
mod variable_rules;
mod variables;

pub(crate) use pipeline::{examine, resolve};
pub(crate) use stages::identity_customers_schema;
