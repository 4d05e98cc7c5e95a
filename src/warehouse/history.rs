//! The generations there have been, and the way back to one of them.

use std::collections::{BTreeMap, BTreeSet};

use object_store::path::Path;

use super::{Commit, Generation, Warehouse, WarehouseError, Zone};
use crate::names::RunId;

/// What became of a way back.
#[must_use]
#[derive(Debug)]
pub(crate) enum Restored {
    /// The number of the generation that now shows the tables again.
    As(u64),
    /// The number of the generation that shows them already.
    Already(u64),
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

    /// Returns the generation that a run has decided on, where it is the newest one.
    pub(crate) async fn decided_by(&self, run: &RunId) -> Result<Option<u64>, WarehouseError> {
        let newest = self.generation_numbers().await?.pop();
        let Some(number) = newest else { return Ok(None) };
        let generation = self.generation(number).await?;
        Ok(generation.filter(|found| found.run_id == run.as_str()).map(|found| found.number))
    }

    /// Returns the path of every file of every table, whether a generation names it or not.
    pub(crate) async fn table_files(&self) -> Result<BTreeSet<Path>, WarehouseError> {
        Ok(self.sizes().await?.into_keys().collect())
    }

    /// Says whether all files of a generation are among `files`.
    pub(crate) fn is_whole(&self, generation: &Generation, files: &BTreeSet<Path>) -> bool {
        generation.files().all(|file| files.contains(&self.layout().named(&file.path)))
    }

    /// Fails where a file of a generation is gone, or has not the size it was written with.
    ///
    /// Most files of a night are those of nights before it. Nobody may have read them for it, and a generation that names
    /// what is not there would show every reader less than it says.
    pub(super) async fn require_files(
        &self,
        generation: &Generation,
    ) -> Result<(), WarehouseError> {
        let sizes = self.sizes().await?;
        for file in generation.files() {
            let path = self.layout().named(&file.path);
            match sizes.get(&path) {
                None => return Err(WarehouseError::Missing { path: self.shown(&path) }),
                Some(bytes) if *bytes != file.bytes => {
                    let (path, bytes, written) = (self.shown(&path), *bytes, file.bytes);
                    return Err(WarehouseError::Altered { path, bytes, written });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Leaves out of a generation the files that are gone or cut off, and names them.
    ///
    /// What they held is lost for this generation; it is for whoever asks for that to tell people.
    pub(crate) async fn without_lost(
        &self,
        mut generation: Generation,
    ) -> Result<(Generation, Vec<String>), WarehouseError> {
        let (sizes, mut lost) = (self.sizes().await?, Vec::new());
        for table in generation.tables.values_mut().flat_map(BTreeMap::values_mut) {
            table.files.retain(|file| {
                let is_there = sizes.get(&self.layout().named(&file.path)) == Some(&file.bytes);
                if !is_there {
                    lost.push(file.path.clone());
                }
                is_there
            });
            table.rows = table.files.iter().map(|file| file.rows).sum();
        }
        Ok((generation, lost))
    }

    /// Returns the size of every file of every table.
    async fn sizes(&self) -> Result<BTreeMap<Path, u64>, WarehouseError> {
        let mut sizes = BTreeMap::new();
        for zone in Zone::ALL {
            let listed = self.list(&self.layout().zone(*zone)).await?;
            sizes.extend(listed.into_iter().map(|meta| (meta.location, meta.size)));
        }
        Ok(sizes)
    }

    /// Publishes the tables of an older generation again, as a generation of its own.
    pub(crate) async fn restore(
        &self,
        older: &Generation,
        run: &RunId,
    ) -> Result<Restored, WarehouseError> {
        self.roll_forward().await?;
        let current = self.current_number().await?;
        let shown = self.generation_if_there(current).await?;
        if let Some(shown) = shown.filter(|shown| shown.origin() == older.origin()) {
            return Ok(Restored::Already(shown.number));
        }
        let number = self.next_number(current).await?;
        let generation = Generation {
            number,
            // The next night builds on these tables, not on those that were rolled back.
            head: number,
            run_id: run.to_string(),
            restores: Some(older.origin()),
            ..older.clone()
        };
        match self.commit(&generation).await {
            Err(WarehouseError::Missing { .. }) => Ok(Restored::Vacuumed),
            Err(error) => Err(error),
            Ok(Commit::Conflict) => Ok(Restored::Conflict),
            Ok(Commit::Committed) => {
                self.refresh_latest(&generation).await?;
                Ok(Restored::As(number))
            }
        }
    }
}
