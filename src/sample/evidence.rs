//! What the files show about who is who.

use super::people::Identifier;

/// A set of identifiers of one person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    pub(super) fn insert(&mut self, identifier: Identifier) {
        self.0 |= 1 << identifier.bit();
    }

    pub(super) fn contains(self, identifier: Identifier) -> bool {
        self.0 & (1 << identifier.bit()) != 0
    }
}

/// The identifiers of one person that rows hold, and which of them rows connect.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    seen: Marks,
    /// For each identifier the lowest one it is connected with.
    groups: [u8; Identifier::OWN as usize],
}

impl Default for Evidence {
    fn default() -> Self {
        let mut groups = [0; Identifier::OWN as usize];
        for (group, number) in groups.iter_mut().zip(0..) {
            *group = number;
        }
        Self { seen: Marks::default(), groups }
    }
}

impl Evidence {
    /// Takes note of the identifiers of one row.
    pub(super) fn record(&mut self, row: Marks) {
        self.seen.0 |= row.0;
        let in_row = |number: usize| row.0 & (1 << number) != 0;
        let Some(first) = (0..self.groups.len()).find(|number| in_row(*number)) else {
            return;
        };
        for number in first + 1..self.groups.len() {
            if in_row(number) && self.groups[number] != self.groups[first] {
                self.join(self.groups[number], self.groups[first]);
            }
        }
    }

    pub(super) fn has_seen(&self, identifier: Identifier) -> bool {
        self.seen.contains(identifier)
    }

    /// Returns the group of an identifier: those of one group can be told to be one person. Shared ones have none.
    pub(super) fn group(&self, identifier: Identifier) -> Option<u8> {
        self.groups.get(identifier.bit() as usize).copied()
    }

    fn join(&mut self, one: u8, other: u8) {
        let (low, high) = (one.min(other), one.max(other));
        for group in &mut self.groups {
            if *group == high {
                *group = low;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Identifier, Marks};

    fn marks(identifiers: &[Identifier]) -> Marks {
        let mut marks = Marks::default();
        for identifier in identifiers {
            marks.insert(*identifier);
        }
        marks
    }

    #[test]
    fn rows_connect_identifiers_over_others() {
        let mut evidence = Evidence::default();
        let user = Identifier::User;
        let [cookie, other] = [Identifier::Cookie(0), Identifier::Cookie(1)];
        evidence.record(marks(&[cookie, Identifier::Email(0)]));
        evidence.record(marks(&[other]));
        assert_ne!(evidence.group(user), evidence.group(cookie));
        evidence.record(marks(&[user, Identifier::Email(0)]));
        assert_eq!(evidence.group(user), evidence.group(cookie));
        assert_ne!(evidence.group(user), evidence.group(other));
        assert!(evidence.has_seen(other) && !evidence.has_seen(Identifier::Card));
    }

    #[test]
    fn a_shared_identifier_connects_nothing() {
        let mut evidence = Evidence::default();
        let shared = Identifier::SharedCookie;
        evidence.record(marks(&[shared, Identifier::User]));
        assert_eq!(evidence.group(shared), None);
        assert!(evidence.has_seen(shared));
    }
}
