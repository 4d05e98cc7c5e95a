//! Makes a generation the present one.
//!
//! The generation's file, created on condition that there is none of its number, is the decision. Everything after
//! it follows from that file alone, may be repeated, and is repeated by the next run where this one dies: the Delta
//! tables, then `CURRENT`, then `latest/`.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::delta::{self, Target};
use super::swap::{Swap, seen, swap};
use super::{Generation, TableRecord, Warehouse, WarehouseError, Zone, crash};

/// How many Delta tables are committed at once.
const AT_ONCE: usize = 8;
/// How often `CURRENT` is tried for when another process moves it in the same moment.
const TRIES: usize = 8;

/// What became of a generation that was to be committed.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Committed,
    /// Another run has committed a generation of this number.
    Conflict,
}

impl Warehouse {
    /// Writes a generation under its number, then makes the Delta tables and `CURRENT` follow.
    ///
    /// The lease is confirmed right before: a run that has lost it publishes nothing. Should it lose it between the
    /// two, the number still lets only one of two runs commit.
    pub(crate) async fn commit(&self, generation: &Generation) -> Result<Commit, WarehouseError> {
        let Some(lease) = self.lease() else {
            return Err(WarehouseError::NoLease { path: self.layout().lease().to_string() });
        };
        self.require_files(generation).await?;
        let generation = Generation { fence: lease.token(), ..generation.clone() };
        let path = self.layout().generation(generation.number);
        let text = super::store::json(&path, &generation)?;
        crash::point("deciding", generation.number);
        lease.confirm().await?;
        if let Swap::Lost = swap(self.root(), &path, None, text).await? {
            return Ok(Commit::Conflict);
        }
        crash::point("decided", generation.number);
        self.follow(&generation).await?;
        Ok(Commit::Committed)
    }

    /// Completes what a run has left that died after its decision: the newest generation, or `latest/` alone.
    pub(crate) async fn roll_forward(&self) -> Result<(), WarehouseError> {
        let current = self.current_number().await?;
        if let Some(number) = self.decided_beyond(current).await?
            && let Some(generation) = self.generation(number).await?
        {
            self.follow(&generation).await?;
            return self.refresh_latest(&generation).await;
        }
        if let Some(number) = current
            && self.latest_shown().await? != Some(number)
            && let Some(generation) = self.generation(number).await?
        {
            self.refresh_latest(&generation).await?;
        }
        Ok(())
    }

    /// Returns the generation that is present once the next run has completed what a run that died has decided, and its
    /// number where there is such a one.
    pub(crate) async fn current_as_completed(
        &self,
    ) -> Result<(Option<Generation>, Option<u64>), WarehouseError> {
        let current = self.current_number().await?;
        Ok(match self.decided_beyond(current).await? {
            Some(number) => (self.generation(number).await?, Some(number)),
            None => (self.current().await?, None),
        })
    }

    /// Returns the newest generation, where it is decided and `CURRENT` does not show it yet.
    async fn decided_beyond(&self, current: Option<u64>) -> Result<Option<u64>, WarehouseError> {
        let newest = self.generation_numbers().await?.last().copied();
        Ok(newest.filter(|newest| Some(*newest) > current))
    }

    /// Returns the generation of a number that may be none, or of one that is gone.
    pub(super) async fn generation_if_there(
        &self,
        number: Option<u64>,
    ) -> Result<Option<Generation>, WarehouseError> {
        match number {
            Some(number) => self.generation(number).await,
            None => Ok(None),
        }
    }

    /// Makes the Delta tables and then `CURRENT` show a generation that is decided.
    pub(super) async fn follow(&self, generation: &Generation) -> Result<(), WarehouseError> {
        let shown = self.generation_if_there(self.current_number().await?).await?;
        let (withdrawn, empty) =
            (generation.withdrawn(shown.as_ref()), TableRecord::of(Vec::new()));
        let withdrawn = withdrawn.into_iter().map(|(zone, name)| (zone, name, &empty));
        let commits =
            generation.all_tables().chain(withdrawn).map(|(zone, name, table)| async move {
                crash::point("committing", format_args!("{}/{name}", zone.folder()));
                delta::commit(&self.target(zone, name, table, generation.number)).await?;
                crash::point("committed", format_args!("{}/{name}", zone.folder()));
                Ok::<_, WarehouseError>(())
            });
        let commits: Vec<_> = commits.collect();
        futures::stream::iter(commits).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        crash::point("pointing", generation.number);
        self.point(generation.number).await?;
        crash::point("pointed", generation.number);
        Ok(())
    }

    fn target<'a>(
        &'a self,
        zone: Zone,
        name: &str,
        record: &'a TableRecord,
        generation: u64,
    ) -> Target<'a> {
        let folder = self.layout().table(zone, name);
        let prefix = self.layout().relative(&folder);
        let relative = |path: &str| {
            path.strip_prefix(&prefix).unwrap_or(path).trim_start_matches('/').to_owned()
        };
        let files = record.files.iter().map(|file| (relative(&file.path), file)).collect();
        Target { root: self.root(), folder, record, generation, files }
    }

    /// Moves `CURRENT` to a generation, but never back.
    async fn point(&self, number: u64) -> Result<(), WarehouseError> {
        let path = self.layout().current();
        for _ in 0..TRIES {
            let before = seen(self.root(), &path).await?;
            let present = before.as_ref().map(|seen| super::store::parsed(&path, &seen.content));
            if present.transpose()?.is_some_and(|present: u64| present >= number) {
                return Ok(());
            }
            let content = Bytes::from(number.to_string());
            if let Swap::Done = swap(self.root(), &path, before.as_ref(), content).await? {
                return Ok(());
            }
        }
        Err(WarehouseError::Busy { path: path.to_string() })
    }
}
