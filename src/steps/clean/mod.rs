//! Turns raw records into typed, normalised rows.
//!
//! Guarantee: every record of every object is a row of [`Cleaned`] that keeps all rules of its source, or a reject
//! that names the first rule it breaks. Parts and rejects do not depend on the number of threads. It never repairs a
//! value by guess, and never drops a record.
//!
//! The rules of a column apply in this order: Unicode form, split, trim (Unicode white space), tokens that mean "no
//! value" (the empty text always does), first of several fields, replace, case, map, notation of numbers, default,
//! required, type with unit, accepted values, and then currency. The row checks come last, over the rows whose columns are all right.
//! Of the rules a row breaks, the first counts: columns in the order of their declaration, then checks.
//!
//! Columns that ask for no more than trim, tokens, replace, case and default go from raw text to type in one pass;
//! all others have their texts prepared in a pass before it.
//!
//! ```text
//! id = ` 7 `, price = `19.90`   ─►   id = 7, price = 19.9000, _object = `a.csv`, _record = 1
//! id = `x7`, price = `19.90`    ─►   reject: record 2, column `id`, rule `type`, not an integer: `x7`
//! ```

mod apply;
mod batch;
mod boolean;
mod check;
mod column;
#[cfg(test)]
mod corpus_tests;
mod drift;
mod email;
mod error;
mod exchange;
mod faults;
mod fits;
mod helpers;
mod measure;
mod moment;
mod notation;
mod number;
mod phone;
mod prepare;
mod rejects;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod types;
mod unit;
mod zone;

pub(crate) use apply::clean;
pub(crate) use error::{CleanError, CleanErrorKind};
pub(crate) use exchange::{RateTables, Rates};
pub(crate) use measure::MeasuredBatches;
pub(crate) use rejects::{Rejects, reject_schema};
pub(crate) use types::{CleanPart, Cleaned, Reject};
