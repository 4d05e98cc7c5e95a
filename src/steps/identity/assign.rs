//! Gives every group of identifiers the id of a customer.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::identifiers::{Identifiers, Instant, Node};
use super::kinds::{Fingerprint, Kinds};
use super::{CustomerId, IdentityError};

/// A customer's id, and when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Customer {
    pub(super) id: CustomerId,
    pub(super) created: Instant,
}

/// The number of a customer; those known before come first.
pub(super) type CustomerNumber = u32;

/// Which customer each identifier belonged to before.
#[derive(Default)]
pub(super) struct Former {
    pub(super) customers: Vec<Customer>,
    /// For each identifier known before.
    pub(super) of: Vec<Option<CustomerNumber>>,
    /// For each identifier known before, since which night.
    pub(super) valid_from: Vec<Instant>,
}

/// Which customer each identifier belongs to now.
pub(super) struct Assignment {
    pub(super) customers: Vec<Customer>,
    /// For each identifier.
    pub(super) of: Vec<Option<CustomerNumber>>,
    pub(super) changes: Vec<Change>,
}

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChangeKind {
    /// The customer was not known before.
    Created,
    /// The identifiers of another customer came, and its id went.
    Merged,
    /// Some identifiers of another customer came, and most stayed behind.
    Split,
    /// No identifier of the customer points at a person any more.
    Retired,
}

/// What became of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) kind: ChangeKind,
    pub(super) customer: CustomerNumber,
    pub(super) from: Option<CustomerNumber>,
    /// The leader of the group that came or went.
    pub(super) leader: Option<Node>,
    /// How many identifiers came, or went.
    pub(super) identifiers: u64,
}

/// What the assignment stands on.
pub(super) struct Inputs<'a> {
    pub(super) kinds: &'a Kinds,
    pub(super) identifiers: &'a Identifiers,
    /// For each identifier: the one that stands for its group.
    pub(super) leaders: &'a [Option<Node>],
    pub(super) former: &'a Former,
    /// Identifiers with whom the id of their former customer stays, because somebody has decided so.
    pub(super) keepers: &'a [(String, Node)],
    pub(super) key: &'a [u8],
    pub(super) now: Instant,
    /// Says whether a customer that is not among the former ones has an id.
    pub(super) is_taken: &'a dyn Fn(CustomerId) -> bool,
}

/// Orders identifiers from the one a customer is best known by: strong before weak, old before new.
type Seniority = (u32, Instant, Fingerprint);

/// The identifiers of one former customer that are in one group now.
struct Share {
    customer: CustomerNumber,
    leader: Node,
    /// Whether somebody has decided that the customer's id stays with it.
    is_keeper: bool,
    identifiers: u64,
    senior: Seniority,
    first_seen: Instant,
}

/// Assigns ids by overlap with former customers, and new ones where there is none.
pub(super) fn assign(inputs: &Inputs<'_>) -> Result<Assignment, IdentityError> {
    let shares = inputs.shares();
    let heirs = heirs(inputs.former.customers.len(), &shares);
    let mut owners = inputs.owners(&shares, &heirs);
    let created = inputs.create(&mut owners)?;
    let customers = [&inputs.former.customers[..], &created].concat();
    let owner = |leader: &Option<Node>| owners[(*leader)? as usize];
    let of: Vec<_> = inputs.leaders.iter().map(owner).collect();
    let mut changes = moves(&owners, &shares, &heirs);
    changes.extend(arrivals_and_departures(customers.len(), &of, &owners, &shares, &heirs));
    let id = |number: CustomerNumber| customers[number as usize].id;
    changes.sort_by_key(|change| (change.kind, id(change.customer), change.from.map(id)));
    Ok(Assignment { customers, of, changes })
}

/// Returns for each former customer the share that its id goes with: the one somebody has decided on, else the
/// largest, then the one with the most senior identifier.
fn heirs(customers: usize, shares: &[Share]) -> Vec<Option<usize>> {
    let mut heirs: Vec<Option<usize>> = vec![None; customers];
    let rank = |share: &Share| (Reverse(share.is_keeper), Reverse(share.identifiers), share.senior);
    for (number, share) in shares.iter().enumerate() {
        let heir = &mut heirs[share.customer as usize];
        if heir.is_none_or(|heir| rank(share) < rank(&shares[heir])) {
            *heir = Some(number);
        }
    }
    heirs
}

