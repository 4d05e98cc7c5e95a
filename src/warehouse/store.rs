//! Reading and writing a pipeline's warehouse.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::upload::Abandoned;
use super::{Decision, Generation, Layout, Lease, WarehouseError, Zone, crash};
use crate::engine::Root;
use crate::names::{PipelineName, RunId};

/// The warehouse of one pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Warehouse {
    root: Root,
    layout: Layout,
    /// Without it the warehouse can be read, but nothing can be published.
    lease: Option<Arc<Lease>>,
    pub(super) abandoned: Abandoned,
}

/// The file of each table, by the run that wrote it.
pub(crate) type FilesByRun = BTreeMap<RunId, BTreeMap<String, Path>>;

/// Returns the pipelines that have a warehouse below `root`, in order of their names.
pub(crate) async fn pipelines(root: &Root) -> Result<Vec<PipelineName>, WarehouseError> {
    let prefix = (!root.prefix.as_ref().is_empty()).then_some(&root.prefix);
    let listed = root
        .store
        .list_with_delimiter(prefix)
        .await
        .map_err(|source| WarehouseError::Read { path: root.shown(&root.prefix), source })?;
    let names = listed.common_prefixes.iter().filter_map(|path| path.filename()?.parse().ok());
    let mut names: Vec<PipelineName> = names.collect();
    names.sort();
    Ok(names)
}

impl Warehouse {
    pub(crate) fn open(root: Root, pipeline: &PipelineName) -> Self {
        let layout = Layout::new(&root.prefix, pipeline);
        Self { root, layout, lease: None, abandoned: Abandoned::default() }
    }

    /// Returns the warehouse for a run that holds `lease`.
    pub(crate) fn under(self, lease: Arc<Lease>) -> Self {
        Self { lease: Some(lease), ..self }
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        self.lease.as_deref()
    }

