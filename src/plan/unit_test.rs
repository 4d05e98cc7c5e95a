//! Tests of stages as validated.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;

use super::stage::Variable;
use crate::engine::Select;

/// A test of a stage: every table and column it names is there, and every value has its type.
#[derive(Debug)]
pub(crate) struct UnitTest {
    pub(crate) name: String,
    /// The file it stands in and the line there.
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
    pub(crate) as_of: NaiveDate,
    pub(crate) timezone: chrono_tz::Tz,
    pub(crate) variables: Vec<Variable>,
    /// What is asked: the stage, or a table of its `WITH`.
    pub(crate) select: Select,
    /// The columns that are yielded, in canonical types.
    pub(crate) schema: SchemaRef,
    /// The tables that are given, with their schemas.
    pub(crate) given: Vec<(String, SchemaRef, Fixture)>,
    pub(crate) expect: Expectation,
}

/// Rows of a table.
#[derive(Debug)]
pub(crate) enum Fixture {
    /// All columns of the table, or those that are compared.
    Rows(RecordBatch),
    /// A `SELECT` that reads no table, and the columns it yields.
    Sql(Box<Select>, SchemaRef),
}

/// What must come.
#[derive(Debug)]
pub(crate) struct Expectation {
    pub(crate) rows: Fixture,
    pub(crate) matching: Match,
}

/// How the rows that are expected relate to those that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// They are all rows.
    All,
    /// They are among the rows.
    Some,
}
