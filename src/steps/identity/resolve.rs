//! Works out which identifiers belong to one customer.

use std::collections::HashSet;

use super::evidence::Evidence;
use super::identifiers::{Identifiers, Instant, Node};
use super::kinds::{Kind, KindId, Kinds};
use super::rank::{Ranked, Validity, order, oriented, strength};
use super::refusals::{Explained, Refusals};
use super::union_find::{Groups, Joined, Refusal};
use super::verdicts::Verdicts;

/// Of so many links the ends are fetched at once.
const LINKS_AT_ONCE: usize = 128;

/// Which identifiers belong together.
pub(super) struct Resolution {
    /// For each identifier that points at a person: the one that stands for its group.
    pub(super) leaders: Vec<Option<Node>>,
    /// For each identifier, whether too many customers share it.
    pub(super) is_ambiguous: Vec<bool>,
    pub(super) ambiguous: Vec<Ambiguous>,
    /// Values that were seen with too many others to point at a person.
    pub(super) crowded: Vec<Crowded>,
    /// In the order in which the links were taken.
    pub(super) refused: Vec<Refused>,
    /// The numbers of the links that joined groups, in the order in which they were taken.
    pub(super) joined: Vec<u32>,
}

/// A value that too many customers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous {
    pub(super) node: Node,
    pub(super) customers: u32,
}

/// A value that was seen with too many other identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowded {
    pub(super) node: Node,
    pub(super) others: u32,
}

/// A link that would have broken a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) stronger: Node,
    pub(super) weaker: Node,
    pub(super) first_seen: Instant,
    pub(super) because: Because,
}

/// The rule that a link would have broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// The customer would have had too many values of this type.
    Values(KindId),
    /// Somebody has decided that the two are not one customer.
    Decision,
}

/// Resolves all evidence; values that were seen with too many others are blocked in it.
pub(super) fn resolve(
    kinds: &Kinds,
    evidence: &mut Evidence,
    validity: &Validity,
    verdicts: &Verdicts,
    threads: usize,
) -> Resolution {
    let crowded = block_crowded(kinds, evidence, validity);
    let links = order(kinds, evidence, validity, threads);
    let mut resolver = Resolver::new(kinds, evidence);
    for (node, side) in &verdicts.sides {
        resolver.groups.take_side(*node, *side);
    }
    for tier in links.seen.chunk_by(Ranked::is_as_weak_as) {
        let oriented = tier.iter().map(|link| resolver.oriented(link));
        let explained = resolver.refusals.explained(oriented);
        resolver.mark_ambiguous(tier, &explained);
        resolver.join(tier, &explained);
    }
    resolver.join(&links.alike, &Explained::default());
    resolver.bring_together(&verdicts.together);
    resolver.resolution(crowded)
}

/// Blocks the values that were seen with more other identifiers than their types allow.
fn block_crowded(kinds: &Kinds, evidence: &mut Evidence, validity: &Validity) -> Vec<Crowded> {
    let identifiers = &evidence.identifiers;
    let limit = |node: Node| kinds.get(identifiers.kind(node)).block_above;
    let mut others: Vec<(Node, Node)> = Vec::new();
    if kinds.iter().any(|(_, kind)| kind.block_above.is_some()) {
        for link in evidence.links.iter().filter(|link| validity.holds(identifiers, link)) {
            let [left, right] = link.ends;
            if identifiers.is_active(left) && identifiers.is_active(right) {
                others.extend(limit(left).map(|_| (left, right)));
                others.extend(limit(right).map(|_| (right, left)));
            }
        }
    }
    others.sort_unstable();
    others.dedup();
    let groups = others.chunk_by(|left, right| left.0 == right.0);
    let counted = groups.map(|group| Crowded { node: group[0].0, others: group.len() as u32 });
    let is_crowded = |one: &Crowded| limit(one.node).is_some_and(|limit| one.others > limit);
    let mut crowded: Vec<Crowded> = counted.filter(is_crowded).collect();
    crowded.sort_by_key(|one| strength(kinds, identifiers, one.node));
    for one in &crowded {
        evidence.identifiers.block(one.node);
    }
    crowded
}

struct Resolver<'a> {
    kinds: &'a Kinds,
    evidence: &'a Evidence,
    identifiers: &'a Identifiers,
    groups: Groups,
    /// The types with a limit of values; their places are the classes of the groups.
    limited: Vec<KindId>,
    /// The classes of which a group holds one member at most.
    unique: Vec<usize>,
    is_ambiguous: Vec<bool>,
    ambiguous: Vec<Ambiguous>,
    refused: Vec<Refused>,
    refusals: Refusals,
    joined: Vec<u32>,
}