    /// Opens a warehouse that lies elsewhere than that of its pipeline.
    pub(super) fn with_layout(root: Root, layout: Layout) -> Self {
        Self { root, layout, lease: None, abandoned: Abandoned::default() }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// Returns the present generation, if there is one.
    pub(crate) async fn current(&self) -> Result<Option<Generation>, WarehouseError> {
        match self.current_number().await? {
            None => Ok(None),
            Some(number) => match self.generation(number).await? {
                Some(generation) => Ok(Some(generation)),
                None => Err(WarehouseError::Missing {
                    path: self.shown(&self.layout().generation(number)),
                }),
            },
        }
    }

    /// Returns the generation the next night builds on.
    pub(crate) async fn head(
        &self,
        current: Option<&Generation>,
    ) -> Result<Option<Generation>, WarehouseError> {
        match current {
            Some(current) if current.head != 0 && current.head != current.number => {
                self.generation(current.head).await
            }
            current => Ok(current.cloned()),
        }
    }

    /// Returns the newest generation below a number, if there is one.
    pub(crate) async fn generation_before(
        &self,
        number: u64,
    ) -> Result<Option<Generation>, WarehouseError> {
        for number in (1..number).rev() {
            let found = self.generation(number).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Returns a generation and those that led to it, the newest first. What a rollback has left behind is not among them.
    pub(crate) async fn lineage(
        &self,
        last: &Generation,
    ) -> Result<Vec<Generation>, WarehouseError> {
        let (mut lineage, mut next) = (Vec::new(), Some(last.clone()));
        while let Some(generation) = next {
            let above = generation.restores.map_or(generation.number, |restored| restored + 1);
            next = self.generation_before(above).await?;
            lineage.push(generation);
        }
        Ok(lineage)
    }

    /// Returns the number `CURRENT` shows.
    pub(crate) async fn current_number(&self) -> Result<Option<u64>, WarehouseError> {
        let path = self.layout.current();
        let pointer = self.read(&path).await?;
        pointer.map(|pointer| parsed(&path, &pointer)).transpose()
    }

    /// Returns the generation of a number, if there is one.
    pub(crate) async fn generation(
        &self,
        number: u64,
    ) -> Result<Option<Generation>, WarehouseError> {
        let path = self.layout.generation(number);
        let text = self.read(&path).await?;
        text.map(|text| parsed(&path, &text)).transpose()
    }

    /// Returns the numbers of all generations, the oldest first.
    pub(crate) async fn generation_numbers(&self) -> Result<Vec<u64>, WarehouseError> {
        let listed = self.list(&self.layout.generations()).await?;
        let number =
            |meta: &ObjectMeta| meta.location.filename()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = listed.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Lists everything below a folder, in order of the paths; a folder that is not there is empty.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, WarehouseError> {
        let failed = |source| WarehouseError::Read { path: folder.to_string(), source };
        let listed = self.root.store.list(Some(folder)).try_collect::<Vec<_>>().await;
        let mut listed = match listed {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            listed => listed.map_err(failed)?,
        };
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(listed)
    }

    /// Writes the report of a run.
    pub(crate) async fn write_report(
        &self,
        run: &RunId,
        report: &impl serde::Serialize,
    ) -> Result<(), WarehouseError> {
        let path = self.layout.report(run);
        let text = json(&path, report)?;
        crash::point("reporting", "the run");
        self.write(&path, text).await?;
        crash::point("reported", "the run");
        Ok(())
    }

    /// Returns the report of a run as it was written; none where the run was killed or is still under way.
    pub(crate) async fn report(
        &self,
        run: &RunId,
    ) -> Result<Option<serde_json::Value>, WarehouseError> {
        let path = self.layout.report(run);
        let text = self.read(&path).await?;
        text.map(|text| parsed(&path, &text)).transpose()
    }

    /// Returns the files of a zone that each run has written, published or not, by table.
    pub(crate) async fn files_by_run(&self, zone: Zone) -> Result<FilesByRun, WarehouseError> {
        let listed = self.list(&self.layout.zone(zone)).await?;
        let mut runs = FilesByRun::new();
        for meta in listed {
            if let Some((table, run)) = self.layout.table_and_run(zone, &meta.location) {
                runs.entry(run).or_default().insert(table, meta.location);
            }
        }
        Ok(runs)
    }

    /// Returns the number the next generation gets: beyond every generation file there is.
    ///
    /// A run that was killed between its generation file and the pointer has used up a number.
    pub(crate) async fn next_number(&self, current: Option<u64>) -> Result<u64, WarehouseError> {
        let mut number = current.unwrap_or(0) + 1;
        while self.read(&self.layout.generation(number)).await?.is_some() {
            number += 1;
        }
        Ok(number)
    }

    /// Returns what people have decided about who is who, the oldest first.
    pub(crate) async fn decisions(&self) -> Result<Vec<Decision>, WarehouseError> {
        let mut decisions = Vec::new();
        for path in self.decision_files().await? {
            if let Some(text) = self.read(&path).await? {
                decisions.push(parsed(&path, &text)?);
            }
        }
        Ok(decisions)
    }

    /// Writes a decision under the next number that is free, so that of two made at once none is lost.
    pub(crate) async fn decide(&self, decision: &Decision) -> Result<Path, WarehouseError> {
        let listed = self.decision_files().await?;
        let number = |path: &Path| path.filename()?.strip_suffix(".json")?.parse::<u64>().ok();
        let mut number = listed.iter().filter_map(number).max().unwrap_or(0) + 1;
        loop {
            let path = self.layout.decision(number);
            let text = json(&path, decision)?;
            let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.root.store.put_opts(&path, text.into(), create).await {
                Ok(_) => return Ok(path),
                Err(object_store::Error::AlreadyExists { .. }) => number += 1,
                Err(source) => {
                    return Err(WarehouseError::Write { path: path.to_string(), source });
                }
            }
        }
    }

    async fn decision_files(&self) -> Result<Vec<Path>, WarehouseError> {
        let listed = self.list(&self.layout.decisions()).await?;
        Ok(listed.into_iter().map(|meta| meta.location).collect())
    }

    /// Writes an object whole.
    pub(crate) async fn write(&self, path: &Path, content: Bytes) -> Result<(), WarehouseError> {
        let put = self.root.store.put(path, content.into()).await;
        put.map(|_| ()).map_err(|source| WarehouseError::Write { path: path.to_string(), source })
    }

    /// Reads a table of a generation whole; a table the generation does not have is empty.
    pub(crate) async fn table(
        &self,
        generation: &Generation,
        zone: Zone,
        name: &str,
    ) -> Result<Vec<RecordBatch>, WarehouseError> {
        let mut batches = Vec::new();
        let found = generation.tables(zone).find(|(table, _)| *table == name);
        for file in found.iter().flat_map(|(_, table)| &table.files) {
            let path = self.layout.named(&file.path);
            let damaged = |source| WarehouseError::Damaged {
                path: path.to_string(),
                source: Box::new(source),
            };
            let Some(content) = self.read(&path).await? else {
                return Err(WarehouseError::Missing { path: path.to_string() });
            };
            let reader = ParquetRecordBatchReaderBuilder::try_new(content)
                .and_then(ParquetRecordBatchReaderBuilder::build)
                .map_err(damaged)?;
            for batch in reader {
                batches.push(batch.map_err(|error| damaged(error.into()))?);
            }
        }
        Ok(batches)
    }

    /// Names what is written in a way that does not differ from run to run.
    pub(super) fn subject(&self, path: &Path) -> String {
        let relative = self.layout.relative(path);
        relative.rsplit_once('/').map_or(relative.clone(), |(folder, _)| folder.to_owned())
    }

    /// Writes a path as a person would open it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        self.root.shown(path)
    }

    /// Returns the content of an object, if it is there.
    pub(crate) async fn read(&self, path: &Path) -> Result<Option<Bytes>, WarehouseError> {
        let read_error = |source| WarehouseError::Read { path: path.to_string(), source };
        match self.root.store.get(path).await {
            Ok(found) => found.bytes().await.map(Some).map_err(read_error),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(read_error(source)),
        }
    }
}

pub(super) fn json(path: &Path, value: &impl serde::Serialize) -> Result<Bytes, WarehouseError> {
    serde_json::to_vec_pretty(value)
        .map(Bytes::from)
        .map_err(|source| WarehouseError::Corrupt { path: path.to_string(), source })
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &[u8],
) -> Result<T, WarehouseError> {
    serde_json::from_slice(text)
        .map_err(|source| WarehouseError::Corrupt { path: path.to_string(), source })
}
