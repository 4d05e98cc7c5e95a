//! A pipeline as validated: no dangling name, no cycle, SQL planned against schemas.
//!
//! Pure: no clock, no environment, no input or output.

mod data_type;
mod examination;
mod exchange;
mod identity;
mod incremental;
mod intake;
mod matching;
#[cfg(test)]
mod matching_tests;
mod pattern;
mod preparation;
mod resolve;
mod selection;
mod source;
mod sql_diagnostic;
mod stage;
#[cfg(test)]
mod tests;
mod typed_text;
mod unit;
mod unit_test;
mod wording;

pub(crate) use data_type::written as written_type;
pub(crate) use examination::{Examination, StageFinding};
pub(crate) use exchange::{Currency, Exchange, RateColumns};
pub(crate) use identity::*;
pub(crate) use incremental::{Incremental, Reading};
pub(crate) use intake::{Days, Expect, Limits, OnError, XlsxFormat};
pub(crate) use matching::*;
pub(crate) use pattern::PathPattern;
pub(crate) use preparation::*;
pub(crate) use resolve::{examine, identity_customers_schema, resolve};
pub(crate) use selection::Selection;
pub(crate) use source::*;
pub(crate) use sql_diagnostic::{no_question, not_planned as sql_mistake};
pub(crate) use stage::{
    AS_OF, AS_OF_DATE, CURRENCY, Check, CheckSeverity, ConstantTable, History, IDENTITY_CUSTOMERS,
    Plan, RowChecks, Stage, Variable, parameters,
};
pub(crate) use unit::{Conversion, UNITS, Unit};
pub(crate) use unit_test::{Fixture, Match, UnitTest};
