//! Brings a Delta table to the files of a generation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{Action, Add, Transaction};
use deltalake_core::logstore::{StorageConfig, default_logstore};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableError};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use super::footer::{Footer, footer};
use super::schema::TableSchema;
use super::statistics::statistics;
use crate::engine::Root;
use crate::warehouse::error::is_conflict;
use crate::warehouse::{TableFile, TableRecord, WarehouseError};

/// Under which name a Delta table remembers the generation it shows.
const APPLICATION: &str = "martlet";
/// How often a commit is tried against other writers of the same table.
const TRIES: usize = 8;
/// How many footers of files are read at once.
const AT_ONCE: usize = 8;

/// A table of a generation and where its Delta table lies.
pub(in crate::warehouse) struct Target<'a> {
    pub(in crate::warehouse) root: &'a Root,
    pub(in crate::warehouse) folder: Path,
    pub(in crate::warehouse) record: &'a TableRecord,
    pub(in crate::warehouse) generation: u64,
    /// The files of the record, each with its path relative to the folder.
    pub(in crate::warehouse) files: Vec<(String, &'a TableFile)>,
}

/// Commits the difference between the Delta table and the files of a generation, if there is one.
///
/// The generation's number is the version of a transaction, so a commit whose answer was lost is recognised, and a
/// writer that comes too late leaves the table alone.
pub(in crate::warehouse) async fn commit(target: &Target<'_>) -> Result<(), WarehouseError> {
    let mut failure = None;
    for _ in 0..TRIES {
        let table = open(target).await.map_err(|error| failed(target, error))?;
        let shown = shown(&table).await.map_err(|error| failed(target, error))?;
        if shown > Some(target.generation as i64) {
            return Ok(());
        }
        if shown < Some(target.generation as i64)
            && let Some(error) = failure.take()
            && !is_conflict(&error)
        {
            return Err(failed(target, error));
        }
        let actions = difference(target, &table).await?;
        if actions.is_empty() {
            return Ok(());
        }
        match write(target, &table, actions).await {
            Ok(()) => return Ok(()),
            Err(error) => failure = Some(error),
        }
    }
    Err(WarehouseError::Busy { path: target.folder.to_string() })
}

/// Opens the table; one that is not there yet is not loaded.
async fn open(target: &Target<'_>) -> Result<DeltaTable, DeltaTableError> {
    let Target { root, folder, .. } = target;
    // The library takes names apart as URLs, and what a name holds that means something there as what it means. So it is
    // shown the table as if nothing were around it.
    let table: Arc<dyn ObjectStore> =
        Arc::new(PrefixStore::new(Arc::clone(&root.store), folder.clone()));
    let log = default_logstore(Arc::clone(&table), table, &root.url, &StorageConfig::default());
    let exists = log.is_delta_table_location().await?;
    let mut table = DeltaTable::new(log);
    if exists {
        table.load().await?;
    }
    Ok(table)
}

/// Returns the generation a table shows.
async fn shown(table: &DeltaTable) -> Result<Option<i64>, DeltaTableError> {
    match table.snapshot() {
        Ok(state) => state.transaction_version(table.log_store().as_ref(), APPLICATION).await,
        Err(_) => Ok(None),
    }
}

/// Returns what must be added, removed and told anew to get from the table to the target.
async fn difference(
    target: &Target<'_>,
    table: &DeltaTable,
) -> Result<Vec<Action>, WarehouseError> {
    let mut present = present(table).map_err(|error| failed(target, error))?;
    let mut missing = Vec::new();
    for (path, file) in &target.files {
        let present = present.remove(path);
        if present.is_none_or(|present| present.bytes != file.bytes as i64) {
            missing.push((path.as_str(), *file));
        }
    }
    if missing.is_empty() && present.is_empty() {
        return Ok(Vec::new());
    }
    let footers = footers(target, &missing).await?;
    let mut actions = Vec::new();
    if let Some(schema) = columns_told(target, &missing, &footers).await? {
        let wanted = TableSchema::new(&schema, target.record);
        actions.extend(wanted.actions(table).map_err(|error| failed(target, error))?);
    }
    let adds = missing.iter().zip(&footers);
    let adds = adds.map(|((path, file), footer)| Action::Add(add(path, file, footer)));
    actions.extend(present.into_values().map(|present| present.remove));
    actions.extend(adds);
    Ok(actions)
}

/// Returns the columns the table is to have: those of its newest files, or nothing where none is new.
///
/// The nights of a history may differ in their columns; the table has those of the night computed last, which is that
/// of its contract.
async fn columns_told(
    target: &Target<'_>,
    missing: &[File<'_>],
    footers: &[Footer],
) -> Result<Option<SchemaRef>, WarehouseError> {
    let newest = footers.last().map(|footer| Arc::clone(&footer.schema));
    let Some(history) = &target.record.history else { return Ok(newest) };
    let mut files = target.files.iter().map(|(path, file)| (path.as_str(), *file));
    let Some((path, file)) = files.find(|(_, file)| file.as_of == Some(history.as_of)) else {
        return Ok(newest);
    };
    if let Some(read) = missing.iter().position(|(other, _)| *other == path) {
        return Ok(Some(Arc::clone(&footers[read].schema)));
    }
    let footer = footer(target.root, &target.folder, path, file.bytes).await?;
    Ok(Some(footer.schema))
}

type File<'a> = (&'a str, &'a TableFile);

/// Reads the footers of files, several at once and in their order.
async fn footers(target: &Target<'_>, files: &[File<'_>]) -> Result<Vec<Footer>, WarehouseError> {
    let read =
        files.iter().map(|&(path, file)| footer(target.root, &target.folder, path, file.bytes));
    let read: Vec<_> = read.collect();
    futures::stream::iter(read).buffered(AT_ONCE).try_collect().await
}

/// A file of the Delta table.
struct Present {
    bytes: i64,
    remove: Action,
}

/// Returns the files of the table by path.
fn present(table: &DeltaTable) -> Result<BTreeMap<String, Present>, DeltaTableError> {
    let Ok(state) = table.snapshot() else { return Ok(BTreeMap::new()) };
    let files = state.snapshot().try_log_data()?;
    let files = files.iter().map(|file| {
        let present =
            Present { bytes: file.size(), remove: Action::Remove(file.remove_action(true)) };
        (file.path().into_owned(), present)
    });
    Ok(files.collect())
}

fn add(path: &str, file: &TableFile, footer: &Footer) -> Add {
    Add {
        path: path.to_owned(),
        partition_values: HashMap::new(),
        size: file.bytes as i64,
        modification_time: footer.modified.timestamp_millis(),
        data_change: true,
        stats: Some(statistics(footer).to_string()),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}

async fn write(
    target: &Target<'_>,
    table: &DeltaTable,
    actions: Vec<Action>,
) -> Result<(), DeltaTableError> {
    // Whoever was faster must be looked at anew, not merged with.
    let properties = CommitProperties::default()
        .with_max_retries(0)
        .with_application_transaction(Transaction::new(APPLICATION, target.generation as i64));
    let operation =
        DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
    let state = table.snapshot().ok();
    let state = state.map(|state| state as &dyn TableReference);
    let builder = CommitBuilder::from(properties).with_actions(actions);
    builder.build(state, table.log_store(), operation).await.map(|_| ())
}

fn failed(target: &Target<'_>, source: DeltaTableError) -> WarehouseError {
    WarehouseError::Delta { path: target.folder.to_string(), source: Box::new(source) }
}
