//! Stages and checks as validated.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;

use super::identity::Identity;
use super::incremental::Incremental;
use super::source::Source;
use super::unit_test::UnitTest;
use crate::engine::{Parameters, Select, Tables};
use crate::names::{ColumnName, PipelineName, StageName, VariableName};

/// A pipeline in which no name dangles, no stages form a circle and all SQL is planned.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: PipelineName,
    pub(crate) timezone: chrono_tz::Tz,
    /// The reporting currency, as an ISO 4217 code.
    pub(crate) currency: String,
    pub(crate) variables: Vec<Variable>,
    /// Tables whose rows stand in the pipeline itself.
    pub(crate) constants: Vec<ConstantTable>,
    pub(crate) sources: Vec<Arc<Source>>,
    pub(crate) identity: Identity,
    /// The stages the published marts need, each after those it reads.
    pub(crate) stages: Vec<Arc<Stage>>,
    /// Sound stages that nothing published needs, each after those it reads; a run passes them over.
    pub(crate) idle: Vec<Arc<Stage>>,
    /// Marts that this run does not compute, because it was told so.
    pub(crate) left_out: Vec<StageName>,
    /// A digest of every text the plan was made of; another digest means other rules.
    pub(crate) fingerprint: String,
}

/// A table whose rows stand in the pipeline itself.
#[derive(Debug, Clone)]
pub(crate) struct ConstantTable {
    pub(crate) name: &'static str,
    pub(crate) rows: RecordBatch,
}

impl Plan {
    /// Returns the tables that stand in the pipeline itself, to be read by its stages.
    pub(crate) fn constant_tables(&self) -> Result<Tables, DataFusionError> {
        let table = |constant: &ConstantTable| {
            let rows = vec![vec![constant.rows.clone()]];
            let table = MemTable::try_new(constant.rows.schema(), rows)?;
            Ok((constant.name.to_owned(), provider_as_source(Arc::new(table))))
        };
        self.constants.iter().map(table).collect()
    }
}

/// A variable of a pipeline with its typed value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: VariableName,
    pub(crate) value: ScalarValue,
}

/// One `SELECT` with its contract and checks.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: StageName,
    pub(crate) select: Select,
    /// The columns it yields, in canonical types.
    pub(crate) schema: SchemaRef,
    pub(crate) description: Option<String>,
    pub(crate) columns: Vec<StageColumn>,
    pub(crate) checks: Vec<Check>,
    /// The places of columns that tell all rows of a table that passes its checks apart, from left to right.
    pub(crate) telling_columns: Vec<usize>,
    /// The place of the check that no two rows are equal in them, where there is one.
    pub(crate) key_check: Option<usize>,
    /// Those of the checks that look at one row at a time, together.
    pub(crate) row_checks: Option<RowChecks>,
    pub(crate) tests: Vec<UnitTest>,
    /// Whether the stage is a mart.
    pub(crate) published: bool,
    /// What becomes of the rows of earlier nights, where it is a mart.
    pub(crate) history: History,
    /// How it is computed customer by customer, where it is.
    pub(crate) incremental: Option<Incremental>,
}

impl Stage {
    /// Says whether its table outlives the run although it is no mart.
    pub(crate) fn is_kept(&self) -> bool {
        self.incremental.is_some() && !self.published
    }

    /// Returns the columns whose values may not be added up over rows.
    pub(crate) fn not_additive(&self) -> BTreeSet<String> {
        let columns = self.columns.iter().filter(|column| !column.additive);
        columns.map(|column| column.name.to_string()).collect()
    }
}

/// What becomes of a mart's rows of earlier nights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// They make room for those of the last run.
    Replace,
    /// They stay beside each other, told apart by the column `as_of`; a run replaces those of its own `as_of`.
    Snapshot,
}

/// What a sidecar says of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StageColumn {
    pub(crate) name: ColumnName,
    pub(crate) description: Option<String>,
    /// Whether it holds personal data, where the author says so.
    pub(crate) pii: Option<bool>,
    /// Whether its values may be added up over rows.
    pub(crate) additive: bool,
}

/// An assertion on a stage's table.
#[derive(Debug)]
pub(crate) struct Check {
    /// Names the rule and its columns, such as `not_null(customer_id)`.
    pub(crate) name: String,
    pub(crate) severity: CheckSeverity,
    /// Yields one row with one number: how many rows break the rule.
    pub(crate) select: Select,
    /// Yields the columns of every row in which no two may be equal, where that is all the rule says.
    pub(crate) key: Option<Box<Select>>,
}

/// Checks of single rows as one query.
#[derive(Debug)]
pub(crate) struct RowChecks {
    /// The places of the checks among those of the stage.
    pub(crate) checks: Vec<usize>,
    /// Yields one row with a number for each check: how many rows break its rule.
    pub(crate) select: Select,
}

/// What a failed check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckSeverity {
    /// Nothing is published.
    Error,
    /// The failure is reported.
    Warn,
}

/// The name under which SQL sees the exclusive local midnight of a run, and the column that tells the nights of a
/// snapshot apart.
pub(crate) const AS_OF: &str = "as_of";
/// The name under which SQL sees the local date of that midnight.
pub(crate) const AS_OF_DATE: &str = "as_of_date";
/// The name under which SQL sees the reporting currency.
pub(crate) const CURRENCY: &str = "currency";
/// The table of resolved customers, where a pipeline has identity rules.
pub(crate) const IDENTITY_CUSTOMERS: &str = "identity_customers";

/// Returns the parameters SQL may use: `$as_of`, `$as_of_date`, `$currency` and the variables.
pub(crate) fn parameters(
    as_of: crate::zone::AsOf,
    currency: &str,
    variables: &[Variable],
) -> Parameters {
    let instant = ScalarValue::TimestampMicrosecond(
        Some(as_of.instant.timestamp_micros()),
        Some("UTC".into()),
    );
    let date = ScalarValue::Date32(Some(as_of.date.to_epoch_days()));
    let mut values = vec![
        (AS_OF.to_owned(), instant),
        (AS_OF_DATE.to_owned(), date),
        (CURRENCY.to_owned(), ScalarValue::from(currency)),
    ];
    values.extend(
        variables
            .iter()
            .map(|variable| (variable.name.as_str().to_owned(), variable.value.clone())),
    );
    Parameters::new(values)
}
