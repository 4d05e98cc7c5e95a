//! Identifiers that were refused to a customer, and what they then say of others.
//!
//! A row with a login, an address and a cookie shows three links. Where the address belongs to somebody else, it is
//! refused to the login; the cookie is the login's, and that the address stands beside it says no more of it.

use hashbrown::{HashMap, HashSet};

use super::identifiers::Node;

/// For each identifier that was refused, to which stronger ones.
#[derive(Default)]
pub(super) struct Refusals(HashMap<Node, Vec<Node>>);

/// Links that say nothing, since their stronger end was refused to another one that their weaker end was seen with.
#[derive(Default)]
pub(super) struct Explained(HashSet<[Node; 2]>);

impl Refusals {
    pub(super) fn note(&mut self, stronger: Node, weaker: Node) {
        self.0.entry(weaker).or_default().push(stronger);
    }

    /// Finds the links that say nothing among those whose weaker ends have one priority; the stronger end comes first.
    pub(super) fn explained(&self, links: impl Iterator<Item = [Node; 2]> + Clone) -> Explained {
        if self.0.is_empty() {
            return Explained::default();
        }
        let mut doubtful: HashMap<Node, Vec<Node>> = HashMap::new();
        for [stronger, weaker] in links.clone() {
            if self.0.contains_key(&stronger) {
                doubtful.entry(weaker).or_default().push(stronger);
            }
        }
        let mut explained = HashSet::new();
        for [other, weaker] in links {
            for refused in doubtful.get(&weaker).into_iter().flatten() {
                if self.0.get(refused).is_some_and(|owners| owners.contains(&other)) {
                    explained.insert([*refused, weaker]);
                }
            }
        }
        Explained(explained)
    }
}

impl Explained {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether a link says nothing; the stronger end comes first.
    pub(super) fn holds(&self, link: [Node; 2]) -> bool {
        !self.is_empty() && self.0.contains(&link)
    }
}

#[cfg(test)]
mod tests {
    use super::Refusals;

    #[test]
    fn what_was_refused_to_one_vouches_for_nothing_seen_with_that_one() {
        let [login, address, cookie, other] = [1, 2, 3, 4];
        let mut refusals = Refusals::default();
        let links = [[address, cookie], [login, cookie], [address, other]];
        assert!(!refusals.explained(links.into_iter()).holds([address, cookie]));
        refusals.note(login, address);
        let explained = refusals.explained(links.into_iter());
        assert_eq!(links.map(|link| explained.holds(link)), [true, false, false]);
    }
}
