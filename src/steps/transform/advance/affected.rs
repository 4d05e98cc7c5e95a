//! Finds the customers whose rows in a stage may differ from those of the night before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionContext;

use super::apply::value;
use super::{Extent, Extents, Night as Nights, Why};
use crate::engine::{
    Compared, KeySet, MOVED, Tables, clean_table, customers_moved, difference, has_rows, keys_of,
    rows_from, table_of_urls,
};
use crate::plan::{self, IDENTITY_CUSTOMERS, Reading};
use crate::steps::identity::{CleanFile, CleanTable};
use crate::steps::transform::apply::{clean_files, url};
use crate::warehouse::{TableFile, TableRecord, Zone};
use crate::zone::AsOf;

/// Why there is no set of customers.
pub(super) enum Stop {
    /// It would be that of all.
    Whole(Why),
    Failed(DataFusionError),
}

impl From<DataFusionError> for Stop {
    fn from(error: DataFusionError) -> Self {
        Self::Failed(error)
    }
}

/// What is searched for customers.
pub(super) struct Search<'a> {
    pub(super) nights: &'a Nights,
    pub(super) as_of: AsOf,
    pub(super) session: &'a SessionContext,
    /// The tables of this night.
    pub(super) tables: &'a Tables,
    pub(super) extents: &'a Extents,
}

impl Search<'_> {
    /// Returns the customers whose rows in a stage may differ, because a row that they follow from came, went, or moved
    /// from one customer to another, or because the night decides otherwise about it.
    pub(super) async fn affected(&self, incremental: &plan::Incremental) -> Result<KeySet, Stop> {
        let mut keys = KeySet::default();
        for (table, reading) in &incremental.inputs {
            let is_same = self.nights.former.same.contains(table);
            match reading {
                Reading::Digest if is_same => {}
                Reading::Digest => return Err(input(table)),
                Reading::Rows { is_keyed, columns } => {
                    let key = is_keyed.then_some(incremental.key);
                    self.compare(table, Sides { table, key, columns }, &mut keys).await?;
                }
            }
        }
        if self.nights.former.as_of.instant != self.as_of.instant {
            for compared in &incremental.separation.compared {
                keys.extend(&self.of_the_night(compared, incremental.key).await?);
            }
        }
        Ok(keys)
    }

    async fn compare(&self, table: &str, sides: Sides<'_>, keys: &mut KeySet) -> Result<(), Stop> {
        if let Some(clean) = self.nights.clean.get(table) {
            return self.clean(clean, &sides, keys).await;
        }
        let former = if table == IDENTITY_CUSTOMERS {
            let rows = self.nights.former.identity.clone();
            Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?)
        } else {
            match (self.extents.get(table), sides.key) {
                (Some(Extent::Advanced(advanced)), Some(_)) => {
                    keys.extend(&advanced.keys);
                    return Ok(());
                }
                _ => match self.stage(table)? {
                    Some(former) => former,
                    None => return Ok(()),
                },
            }
        };
        let now = self.tables.get(table).ok_or_else(|| input(table))?;
        self.differences(&sides, former, now, keys).await
    }

    /// Returns what a stage was the night before; none where it is the same table.
    fn stage(&self, table: &str) -> Result<Option<Arc<dyn TableProvider>>, Stop> {
        let former =
            self.nights.former.generation.stage_table(table).ok_or_else(|| input(table))?;
        if self.nights.unchanged.get(table).is_some_and(|now| now.files == former.files) {
            return Ok(None);
        }
        // Of other rules the columns may be others.
        if !self.nights.former.same_rules.contains(table) {
            return Err(input(table));
        }
        let now = self.tables.get(table).ok_or_else(|| input(table))?;
        Ok(Some(self.nights.provider(&now.schema(), &former)?))
    }

    /// Compares the files of a clean table that came with those that went, and looks for rows of the others that have
    /// another customer by now.
    async fn clean(
        &self,
        table: &CleanTable,
        sides: &Sides<'_>,
        keys: &mut KeySet,
    ) -> Result<(), Stop> {
        let name = table.source.name.as_str();
        let nights = self.nights;
        let former = nights.former.generation.tables(Zone::Clean);
        let (_, former) =
            former.into_iter().find(|(table, _)| *table == name).ok_or_else(|| input(name))?;
        if !nights.former.same_rules.contains(name) {
            return Err(input(name));
        }
        let Split { gone, stayed, came } = Split::of(table, &former.files);
        if !gone.is_empty() || !came.is_empty() {
            let before = clean_table(
                &clean_files(&nights.warehouse, &gone.of(table)),
                &nights.former.customers,
            )?;
            let now =
                clean_table(&clean_files(&nights.warehouse, &came.of(table)), &nights.customers)?;
            self.differences(sides, before, &provider_as_source(now), keys).await?;
        }
        let has_customers = !table.source.links.is_empty();
        if sides.key.is_some() && has_customers && !stayed.is_empty() {
            let customers = [Arc::clone(&nights.former.customers), Arc::clone(&nights.customers)];
            let files = clean_files(&nights.warehouse, &stayed.of(table));
            let moved = customers_moved(&files, &customers)?;
            keys.extend(&keys_of(self.session, moved, MOVED).await?);
        }
        Ok(())
    }

    /// Adds the customers of rows that only one of two tables has; where rows belong to nobody, there may be none.
    async fn differences(
        &self,
        sides: &Sides<'_>,
        before: Arc<dyn TableProvider>,
        now: &Arc<dyn TableSource>,
        keys: &mut KeySet,
    ) -> Result<(), Stop> {
        let columns: BTreeSet<&str> =
            sides.columns.iter().map(String::as_str).chain(sides.key).collect();
        let columns: Vec<String> = columns.into_iter().map(ToOwned::to_owned).collect();
        let rows = difference(before, now, &columns)?;
        match sides.key {
            Some(key) => keys.extend(&keys_of(self.session, rows, &[key]).await?),
            None if has_rows(self.session, rows).await? => return Err(input(sides.table)),
            None => {}
        }
        Ok(())
    }

    /// Returns the customers of rows about which this night decides otherwise than the one before: what is before the
    /// earlier of two nights is before both.
    async fn of_the_night(&self, compared: &Compared, key: &str) -> Result<KeySet, Stop> {
        let least = value(compared.night, self.nights.former.as_of);
        let table = self.tables.get(&compared.table).ok_or_else(|| input(&compared.table))?;
        let rows = rows_from(table, &compared.column, least)?;
        Ok(keys_of(self.session, rows, &[key]).await?)
    }
}

