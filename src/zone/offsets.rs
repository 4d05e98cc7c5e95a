//! Local days of moments, fast.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Data comes roughly in order of time, so one remembered stretch answers nearly every question.
const STRETCH_SECONDS: i64 = 900;

/// Answers "which local day is this moment in?" for one time zone.
///
/// Remembers the offset of the last quarter of an hour, when that quarter holds no clock change.
pub(crate) struct ZoneOffsets {
    timezone: Tz,
    stretch: i64,
    offset: Option<i64>,
}

impl ZoneOffsets {
    pub(crate) fn new(timezone: Tz) -> Self {
        Self { timezone, stretch: i64::MIN, offset: None }
    }

    /// Returns the local day of a moment, both counted from 1970-01-01: microseconds in UTC in, days out.
    ///
    /// Returns nothing where the moment is outside the calendar.
    pub(crate) fn local_day(&mut self, micros: i64) -> Option<i32> {
        let seconds = micros.div_euclid(MICROS_PER_SECOND);
        let local = seconds + self.offset_at(seconds)?;
        i32::try_from(local.div_euclid(SECONDS_PER_DAY)).ok()
    }

    fn offset_at(&mut self, seconds: i64) -> Option<i64> {
        let stretch = seconds.div_euclid(STRETCH_SECONDS);
        if stretch != self.stretch {
            self.stretch = stretch;
            let first = self.looked_up(stretch * STRETCH_SECONDS);
            let last = self.looked_up(stretch * STRETCH_SECONDS + STRETCH_SECONDS - 1);
            self.offset = first.filter(|_| first == last);
        }
        self.offset.or_else(|| self.looked_up(seconds))
    }

    fn looked_up(&self, seconds: i64) -> Option<i64> {
        let moment = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let offset = self.timezone.offset_from_utc_datetime(&moment);
        Some(i64::from(offset.fix().local_minus_utc()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, NaiveDate};

    use super::ZoneOffsets;

    fn day(moment: &str, timezone: chrono_tz::Tz) -> NaiveDate {
        let micros = DateTime::parse_from_rfc3339(moment).unwrap().timestamp_micros();
        let days = ZoneOffsets::new(timezone).local_day(micros).unwrap();
        NaiveDate::from_epoch_days(days).unwrap()
    }

    #[test]
    fn the_local_day_begins_at_local_midnight() {
        let zone = chrono_tz::Asia::Shanghai;
        assert_eq!(day("2026-01-30T15:59:59.999999Z", zone).day(), 30);
        assert_eq!(day("2026-01-30T16:00:00Z", zone).day(), 31);
        assert_eq!(day("1969-12-31T16:00:00Z", zone).year(), 1970);
    }

    #[test]
    fn the_remembered_offset_equals_the_looked_up_one_across_clock_changes() {
        let zone = chrono_tz::Australia::Lord_Howe;
        let mut remembering = ZoneOffsets::new(zone);
        for quarter in 0..40_000_i64 {
            let micros = (1_700_000_000 + quarter * 871) * 1_000_000;
            let fresh = ZoneOffsets::new(zone).local_day(micros);
            assert_eq!(remembering.local_day(micros), fresh);
        }
    }
}
