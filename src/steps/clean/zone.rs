//! Turns local times into UTC and back, quickly: most days have one offset from midnight to midnight.

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::plan::{ClockChanges, Gap, Overlap};

pub(crate) const SKIPPED: &str = "a local time that a clock change skips";
pub(crate) const REPEATED: &str = "a local time that a clock change repeats";
const SECONDS_A_DAY: i64 = 86_400;
const MICROS_A_SECOND: i64 = 1_000_000;
/// How many days are remembered, each in the place that its number gives it.
const REMEMBERED: usize = 64;

/// The offset of a day: in seconds where the whole day has one, else none.
#[derive(Debug, Clone, Copy)]
struct Day {
    number: i64,
    offset: Option<i64>,
}

/// A time zone that remembers the days it was asked for.
#[derive(Debug)]
pub(crate) struct Zone {
    timezone: Tz,
    local_days: Vec<Day>,
    utc_days: Vec<Day>,
}

impl Zone {
    pub(crate) fn new(timezone: Tz) -> Self {
        let unknown = Day { number: i64::MIN, offset: None };
        Self {
            timezone,
            local_days: vec![unknown; REMEMBERED],
            utc_days: vec![unknown; REMEMBERED],
        }
    }

    /// Returns the UTC microseconds of a local time.
    ///
    /// Of a time that a clock change skips or repeats, `changes` says what becomes.
    #[inline]
    pub(crate) fn utc_of(
        &mut self,
        local: NaiveDateTime,
        changes: ClockChanges,
    ) -> Result<i64, &'static str> {
        let micros = local.and_utc().timestamp_micros();
        let number = micros.div_euclid(SECONDS_A_DAY * MICROS_A_SECOND);
        let place = number.rem_euclid(REMEMBERED as i64) as usize;
        if self.local_days[place].number != number {
            self.local_days[place] = self.examine(number, |timezone, time| {
                let found = timezone.offset_from_local_datetime(&time);
                found.single().map(|offset| offset.fix().local_minus_utc())
            });
        }
        match self.local_days[place].offset {
            Some(offset) => Ok(micros - offset * MICROS_A_SECOND),
            None => self.exact_utc_of(local, changes),
        }
    }

    /// Returns the local date of a moment given in UTC microseconds, as days since 1970.
    #[inline]
    pub(crate) fn local_day(&mut self, micros: i64) -> Option<i32> {
        let number = micros.div_euclid(SECONDS_A_DAY * MICROS_A_SECOND);
        let place = number.rem_euclid(REMEMBERED as i64) as usize;
        if self.utc_days[place].number != number {
            self.utc_days[place] = self.examine(number, |timezone, time| {
                Some(timezone.offset_from_utc_datetime(&time).fix().local_minus_utc())
            });
        }
        let offset = match self.utc_days[place].offset {
            Some(offset) => offset,
            None => self.offset_at(micros)?,
        };
        let local = micros.div_euclid(MICROS_A_SECOND) + offset;
        i32::try_from(local.div_euclid(SECONDS_A_DAY)).ok()
    }

    /// Asks for the offset at every half hour of a day, both midnights included.
    fn examine(&self, number: i64, offset_at: impl Fn(Tz, NaiveDateTime) -> Option<i32>) -> Day {
        let unknown = Day { number, offset: None };
        let date = TimeDelta::try_days(number)
            .and_then(|days| NaiveDate::default().checked_add_signed(days));
        let Some(midnight) = date.map(|date| date.and_time(NaiveTime::MIN)) else {
            return unknown;
        };
        let offsets = (0..=48).map(|half_hours| {
            let time = midnight.checked_add_signed(TimeDelta::minutes(30 * half_hours))?;
            offset_at(self.timezone, time)
        });
        let mut common = None;
        for offset in offsets {
            match (offset, common) {
                (None, _) => return unknown,
                (Some(offset), Some(common)) if offset != common => return unknown,
                (Some(offset), _) => common = Some(offset),
            }
        }
        Day { number, offset: common.map(i64::from) }
    }

    fn exact_utc_of(
        &self,
        local: NaiveDateTime,
        changes: ClockChanges,
    ) -> Result<i64, &'static str> {
        match (self.timezone.from_local_datetime(&local), changes) {
            (LocalResult::Single(moment), _)
            | (LocalResult::Ambiguous(moment, _), ClockChanges { overlap: Overlap::Earlier, .. })
            | (LocalResult::Ambiguous(_, moment), ClockChanges { overlap: Overlap::Later, .. }) => {
                Ok(moment.timestamp_micros())
            }
            (LocalResult::Ambiguous(..), ClockChanges { overlap: Overlap::Reject, .. }) => {
                Err(REPEATED)
            }
            (LocalResult::None, ClockChanges { gap: Gap::Reject, .. }) => Err(SKIPPED),
            (LocalResult::None, ClockChanges { gap: Gap::Shift, .. }) => {
                self.shifted(local).ok_or(SKIPPED)
            }
        }
    }

    /// Reads a skipped time with the offset before the gap, which moves it on by the length of the gap.
    fn shifted(&self, local: NaiveDateTime) -> Option<i64> {
        let (_, before) = GapInfo::new(&local, &self.timezone)?.begin?;
        let offset = i64::from(before.fix().local_minus_utc());
        Some(local.and_utc().timestamp_micros() - offset * MICROS_A_SECOND)
    }

    fn offset_at(&self, micros: i64) -> Option<i64> {
        let moment = chrono::DateTime::from_timestamp_micros(micros)?;
        let offset = self.timezone.offset_from_utc_datetime(&moment.naive_utc());
        Some(i64::from(offset.fix().local_minus_utc()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone};
    use chrono_tz::{America, Asia, Australia, Europe, Pacific, Tz};
    use proptest::prelude::*;

    use super::{REPEATED, SKIPPED, Zone};
    use crate::plan::{ClockChanges, Gap, Overlap};

    const ZONES: [Tz; 6] = [
        Asia::Shanghai,
        Asia::Kathmandu,
        Europe::London,
        America::Sao_Paulo,
        Australia::Lord_Howe,
        Pacific::Apia,
    ];

    fn utc(timezone: Tz, local: &str, gap: Gap, overlap: Overlap) -> Result<String, &'static str> {
        let changes = ClockChanges { gap, overlap };
        let micros = Zone::new(timezone).utc_of(local.parse().unwrap(), changes)?;
        Ok(DateTime::from_timestamp_micros(micros).unwrap().format("%F %T").to_string())
    }

    #[test]
    fn skipped_and_repeated_times_are_what_the_policy_makes_of_them() {
        let (berlin, apia, howe) = (Europe::Berlin, Pacific::Apia, Australia::Lord_Howe);
        for (timezone, local, gap, overlap, expected) in [
            (
                berlin,
                "2024-03-31T01:59:59",
                Gap::Reject,
                Overlap::Reject,
                Ok("2024-03-31 00:59:59"),
            ),
            (berlin, "2024-03-31T02:30:00", Gap::Reject, Overlap::Earlier, Err(SKIPPED)),
            (berlin, "2024-03-31T02:30:00", Gap::Shift, Overlap::Reject, Ok("2024-03-31 01:30:00")),
            (
                berlin,
                "2024-03-31T03:00:00",
                Gap::Reject,
                Overlap::Reject,
                Ok("2024-03-31 01:00:00"),
            ),
            (apia, "2011-12-30T12:00:00", Gap::Shift, Overlap::Earlier, Ok("2011-12-30 22:00:00")),
            (howe, "2024-10-06T02:10:00", Gap::Shift, Overlap::Earlier, Ok("2024-10-05 15:40:00")),
            (
                berlin,
                "2024-10-27T02:30:00",
                Gap::Reject,
                Overlap::Earlier,
                Ok("2024-10-27 00:30:00"),
            ),
            (berlin, "2024-10-27T02:30:00", Gap::Reject, Overlap::Later, Ok("2024-10-27 01:30:00")),
            (berlin, "2024-10-27T02:30:00", Gap::Shift, Overlap::Reject, Err(REPEATED)),
            (howe, "2024-04-07T01:45:00", Gap::Reject, Overlap::Later, Ok("2024-04-06 15:15:00")),
            (
                Asia::Shanghai,
                "2024-03-31T02:30:00",
                Gap::Reject,
                Overlap::Reject,
                Ok("2024-03-30 18:30:00"),
            ),
        ] {
            let found = utc(timezone, local, gap, overlap);
            assert_eq!(found.as_deref().map_err(|reason| *reason), expected, "{timezone} {local}");
        }
    }

    proptest! {
        #[test]
        fn remembered_days_change_nothing(seconds in prop::collection::vec(-1_500_000_000i64..2_500_000_000, 1..40)) {
            for timezone in ZONES {
                let mut zone = Zone::new(timezone);
                for second in &seconds {
                    let moment = DateTime::from_timestamp(*second, 0).unwrap();
                    let local: NaiveDateTime = moment.naive_utc();
                    let exact = timezone.from_local_datetime(&local).earliest();
                    prop_assert_eq!(zone.utc_of(local, ClockChanges::default()).ok(), exact.map(|exact| exact.timestamp_micros()));
                    let date = moment.with_timezone(&timezone).date_naive();
                    let day = date.num_days_from_ce() - 719_163;
                    prop_assert_eq!(zone.local_day(moment.timestamp_micros()), Some(day));
                }
            }
        }
    }
}
