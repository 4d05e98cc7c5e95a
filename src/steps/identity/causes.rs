//! Finds the evidence that caused a change of a customer.

use std::collections::HashMap;

use super::assign::{Change, ChangeKind, CustomerNumber};
use super::identifiers::{Node, Standing};
use super::kinds::Fingerprint;
use super::links::Link;
use super::rank::{Validity, strength};
use super::resolved::Resolved;

/// What caused a change: one identifier, or two that a link joins or no longer joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) reason: &'static str,
    pub(super) left: Node,
    pub(super) right: Option<Node>,
    /// The number of the source of the link.
    pub(super) source: Option<u32>,
}

/// The evidence to look through.
pub(super) struct Causes<'a> {
    pub(super) resolved: &'a Resolved<'a>,
    pub(super) validity: &'a Validity,
    /// Links that the night before knew and of which some may have been taken back.
    pub(super) former_links: &'a [Link],
}

/// Identifiers of a former customer that went together, by the customer and the leader of their group.
type Moved = HashMap<(CustomerNumber, Node), usize>;

impl Causes<'_> {
    /// Returns the cause of each change, where there is one to name.
    pub(super) fn of(&self, changes: &[Change]) -> Vec<Option<Cause>> {
        let mut causes = vec![None; changes.len()];
        self.creations(changes, &mut causes);
        self.merges(&moved(changes, ChangeKind::Merged), &mut causes);
        self.splits(&moved(changes, ChangeKind::Split), &mut causes);
        causes
    }

    /// A customer is created by its most senior identifier.
    fn creations(&self, changes: &[Change], causes: &mut [Option<Cause>]) {
        let created = changes.iter().enumerate();
        let created = created.filter(|(_, change)| change.kind == ChangeKind::Created);
        let mut place_of = vec![None; self.resolved.assignment.customers.len()];
        for (place, change) in created {
            place_of[change.customer as usize] = Some(place);
        }
        let identifiers = &self.resolved.evidence.identifiers;
        let seniority = |node: Node| {
            let (priority, fingerprint) = strength(self.resolved.kinds, identifiers, node);
            (priority, identifiers.first_seen(node), fingerprint)
        };
        for node in identifiers.nodes() {
            let customer = self.resolved.assignment.of[node as usize];
            let Some(place) = customer.and_then(|customer| place_of[customer as usize]) else {
                continue;
            };
            let cause = &mut causes[place];
            if cause.is_none_or(|cause: Cause| seniority(node) < seniority(cause.left)) {
                *cause = Some(Cause { reason: "seen", left: node, right: None, source: None });
            }
        }
    }

    /// Two customers merge by a link that leads out of one of them: the first that was not known before, else the first.
    fn merges(&self, moved: &Moved, causes: &mut [Option<Cause>]) {
        if moved.is_empty() {
            return;
        }
        let mut is_new_known = vec![false; causes.len()];
        for number in &self.resolved.resolution.joined {
            let link = self.resolved.evidence.links.get(*number);
            let is_new = self.resolved.evidence.links.is_new(*number);
            for place in self.ways_out(moved, link) {
                if causes[place].is_none() || (is_new && !is_new_known[place]) {
                    causes[place] = Some(self.by_link("link", link));
                    is_new_known[place] = is_new;
                }
            }
        }
    }

    /// A customer splits where a link between what left and what did not no longer counts; the oldest is told.
    fn splits(&self, moved: &Moved, causes: &mut [Option<Cause>]) {
        if moved.is_empty() {
            return;
        }
        let mut best: Vec<Option<(i64, [Fingerprint; 2])>> = vec![None; causes.len()];
        let live = self.resolved.evidence.links.iter().map(|link| (link, false));
        let former = self.former_links.iter().map(|link| (link, true));
        for (link, is_former) in live.chain(former) {
            let [left, right] = link.ends.map(|node| self.former_number(node));
            if left.is_none() || left != right {
                continue;
            }
            for end in 0..2 {
                let place = self.group_of(link.ends[end]).and_then(|group| moved.get(&group));
                let stayed = self.leader(link.ends[1 - end]) != self.leader(link.ends[end]);
                let rank = (link.first_seen, link.ends.map(|node| self.fingerprint(node)));
                if let Some(place) = place.filter(|_| stayed)
                    && best[*place].is_none_or(|best| rank < best)
                {
                    best[*place] = Some(rank);
                    causes[*place] = Some(self.by_link(self.reason(link, is_former), link));
                }
            }
        }
    }

    /// Says why a link between two groups joins them no longer.
    fn reason(&self, link: &Link, is_former: bool) -> &'static str {
        let standing = |node: &Node| self.resolved.evidence.identifiers.standing(*node);
        let is = |wanted| link.ends.iter().any(|node| standing(node) == wanted);
        let is_ambiguous = link.ends.iter().any(|node| self.resolved.is_ambiguous(*node));
        let identifiers = &self.resolved.evidence.identifiers;
        match () {
            () if is_former || is(Standing::Retracted) => "retracted",
            () if is(Standing::Blocked) => "blocked",
            () if is_ambiguous => "ambiguous",
            () if !self.validity.holds(identifiers, link) => "window",
            () => "refused",
        }
    }

    fn by_link(&self, reason: &'static str, link: &Link) -> Cause {
        let [left, right] = link.ends;
        let name = |node| (self.resolved.type_name(node), self.resolved.value(node));
        let (left, right) = if name(left) <= name(right) { (left, right) } else { (right, left) };
        Cause { reason, left, right: Some(right), source: Some(link.origin) }
    }

    /// Returns the moved groups out of which a link leads to something else.
    fn ways_out(&self, moved: &Moved, link: &Link) -> impl Iterator<Item = usize> {
        let ends = link.ends;
        let leads_out = self.former_number(ends[0]) != self.former_number(ends[1]);
        let places = ends.map(|node| {
            let group = self.group_of(node).filter(|_| leads_out);
            group.and_then(|group| moved.get(&group)).copied()
        });
        places.into_iter().flatten()
    }

    fn group_of(&self, node: Node) -> Option<(CustomerNumber, Node)> {
        Some((self.former_number(node)?, self.leader(node)?))
    }

    fn former_number(&self, node: Node) -> Option<CustomerNumber> {
        self.resolved.former.of.get(node as usize).copied().flatten()
    }

    fn leader(&self, node: Node) -> Option<Node> {
        self.resolved.resolution.leaders[node as usize]
    }

    fn fingerprint(&self, node: Node) -> Fingerprint {
        self.resolved.evidence.identifiers.fingerprint(node)
    }
}

fn moved(changes: &[Change], kind: ChangeKind) -> Moved {
    let changes = changes.iter().enumerate().filter(|(_, change)| change.kind == kind);
    let key = |change: &Change| Some((change.from?, change.leader?));
    changes.filter_map(|(place, change)| Some((key(change)?, place))).collect()
}
