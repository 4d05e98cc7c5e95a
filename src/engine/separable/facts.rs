//! What is known of the columns of a step of a query.

use std::collections::BTreeSet;

use super::Night;

/// What is known of the rows that a step of a query yields.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Whether each row follows from the rows of one customer; otherwise it follows from nobody's.
    pub(super) is_keyed: bool,
    pub(super) columns: Vec<Fact>,
}

/// What is known of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Fact {
    /// Whether it holds, in every row, the customer from whose rows the row follows.
    pub(super) carries: bool,
    pub(super) value: Value,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Value {
    /// All of them are the night.
    Stamp(Night),
    /// Some of them are the night.
    MaybeStamp,
    /// They stand, as they are or not at all, in one of these columns of tables with customers.
    Stored(BTreeSet<(String, String)>),
    /// They are computed, or have nothing to do with customers.
    #[default]
    Other,
}

impl Node {
    pub(super) fn carries(&self) -> bool {
        self.columns.iter().any(|column| column.carries)
    }
}

impl Fact {
    /// Returns what is known of the column where rows may be made up of NULL.
    pub(super) fn or_null(&self) -> Self {
        let value = match &self.value {
            Value::Stamp(_) => Value::MaybeStamp,
            value => value.clone(),
        };
        Self { carries: false, value }
    }
}

impl Value {
    /// Says whether the night is in it, so that it may differ from night to night although no row has changed.
    pub(super) fn is_of_the_night(&self) -> bool {
        matches!(self, Self::Stamp(_) | Self::MaybeStamp)
    }

    /// Returns what is known of values of which some come from here and some from `other`.
    pub(super) fn beside(&self, other: &Self) -> Self {
        match (self, other) {
            (one, another) if one == another => one.clone(),
            (Self::Stored(these), Self::Stored(those)) => {
                Self::Stored(these.union(those).cloned().collect())
            }
            (one, another) if one.is_of_the_night() || another.is_of_the_night() => {
                Self::MaybeStamp
            }
            _ => Self::Other,
        }
    }
}
