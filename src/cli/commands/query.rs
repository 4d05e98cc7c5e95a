//! `martlet query`.

use std::io::{self, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::prelude::SQLOptions;

use super::dev;
use crate::cli::answer::{self, Unwritten};
use crate::cli::args::{Global, QueryArguments, TableFormat};
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::diagnostics::SourceFile;
use crate::engine::{Customers, Published, SelectError, judge_question};
use crate::names::PipelineName;
use crate::plan::{self, added};
use crate::run::{self, RunError, warehouse_class};
use crate::warehouse::{DevWarehouse, Generation, Warehouse, WarehouseError, Zone, pipelines};

/// The schema in which SQL sees every mart with the rows of its last night alone.
const LATEST: &str = "latest";

/// Says why there is no answer.
pub(super) enum NoAnswer {
    /// The question is wrong.
    Usage {
        message: String,
        hint: String,
    },
    Sql(Box<DataFusionError>, Vec<String>),
    /// The text is no question.
    NoQuestion(Box<SelectError>),
    Warehouse(WarehouseError),
    Customers(RunError),
    Output(ArrowError),
    /// There is one, but it cannot be handed over.
    Unwritten(Unwritten),
}

/// Asks the published tables.
pub(in crate::cli) fn query(
    global: &Global,
    arguments: &QueryArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let (sql, name) = match question(arguments) {
        Ok(question) => question,
        Err(error) => {
            output.error(&error);
            return ExitStatus::Usage;
        }
    };
    let answer = runtime.block_on(answer(&environment, arguments, &sql));
    let told = answer.and_then(|rows| {
        answer::tell(&rows, &arguments.answer, output).map_err(NoAnswer::Unwritten)
    });
    match told {
        Ok(()) => ExitStatus::Success,
        Err(reason) => refused_in(reason, &name, &sql, output),
    }
}

/// Returns the SQL and what it is called.
fn question(arguments: &QueryArguments) -> io::Result<(String, String)> {
    let Some(file) = &arguments.file else {
        return Ok((arguments.sql.clone().unwrap_or_default(), "query".to_owned()));
    };
    let mut sql = String::new();
    if file.as_os_str() == "-" {
        io::stdin().read_to_string(&mut sql)?;
    } else {
        sql = std::fs::read_to_string(file).map_err(|error| {
            io::Error::new(error.kind(), format!("`{}` cannot be read: {error}", file.display()))
        })?;
    }
    Ok((sql, file.display().to_string()))
}

async fn answer(
    environment: &Environment,
    arguments: &QueryArguments,
    sql: &str,
) -> Result<Vec<RecordBatch>, NoAnswer> {
    let pipeline = pipeline(environment, arguments.pipeline.as_deref()).await?;
    let root = environment.warehouse.clone();
    let dev = arguments.dev.as_ref().map(|name| DevWarehouse::open(root.clone(), &pipeline, name));
    let warehouse = dev
        .as_ref()
        .map_or_else(|| Warehouse::open(root, &pipeline), |dev| dev.warehouse().clone());
    let generation = match (arguments.generation, &arguments.dev) {
        (Some(number), _) => numbered(&warehouse, number).await?,
        (None, Some(name)) => dev::present(&warehouse, &pipeline, name).await?,
        (None, None) => present(&warehouse, &pipeline).await?,
    };
    let names: Vec<String> =
        generation.tables(Zone::Marts).map(|(name, _)| name.to_owned()).collect();
    let refused = |error| unanswered(error, &names);
    judge_question(sql).map_err(|error| NoAnswer::NoQuestion(Box::new(error)))?;
    let customers = customers(&warehouse, &generation, sql).await?;
    let published = published(environment, &warehouse, &generation, customers.as_ref()).await;
    let published = published.map_err(refused)?;
    let read_only =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = published.session.sql_with_options(sql, read_only).await;
    let frame = frame.map_err(refused)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let mut batches = frame.collect().await.map_err(refused)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

/// Says whether the question is wrong or a file it is about.
pub(super) fn unanswered(error: DataFusionError, tables: &[String]) -> NoAnswer {
    match WarehouseError::of_query(error) {
        Ok(error) => NoAnswer::Warehouse(error),
        Err(error) => NoAnswer::Sql(Box::new(error), tables.to_vec()),
    }
}

/// Returns the present generation.
pub(super) async fn present(
    warehouse: &Warehouse,
    pipeline: &PipelineName,
) -> Result<Generation, NoAnswer> {
    let current = warehouse.current().await.map_err(NoAnswer::Warehouse)?;
    current.ok_or_else(|| {
        usage(
            format!("the pipeline `{pipeline}` has published nothing yet"),
            "publish a night with `martlet run`",
        )
    })
}

/// Returns the generation of a number.
pub(super) async fn numbered(warehouse: &Warehouse, number: u64) -> Result<Generation, NoAnswer> {
    let found = warehouse.generation(number).await.map_err(NoAnswer::Warehouse)?;
    let missing = || usage(format!("there is no generation {number}"), "see `martlet generations`");
    found.ok_or_else(missing)
}

/// Returns the pipeline that is named, or the only one there is.
pub(super) async fn pipeline(
    environment: &Environment,
    named: Option<&str>,
) -> Result<PipelineName, NoAnswer> {
    if let Some(name) = named {
        return name
            .parse()
            .map_err(|reason| usage(format!("`{name}` is no pipeline: {reason}"), "see `--help`"));
    }
    let found = pipelines(&environment.warehouse).await.map_err(NoAnswer::Warehouse)?;
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(usage(
            format!("nothing is published in `{}`", environment.warehouse_shown()),
            "publish a night with `martlet run`, or say where with `--warehouse`",
        )),
        several => {
            let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            Err(usage(
                format!("the warehouse holds several pipelines: {}", names.join(", ")),
                "say which with `--pipeline`",
            ))
        }
    }
}

pub(super) fn usage(message: String, hint: &str) -> NoAnswer {
    NoAnswer::Usage { message, hint: hint.to_owned() }
}

/// Reads who is who, where the question may be about the rows of customers.
async fn customers(
    warehouse: &Warehouse,
    generation: &Generation,
    sql: &str,
) -> Result<Option<Arc<Customers>>, NoAnswer> {
    if !sql.to_lowercase().contains(Zone::Clean.folder()) {
        return Ok(None);
    }
    let customers = run::customers_of(warehouse, generation).await;
    Ok(Some(Arc::new(customers.map_err(NoAnswer::Customers)?)))
}

/// Makes a session that sees the tables of a generation, its clean tables with their customers.
pub(super) async fn with_customers(
    environment: &Environment,
    warehouse: &Warehouse,
    generation: &Generation,
) -> Result<Published, NoAnswer> {
    let customers = customers(warehouse, generation, Zone::Clean.folder()).await?;
    let published = published(environment, warehouse, generation, customers.as_ref()).await;
    published.map_err(|error| unanswered(error, &[]))
}

/// Makes a session that sees the tables of a generation.
async fn published(
    environment: &Environment,
    warehouse: &Warehouse,
    generation: &Generation,
    customers: Option<&Arc<Customers>>,
) -> Result<Published, DataFusionError> {
    let timezone = generation.timezone.parse().unwrap_or(chrono_tz::UTC);
    let published = Published::open(warehouse.root(), &environment.resources(), timezone)?;
    for zone in Zone::ALL {
        for (name, table) in generation.tables(*zone) {
            let files = table.last_night_first();
            let files = files.into_iter().map(|file| warehouse.layout().named(&file.path));
            let schema = (*zone != Zone::Marts).then(|| zone.folder());
            match customers.filter(|_| *zone == Zone::Clean) {
                Some(customers) => {
                    let columns = (added::IDENTIFIERS, added::CUSTOMER_ID);
                    let clean = zone.folder();
                    published.add_clean(clean, name, files.collect(), columns, customers).await?;
                }
                None => published.add(schema, name, files.collect()).await?,
            }
        }
    }
    for (name, table) in generation.tables(Zone::Marts) {
        let files = table.last_night().map(|file| warehouse.layout().named(&file.path));
        published.add_part(LATEST, name, files.collect()).await?;
    }
    Ok(published)
}

pub(super) fn written(batches: &[RecordBatch], format: TableFormat) -> Result<String, NoAnswer> {
    answer::text(batches, format).map_err(NoAnswer::Output)
}

pub(super) fn refused(reason: NoAnswer, sql: &str, output: &Output) -> ExitStatus {
    refused_in(reason, "query", sql, output)
}

/// Tells why there is no answer to a question that stands in the file `name`.
fn refused_in(reason: NoAnswer, name: &str, sql: &str, output: &Output) -> ExitStatus {
    match reason {
        NoAnswer::Usage { message, hint } => {
            output.plain_error(&message, &hint);
            ExitStatus::Usage
        }
        NoAnswer::Sql(error, tables) => {
            let file = SourceFile { path: name.into(), text: sql.into() };
            let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
            output.diagnostics(&[plan::sql_mistake(&file, &error, &tables)]);
            ExitStatus::Usage
        }
        NoAnswer::NoQuestion(error) => {
            let file = SourceFile { path: name.into(), text: sql.into() };
            output.diagnostics(&[plan::no_question(&file, &error)]);
            ExitStatus::Usage
        }
        NoAnswer::Warehouse(error) => {
            output.failure(&error, error.help());
            warehouse_class(&error).into()
        }
        NoAnswer::Customers(error) => {
            output.failure(&error, error.help().as_deref());
            error.class().into()
        }
        NoAnswer::Output(error) => {
            output.error(&error);
            ExitStatus::Bug
        }
        NoAnswer::Unwritten(error) => {
            output.error(&error);
            match error {
                Unwritten::Text(_) | Unwritten::Parquet(_) => ExitStatus::Bug,
                Unwritten::File { .. } => ExitStatus::Permanent,
                Unwritten::Terminal => ExitStatus::Usage,
            }
        }
    }
}