/// How two sides of a table are compared.
struct Sides<'a> {
    table: &'a str,
    /// The column of customers, where the rows belong to some.
    key: Option<&'a str>,
    columns: &'a [String],
}

fn input(table: &str) -> Stop {
    Stop::Whole(Why::Input(table.to_owned()))
}

/// The files of a clean table on two nights.
struct Split {
    gone: Files,
    stayed: Files,
    came: Files,
}

struct Files(Vec<CleanFile>);

impl Files {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a table of these files alone.
    fn of(self, table: &CleanTable) -> CleanTable {
        CleanTable { source: Arc::clone(&table.source), files: self.0 }
    }
}

impl Split {
    fn of(table: &CleanTable, former: &[TableFile]) -> Self {
        let mut left: BTreeMap<&str, &TableFile> =
            former.iter().map(|file| (file.path.as_str(), file)).collect();
        let (mut stayed, mut came) = (Vec::new(), Vec::new());
        for file in &table.files {
            let is_known = match file {
                CleanFile::Stored(stored) => left.remove(stored.path.as_str()).is_some(),
                CleanFile::Written { .. } => false,
            };
            if is_known { &mut stayed } else { &mut came }.push(file.clone());
        }
        let gone = left.into_values().map(|file| CleanFile::Stored(file.clone())).collect();
        Self { gone: Files(gone), stayed: Files(stayed), came: Files(came) }
    }
}

impl Nights {
    /// Makes a table of files of the warehouse.
    pub(super) fn provider(
        &self,
        schema: &SchemaRef,
        table: &TableRecord,
    ) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let urls: Vec<_> = table.files.iter().map(|file| url(&self.warehouse, file)).collect();
        table_of_urls(schema, &urls)
    }
}
