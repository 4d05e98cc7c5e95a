//! Calendar periods, counted so that two of them can be compared.

use chrono::{Datelike, NaiveDate};

/// A kind of calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    /// From Monday.
    Week,
    Month,
    Quarter,
    Year,
}

const MONTHS: i32 = 12;
const MONTHS_OF_QUARTER: i32 = 3;
const DAYS_OF_WEEK: i32 = 7;
/// 1 January 1970 was a Thursday, three days after the Monday of its week.
const EPOCH_WEEKDAY: i32 = 3;

impl Period {
    /// The words authors know them by.
    pub(super) const WORDS: [(&'static str, Self); 5] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, period)| *period)
    }

    /// Returns the number of the period that holds a day, in days since 1970; the next period has the next number.
    pub(super) fn number(self, day: i32) -> Option<i32> {
        let months = || {
            let date = NaiveDate::from_epoch_days(day)?;
            date.year().checked_mul(MONTHS)?.checked_add(i32::try_from(date.month0()).ok()?)
        };
        match self {
            Self::Day => Some(day),
            Self::Week => Some(day.checked_add(EPOCH_WEEKDAY)?.div_euclid(DAYS_OF_WEEK)),
            Self::Month => months(),
            Self::Quarter => Some(months()?.div_euclid(MONTHS_OF_QUARTER)),
            Self::Year => Some(months()?.div_euclid(MONTHS)),
        }
    }

    /// Returns the first day of the period of a number, in days since 1970.
    pub(super) fn first_day(self, number: i32) -> Option<i32> {
        let month = |months: i32| {
            let month = u32::try_from(months.rem_euclid(MONTHS)).ok()? + 1;
            let date = NaiveDate::from_ymd_opt(months.div_euclid(MONTHS), month, 1)?;
            Some(date.to_epoch_days())
        };
        match self {
            Self::Day => Some(number),
            Self::Week => number.checked_mul(DAYS_OF_WEEK)?.checked_sub(EPOCH_WEEKDAY),
            Self::Month => month(number),
            Self::Quarter => month(number.checked_mul(MONTHS_OF_QUARTER)?),
            Self::Year => month(number.checked_mul(MONTHS)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::Period;

    fn day(text: &str) -> i32 {
        text.parse::<NaiveDate>().unwrap().to_epoch_days()
    }

    fn bounds(period: Period, of: &str) -> (String, String) {
        let number = period.number(day(of)).unwrap();
        let date = |number| {
            let first = period.first_day(number).unwrap();
            NaiveDate::from_epoch_days(first).unwrap().to_string()
        };
        (date(number), date(number + 1))
    }

    #[test]
    fn periods_begin_where_calendars_say() {
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(bounds(Period::Week, "2026-02-01"), pair("2026-01-26", "2026-02-02"));
        assert_eq!(bounds(Period::Week, "1969-12-28"), pair("1969-12-22", "1969-12-29"));
        assert_eq!(bounds(Period::Month, "2024-02-29"), pair("2024-02-01", "2024-03-01"));
        assert_eq!(bounds(Period::Month, "1969-12-31"), pair("1969-12-01", "1970-01-01"));
        assert_eq!(bounds(Period::Quarter, "2026-12-31"), pair("2026-10-01", "2027-01-01"));
        assert_eq!(bounds(Period::Year, "2026-07-01"), pair("2026-01-01", "2027-01-01"));
    }

    proptest! {
        #[test]
        fn every_day_lies_in_its_period_and_in_no_other(day in -800_000_i32..800_000) {
            for (_, period) in Period::WORDS {
                let number = period.number(day).unwrap();
                let first = period.first_day(number).unwrap();
                let next = period.first_day(number + 1).unwrap();
                prop_assert!(first <= day && day < next);
                prop_assert_eq!(period.number(next), Some(number + 1));
            }
        }
    }
}
