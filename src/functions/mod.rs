//! SQL functions the marts need and `DataFusion` lacks.
//!
//! Each is pure and documented with its definition; `martlet` registers all of them in every session.

mod bootstrap;
mod chain;
mod half_life;
mod kaplan_meier;
mod lists;
mod local_date;
mod markov;
mod period;
mod periods;
mod registry;
mod resample;
mod safe_divide;
mod square_root;

#[cfg(test)]
pub(crate) use registry::DEFINITIONS;
pub(crate) use registry::{aggregate_functions, markdown, scalar_functions, text, to_json};
