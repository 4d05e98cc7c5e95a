//! Writes down what a night has found out, in full: what it resolved anew, and what stays as it was.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};

use super::carry::Carry;
use super::causes::Causes;
use super::guards::Population;
use super::history::present;
use super::numbers::Numbers;
use super::resolved::Resolved;
use super::schemas::history_schema;
use super::stored::{Tables, of_known};
use super::types::{CLUSTERS, CONFLICTS, FormerFiles, LINKS, MAP, StoredTable};
use super::{GuardOutcome, IdentityCounts, IdentityError, Registry, tables};
use crate::engine::{Customers, both};
use crate::plan;

/// What was resolved, and what is carried over.
pub(super) struct Outcome<'a> {
    pub(super) resolved: &'a Resolved<'a>,
    pub(super) numbers: &'a Numbers,
    pub(super) causes: &'a Causes<'a>,
    /// None where everything was resolved anew.
    pub(super) carry: Option<Carry<'a>>,
}

/// Who the customers are, after all has been written down.
pub(super) struct Told {
    pub(super) known: Known,
    /// All tables but those of evidence and of matches.
    pub(super) stored: Vec<StoredTable>,
    /// What became of customers that were known before.
    pub(super) changes: RecordBatch,
    pub(super) guards: Vec<GuardOutcome>,
    pub(super) counts: IdentityCounts,
}

/// Who is known.
pub(super) struct Known {
    pub(super) customers: Arc<Customers>,
    /// One row for each customer.
    pub(super) population: RecordBatch,
    pub(super) digest: String,
}

impl Known {
    pub(super) fn by(registry: &Registry) -> Result<Self, IdentityError> {
        Ok(Self {
            customers: Arc::new(registry.lookup()),
            population: registry.customers()?,
            digest: registry.digest(),
        })
    }
}

impl Outcome<'_> {
    /// Writes down everything but the rows themselves, the evidence and the matches. Each table goes as soon as it is not
    /// needed any more: those of a large shop are as large as all that is known while they are made.
    pub(super) fn told(
        &self,
        files: Tables<'_>,
        guards: &plan::Guards,
        threads: usize,
    ) -> Result<Told, IdentityError> {
        let clusters = self.clusters()?;
        let counts = self.resolved.counts();
        let guards = self.guards(&clusters, counts.merged, guards)?;
        let counts = IdentityCounts { customers: clusters.num_rows() as u64, ..counts };
        let clusters = stored_and_gone(files, CLUSTERS, clusters)?;
        let conflicts = self.conflicts()?;
        let counts = counts.with_conflicts(&conflicts);
        let conflicts = stored_and_gone(files, CONFLICTS, conflicts)?;
        let links = self.links()?;
        let counts = IdentityCounts { links: links.num_rows() as u64, ..counts };
        let links = stored_and_gone(files, LINKS, links)?;
        let registry = Registry::unlinked(self.map(threads)?);
        let ids = registry.customer_ids();
        let counts =
            IdentityCounts { identifiers: (ids.len() - ids.null_count()) as u64, ..counts };
        let (registered, (known, changes)) = both(
            threads,
            || self.registered(files, &registry),
            || (Known::by(&registry), self.changes(files)),
        );
        let ([map, history], (changed, changes)) = (registered?, changes?);
        let stored = vec![map, links, changed, conflicts, clusters, history];
        Ok(Told { known: known?, stored, changes, guards, counts })
    }

    /// Writes the identifiers and their history.
    fn registered(
        &self,
        files: Tables<'_>,
        registry: &Registry,
    ) -> Result<[StoredTable; 2], IdentityError> {
        let map = files.store(MAP, registry.map(), FormerFiles::Replaced)?;
        Ok([map, self.history(files, registry)?])
    }

    /// Writes what became of customers; returns that of those who were known before too.
    fn changes(&self, files: Tables<'_>) -> Result<(StoredTable, RecordBatch), IdentityError> {
        let causes = self.causes.of(&self.resolved.assignment.changes);
        let changes = tables::changes(self.resolved, &causes)?;
        Ok((files.store("changes", &changes, FormerFiles::Kept)?, of_known(&changes)?))
    }

    fn map(&self, threads: usize) -> Result<RecordBatch, IdentityError> {
        let anew = self.resolved.map(self.numbers, threads)?;
        let Some(carry) = &self.carry else { return Ok(anew) };
        carry.map(&anew).map_err(IdentityError::Tables)
    }

    fn links(&self) -> Result<RecordBatch, IdentityError> {
        let anew = self.resolved.links(self.numbers)?;
        let Some(carry) = &self.carry else { return Ok(anew) };
        carry.links(&anew).map_err(IdentityError::Tables)
    }

    fn clusters(&self) -> Result<RecordBatch, IdentityError> {
        let anew = self.resolved.clusters(self.causes.validity)?;
        let Some(carry) = &self.carry else { return Ok(anew) };
        carry.clusters(self.resolved.former, &anew).map_err(IdentityError::Tables)
    }

    fn conflicts(&self) -> Result<RecordBatch, IdentityError> {
        let anew = tables::conflicts(self.resolved)?;
        let Some(carry) = &self.carry else { return tables::ordered(&anew) };
        let Resolved { kinds, evidence, .. } = *self.resolved;
        let all = carry.conflicts(kinds, evidence, &anew).map_err(IdentityError::Tables)?;
        tables::ordered(&all)
    }

    /// Writes the times that ended this night, and those that last.
    fn history(
        &self,
        files: Tables<'_>,
        registry: &Registry,
    ) -> Result<StoredTable, IdentityError> {
        let name = "history";
        let past = self.resolved.past(self.numbers)?;
        let past = files.file(name, 0, &past.schema(), [Ok(past)].into_iter())?;
        let present = files.file(name, 1, &history_schema(), present(registry))?;
        Ok(StoredTable { name, files: vec![past, present], former: FormerFiles::KeptButLast })
    }

    fn guards(
        &self,
        clusters: &RecordBatch,
        merged: u64,
        guards: &plan::Guards,
    ) -> Result<Vec<GuardOutcome>, IdentityError> {
        let before = self.carry.as_ref().map(|carry| carry.clusters.num_rows());
        let before = before.unwrap_or(self.resolved.former.customers.len());
        // Only what has gone wrong needs to be explained by it.
        let registry = || Ok(Registry { map: self.map(1)?, links: self.links()? });
        Population { registry: &registry, clusters, before, merged }.guards(guards)
    }
}

impl IdentityCounts {
    fn with_conflicts(self, conflicts: &RecordBatch) -> Self {
        let rules = conflicts["rule"].as_string::<i32>();
        let by = |wanted: &[&str]| {
            rules.iter().flatten().filter(|rule| wanted.contains(rule)).count() as u64
        };
        Self {
            refused: by(&["unique", "max_per_customer", "decision"]),
            ambiguous: by(&["max_customers"]),
            ..self
        }
    }
}

fn stored_and_gone(
    files: Tables<'_>,
    name: &'static str,
    rows: RecordBatch,
) -> Result<StoredTable, IdentityError> {
    let stored = files.store(name, &rows, FormerFiles::Replaced);
    drop(rows);
    stored
}