impl<'a> Resolver<'a> {
    fn new(kinds: &'a Kinds, evidence: &'a Evidence) -> Self {
        let identifiers = &evidence.identifiers;
        let limits = kinds.iter();
        let limits = limits.filter_map(|(kind, rule)| Some((kind, rule.max_per_customer?)));
        let (limited, limits): (Vec<KindId>, Vec<u32>) = limits.unzip();
        let class = |node| {
            let kind = identifiers.kind(node);
            limited.iter().position(|other| *other == kind)
        };
        let is_unique = |class: &usize| kinds.get(limited[*class]).unique;
        Self {
            unique: (0..limited.len()).filter(is_unique).collect(),
            groups: Groups::new(identifiers.len(), limits, class),
            kinds,
            evidence,
            identifiers,
            limited,
            is_ambiguous: vec![false; identifiers.len()],
            ambiguous: Vec::new(),
            refused: Vec::new(),
            refusals: Refusals::default(),
            joined: Vec::new(),
        }
    }

    fn is_ambiguous(&self, node: Node) -> bool {
        self.is_ambiguous[node as usize]
    }

    fn oriented(&self, ranked: &Ranked) -> [Node; 2] {
        oriented(self.kinds, self.identifiers, self.evidence.links.get(ranked.link))
    }

    /// Marks the weaker ends that too many of the customers found so far share.
    fn mark_ambiguous(&mut self, tier: &[Ranked], explained: &Explained) {
        let weaker = tier.first().map(|link| self.oriented(link)[1]);
        let priority = weaker.map(|node| self.kinds.get(self.identifiers.kind(node)).priority);
        let is_limited =
            |kind: &Kind| kind.max_customers.is_some() && Some(kind.priority) == priority;
        if !self.kinds.iter().any(|(_, kind)| is_limited(kind)) {
            return;
        }
        let mut owners: Vec<(Node, Node)> = Vec::new();
        for link in tier {
            let [stronger, weaker] = self.oriented(link);
            if self.counts_owners(stronger, weaker) && !explained.holds([stronger, weaker]) {
                owners.push((weaker, self.groups.find(stronger)));
            }
        }
        owners.sort_unstable();
        owners.dedup();
        for owners in owners.chunk_by(|left, right| left.0 == right.0) {
            let (node, customers) = (owners[0].0, self.customers(owners));
            let limit = self.kinds.get(self.identifiers.kind(node)).max_customers;
            if limit.is_some_and(|limit| customers > limit) {
                self.is_ambiguous[node as usize] = true;
                self.ambiguous.push(Ambiguous { node, customers });
            }
        }
    }

    /// Returns how many customers share a value.
    ///
    /// Owners with a value of a unique type are different customers. Of the others nobody knows whether
    /// they are one of those, so they are counted among themselves.
    fn customers(&self, owners: &[(Node, Node)]) -> u32 {
        let is_proven = |(_, group): &&(Node, Node)| {
            let mut classes = self.unique.iter();
            classes.any(|class| self.groups.count(*group, *class) > 0)
        };
        let proven = owners.iter().filter(is_proven).count();
        proven.max(owners.len() - proven) as u32
    }

    fn counts_owners(&self, stronger: Node, weaker: Node) -> bool {
        let kind = |node| self.kinds.get(self.identifiers.kind(node));
        kind(weaker).max_customers.is_some()
            && kind(stronger).priority < kind(weaker).priority
            && !self.is_ambiguous(stronger)
    }

    fn join(&mut self, tier: &[Ranked], explained: &Explained) {
        for some in tier.chunks(LINKS_AT_ONCE) {
            some.iter().flat_map(|ranked| ranked.ends).for_each(|end| self.groups.fetch(end));
            for ranked in some {
                if explained.is_empty() || !explained.holds(self.oriented(ranked)) {
                    self.join_one(ranked);
                }
            }
        }
    }

    fn join_one(&mut self, ranked: &Ranked) {
        let [left, right] = ranked.ends;
        if self.is_ambiguous(left) || self.is_ambiguous(right) {
            return;
        }
        match self.groups.join(left, right) {
            Joined::Already => {}
            Joined::Now => self.joined.push(ranked.link),
            Joined::Refused(refusal) => {
                let refused = self.refused(ranked, refusal);
                self.refusals.note(refused.stronger, refused.weaker);
                self.refused.push(refused);
            }
        }
    }

    /// Joins what people have decided to be one customer, where no rule forbids it.
    fn bring_together(&mut self, pairs: &[[Node; 2]]) {
        for [left, right] in pairs {
            let is_linked =
                |node: Node| self.identifiers.is_active(node) && !self.is_ambiguous(node);
            if is_linked(*left) && is_linked(*right) {
                // A rule is stronger than a decision; the two stay apart, as without it.
                let _ = self.groups.join(*left, *right);
            }
        }
    }

