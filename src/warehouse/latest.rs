//! `latest/`: of each mart one plain file, for tools that only open files.

use std::collections::BTreeSet;

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
        let marker = self.layout().latest_generation();
        let marked = self.read(&marker).await?;
        let number = Bytes::from(generation.number.to_string());
        if marked.as_ref() == Some(&number) {
            return self.mend_latest(generation).await;
        }
        if let Some(marked) = marked {
            let shown = self.generation(super::store::parsed(&marker, &marked)?).await?;
            self.withdraw_latest(generation, shown.as_ref()).await?;
        }
        for (mart, file) in last_files(generation) {
            if !self.copy_latest(generation, mart, file).await? {
                return Ok(());
            }
        }
        crash::point("marking", generation.number);
        self.write(&marker, number).await?;
        crash::point("marked", generation.number);
        Ok(())
    }

    /// Puts back what `latest/` lacks.
    async fn mend_latest(&self, generation: &Generation) -> Result<(), WarehouseError> {
        let there = self.list(&self.layout().latest_folder()).await?;
        let there: BTreeSet<Path> = there.into_iter().map(|meta| meta.location).collect();
        for (mart, file) in last_files(generation) {
            if !there.contains(&self.layout().latest(mart))
                && !self.copy_latest(generation, mart, file).await?
            {
                break;
            }
        }
        Ok(())
    }

    /// Removes the files of marts that are published no more.
    async fn withdraw_latest(
        &self,
        generation: &Generation,
        shown: Option<&Generation>,
    ) -> Result<(), WarehouseError> {
        let withdrawn = generation.withdrawn(shown).into_iter();
        for (_, mart) in withdrawn.filter(|(zone, _)| *zone == Zone::Marts) {
            if self.is_superseded(generation).await? {
                break;
            }
            crash::point("withdrawing", mart);
            self.remove_one(&self.layout().latest(mart)).await?;
            crash::point("withdrawn", mart);
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
