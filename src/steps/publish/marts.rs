//! Marts: those of a night beside those that are carried, and marts alone, as a development warehouse holds them.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use super::apply::{AT_ONCE, uploaded};
use super::{Night, Publication, PublishError};
use crate::engine::{Context, FileSummary};
use crate::plan::{History, Plan, Stage, written_type};
use crate::warehouse::{Commit, GENERATION_VERSION, Generation, TableRecord, Warehouse, Zone};

/// Uploads marts and commits them, beside those that are carried, as a generation without other tables.
pub(crate) async fn publish_marts<'a>(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    staged: impl Iterator<Item = (&'a Stage, &'a [FileSummary])>,
    night: Night,
) -> Result<Publication, PublishError> {
    let marts = marts(ctx, warehouse, staged, &night).await?;
    let generation = Generation {
        version: GENERATION_VERSION,
        number: night.number,
        pipeline: plan.name.to_string(),
        run_id: ctx.run_id.to_string(),
        as_of: ctx.as_of.date,
        timezone: plan.timezone.name().to_owned(),
        digest: night.digest,
        head: night.number,
        rules: night.rules,
        parts: night.parts,
        states: night.states,
        fence: 0,
        restores: None,
        tables: BTreeMap::from([(Zone::Marts, marts)]),
    };
    match warehouse.commit(&generation).await? {
        Commit::Conflict => Ok(Publication::Conflict { generation: night.number }),
        Commit::Committed => {
            warehouse.refresh_latest(&generation).await?;
            Ok(Publication::Published(Box::new(generation)))
        }
    }
}

/// Uploads the marts among `staged`, and returns them beside those that stay as they are.
pub(super) async fn marts<'a>(
    ctx: &Context,
    warehouse: &Warehouse,
    staged: impl Iterator<Item = (&'a Stage, &'a [FileSummary])>,
    night: &Night,
) -> Result<BTreeMap<String, TableRecord>, PublishError> {
    let staged = staged.filter(|(stage, _)| stage.published).map(|(stage, files)| async move {
        let name = stage.name.as_str();
        let record = uploaded(ctx, warehouse, Zone::Marts, name, files).await?;
        let record = match stage.history {
            History::Replace => record,
            History::Snapshot => {
                let former = night.marts_before.get(name);
                record.beside_other_nights(former, ctx.as_of.date, types(stage))
            }
        };
        Ok::<_, PublishError>((name.to_owned(), described(record, stage)))
    });
    let staged = stream::iter(staged.collect::<Vec<_>>()).buffered(AT_ONCE);
    let staged: Vec<(String, TableRecord)> = staged.try_collect().await?;
    Ok(night.carried.clone().into_iter().chain(staged).collect())
}

/// Returns the type of each column as its author writes it.
fn types(stage: &Stage) -> BTreeMap<String, String> {
    let fields = stage.schema.fields().iter();
    fields.map(|field| (field.name().clone(), written_type(field.data_type()))).collect()
}

/// Adds what the sidecar says of a mart and its columns.
pub(super) fn described(record: TableRecord, stage: &Stage) -> TableRecord {
    let described = stage
        .columns
        .iter()
        .filter_map(|column| Some((column.name.to_string(), column.description.clone()?)));
    TableRecord {
        description: stage.description.clone(),
        columns: described.collect(),
        not_additive: stage.not_additive(),
        ..record
    }
}