    fn refused(&self, ranked: &Ranked, refusal: Refusal) -> Refused {
        let [stronger, weaker] = self.oriented(ranked);
        Refused {
            stronger,
            weaker,
            first_seen: self.evidence.links.get(ranked.link).first_seen,
            because: match refusal {
                Refusal::Limit { class } => Because::Values(self.limited[class]),
                Refusal::Decision => Because::Decision,
            },
        }
    }

    fn resolution(mut self, crowded: Vec<Crowded>) -> Resolution {
        let nodes = self.identifiers.nodes();
        let leader = |node| self.identifiers.is_active(node).then(|| self.groups.find(node));
        let leaders = nodes.map(leader).collect();
        // Numbers of nodes depend on threads; the order of these must not.
        self.ambiguous
            .sort_by_key(|ambiguous| strength(self.kinds, self.identifiers, ambiguous.node));
        // A pair that several sources show is refused once for each, and told once.
        let mut told: HashSet<[Node; 2]> = HashSet::new();
        self.refused.retain(|refused| told.insert([refused.stronger, refused.weaker]));
        Resolution {
            leaders,
            is_ambiguous: self.is_ambiguous,
            ambiguous: self.ambiguous,
            crowded,
            refused: self.refused,
            joined: self.joined,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Resolution, Validity, Verdicts, resolve};
    use crate::plan;
    use crate::steps::identity::evidence::EvidenceBuilder;
    use crate::steps::identity::kinds::Kinds;
    use crate::steps::identity::links::{CERTAIN, Link};

    const NODES: u32 = 100_000;

    /// Returns links between cookies, given as pairs of their numbers.
    fn seen(links: impl Iterator<Item = (u32, u32)>) -> impl Iterator<Item = Link> {
        links.map(|(left, right)| link([left, right], CERTAIN, i64::from(left)))
    }

    fn link(ends: [u32; 2], weight: f32, seen: i64) -> Link {
        Link { ends, origin: 0, weight, first_seen: seen, last_seen: seen }
    }

    /// Resolves links between cookies of which a customer may have so many.
    fn resolved(most: Option<u64>, nodes: u32, links: impl Iterator<Item = Link>) -> Resolution {
        let rules = plan::Identity {
            identifiers: vec![plan::Identifier {
                name: "cookie".parse().unwrap(),
                priority: 1,
                unique: false,
                max_per_customer: most,
                max_customers: None,
                block_above: None,
                window: None,
                blocked: Vec::new(),
                blocked_patterns: Vec::new(),
            }],
            sources: vec![plan::LinkedSource {
                name: "web".parse().unwrap(),
                types: vec![("cookie".parse().unwrap(), None)],
            }],
            ..plan::Identity::default()
        };
        let kinds = Kinds::new(&rules);
        let mut evidence = EvidenceBuilder::default();
        for number in 0..nodes {
            evidence.identifiers.note(&kinds, 0, &format!("c{number}"), 0);
        }
        evidence.links.note_all(&links.collect::<Vec<_>>());
        let validity = Validity::new(&rules, &kinds, &mut evidence.sources, 0);
        let mut evidence = evidence.build().unwrap();
        resolve(&kinds, &mut evidence, &validity, &Verdicts::default(), 2)
    }

    fn groups(resolution: &Resolution) -> usize {
        resolution.leaders.iter().flatten().collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn a_long_path_is_one_customer() {
        let resolved = |links: &mut dyn Iterator<Item = (u32, u32)>| {
            groups(&resolved(None, NODES, seen(links)))
        };
        assert_eq!(resolved(&mut (1..NODES).map(|number| (number - 1, number))), 1);
        // The other way round, and cut in the middle.
        let cut = NODES / 2;
        let path = (1..NODES).rev().filter(|number| *number != cut);
        assert_eq!(resolved(&mut path.map(|number| (number - 1, number))), 2);
    }

    #[test]
    fn a_wide_star_is_one_customer() {
        let star = (1..NODES).map(|number| (0, number));
        assert_eq!(groups(&resolved(None, NODES, seen(star))), 1);
    }

    #[test]
    fn records_that_are_alike_come_after_all_that_was_seen_the_surest_first() {
        let alike = [link([0, 1], 2.0, 1), link([0, 2], 9.0, 2), link([3, 4], 1.0, 3)];
        let rows = [link([3, 5], CERTAIN, 900)];
        let resolution = resolved(Some(2), 6, alike.into_iter().chain(rows));
        let leaders = &resolution.leaders;
        assert!(leaders[3] == leaders[5] && leaders[0] == leaders[2]);
        assert!(leaders[0] != leaders[1] && leaders[3] != leaders[4]);
        let refused = resolution.refused.iter().map(|refused| refused.first_seen);
        assert_eq!(refused.collect::<Vec<_>>(), [1, 3]);
    }
}
