//! The generations there have been, and the way back to one of them.

use std::collections::BTreeSet;

use object_store::path::Path;

use super::{Commit, Generation, Warehouse, WarehouseError, Zone};
use crate::names::RunId;

/// What became of a way back.
#[must_use]
#[derive(Debug)]
pub(crate) enum Restored {
    /// The number of the generation that now shows the tables again.
    As(u64),
    /// Files of it have been removed.
    Vacuumed,
    /// Another run has published meanwhile.
    Conflict,
}

impl Warehouse {
    /// Returns all generations, the oldest first.
    pub(crate) async fn generations(&self) -> Result<Vec<Generation>, WarehouseError> {
        let mut all = Vec::new();
        for number in self.generation_numbers().await? {
            all.extend(self.generation(number).await?);
        }
        Ok(all)
    }

    /// Returns the path of every file of every table, whether a generation names it or not.
    pub(crate) async fn table_files(&self) -> Result<BTreeSet<Path>, WarehouseError> {
        let mut files = BTreeSet::new();
        for zone in Zone::ALL {
            let listed = self.list(&self.layout().zone(*zone)).await?;
            files.extend(listed.into_iter().map(|meta| meta.location));
        }
        Ok(files)
    }

    /// Says whether all files of a generation are among `files`.
    pub(crate) fn is_whole(&self, generation: &Generation, files: &BTreeSet<Path>) -> bool {
        generation.files().all(|file| files.contains(&self.layout().named(&file.path)))
    }

    /// Publishes the tables of an older generation again, as a generation of its own.
    pub(crate) async fn restore(
        &self,
        older: &Generation,
        run: &RunId,
    ) -> Result<Restored, WarehouseError> {
        self.roll_forward().await?;
        if !self.is_whole(older, &self.table_files().await?) {
            return Ok(Restored::Vacuumed);
        }
        let number = self.next_number(self.current().await?.as_ref()).await?;
        let generation = Generation {
            number,
            // The next night builds on these tables, not on those that were rolled back.
            head: number,
            run_id: run.to_string(),
            restores: Some(older.origin()),
            ..older.clone()
        };
        match self.commit(&generation).await? {
            Commit::Conflict => Ok(Restored::Conflict),
            Commit::Committed => {
                self.refresh_latest(&generation).await?;
                Ok(Restored::As(number))
            }
        }
    }
}
