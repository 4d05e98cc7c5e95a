//! Exchange rates.

use super::chance::{Chance, Topic};

/// The currencies people pay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Currency {
    Cny,
    Usd,
    Eur,
    Hkd,
}

impl Currency {
    pub(super) const ALL: [Self; 4] = [Self::Cny, Self::Usd, Self::Eur, Self::Hkd];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Hkd => "HKD",
        }
    }

    /// Returns what one unit is worth in yuan on a day, in hundred-millionths.
    pub(super) fn rate(self, seed: u64, day: u32) -> i64 {
        let typical = match self {
            Self::Cny => return 100_000_000,
            Self::Usd => 710_000_000,
            Self::Eur => 782_000_000,
            Self::Hkd => 91_000_000,
        };
        let mut chance = Chance::new(seed, Topic::Rate, self as u64, u64::from(day));
        typical + typical / 100_000 * (chance.below(1200) as i64 - 600)
    }

    /// Converts an amount in fen to the smallest unit of this currency.
    pub(super) fn amount_of_fen(self, fen: i64, seed: u64, day: u32) -> i64 {
        fen * 100_000_000 / self.rate(seed, day)
    }

    /// Converts an amount in the smallest unit of this currency to fen.
    pub(super) fn to_fen(self, amount: i64, seed: u64, day: u32) -> i64 {
        amount * self.rate(seed, day) / 100_000_000
    }
}
