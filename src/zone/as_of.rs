//! The moment a run computes up to.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The exclusive local midnight up to which a run computes; the same for every stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AsOf {
    /// The local date that has just begun; the day before it is the last one covered.
    pub(crate) date: NaiveDate,
    /// Midnight at the start of that date.
    pub(crate) instant: DateTime<Utc>,
}

impl AsOf {
    /// Returns the midnight at which `date` begins in `timezone`.
    ///
    /// Where a clock change skips midnight, the day begins at the first instant after the gap; where
    /// it repeats midnight, at the first of the two.
    pub(crate) fn midnight(date: NaiveDate, timezone: Tz) -> Self {
        let mut local = date.and_time(NaiveTime::MIN);
        loop {
            match timezone.from_local_datetime(&local) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                    return Self { date, instant: moment.with_timezone(&Utc) };
                }
                LocalResult::None => local += chrono::Duration::minutes(15),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AsOf;

    fn instant(date: &str, timezone: chrono_tz::Tz) -> String {
        AsOf::midnight(date.parse().unwrap(), timezone).instant.to_rfc3339()
    }

    #[test]
    fn midnight_is_local() {
        assert_eq!(instant("2026-01-31", chrono_tz::Asia::Shanghai), "2026-01-30T16:00:00+00:00");
    }

    #[test]
    fn a_day_without_midnight_begins_after_the_gap() {
        assert_eq!(
            instant("2018-11-04", chrono_tz::America::Sao_Paulo),
            "2018-11-04T03:00:00+00:00"
        );
    }
}
