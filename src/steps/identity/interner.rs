//! Numbers identifiers that several threads find at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::IdentityError;
use super::by_shard::ByShard;
use super::entries::Identifier;
use super::identifiers::{Identifiers, Instant, Node, Places, SHARDS, Shard, shard_of};
use super::kinds::Kinds;

/// Stands for an identifier until all of them are known: the number of its shard, and above these bits its number there.
pub(super) type Code = u32;

const SHARD_BITS: u32 = SHARDS.ilog2();
/// So many identifiers of a shard have codes.
const MOST_OF_A_SHARD: Node = 1 << (Code::BITS - SHARD_BITS);

/// Identifiers, each once, in shards of their own locks.
pub(super) struct Interner(Vec<Mutex<Shard>>);

/// The nodes that codes stand for, by shard.
pub(super) struct Nodes(Vec<Places>);

impl Interner {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    /// Notes identifiers and when each was seen; returns their codes.
    pub(super) fn note_all(
        &self,
        kinds: &Kinds,
        seen: &[(Identifier<'_>, Instant)],
    ) -> Result<Vec<Code>, IdentityError> {
        let mut codes = vec![0; seen.len()];
        let by_shard = ByShard::new(seen.iter().map(|(one, _)| shard_of(one.fingerprint)));
        for (number, places) in by_shard.groups() {
            let mut shard = self.shard(number);
            let Shard { entries, numbers } = &mut *shard;
            for place in places {
                entries.fetch(numbers, seen[*place as usize].0.fingerprint);
            }
            for place in places {
                let (identifier, seen) = &seen[*place as usize];
                let standing = || kinds.get(identifier.kind).standing(identifier.value);
                let node = entries.note(numbers, identifier, *seen, standing);
                codes[*place as usize] = node << SHARD_BITS | number as Code;
            }
            if entries.len() > MOST_OF_A_SHARD as usize {
                return Err(IdentityError::TooMany);
            }
        }
        Ok(codes)
    }

    /// Says whether an identifier was seen.
    pub(super) fn holds(&self, wanted: &Identifier<'_>) -> bool {
        let shard = self.shard(shard_of(wanted.fingerprint));
        shard.entries.find(&shard.numbers, wanted).is_some()
    }

    /// Adds all identifiers to those that are known, and tells their nodes there.
    pub(super) fn add_to(self, known: &mut Identifiers) -> Nodes {
        let shards = self.0.into_iter();
        let shards = shards.map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner));
        let shards: Vec<Shard> = shards.collect();
        known.reserve(shards.iter().map(|shard| shard.entries.len()).sum());
        let shards = shards.into_iter();
        // Each goes before the next one comes, so that nothing is held twice for long.
        Nodes(shards.enumerate().map(|(number, shard)| known.add(number, shard)).collect())
    }

    fn shard(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.0[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    pub(super) fn of(&self, code: Code) -> Node {
        let place = code >> SHARD_BITS;
        match &self.0[code as usize % SHARDS] {
            Places::From(first) => first.wrapping_add(place),
            Places::Each(nodes) => nodes[place as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Identifier, Identifiers, Interner, Kinds};
    use crate::engine::on_threads;
    use crate::plan;

    #[test]
    fn an_identifier_has_one_number_whichever_thread_finds_it() {
        let rules = plan::Identity::default();
        let mut kinds = Kinds::new(&rules);
        let kind = kinds.number("cookie").unwrap();
        let interner = Interner::new();
        // Some are too long to lie in their entries.
        let value = |number: usize| format!("c{number}{}", "x".repeat(number % 50));
        let values: Vec<String> = (0..1000).map(value).collect();
        let codes = on_threads(3, |_| {
            let seen = values.iter().map(|value| (Identifier::new(&kinds, kind, value), 7));
            interner.note_all(&kinds, &seen.collect::<Vec<_>>())
        });
        let codes: Vec<Vec<u32>> = codes.unwrap();
        assert!(codes.iter().all(|found| *found == codes[0]));
        let mut known = Identifiers::default();
        known.note(&kinds, kind, &values[3], 9);
        known.note(&kinds, kind, &values[40], 5);
        let nodes = interner.add_to(&mut known);
        assert_eq!(known.len(), 1000);
        for (value, code) in values.iter().zip(&codes[0]) {
            assert_eq!(known.value(nodes.of(*code)), value);
            assert_eq!(known.find(&Identifier::new(&kinds, kind, value)), Some(nodes.of(*code)));
        }
        assert_eq!((nodes.of(codes[0][3]), known.first_seen(0)), (0, 7));
        assert_eq!((nodes.of(codes[0][40]), known.first_seen(1)), (1, 5));
    }
}
