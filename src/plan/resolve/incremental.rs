//! Stages that are computed customer by customer, and the proof that they can be.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};
use datafusion::logical_expr::LogicalPlan;

use super::place::Place;
use super::stages::{Parsed, Scope, identity_customers_schema};
use crate::diagnostics::{Code, Diagnostics};
use crate::engine::{Ground, Input, Inseparable, Night, Separation, separable, stamps};
use crate::plan::incremental::{Incremental, Reading};
use crate::plan::sql_diagnostic::bytes;
use crate::plan::stage::{AS_OF, AS_OF_DATE, History, IDENTITY_CUSTOMERS, Stage};
use crate::spec;

/// What is known of the tables a stage may read.
pub(super) struct Known {
    ground: Ground,
    tables: BTreeMap<String, Table>,
}

struct Table {
    columns: Vec<String>,
    kind: Kind,
}

/// How it can be told what differs in a table from the night before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its rows of both nights can be laid side by side.
    Rows,
    /// By a digest of all that its rows follow from.
    Digest,
    /// Not at all: it has customers, but its rows are gone when the night is over.
    Gone,
}

impl Known {
    /// Looks at the tables that are no stages.
    pub(super) fn of_sources(scope: &Scope<'_>) -> Self {
        let nights = [(AS_OF, Night::Instant), (AS_OF_DATE, Night::Date)];
        let nights = nights.map(|(name, night)| (name.to_owned(), night));
        let key = spec::Key::CustomerId.column().to_owned();
        let ground = Ground { key, inputs: BTreeMap::new(), nights: nights.into() };
        let mut known = Self { ground, tables: BTreeMap::new() };
        for source in scope.sources {
            known.put(source.name.as_str(), &source.table_schema(), Kind::Rows, Input::default());
        }
        for constant in scope.constants {
            known.put(constant.name, &constant.rows.schema(), Kind::Digest, Input::default());
        }
        if scope.has_identity {
            let schema = identity_customers_schema();
            known.put(IDENTITY_CUSTOMERS, &schema, Kind::Rows, Input::default());
        }
        known
    }

    /// Adds a stage that was planned.
    pub(super) fn add(&mut self, stage: &Stage, written: &LogicalPlan) {
        let lasts = stage.published && stage.history == History::Replace;
        let kind = match stage.incremental {
            Some(_) => Kind::Rows,
            None if lasts => Kind::Rows,
            None if has_key(&stage.schema, &self.ground.key) => Kind::Gone,
            None => Kind::Digest,
        };
        let stamps = match &stage.incremental {
            Some(incremental) => incremental.separation.stamps.clone(),
            None => stamps(written, &self.ground),
        };
        let input = Input { stamps, ..Input::default() };
        self.put(stage.name.as_str(), &stage.schema, kind, input);
    }

    fn put(&mut self, name: &str, schema: &Schema, kind: Kind, input: Input) {
        let is_keyed = kind == Kind::Rows && has_key(schema, &self.ground.key);
        self.ground.inputs.insert(name.to_owned(), Input { is_keyed, ..input });
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        self.tables.insert(name.to_owned(), Table { columns, kind });
    }

    /// Tells how a table is read by a stage that comes apart.
    fn reading(&self, name: &str, separation: &Separation) -> Reading {
        let input = self.ground.inputs.get(name);
        let is_stamp = |column: &str| input.is_some_and(|input| input.stamps.contains_key(column));
        let counts =
            |column: &&String| separation.mentioned.contains(*column) && !is_stamp(column.as_str());
        match self.tables.get(name) {
            Some(table) if table.kind == Kind::Rows => Reading::Rows {
                is_keyed: input.is_some_and(|input| input.is_keyed),
                columns: table.columns.iter().filter(counts).cloned().collect(),
            },
            _ => Reading::Digest,
        }
    }
}

fn has_key(schema: &Schema, key: &str) -> bool {
    schema.field_with_name(key).is_ok_and(|field| *field.data_type() == DataType::Utf8)
}

/// Proves that a stage can be computed customer by customer, where its author says so; reports what stands against it.
pub(super) fn resolve(
    stage: &Parsed<'_>,
    written: &LogicalPlan,
    known: &Known,
    found: &mut Diagnostics,
) -> Option<Incremental> {
    let sidecar = stage.spec.sidecar.as_ref()?;
    let claim = sidecar.sidecar.incremental?;
    let place = Place::root(&sidecar.file, &sidecar.positions).child("incremental");
    let refused = |reason: &str, help: &str| {
        let message = format!("`{}` cannot be computed by customer: {reason}", stage.name);
        place.error(Code::BadIncremental, message).help(help)
    };
    let tables = &stage.select.tables;
    for table in tables {
        // What is wrong with a table that could not be planned is told already.
        if known.tables.get(table)?.kind == Kind::Gone {
            let reason = format!("the rows of `{table}` are gone when the night is over");
            let help = format!("give `{table}` the key `incremental` too, or publish it");
            found.push(refused(&reason, &help));
            return None;
        }
    }
    match separable(written, &known.ground) {
        Ok(separation) => {
            let reading = |table: &String| (table.clone(), known.reading(table, &separation));
            let inputs = tables.iter().map(reading).collect();
            Some(Incremental { key: claim.by.column(), separation, inputs })
        }
        Err(Inseparable { reason, help, place }) => {
            let diagnostic = refused(&reason, help);
            let sql = &stage.spec.sql;
            let shown = |at| diagnostic.clone().labelled(sql, bytes(&sql.text, at), "here");
            found.push(place.map_or_else(|| diagnostic.clone(), shown));
            None
        }
    }
}
