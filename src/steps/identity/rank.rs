//! Which links count, and the order in which they are taken.

use std::cmp::Ordering;

use super::evidence::Evidence;
use super::identifiers::{Identifiers, Instant, Node};
use super::kinds::{Fingerprint, KindId, Kinds};
use super::links::Link;
use super::origins::Origins;
use crate::engine::sort_on_threads;
use crate::plan;

const MICROSECONDS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A link between identifiers that point at persons, and its place in the order.
pub(super) struct Ranked {
    /// The places of the weaker and the stronger end's priority among all priorities.
    tier: [u16; 2],
    /// The number of the link in the evidence.
    pub(super) link: u32,
    pub(super) ends: [Node; 2],
    first_seen: Instant,
}

impl Ranked {
    /// Says whether the weaker ends of two links have one priority.
    pub(super) fn is_as_weak_as(&self, other: &Self) -> bool {
        self.tier[0] == other.tier[0]
    }
}

/// Orders identifiers from strong to weak, in a way that is the same every night.
pub(super) fn strength(kinds: &Kinds, identifiers: &Identifiers, node: Node) -> (u32, Fingerprint) {
    let priority = kinds.get(identifiers.kind(node)).priority;
    (priority, identifiers.fingerprint(node))
}

/// Returns the ends of a link, the stronger one first.
pub(super) fn oriented(kinds: &Kinds, identifiers: &Identifiers, link: &Link) -> [Node; 2] {
    let [left, right] = link.ends;
    let strength = |node| strength(kinds, identifiers, node);
    if strength(left) < strength(right) { [left, right] } else { [right, left] }
}

/// Says which links count this night.
pub(super) struct Validity {
    /// For each source and type: since when a link must have been seen to count.
    since: Vec<Instant>,
    kinds: usize,
}

/// Stands for types that a source does not link.
const NEVER: Instant = Instant::MAX;
/// Stands for types without window.
const ALWAYS: Instant = Instant::MIN;

impl Validity {
    pub(super) fn new(
        rules: &plan::Identity,
        kinds: &Kinds,
        sources: &mut Origins,
        now: Instant,
    ) -> Self {
        let mut validity = Self { since: Vec::new(), kinds: kinds.iter().count() };
        for source in &rules.sources {
            let number = sources.number(source.name.as_str());
            for (name, of_link) in &source.types {
                if let Some(kind) = kinds.known(name.as_str()) {
                    // The narrower of the two: the type's own, and that of its links in this source.
                    let of_type = kinds.get(kind).window;
                    let window = [of_type, *of_link].into_iter().flatten().min();
                    let length = window.map(|window| i64::from(window.days) * MICROSECONDS_PER_DAY);
                    let since = length.map_or(ALWAYS, |length| now.saturating_sub(length));
                    validity.set(number, kind, since);
                }
            }
        }
        validity
    }

    fn set(&mut self, source: u32, kind: KindId, since: Instant) {
        let place = self.place(source, kind);
        if place >= self.since.len() {
            self.since.resize(place + 1, NEVER);
        }
        self.since[place] = since;
    }

    fn place(&self, source: u32, kind: KindId) -> usize {
        source as usize * self.kinds + usize::from(kind)
    }

    /// Says whether the rules let a link count, whatever its ends point at.
    pub(super) fn holds(&self, identifiers: &Identifiers, link: &Link) -> bool {
        self.holds_between(link.ends.map(|node| identifiers.kind(node)), link)
    }

    /// Says whether the rules let a link count that joins identifiers of these types.
    pub(super) fn holds_between(&self, kinds: [KindId; 2], link: &Link) -> bool {
        kinds.into_iter().all(|kind| {
            let place = self.place(link.origin, kind);
            match self.since.get(place).copied().unwrap_or(NEVER) {
                // Records that are alike come from no column of a row.
                NEVER => !link.is_certain(),
                since => link.last_seen >= since,
            }
        })
    }
}

/// The links that count, in the order in which they are taken.
pub(super) struct Order {
    /// Links seen on rows, by tiers of priority.
    pub(super) seen: Vec<Ranked>,
    /// Links between records that are alike; they come after all others, the surest first.
    pub(super) alike: Vec<Ranked>,
}

/// Returns the links that count in the order in which they are taken: by the priority of their weaker ends, then the
/// oldest, and of those that were seen at once by the priority of their stronger ends.
///
/// So of a row with a login, a shared address and a telephone the telephone belongs to the login before the address can
/// take it to the login of somebody else.
pub(super) fn order(
    kinds: &Kinds,
    evidence: &Evidence,
    validity: &Validity,
    threads: usize,
) -> Order {
    let identifiers = &evidence.identifiers;
    // Links lead to and fro among the identifiers; this is a sixteenth of what is known of them.
    let active = |node: Node| identifiers.is_active(node).then(|| identifiers.kind(node));
    let active: Vec<Option<KindId>> = identifiers.nodes().map(active).collect();
    let places = places(kinds);
    let (mut seen, mut alike): (Vec<Ranked>, Vec<Ranked>) = (Vec::new(), Vec::new());
    for (number, link) in (0..).zip(evidence.links.iter()) {
        let [Some(left), Some(right)] = link.ends.map(|node| active[node as usize]) else {
            continue;
        };
        if validity.holds_between([left, right], link) {
            let [left, right] = [left, right].map(|kind| places[usize::from(kind)]);
            let Link { ends, first_seen, .. } = *link;
            let tier = [left.max(right), left.min(right)];
            let ranked = Ranked { tier, link: number, ends, first_seen };
            if link.is_certain() { seen.push(ranked) } else { alike.push(ranked) }
        }
    }
    sort_on_threads(threads, &mut seen, |left, right| {
        let place = |ranked: &Ranked| {
            let [weaker, stronger] = ranked.tier;
            (weaker, ranked.first_seen, stronger)
        };
        place(left).cmp(&place(right)).then_with(|| compare_ends(kinds, evidence, left, right))
    });
    alike.sort_unstable_by(|left, right| {
        let weight = |ranked: &Ranked| evidence.links.get(ranked.link).weight;
        let heavier = weight(right).total_cmp(&weight(left));
        heavier.then_with(|| compare_ends(kinds, evidence, left, right))
    });
    Order { seen, alike }
}

/// Returns for each type the place of its priority among all priorities.
fn places(kinds: &Kinds) -> Vec<u16> {
    let mut priorities: Vec<u32> = kinds.iter().map(|(_, kind)| kind.priority).collect();
    let of_kinds = priorities.clone();
    priorities.sort_unstable();
    priorities.dedup();
    let place = |priority| priorities.partition_point(|other| *other < priority) as u16;
    of_kinds.into_iter().map(place).collect()
}

fn compare_ends(kinds: &Kinds, evidence: &Evidence, left: &Ranked, right: &Ranked) -> Ordering {
    let ends = |ranked: &Ranked| {
        let link = evidence.links.get(ranked.link);
        let ends = oriented(kinds, &evidence.identifiers, link);
        (ends.map(|node| evidence.identifiers.fingerprint(node)), link.origin)
    };
    ends(left).cmp(&ends(right))
}
