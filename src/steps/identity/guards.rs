//! Judges whether the customers of a night can be trusted.

use std::cmp::Reverse;
use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

use super::registry::map;
use super::{Identified, IdentityError, Registry};
use crate::plan;
use crate::report::{CheckReport, masked};

/// The name under which guards stand among the checks of a run.
const STAGE: &str = "identity";
/// With fewer customers than these, a share of them says nothing.
const FEWEST_CUSTOMERS: usize = 100;
/// How many identifiers of the largest customer are named.
const SAMPLE: usize = 5;

/// What came of a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardOutcome {
    name: &'static str,
    guard: plan::Guard,
    /// What is wrong; none where the limit is kept.
    trouble: Option<String>,
}

impl GuardOutcome {
    /// Returns the outcome as one of the checks of the run.
    pub(crate) fn check(&self) -> CheckReport {
        CheckReport {
            stage: STAGE.to_owned(),
            check: format!("{}({})", self.name, self.guard.limit),
            blocking: self.guard.blocks,
            failures: u64::from(self.trouble.is_some()),
        }
    }
}

/// Checks that no guard keeps the night from being published.
pub(crate) fn admit_customers(identified: &Identified) -> Result<(), IdentityError> {
    let blocking = identified.guards.iter().filter(|outcome| outcome.guard.blocks);
    let troubles: Vec<&str> = blocking.filter_map(|outcome| outcome.trouble.as_deref()).collect();
    if troubles.is_empty() {
        return Ok(());
    }
    Err(IdentityError::Guard { troubles: troubles.join("; ") })
}

/// The customers of a night, which guards look at.
pub(super) struct Population<'a> {
    pub(super) registry: &'a dyn Fn() -> Result<Registry, IdentityError>,
    pub(super) clusters: &'a RecordBatch,
    /// How many customers there were the night before.
    pub(super) before: usize,
    /// How many of them have merged into others.
    pub(super) merged: u64,
}

impl Population<'_> {
    pub(super) fn guards(&self, guards: &plan::Guards) -> Result<Vec<GuardOutcome>, IdentityError> {
        let outcome = |name, guard, trouble| GuardOutcome { name, guard, trouble };
        let sizes = self.sizes();
        let plan::Guards { max_cluster_size, max_p999_size, max_merged_percent } = *guards;
        let largest = self.largest(&sizes, max_cluster_size)?;
        Ok(vec![
            outcome("max_cluster_size", max_cluster_size, largest),
            outcome("max_p999_size", max_p999_size, p999(&sizes, max_p999_size)),
            outcome("max_merged_percent", max_merged_percent, self.exceeded(max_merged_percent)),
        ])
    }

    /// Returns the customers by the number of their identifiers, the smallest first.
    fn sizes(&self) -> Vec<(u64, usize)> {
        let sizes = self.clusters["identifiers"].as_primitive::<Int64Type>().values();
        let mut sizes: Vec<(u64, usize)> = sizes.iter().map(|size| *size as u64).zip(0..).collect();
        sizes.sort_unstable();
        sizes
    }

    fn largest(
        &self,
        sizes: &[(u64, usize)],
        guard: plan::Guard,
    ) -> Result<Option<String>, IdentityError> {
        let Some(&(size, row)) = sizes.last().filter(|(size, _)| *size > guard.limit) else {
            return Ok(None);
        };
        let id = self.clusters["customer_id"].as_string::<i32>().value(row);
        Ok(Some(format!(
            "a customer has {size} identifiers, more than `max_cluster_size: {}`; most links have {}",
            guard.limit,
            sample(&(self.registry)()?, id)
        )))
    }

    fn exceeded(&self, guard: plan::Guard) -> Option<String> {
        let Self { merged, before, .. } = *self;
        let exceeds = merged * 100 > guard.limit.saturating_mul(before as u64);
        (before >= FEWEST_CUSTOMERS && exceeds).then(|| {
            format!(
                "{merged} of {before} customers have merged into others, more than `max_merged_percent: {}`",
                guard.limit
            )
        })
    }
}

/// Names the identifiers of a customer with the most links.
fn sample(registry: &Registry, customer: &str) -> String {
    let map = registry.map();
    let ids = registry.customer_ids();
    let is_member = |number: &i64| {
        let row = *number as usize;
        ids.is_valid(row) && ids.value(row) == customer
    };
    let mut links: HashMap<i64, u64> = HashMap::new();
    for end in ["left_number", "right_number"] {
        let ends = registry.links()[end].as_primitive::<Int64Type>().values();
        for number in ends.iter().copied().filter(is_member) {
            *links.entry(number).or_default() += 1;
        }
    }
    let [types, values] = [map::TYPE, map::VALUE].map(|place| map.column(place).as_string::<i32>());
    let named = links.into_iter().map(|(number, links)| {
        let row = number as usize;
        (Reverse(links), types.value(row), values.value(row))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    let shown = named
        .iter()
        .take(SAMPLE)
        .map(|(Reverse(links), kind, value)| format!("{kind} `{}` ({links})", masked(value)));
    shown.collect::<Vec<_>>().join(", ")
}

fn p999(sizes: &[(u64, usize)], guard: plan::Guard) -> Option<String> {
    let place = (sizes.len() * 999).div_ceil(1000).checked_sub(1)?;
    let (size, _) = sizes.get(place).filter(|(size, _)| *size > guard.limit)?;
    Some(format!(
        "one in a thousand customers has {size} identifiers or more, beyond `max_p999_size: {}`",
        guard.limit
    ))
}
