//! The lineage of a whole pipeline: every table, every column, and what each is made of directly.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::TableSource;
use datafusion::logical_expr::builder::LogicalTableSource;

use super::origin::{Origin, Origins};
use super::relation::relation;
use super::scope::Relation;
use crate::engine::{Parameters, Tables, plan_select, planning_session};
use crate::plan::{self, ConstantTable, IDENTITY_CUSTOMERS, Plan, Source, Stage, added};
use crate::zone::AsOf;

/// What every column of a pipeline is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) pipeline: String,
    /// Each after the tables it reads.
    pub(crate) tables: Vec<Table>,
}

/// A table a run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    /// The tables it reads, in the order of their names.
    pub(crate) reads: BTreeSet<String>,
    pub(crate) columns: Vec<Column>,
    /// Whose rows its rows are.
    pub(crate) rows_of: BTreeSet<Origin>,
    /// What decides which rows it has.
    pub(crate) chosen_by: BTreeSet<Origin>,
}

/// Where a table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TableKind {
    Source,
    /// The table of resolved customers.
    Identity,
    /// A table whose rows stand in the pipeline itself.
    Constant,
    Stage,
    /// A stage that is published.
    Mart,
}

/// A column and what it is made of directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What it is computed from; nothing for a constant or a parameter.
    pub(crate) value: BTreeSet<Origin>,
    /// What only decides which rows there are, or which of several values is taken.
    pub(crate) influences: BTreeSet<Origin>,
}

