//! Writes down what a night has found out, in full: what it resolved anew, and what stays as it was.

use arrow::array::{Array, AsArray, RecordBatch};

use super::carry::Carry;
use super::causes::Causes;
use super::evidence::Sightings;
use super::guards::Population;
use super::history::{History, present};
use super::remember::Numbers;
use super::resolved::Resolved;
use super::types::{EvidenceTable, Findings};
use super::{IdentityCounts, IdentityError, Registry, tables};
use crate::plan;

/// What was resolved, and what is carried over.
pub(super) struct Outcome<'a> {
    pub(super) resolved: &'a Resolved<'a>,
    pub(super) numbers: &'a Numbers,
    pub(super) causes: &'a Causes<'a>,
    /// None where everything was resolved anew.
    pub(super) carry: Option<Carry<'a>>,
}

impl Outcome<'_> {
    /// Writes down everything but the rows themselves and the matches.
    pub(super) fn told(
        &self,
        sightings: &Sightings,
        kept: Option<Vec<RecordBatch>>,
        guards: &plan::Guards,
    ) -> Result<Findings, IdentityError> {
        let (resolved, numbers) = (self.resolved, self.numbers);
        let registry = self.registry()?;
        let clusters = self.clusters()?;
        let conflicts = self.conflicts()?;
        let counts = self.counts(&registry, &clusters, &conflicts);
        let before = self.carry.as_ref().map(|carry| carry.clusters.num_rows());
        let population = Population {
            registry: &registry,
            clusters: &clusters,
            before: before.unwrap_or(resolved.former.customers.len()),
            merged: counts.merged,
        };
        Ok(Findings {
            tables: Vec::new(),
            guards: population.guards(guards),
            evidence: EvidenceTable {
                replaces_former: kept.is_some(),
                rows: resolved.evidence(numbers, sightings, &kept.unwrap_or_default())?,
            },
            changes: tables::changes(resolved, &self.causes.of(&resolved.assignment.changes))?,
            history: History { past: resolved.past(numbers)?, present: present(&registry)? },
            registry,
            conflicts,
            clusters,
            matches: Vec::new(),
            match_counts: None,
            counts,
        })
    }

    fn registry(&self) -> Result<Registry, IdentityError> {
        let anew = self.resolved.registry(self.numbers)?;
        let Some(carry) = &self.carry else { return Ok(anew) };
        let map = carry.map(anew.map()).map_err(IdentityError::Tables)?;
        let links = carry.links(anew.links()).map_err(IdentityError::Tables)?;
        Ok(Registry { map, links })
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

    fn counts(
        &self,
        registry: &Registry,
        clusters: &RecordBatch,
        conflicts: &RecordBatch,
    ) -> IdentityCounts {
        let rules = conflicts["rule"].as_string::<i32>();
        let by = |wanted: &[&str]| {
            rules.iter().flatten().filter(|rule| wanted.contains(rule)).count() as u64
        };
        let ids = registry.customer_ids();
        IdentityCounts {
            identifiers: (ids.len() - ids.null_count()) as u64,
            links: registry.links().num_rows() as u64,
            customers: clusters.num_rows() as u64,
            refused: by(&["unique", "max_per_customer", "decision"]),
            ambiguous: by(&["max_customers"]),
            ..self.resolved.counts()
        }
    }
}
