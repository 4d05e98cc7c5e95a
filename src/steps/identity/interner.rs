//! Numbers identifiers that several threads find at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::IdentityError;
use super::identifiers::{Identifiers, Instant, Node};
use super::kinds::{Fingerprint, KindId, Kinds};

/// Stands for an identifier until all of them are known: the number of its shard, and above these bits its number there.
pub(super) type Code = u32;

const SHARD_BITS: u32 = 8;
const SHARDS: usize = 1 << SHARD_BITS;
/// So many identifiers of a shard have codes.
const MOST_OF_A_SHARD: Node = 1 << (Code::BITS - SHARD_BITS);

/// Identifiers, each once, in shards of their own locks.
pub(super) struct Interner(Vec<Mutex<Identifiers>>);

/// The nodes that codes stand for, by shard.
pub(super) struct Nodes(Vec<Vec<Node>>);

impl Interner {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    /// Notes that an identifier was seen.
    pub(super) fn note(
        &self,
        kinds: &Kinds,
        (kind, value): (KindId, &str),
        seen: Instant,
    ) -> Result<Code, IdentityError> {
        let rule = kinds.get(kind);
        let fingerprint = rule.fingerprint(value);
        let shard = shard_of(fingerprint);
        let standing = || rule.standing(value);
        let place = self.shard(shard).insert((kind, value), fingerprint, seen, standing);
        if place < MOST_OF_A_SHARD {
            Ok(place << SHARD_BITS | shard as Code)
        } else {
            Err(IdentityError::TooMany)
        }
    }

    /// Says whether an identifier was seen.
    pub(super) fn holds(&self, fingerprint: Fingerprint, kind: KindId, value: &str) -> bool {
        self.shard(shard_of(fingerprint)).holds(fingerprint, kind, value)
    }

    /// Adds all identifiers to those that are known, and tells their nodes there.
    pub(super) fn add_to(self, known: &mut Identifiers) -> Nodes {
        let shards = self.0.into_iter();
        let mut shards: Vec<Identifiers> = shards
            .map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        known.reserve(shards.iter().map(Identifiers::len).sum());
        // Each goes before the next one comes, so that nothing is held twice for long.
        let nodes = |shard: &mut Identifiers| known.note_all(&std::mem::take(shard));
        Nodes(shards.iter_mut().map(nodes).collect())
    }

    fn shard(&self, shard: usize) -> MutexGuard<'_, Identifiers> {
        self.0[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    pub(super) fn of(&self, code: Code) -> Node {
        self.0[code as usize % SHARDS][(code >> SHARD_BITS) as usize]
    }
}

/// The other half of a fingerprint spreads the identifiers of a shard over its table.
fn shard_of(fingerprint: Fingerprint) -> usize {
    fingerprint[1] as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::{Identifiers, Interner, Kinds};
    use crate::engine::on_threads;
    use crate::plan;

    #[test]
    fn an_identifier_has_one_number_whichever_thread_finds_it() {
        let rules = plan::Identity::default();
        let mut kinds = Kinds::new(&rules);
        let kind = kinds.number("cookie").unwrap();
        let interner = Interner::new();
        let value = |number: u32| format!("c{number}");
        let codes = on_threads(3, |_| {
            (0..1000).map(|number| interner.note(&kinds, (kind, &value(number)), 7)).collect()
        });
        let codes: Vec<Vec<u32>> = codes.unwrap();
        assert!(codes.iter().all(|found| *found == codes[0]));
        let mut known = Identifiers::default();
        known.note(&kinds, kind, "c3", 9);
        let nodes = interner.add_to(&mut known);
        assert_eq!(known.len(), 1000);
        for (number, code) in (0..).zip(&codes[0]) {
            assert_eq!(known.value(nodes.of(*code)), value(number));
        }
        assert_eq!((nodes.of(codes[0][3]), known.first_seen(0)), (0, 7));
    }
}
