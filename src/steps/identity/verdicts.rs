//! Decisions of people, by the numbers of the identifiers they name.

use super::entries::Identifier;
use super::identifiers::{Identifiers, Node};
use super::kinds::Kinds;
use super::union_find::{Part, Side};
use crate::warehouse::{Decision, NamedIdentifier};

/// What people have decided.
#[derive(Default)]
pub(super) struct Verdicts {
    /// Which identifiers are on which side of which decision.
    pub(super) sides: Vec<(Node, Side)>,
    /// Identifiers with whom the id of a customer stays.
    pub(super) keepers: Vec<(String, Node)>,
    /// Identifiers that are one customer, whatever links them.
    pub(super) together: Vec<[Node; 2]>,
}

impl Verdicts {
    /// Looks up whom decisions name; who was never seen is on no side.
    pub(super) fn new(kinds: &Kinds, identifiers: &Identifiers, decisions: &[Decision]) -> Self {
        let mut verdicts = Self::default();
        let node = |named: &NamedIdentifier| {
            let kind = kinds.known(&named.identifier_type)?;
            identifiers.find(&Identifier::new(kinds, kind, &named.value))
        };
        for (number, decision) in (0..).zip(decisions) {
            if decision.customer_id.is_some() {
                let kept: Vec<Node> = decision.keep.iter().filter_map(node).collect();
                verdicts.together.extend(kept.windows(2).map(|pair| [pair[0], pair[1]]));
            }
            for (named, part) in [(&decision.keep, Part::Kept), (&decision.apart, Part::Apart)] {
                for node in named.iter().filter_map(node) {
                    verdicts.sides.push((node, (number, part)));
                    if let (Part::Kept, Some(customer)) = (part, &decision.customer_id) {
                        verdicts.keepers.push((customer.clone(), node));
                    }
                }
            }
        }
        verdicts
    }
}