impl Lineage {
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Plans every stage of a pipeline and reads from the plans what its columns are made of.
pub(crate) fn lineage(plan: &Plan) -> Result<Lineage> {
    let state = planning_session(plan.timezone).state();
    // The values of parameters make no difference to lineage; the night may be any.
    let night = AsOf::midnight(NaiveDate::default(), plan.timezone);
    let parameters = plan::parameters(night, &plan.currency, &plan.variables);
    let identifiers = identifiers(plan);
    let mut tables: Vec<Table> =
        plan.sources.iter().map(|source| of_source(source, &identifiers)).collect();
    if !plan.identity.identifiers.is_empty() {
        tables.push(of_customers(plan, &identifiers));
    }
    let mut known = declared(plan)?;
    let mut stages = Vec::new();
    for stage in &plan.stages {
        stages.push(of_stage(stage, &state, &known, &parameters)?);
        known.insert(
            stage.name.to_string(),
            Arc::new(LogicalTableSource::new(Arc::clone(&stage.schema))),
        );
    }
    let is_read =
        |constant: &&ConstantTable| stages.iter().any(|stage| stage.reads.contains(constant.name));
    tables.extend(plan.constants.iter().filter(is_read).map(of_constant));
    tables.extend(stages);
    Ok(Lineage { pipeline: plan.name.to_string(), tables })
}

/// Returns the tables that are there before the first stage, without data.
fn declared(plan: &Plan) -> Result<Tables> {
    let table = |schema| -> Arc<dyn TableSource> { Arc::new(LogicalTableSource::new(schema)) };
    let sources = plan.sources.iter();
    let mut tables: Tables =
        sources.map(|source| (source.name.to_string(), table(source.table_schema()))).collect();
    tables.insert(IDENTITY_CUSTOMERS.to_owned(), table(plan::identity_customers_schema()));
    tables.extend(plan.constant_tables()?);
    Ok(tables)
}

fn of_stage(
    stage: &Stage,
    state: &SessionState,
    known: &Tables,
    parameters: &Parameters,
) -> Result<Table> {
    let planned = plan_select(state, known, parameters, &stage.select)?;
    let Relation { columns, chosen_by, tables, .. } = relation(&planned, None)?;
    let fields = stage.schema.fields().iter();
    let columns = fields.zip(columns).map(|(field, trace)| {
        let mut influences = trace.influences;
        influences.extend(chosen_by.iter().cloned());
        column(field.name(), trace.value, influences)
    });
    Ok(Table {
        name: stage.name.to_string(),
        kind: if stage.published { TableKind::Mart } else { TableKind::Stage },
        reads: stage.select.tables.clone(),
        columns: columns.collect(),
        rows_of: tables.iter().map(|table| Origin::rows(table)).collect(),
        chosen_by,
    })
}

/// A clean table is made of raw fields; which of several rows of one key survives is the dedupe rule's to say.
fn of_source(source: &Source, identifiers: &Origins) -> Table {
    let name = source.name.as_str();
    let objects = Origins::from([Origin::Objects { source: name.to_owned() }]);
    let chosen_by = deduped_by(source);
    let field = |field: &String| Origin::Field { source: name.to_owned(), field: field.clone() };
    let fields = |column: &plan::Column| column.raw_fields().map(field).collect::<Origins>();
    let mut columns: Vec<Column> = source
        .columns
        .iter()
        .map(|written| column(written.name.as_str(), fields(written), chosen_by.clone()))
        .collect();
    let of_day = source.event_time.map(|index| &source.columns[index]);
    let day = of_day.map_or_else(
        || objects.clone(),
        |time| Origins::from([Origin::column(name, time.name.as_str())]),
    );
    columns.push(column(added::EVENT_DATE, day, chosen_by.clone()));
    columns.push(column(added::OBJECT, objects.clone(), chosen_by.clone()));
    columns.push(column(added::RECORD, objects.clone(), chosen_by.clone()));
    if !source.links.is_empty() {
        let mut influences = identifiers.clone();
        influences.extend(chosen_by.iter().cloned());
        columns.push(column(added::CUSTOMER_ID, links(source).collect(), influences));
    }
    Table {
        name: name.to_owned(),
        kind: TableKind::Source,
        reads: BTreeSet::new(),
        columns,
        rows_of: objects,
        chosen_by,
    }
}

fn deduped_by(source: &Source) -> Origins {
    let rule = source.dedupe.iter();
    let indexes = rule.flat_map(|rule| rule.key.iter().chain(&rule.order_by));
    let name = |index: &usize| source.columns[*index].name.as_str();
    indexes.map(|index| Origin::column(source.name.as_str(), name(index))).collect()
}

/// Customers are made of all identifiers of all sources.
fn of_customers(plan: &Plan, identifiers: &Origins) -> Table {
    let schema = plan::identity_customers_schema();
    let fields = schema.fields().iter();
    let linked = plan.sources.iter().filter(|source| !source.links.is_empty());
    let rows_of = linked.clone().map(|source| Origin::rows(source.name.as_str()));
    Table {
        name: IDENTITY_CUSTOMERS.to_owned(),
        kind: TableKind::Identity,
        reads: linked.clone().map(|source| source.name.to_string()).collect(),
        columns: fields
            .map(|field| column(field.name(), identifiers.clone(), Origins::new()))
            .collect(),
        rows_of: rows_of.collect(),
        chosen_by: identifiers.clone(),
    }
}

/// Its values come from nowhere else.
fn of_constant(constant: &ConstantTable) -> Table {
    let schema = constant.rows.schema();
    let fields = schema.fields().iter();
    Table {
        name: constant.name.to_owned(),
        kind: TableKind::Constant,
        reads: BTreeSet::new(),
        columns: fields.map(|field| column(field.name(), Origins::new(), Origins::new())).collect(),
        rows_of: Origins::new(),
        chosen_by: Origins::new(),
    }
}

/// Returns the columns of all sources that hold identifiers.
fn identifiers(plan: &Plan) -> Origins {
    plan.sources.iter().flat_map(|source| links(source)).collect()
}

fn links(source: &Source) -> impl Iterator<Item = Origin> {
    let name = |link: &plan::Link| source.columns[link.column].name.as_str();
    source.links.iter().map(move |link| Origin::column(source.name.as_str(), name(link)))
}

/// Makes a column; what it is computed from is told once.
fn column(name: &str, value: Origins, mut influences: Origins) -> Column {
    influences.retain(|origin| !value.contains(origin));
    Column { name: name.to_owned(), value, influences }
}
