//! `latest/`: of each mart one plain file, for tools that only open files.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use object_store::path::Path;

use super::copy::copy_over;
use super::{Generation, TableFile, Warehouse, WarehouseError, Zone, crash};

impl Warehouse {
    /// Makes `latest/` show the marts of a generation and no others; where it does so already, files that somebody has
    /// removed are put back.
    ///
    /// A run that was killed half-way through this leaves the marker on the older generation, so the next
    /// run does it again.
    pub(crate) async fn refresh_latest(
        &self,
        generation: &Generation,
    ) -> Result<(), WarehouseError> {
        let there = self.latest_there().await?;
        if self.latest_shown().await? == Some(generation.number) {
            return self.mend_latest(generation, &there).await;
        }
        self.withdraw_latest(generation, &there).await?;
        for (mart, file) in last_files(generation) {
            if !self.copy_latest(generation, mart, file).await? {
                return Ok(());
            }
        }
        crash::point("marking", generation.number);
        let number = Bytes::from(generation.number.to_string());
        self.write(&self.layout().latest_generation(), number).await?;
        crash::point("marked", generation.number);
        Ok(())
    }

    /// Returns the generation whose marts `latest/` shows; none where that is not known.
    pub(crate) async fn latest_shown(&self) -> Result<Option<u64>, WarehouseError> {
        let marker = self.read(&self.layout().latest_generation()).await?;
        // What is no number is as good as nothing: the marker is written anew.
        Ok(marker.and_then(|marker| std::str::from_utf8(&marker).ok()?.parse().ok()))
    }

    /// Returns the files in `latest/` with their sizes.
    async fn latest_there(&self) -> Result<BTreeMap<Path, u64>, WarehouseError> {
        let there = self.list(&self.layout().latest_folder()).await?;
        Ok(there.into_iter().map(|meta| (meta.location, meta.size)).collect())
    }

    /// Puts back what `latest/` lacks, or has cut off.
    async fn mend_latest(
        &self,
        generation: &Generation,
        there: &BTreeMap<Path, u64>,
    ) -> Result<(), WarehouseError> {
        for (mart, file) in last_files(generation) {
            if there.get(&self.layout().latest(mart)) != Some(&file.bytes)
                && !self.copy_latest(generation, mart, file).await?
            {
                break;
            }
        }
        Ok(())
    }

    /// Removes the files of what is no mart.
    async fn withdraw_latest(
        &self,
        generation: &Generation,
        there: &BTreeMap<Path, u64>,
    ) -> Result<(), WarehouseError> {
        let marts = generation.tables(Zone::Marts).map(|(mart, _)| self.layout().latest(mart));
        let marts: BTreeSet<Path> = marts.collect();
        let is_table = |path: &&Path| path.extension() == Some("parquet");
        for path in there.keys().filter(is_table).filter(|path| !marts.contains(path)) {
            if self.is_superseded(generation).await? {
                break;
            }
            let name = path.filename().unwrap_or_default();
            crash::point("withdrawing", name);
            self.remove_one(path).await?;
            crash::point("withdrawn", name);
        }
        Ok(())
    }

    /// Copies a mart to `latest/`, unless the files there are those of a later run by now; says whether it did.
    async fn copy_latest(
        &self,
        generation: &Generation,
        mart: &str,
        file: &TableFile,
    ) -> Result<bool, WarehouseError> {
        if self.is_superseded(generation).await? {
            return Ok(false);
        }
        crash::point("copying", mart);
        let (from, to) = (self.layout().named(&file.path), self.layout().latest(mart));
        let failed = |source| WarehouseError::Write { path: to.to_string(), source };
        copy_over(self.root(), &from, &to).await.map_err(failed)?;
        crash::point("copied", mart);
        Ok(true)
    }

    /// Says whether another run has published since the one of this generation was stopped.
    async fn is_superseded(&self, generation: &Generation) -> Result<bool, WarehouseError> {
        Ok(self.current_number().await? > Some(generation.number))
    }
}

/// Returns each mart with a file of its last night.
fn last_files(generation: &Generation) -> impl Iterator<Item = (&str, &TableFile)> {
    let marts = generation.tables(Zone::Marts);
    marts.flat_map(|(mart, table)| table.last_night().map(move |file| (mart, file)))
}
