//! Finds and removes what no generation that is kept needs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::swap::{is_local, local_path};
use super::{Generation, Warehouse, WarehouseError, Zone, crash};

/// How many objects are removed at once.
const AT_ONCE: usize = 16;

/// What is to be kept whatever else is removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// How many of the newest generations, and of the newest runs.
    pub(crate) newest: usize,
    /// Everything that is not older than this.
    pub(crate) since: DateTime<Utc>,
}

impl Warehouse {
    /// Returns the objects that nothing that is kept needs, in order of their paths.
    ///
    /// The files of generations themselves are always kept: they tell which nights there have been. So are Delta
    /// logs, which look after themselves.
    pub(crate) async fn waste(&self, keep: Keep) -> Result<Vec<ObjectMeta>, WarehouseError> {
        let kept = self.kept_generations(keep).await?;
        let runs = self.kept_runs(keep, &kept).await?;
        let needed: BTreeSet<Path> = kept
            .iter()
            .flat_map(Generation::files)
            .map(|file| self.layout().named(&file.path))
            .collect();
        let mut found = Vec::new();
        for zone in Zone::ALL {
            found.extend(self.list(&self.layout().zone(*zone)).await?);
        }
        found.extend(self.list(&self.layout().runs()).await?);
        let of_kept_run = |path: &Path| {
            path.parts().any(|part| runs.iter().any(|run| part.as_ref().starts_with(run.as_str())))
        };
        let is_waste = |meta: &ObjectMeta| {
            meta.last_modified < keep.since
                && !needed.contains(&meta.location)
                && !meta.location.parts().any(|part| part.as_ref() == "_delta_log")
                && !of_kept_run(&meta.location)
        };
        Ok(found.into_iter().filter(is_waste).collect())
    }

    /// Removes objects; one that is gone already is no mistake.
    pub(crate) async fn remove(&self, objects: &[ObjectMeta]) -> Result<(), WarehouseError> {
        let Some(lease) = self.lease() else {
            return Err(WarehouseError::NoLease { path: self.layout().lease().to_string() });
        };
        lease.confirm().await?;
        crash::point("removing", "waste");
        let removals = objects.iter().map(|meta| self.remove_one(&meta.location));
        let removals: Vec<_> = removals.collect();
        futures::stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    /// Removes what writes that were cut off have left in a folder of this machine, where no listing shows it.
    ///
    /// Elsewhere such leftovers are parts of uploads, which a rule of the bucket removes.
    pub(crate) fn remove_fragments(&self, keep: Keep) {
        if is_local(self.root()) {
            remove_fragments(&local_path(self.layout().folder(), ""), keep.since);
        }
    }

    /// Removes an object; one that is gone already is no mistake.
    pub(super) async fn remove_one(&self, path: &Path) -> Result<(), WarehouseError> {
        match self.root().store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(WarehouseError::Write { path: path.to_string(), source }),
        }
    }

    /// Returns the newest generations, those that are not old enough, the one that is shown, and the one the next night
    /// builds on.
    async fn kept_generations(&self, keep: Keep) -> Result<Vec<Generation>, WarehouseError> {
        let current = self.current_number().await?;
        let written = self.list(&self.layout().generations()).await?;
        let young: BTreeSet<Path> = written
            .into_iter()
            .filter(|meta| meta.last_modified >= keep.since)
            .map(|meta| meta.location)
            .collect();
        let mut all = self.generations().await?;
        let shown = self.of_number(&all, current)?;
        let head = shown.map(|shown| shown.head).filter(|head| *head > 0);
        self.of_number(&all, head)?;
        let first_newest = all.len().saturating_sub(keep.newest);
        let newest = all.get(first_newest).map(|generation| generation.number);
        all.retain(|generation| {
            Some(generation.number) == current
                || Some(generation.number) == head
                || newest.is_some_and(|newest| generation.number >= newest)
                || young.contains(&self.layout().generation(generation.number))
        });
        Ok(all)
    }

    /// Finds a generation; one whose file is gone keeps everything from being removed, for nobody knows what it needs.
    fn of_number<'a>(
        &self,
        all: &'a [Generation],
        number: Option<u64>,
    ) -> Result<Option<&'a Generation>, WarehouseError> {
        let Some(number) = number else { return Ok(None) };
        let found = all.iter().find(|generation| generation.number == number);
        let path = || self.shown(&self.layout().generation(number));
        found.map_or_else(|| Err(WarehouseError::Missing { path: path() }), |found| Ok(Some(found)))
    }

    /// Returns the newest runs and those that made a generation that is kept.
    async fn kept_runs(
        &self,
        keep: Keep,
        kept: &[Generation],
    ) -> Result<BTreeSet<String>, WarehouseError> {
        let runs = self.run_ids().await?;
        let newest = runs.iter().rev().take(keep.newest).map(ToString::to_string);
        let kept = kept.iter().map(|generation| generation.run_id.clone());
        Ok(newest.chain(kept).collect())
    }
}

/// Removes files named `<name>#<number>`, the names under which local files are written before they are moved.
fn remove_fragments(folder: &std::path::Path, since: DateTime<Utc>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
        let is_fragment = number.is_some_and(|number| number.parse::<u64>().is_ok());
        let is_old =
            metadata.modified().is_ok_and(|written| DateTime::<Utc>::from(written) < since);
        if metadata.is_dir() {
            remove_fragments(&entry.path(), since);
        } else if is_fragment && is_old {
            // One that cannot be removed harms nobody.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
