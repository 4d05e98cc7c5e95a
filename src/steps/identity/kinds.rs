//! The types of identifiers and their rules.

use std::collections::HashSet;

use siphasher::sip128::SipHasher13;

use super::identifiers::Standing;
use super::junk::is_junk;
use crate::names::{IdentifierType, NameError};
use crate::plan;

/// Stands for an identifier in orders that must be the same every night.
pub(super) type Fingerprint = [u64; 2];

/// The number of a type of identifier.
pub(super) type KindId = u16;

/// All types of identifiers: those the pipeline declares, then those only the registry knows.
pub(super) struct Kinds(Vec<Kind>);

/// A type of identifier.
pub(super) struct Kind {
    pub(super) name: IdentifierType,
    /// 1 is the strongest.
    pub(super) priority: u32,
    pub(super) unique: bool,
    /// How many values one customer may have.
    pub(super) max_per_customer: Option<u32>,
    /// How many customers may share a value.
    pub(super) max_customers: Option<u32>,
    /// With how many other identifiers a value may be seen.
    pub(super) block_above: Option<u32>,
    /// For how long a link counts after it was last seen.
    pub(super) window: Option<plan::Window>,
    declared: bool,
    blocked: HashSet<Box<str>>,
    blocked_patterns: Vec<plan::Pattern>,
    hasher: SipHasher13,
}

impl Kinds {
    pub(super) fn new(rules: &plan::Identity) -> Self {
        Self(rules.identifiers.iter().map(Kind::declared).collect())
    }

    /// Returns the number of a type; one that is not declared identifies nobody, but is remembered.
    pub(super) fn number(&mut self, name: &str) -> Result<KindId, NameError> {
        if let Some(kind) = self.known(name) {
            return Ok(kind);
        }
        self.0.push(Kind::undeclared(&name.parse()?));
        Ok((self.0.len() - 1) as KindId)
    }

    /// Returns the number of a type that is known.
    pub(super) fn known(&self, name: &str) -> Option<KindId> {
        let position = self.0.iter().position(|kind| kind.name.as_str() == name);
        position.map(|position| position as KindId)
    }

    pub(super) fn get(&self, kind: KindId) -> &Kind {
        &self.0[usize::from(kind)]
    }

    /// Orders types from the one whose values own a row best.
    ///
    /// A value of a type with `max_customers` may turn out to be shared, today or later, so it owns a row only
    /// where nothing else does.
    pub(super) fn rank_as_owner(&self, kind: KindId) -> (bool, u32, KindId) {
        let rule = self.get(kind);
        (rule.max_customers.is_some(), rule.priority, kind)
    }

    /// Returns for each type its place in the order of names.
    pub(super) fn ranks_by_name(&self) -> Vec<usize> {
        let rank = |kind: &Kind| self.0.iter().filter(|other| other.name < kind.name).count();
        self.0.iter().map(rank).collect()
    }

    /// Returns the types that the pipeline declares.
    pub(super) fn declared(&self) -> impl Iterator<Item = KindId> {
        self.iter().filter(|(_, kind)| kind.declared).map(|(number, _)| number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (KindId, &Kind)> {
        (0..).zip(&self.0)
    }
}

impl Kind {
    fn declared(rule: &plan::Identifier) -> Self {
        let at_most = |limit: Option<u64>| limit.map(|limit| limit.try_into().unwrap_or(u32::MAX));
        Self {
            priority: rule.priority,
            unique: rule.unique,
            max_per_customer: if rule.unique { Some(1) } else { at_most(rule.max_per_customer) },
            max_customers: at_most(rule.max_customers),
            block_above: at_most(rule.block_above),
            window: rule.window,
            declared: true,
            blocked: rule.blocked.iter().map(|value| value.as_str().into()).collect(),
            blocked_patterns: rule.blocked_patterns.clone(),
            ..Self::undeclared(&rule.name)
        }
    }

    fn undeclared(name: &IdentifierType) -> Self {
        Self {
            name: name.clone(),
            priority: u32::MAX,
            unique: false,
            max_per_customer: None,
            max_customers: None,
            block_above: None,
            window: None,
            declared: false,
            blocked: HashSet::new(),
            blocked_patterns: Vec::new(),
            hasher: hasher(name),
        }
    }

    /// Says whether a value that was seen points at a person, as far as the value itself tells.
    pub(super) fn standing(&self, value: &str) -> Standing {
        let is_blocked = || {
            let mut patterns = self.blocked_patterns.iter();
            self.blocked.contains(value) || patterns.any(|pattern| pattern.matches(value))
        };
        if self.declared && !is_blocked() && !is_junk(value) {
            Standing::Active
        } else {
            Standing::Blocked
        }
    }

    pub(super) fn fingerprint(&self, value: &str) -> Fingerprint {
        self.hasher.hash(value.as_bytes()).as_u64().into()
    }
}

/// Makes the hasher of a type; the same every night.
fn hasher(name: &IdentifierType) -> SipHasher13 {
    let digest = blake3::hash(name.as_str().as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest.as_bytes()[..16]);
    SipHasher13::new_with_key(&key)
}