impl Inputs<'_> {
    fn seniority(&self, node: Node) -> Seniority {
        let priority = self.kinds.get(self.identifiers.kind(node)).priority;
        let first_seen = self.identifiers.first_seen(node);
        (priority, first_seen, self.identifiers.fingerprint(node))
    }

    /// Returns what became of the identifiers of each former customer, by customer.
    fn shares(&self) -> Vec<Share> {
        let former = (0..).zip(&self.former.of);
        let mut members: Vec<(CustomerNumber, Node, Node)> = former
            .filter_map(|(node, customer)| Some(((*customer)?, self.leaders[node as usize]?, node)))
            .collect();
        members.sort_unstable();
        let groups = members.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1));
        let keepers = self.keepers();
        groups.filter_map(|members| self.share(members, &keepers)).collect()
    }

    /// Returns the keepers whose customers are known.
    fn keepers(&self) -> HashSet<(CustomerNumber, Node)> {
        if self.keepers.is_empty() {
            return HashSet::new();
        }
        let ids = self.former.customers.iter().map(|customer| customer.id.to_string());
        let numbers: HashMap<String, CustomerNumber> = ids.zip(0..).collect();
        let keepers = self.keepers.iter();
        keepers.filter_map(|(id, node)| Some((*numbers.get(id)?, *node))).collect()
    }

    fn share(
        &self,
        members: &[(CustomerNumber, Node, Node)],
        keepers: &HashSet<(CustomerNumber, Node)>,
    ) -> Option<Share> {
        let nodes = || members.iter().map(|(_, _, node)| *node);
        let &(customer, leader, _) = members.first()?;
        Some(Share {
            customer,
            leader,
            is_keeper: !keepers.is_empty()
                && nodes().any(|node| keepers.contains(&(customer, node))),
            identifiers: members.len() as u64,
            senior: nodes().map(|node| self.seniority(node)).min()?,
            first_seen: nodes().map(|node| self.identifiers.first_seen(node)).min()?,
        })
    }

    /// Returns for each leader the oldest of the customers whose ids go with its group.
    fn owners(&self, shares: &[Share], heirs: &[Option<usize>]) -> Vec<Option<CustomerNumber>> {
        let mut first_seen = vec![Instant::MAX; heirs.len()];
        for share in shares {
            let seen = &mut first_seen[share.customer as usize];
            *seen = share.first_seen.min(*seen);
        }
        let age = |customer: CustomerNumber| {
            let Customer { id, created } = self.former.customers[customer as usize];
            (created, first_seen[customer as usize], id)
        };
        let mut owners: Vec<Option<CustomerNumber>> = vec![None; self.leaders.len()];
        for share in heirs.iter().flatten().map(|heir| &shares[*heir]) {
            let owner = &mut owners[share.leader as usize];
            if owner.is_none_or(|owner| age(share.customer) < age(owner)) {
                *owner = Some(share.customer);
            }
        }
        owners
    }

    /// Makes a customer of each group that has none.
    fn create(
        &self,
        owners: &mut [Option<CustomerNumber>],
    ) -> Result<Vec<Customer>, IdentityError> {
        let mut taken: HashSet<CustomerId> = HashSet::new();
        taken.extend(self.former.customers.iter().map(|customer| customer.id));
        let mac = Hmac::<Sha256>::new_from_slice(self.key).map_err(|_| IdentityError::Key)?;
        let mut created = Vec::new();
        for (founder, leader) in self.founders(owners) {
            let id = self.new_id(mac.clone(), founder, &mut taken);
            let number = self.former.customers.len() + created.len();
            owners[leader as usize] = Some(number as CustomerNumber);
            created.push(Customer { id, created: self.now });
        }
        Ok(created)
    }

    /// Returns the most senior identifier and the leader of each group without owner, seniors first.
    fn founders(&self, owners: &[Option<CustomerNumber>]) -> Vec<(Node, Node)> {
        let mut founders: Vec<Option<(Seniority, Node)>> = vec![None; owners.len()];
        for (node, leader) in (0..).zip(self.leaders) {
            let Some(leader) = leader.map(|leader| leader as usize) else {
                continue;
            };
            let candidate = (self.seniority(node), node);
            if owners[leader].is_none() && founders[leader].is_none_or(|best| candidate < best) {
                founders[leader] = Some(candidate);
            }
        }
        let mut founders: Vec<(Seniority, Node, Node)> = (0..)
            .zip(founders)
            .filter_map(|(leader, founder)| founder.map(|(senior, node)| (senior, node, leader)))
            .collect();
        founders.sort_unstable();
        founders.into_iter().map(|(_, founder, leader)| (founder, leader)).collect()
    }

    /// Returns an id that nobody has; it is known from the identifier only to those who have the key.
    fn new_id(
        &self,
        mut mac: Hmac<Sha256>,
        founder: Node,
        taken: &mut HashSet<CustomerId>,
    ) -> CustomerId {
        let kind = self.kinds.get(self.identifiers.kind(founder));
        for part in [kind.name.as_str(), "\0", self.identifiers.value(founder)] {
            mac.update(part.as_bytes());
        }
        loop {
            let digest = mac.clone().finalize().into_bytes();
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&digest[..16]);
            let id = CustomerId::from_bytes(bytes);
            if !(self.is_taken)(id) && taken.insert(id) {
                return id;
            }
            mac.update(b"\0again");
        }
    }
}

/// Tells where identifiers went that left their customer.
fn moves(
    owners: &[Option<CustomerNumber>],
    shares: &[Share],
    heirs: &[Option<usize>],
) -> Vec<Change> {
    let numbered = shares.iter().enumerate();
    let change = |(number, share): (usize, &Share)| {
        let owner = owners[share.leader as usize]?;
        let is_heir = heirs[share.customer as usize] == Some(number);
        (owner != share.customer).then_some(Change {
            kind: if is_heir { ChangeKind::Merged } else { ChangeKind::Split },
            customer: owner,
            from: Some(share.customer),
            leader: Some(share.leader),
            identifiers: share.identifiers,
        })
    };
    numbered.filter_map(change).collect()
}

/// Tells which customers came from nothing, and which went there.
fn arrivals_and_departures(
    customers: usize,
    of: &[Option<CustomerNumber>],
    owners: &[Option<CustomerNumber>],
    shares: &[Share],
    heirs: &[Option<usize>],
) -> Vec<Change> {
    let mut identifiers = vec![0; customers];
    for customer in of.iter().flatten() {
        identifiers[*customer as usize] += 1;
    }
    // A group with a former identifier is no arrival: its share tells where it came from.
    for owner in shares.iter().filter_map(|share| owners[share.leader as usize]) {
        identifiers[owner as usize] = 0;
    }
    let change = |(customer, identifiers): (CustomerNumber, u64)| {
        let kind = match heirs.get(customer as usize) {
            Some(Some(_)) => None,
            Some(None) => Some(ChangeKind::Retired),
            None => (identifiers > 0).then_some(ChangeKind::Created),
        };
        kind.map(|kind| Change { kind, customer, from: None, leader: None, identifiers })
    };
    (0..).zip(identifiers).filter_map(change).collect()
}
