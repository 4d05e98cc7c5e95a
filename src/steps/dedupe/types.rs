//! What dedupe hands on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;

use crate::report::{Account, ObjectAccount};
use crate::steps::clean::{CleanPart, Cleaned};
use crate::warehouse::{StoredFile, WarehouseError};

/// The path of an object below the raw root.
pub(crate) type ObjectPath = Arc<str>;

/// The cleaned rows of one source, with the survivors marked; the parts come in the order of their paths.
#[derive(Debug, Clone)]
pub(crate) struct Deduped {
    pub(crate) cleaned: Cleaned,
    /// One mask for each part of `cleaned`, one bit for each of its rows.
    pub(crate) survivors: Vec<BooleanBuffer>,
    /// What stays of the table as earlier nights left it.
    pub(crate) former: Vec<FormerFile>,
    /// How many rows that earlier nights kept are duplicates now, by their object.
    pub(crate) superseded: BTreeMap<ObjectPath, u64>,
    /// Pairs of objects: rows of the first survived, and rows of the second are duplicates of them.
    pub(crate) beaten: BTreeSet<(ObjectPath, ObjectPath)>,
}

/// A file of which some rows stay.
#[derive(Debug, Clone)]
pub(crate) struct FormerFile {
    pub(crate) stored: StoredFile,
    /// The rows that stay; none where all do.
    pub(crate) kept: Option<BooleanBuffer>,
}

impl Deduped {
    /// Returns how many new rows survive.
    pub(crate) fn kept(&self) -> u64 {
        self.survivors.iter().map(kept).sum()
    }

    /// Returns how many rows the table has now.
    pub(crate) fn rows_in_all(&self) -> u64 {
        self.kept() + self.former.iter().map(FormerFile::rows).sum::<u64>()
    }

    /// Returns what became of the records of each new object, in the order of the parts.
    pub(crate) fn accounts(&self) -> Vec<ObjectAccount> {
        let parts = self.cleaned.parts.iter().zip(&self.survivors);
        parts.map(|(part, survivors)| self.account(part, survivors)).collect()
    }

    fn account(&self, part: &CleanPart, survivors: &BooleanBuffer) -> ObjectAccount {
        ObjectAccount {
            source: self.cleaned.source.name.clone(),
            object: part.object.path.to_string(),
            etag: part.object.etag.clone(),
            size: part.object.size,
            account: Account {
                read: part.read,
                kept: kept(survivors),
                rejected: part.rejected,
                duplicate: duplicate(survivors),
            },
        }
    }
}

impl FormerFile {
    /// Reads the rows that stay.
    pub(crate) fn rows_that_stay(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, WarehouseError>> + use<'_>, WarehouseError>
    {
        let mut first_row = 0;
        Ok(self.stored.all_rows()?.map(move |batch| {
            let batch = batch?;
            let rows = first_row..first_row + batch.num_rows();
            first_row = rows.end;
            match &self.kept {
                None => Ok(batch),
                Some(kept) => {
                    let kept = BooleanArray::from(kept.slice(rows.start, rows.len()));
                    self.stored.filtered(&batch, &kept)
                }
            }
        }))
    }

    pub(crate) fn rows(&self) -> u64 {
        self.kept.as_ref().map_or(self.stored.file.rows, kept)
    }
}

fn kept(survivors: &BooleanBuffer) -> u64 {
    survivors.count_set_bits() as u64
}

fn duplicate(survivors: &BooleanBuffer) -> u64 {
    survivors.len() as u64 - kept(survivors)
}
