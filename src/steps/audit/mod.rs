//! Evaluates every check on the staged tables.
//!
//! Guarantee: [`Audited`] exists only where no check of severity `error` has failed. The audit changes nothing.

mod apply;
mod error;
mod intake;
mod types;

pub(crate) use apply::{audit, evaluate};
pub(crate) use error::AuditError;
pub(crate) use intake::{IntakeError, adds_up, admit, admit_fields, balance};
pub(crate) use types::{Audited, Verdict};
