//! Uploads the tables of a night and commits them as a generation.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};

use super::PublishError;
use super::marts::{described, marts};
use crate::engine::{Context, FileSummary, ParquetFile, ParquetOptions};
use crate::plan::Plan;
use crate::steps::audit::Audited;
use crate::steps::identity::{CleanFile, CleanTable, FormerFiles, Identified};
use crate::warehouse::{
    Commit, GENERATION_VERSION, Generation, Ledger, Parts, StageStates, TableFile, TableRecord,
    Warehouse, Zone,
};

/// What became of a night that was to be published.
#[must_use]
pub(crate) enum Publication {
    Published(Box<Generation>),
    /// Another run has published meanwhile; this one's tables stay unseen.
    Conflict {
        generation: u64,
    },
}

type Tables = BTreeMap<String, TableRecord>;

/// How many tables are uploaded at once: a store takes its time to answer, whatever the size of a file.
pub(super) const AT_ONCE: usize = 8;

/// Uploads marts, clean tables and identity tables, commits them with `rejects` as one generation, and refreshes `latest/`.
pub(crate) async fn publish(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    audited: Audited,
    night: Night,
) -> Result<Publication, PublishError> {
    let identified = &audited.transformed.identified;
    let clean = identified.tables.iter().map(|table| async move {
        let record = clean_table(ctx, warehouse, table).await?;
        Ok::<_, PublishError>((table.source.name.to_string(), record))
    });
    let clean = stream::iter(clean.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    let staged = audited.transformed.staged.iter();
    let staged = staged.map(|staged| (&*staged.stage, staged.files.as_slice()));
    let mut marts = marts(ctx, warehouse, staged, &night).await?;
    let left = &audited.transformed.unchanged.tables;
    marts.extend(unchanged(plan, left));
    let stages = kept_stages(ctx, warehouse, plan, &audited).await?;
    let identity = identity_tables(ctx, warehouse, identified, &night.former).await?;
    let objects = night.ledger.to_batch()?;
    let objects = stored(ctx, warehouse, Zone::Ledger, LEDGER, &objects).await?;
    // Versions that know of no such tables can read a generation without any.
    let stages = Some((Zone::Stages, stages)).filter(|(_, stages)| !stages.is_empty());
    let generation = Generation {
        version: GENERATION_VERSION,
        number: night.number,
        pipeline: plan.name.to_string(),
        run_id: ctx.run_id.to_string(),
        as_of: ctx.as_of.date,
        timezone: plan.timezone.name().to_owned(),
        digest: night.digest,
        head: night.newer.unwrap_or(night.number),
        rules: night.rules,
        parts: night.parts,
        states: night.states,
        fence: 0,
        restores: None,
        tables: BTreeMap::from([
            (Zone::Ledger, Tables::from([(LEDGER.to_owned(), objects)])),
            (Zone::Clean, clean),
            (Zone::Identity, identity),
            (Zone::Marts, marts),
            (Zone::Rejects, night.rejects),
        ])
        .into_iter()
        .chain(stages)
        .collect(),
    };
    match warehouse.commit(&generation).await? {
        Commit::Conflict => return Ok(Publication::Conflict { generation: night.number }),
        Commit::Committed => warehouse.refresh_latest(&generation).await?,
    }
    Ok(Publication::Published(Box::new(generation)))
}

/// Returns the marts that stay as they are, with what their sidecars say by now.
fn unchanged(plan: &Plan, tables: &Tables) -> Tables {
    let stages = plan.stages.iter().filter(|stage| stage.published);
    let described = stages.filter_map(|stage| {
        let table = tables.get(stage.name.as_str())?;
        Some((stage.name.to_string(), described(table.clone(), stage)))
    });
    described.collect()
}

/// Uploads the tables from which stages that are no marts go on, and returns them beside those that stay as they are.
async fn kept_stages(
    ctx: &Context,
    warehouse: &Warehouse,
    plan: &Plan,
    audited: &Audited,
) -> Result<Tables, PublishError> {
    let transformed = &audited.transformed;
    let left = &transformed.unchanged.tables;
    let kept = plan.stages.iter().filter(|stage| stage.is_kept());
    let mut tables: Tables = kept
        .filter_map(|it| Some((it.name.to_string(), left.get(it.name.as_str())?.clone())))
        .collect();
    let staged = transformed.staged.iter().filter(|staged| staged.stage.is_kept());
    let staged = staged.map(|staged| async move {
        // One file stands for the columns of a table without rows.
        let mut files: Vec<FileSummary> = staged.files.clone();
        files.sort_by_key(|file| file.rows == 0);
        let filled = files.iter().filter(|file| file.rows > 0).count();
        files.truncate(filled.max(1));
        let name = staged.stage.name.as_str();
        let record = uploaded(ctx, warehouse, Zone::Stages, name, &files).await?;
        Ok::<_, PublishError>((name.to_owned(), record))
    });
    let staged = stream::iter(staged.collect::<Vec<_>>()).buffered(AT_ONCE);
    tables.extend(staged.try_collect::<Vec<_>>().await?);
    Ok(tables)
}

/// What publishing needs to know of the night beside its tables.
pub(crate) struct Night {
    /// The number of the generation it is to become.
    pub(crate) number: u64,
    /// A digest of the rules, the inputs and `as_of`.
    pub(crate) digest: String,
    /// The generation of a later night, on which the next night builds; none where it builds on this one.
    pub(crate) newer: Option<u64>,
    /// The objects its clean tables are made of.
    pub(crate) ledger: Ledger,
    /// By source a digest of its rules.
    pub(crate) rules: BTreeMap<String, String>,
    /// What else the night is made by, part by part.
    pub(crate) parts: Option<Parts>,
    /// By stage, what its rows follow from.
    pub(crate) states: StageStates,
    /// The reject tables, already kept.
    pub(crate) rejects: BTreeMap<String, TableRecord>,
    /// The marts that stay as the present generation has them.
    pub(crate) carried: BTreeMap<String, TableRecord>,
    /// The marts of the present generation, whose histories go on.
    pub(crate) marts_before: BTreeMap<String, TableRecord>,
    /// The identity tables of the night before.
    pub(crate) former: BTreeMap<String, TableRecord>,
}

/// Uploads what is new of a clean table.
async fn clean_table(
    ctx: &Context,
    warehouse: &Warehouse,
    table: &CleanTable,
) -> Result<TableRecord, PublishError> {
    let mut files = Vec::with_capacity(table.files.len());
    for (part, file) in table.files.iter().enumerate() {
        files.push(match file {
            CleanFile::Stored(file) => file.clone(),
            CleanFile::Written { file, dates } => {
                let name = table.source.name.as_str();
                let path = warehouse.layout().table_file(Zone::Clean, name, &ctx.run_id, part);
                TableFile { dates: *dates, ..warehouse.upload(file, &path).await? }
            }
        });
    }
    Ok(TableRecord::of(files))
}

impl Night {
    /// Begins a night that has taken nothing in yet.
    pub(crate) fn new(number: u64, newer: Option<u64>, digest: String) -> Self {
        Self {
            number,
            newer,
            digest,
            ledger: Ledger::default(),
            rules: BTreeMap::new(),
            parts: None,
            states: StageStates::new(),
            rejects: Tables::new(),
            carried: Tables::new(),
            marts_before: Tables::new(),
            former: Tables::new(),
        }
    }
}

/// Uploads the tables of identity; files of the night before that still count stay as they are.
async fn identity_tables(
    ctx: &Context,
    warehouse: &Warehouse,
    identified: &Identified,
    former: &Tables,
) -> Result<Tables, PublishError> {
    let tables = identified.stored.iter().map(|table| async move {
        let mut files = former.get(table.name).map_or_else(Vec::new, |table| table.files.clone());
        match table.former {
            FormerFiles::Replaced => files.clear(),
            FormerFiles::Kept => {}
            FormerFiles::KeptButLast => files.truncate(files.len().saturating_sub(1)),
        }
        let new = table.filled(!files.is_empty());
        let mut record = uploaded(ctx, warehouse, Zone::Identity, table.name, &new).await?;
        files.append(&mut record.files);
        let rows = files.iter().map(|file| file.rows).sum();
        Ok((table.name.to_owned(), TableRecord { rows, files, ..record }))
    });
    stream::iter(tables.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await
}

/// The table of the objects that went in.
pub(crate) const LEDGER: &str = "objects";

/// Stores a batch as a table of one file.
pub(super) async fn stored(
    ctx: &Context,
    warehouse: &Warehouse,
    zone: Zone,
    name: &str,
    batch: &RecordBatch,
) -> Result<TableRecord, PublishError> {
    let file = written(ctx, zone, name, batch).await?;
    uploaded(ctx, warehouse, zone, name, &[file]).await
}

/// Writes a batch to a file of the work folder, on a thread that may be kept busy.
async fn written(
    ctx: &Context,
    zone: Zone,
    name: &str,
    batch: &RecordBatch,
) -> Result<FileSummary, PublishError> {
    let path = ctx.work.join(format!("{}-{name}.parquet", zone.folder()));
    let batch = batch.clone();
    let write = move || {
        let mut file = ParquetFile::create(&path, &batch.schema(), ParquetOptions::published())?;
        file.write(&batch)?;
        Ok::<_, PublishError>(file.finish()?)
    };
    tokio::task::spawn_blocking(write).await.map_err(PublishError::Thread)?
}

pub(super) async fn uploaded(
    ctx: &Context,
    warehouse: &Warehouse,
    zone: Zone,
    name: &str,
    files: &[FileSummary],
) -> Result<TableRecord, PublishError> {
    let mut uploaded = Vec::with_capacity(files.len());
    for (part, file) in files.iter().enumerate() {
        let path = warehouse.layout().table_file(zone, name, &ctx.run_id, part);
        uploaded.push(warehouse.upload(file, &path).await?);
    }
    Ok(TableRecord::of(uploaded))
}
