//! Amounts of one currency that become amounts of another.

use crate::names::SourceName;
use crate::plan::{Column, ColumnKind, Source};

/// How the amounts of a column are converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) from: Currency,
    /// The currency of the outcome: that in which rates are given.
    pub(crate) to: String,
    /// The source of the rates.
    pub(crate) rates: SourceName,
    /// Index of the column whose local date decides which rate counts.
    pub(crate) date: usize,
    /// How many days a rate may be older than that date.
    pub(crate) max_age: u32,
}

/// Where it stands in which currency an amount is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Currency {
    /// Index of the column.
    Column(usize),
    /// One for all rows.
    Code(String),
}

/// The columns of a source of rates: what one unit of a currency is worth on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateColumns {
    pub(crate) date: usize,
    pub(crate) currency: usize,
    pub(crate) rate: usize,
    /// How many decimals the rates have.
    pub(crate) scale: i8,
}

impl Source {
    /// Returns the columns that make the source a table of rates, if it is one.
    pub(crate) fn rate_columns(&self) -> Option<RateColumns> {
        let named = |name: &str| {
            let mut columns = self.columns.iter();
            columns.position(|column| column.name.as_str() == name && column.required)
        };
        let is_date = |column: &&Column| matches!(column.kind, ColumnKind::Date { .. });
        let date = self.columns.iter().position(|column| is_date(&column) && column.required)?;
        let (currency, rate) = (named("currency")?, named("rate")?);
        let is_single = self.columns.iter().filter(is_date).count() == 1;
        match (&self.columns[currency].kind, &self.columns[rate].kind) {
            (ColumnKind::String, ColumnKind::Decimal { scale, .. }) if is_single => {
                Some(RateColumns { date, currency, rate, scale: *scale })
            }
            _ => None,
        }
    }

    /// Returns the sources of rates that the columns are converted by.
    pub(crate) fn rates(&self) -> impl Iterator<Item = &SourceName> {
        self.columns.iter().filter_map(|column| Some(&column.exchange.as_ref()?.rates))
    }
}
