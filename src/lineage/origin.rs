//! What a value may come from.

use std::collections::BTreeSet;
use std::fmt;

/// Something a column is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    /// A field of the raw records of a source.
    Field { source: String, field: String },
    /// The objects of a source: their paths, and how many records they hold.
    Objects { source: String },
    /// Which rows a table has, whatever stands in them; what a `count(*)` is made of.
    Rows { table: String },
    /// A column of a table.
    Column { table: String, column: String },
}

/// A set of origins.
pub(super) type Origins = BTreeSet<Origin>;

impl Origin {
    pub(super) fn column(table: &str, column: &str) -> Self {
        Self::Column { table: table.to_owned(), column: column.to_owned() }
    }

    pub(super) fn rows(table: &str) -> Self {
        Self::Rows { table: table.to_owned() }
    }

    /// Returns the table, or the source, that the origin belongs to.
    pub(crate) fn table(&self) -> &str {
        match self {
            Self::Field { source, .. } | Self::Objects { source } => source,
            Self::Rows { table } | Self::Column { table, .. } => table,
        }
    }

    /// Returns what of the table or source it is.
    pub(crate) fn part(&self) -> &str {
        match self {
            Self::Field { field, .. } => field,
            Self::Objects { .. } => "objects",
            Self::Rows { .. } => "*",
            Self::Column { column, .. } => column,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { source, field } => write!(formatter, "field `{field}` of {source}"),
            Self::Objects { source } => write!(formatter, "objects of {source}"),
            Self::Rows { table } => write!(formatter, "{table}.*"),
            Self::Column { table, column } => write!(formatter, "{table}.{column}"),
        }
    }
}

/// What one value is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trace {
    /// What it is computed from.
    pub(super) value: Origins,
    /// What decides which of several values is taken.
    pub(super) influences: Origins,
}

impl Trace {
    pub(super) fn of(value: Origin) -> Self {
        Self { value: Origins::from([value]), influences: Origins::new() }
    }

    /// Adds what another value is made of to both sets.
    pub(super) fn absorb(&mut self, other: Self) {
        self.value.extend(other.value);
        self.influences.extend(other.influences);
    }

    /// Adds everything another value is made of as influences.
    pub(super) fn influenced_by(&mut self, other: Self) {
        self.influences.extend(other.value);
        self.influences.extend(other.influences);
    }

    /// Returns values and influences as one set.
    pub(super) fn everything(self) -> Origins {
        let mut all = self.value;
        all.extend(self.influences);
        all
    }
}
