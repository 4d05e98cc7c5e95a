//! A night worked out: who everybody is.

use super::IdentityCounts;
use super::assign::{Assignment, ChangeKind, Customer, Former};
use super::evidence::Evidence;
use super::identifiers::{Instant, Node};
use super::kinds::Kinds;
use super::resolve::Resolution;

/// All evidence, and the customers it makes; from this every output of the step is written.
pub(super) struct Resolved<'a> {
    pub(super) kinds: &'a Kinds,
    pub(super) evidence: &'a Evidence,
    pub(super) resolution: &'a Resolution,
    pub(super) assignment: &'a Assignment,
    pub(super) former: &'a Former,
    pub(super) now: Instant,
}

impl<'a> Resolved<'a> {
    pub(super) fn type_name(&self, node: Node) -> &'a str {
        self.kinds.get(self.evidence.identifiers.kind(node)).name.as_str()
    }

    pub(super) fn value(&self, node: Node) -> &'a str {
        self.evidence.identifiers.value(node)
    }

    pub(super) fn customer(&self, node: Node) -> Option<Customer> {
        let number = self.assignment.of[node as usize]?;
        Some(self.assignment.customers[number as usize])
    }

    /// Returns the customer to whom an identifier belonged before.
    pub(super) fn former_customer(&self, node: Node) -> Option<Customer> {
        let number = (*self.former.of.get(node as usize)?)?;
        Some(self.former.customers[number as usize])
    }

    /// Returns the night since which an identifier belongs to its customer.
    pub(super) fn valid_from(&self, node: Node) -> Option<Instant> {
        let customer = self.customer(node)?;
        let before = self.former.valid_from.get(node as usize).copied();
        match (self.former_customer(node), before) {
            (Some(former), Some(since)) if former.id == customer.id => Some(since),
            // A run for an older day than the last one must not begin before what it replaces.
            (Some(_), Some(since)) => Some(self.now.max(since)),
            _ => Some(self.now),
        }
    }

    pub(super) fn is_ambiguous(&self, node: Node) -> bool {
        self.resolution.is_ambiguous[node as usize]
    }

    pub(super) fn counts(&self) -> IdentityCounts {
        let changes = |kind| {
            let changes = self.assignment.changes.iter();
            changes.filter(|change| change.kind == kind).count() as u64
        };
        let of = self.assignment.of.iter().flatten();
        let mut lives = vec![false; self.assignment.customers.len()];
        of.clone().for_each(|customer| lives[*customer as usize] = true);
        IdentityCounts {
            identifiers: of.count() as u64,
            links: self.evidence.links.len() as u64,
            customers: lives.into_iter().filter(|lives| *lives).count() as u64,
            created: changes(ChangeKind::Created),
            merged: changes(ChangeKind::Merged),
            split: changes(ChangeKind::Split),
            retired: changes(ChangeKind::Retired),
            refused: self.resolution.refused.len() as u64,
            ambiguous: self.resolution.ambiguous.len() as u64,
        }
    }
}
