//! What the names in an expression refer to.

use std::collections::BTreeSet;

use datafusion::common::{Column, DFSchemaRef};
use datafusion::error::{DataFusionError, Result};

use super::origin::{Origin, Origins, Trace};

/// The rows that a part of a plan yields.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) schema: DFSchemaRef,
    /// One for each field of the schema.
    pub(super) columns: Vec<Trace>,
    /// What decides which rows there are.
    pub(super) chosen_by: Origins,
    /// What the rows are ordered by, which decides which of them are within a limit.
    pub(super) ordered_by: Origins,
    /// The tables whose rows these are.
    pub(super) tables: BTreeSet<String>,
}

impl Relation {
    /// Returns the rows of the tables, as a value.
    pub(super) fn rows(&self) -> Trace {
        let value = self.tables.iter().map(|table| Origin::rows(table)).collect();
        Trace { value, influences: Origins::new() }
    }
}

/// What an expression may refer to: the columns of its input, and those of the queries around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) relation: &'a Relation,
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// Returns what a column of the input is made of.
    pub(super) fn column(&self, column: &Column) -> Result<Trace> {
        self.find(column).ok_or_else(|| missing(column))
    }

    /// Returns what a column of a query around this one is made of.
    pub(super) fn outer_column(&self, column: &Column) -> Result<Trace> {
        let mut scope = self.outer;
        while let Some(around) = scope {
            if let Some(trace) = around.find(column) {
                return Ok(trace);
            }
            scope = around.outer;
        }
        Err(missing(column))
    }

    fn find(&self, column: &Column) -> Option<Trace> {
        let index = self.relation.schema.maybe_index_of_column(column)?;
        self.relation.columns.get(index).cloned()
    }
}

fn missing(column: &Column) -> DataFusionError {
    DataFusionError::Internal(format!("no part of the plan yields the column `{column}`"))
}
