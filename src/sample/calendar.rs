//! Local days and times of the exported period: how busy they are and how they are written.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::chance::Chance;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// China keeps one offset all year.
const OFFSET: i64 = 8 * 3600;

/// Busy hours of people at a screen.
pub(super) const SCREEN_HOURS: [u32; 24] =
    [12, 6, 3, 2, 2, 3, 8, 18, 28, 34, 38, 40, 52, 44, 36, 34, 36, 38, 44, 58, 74, 78, 60, 0];
/// Busy hours of a shop.
pub(super) const SHOP_HOURS: [u32; 24] =
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 34, 42, 36, 30, 32, 38, 46, 58, 60, 44, 18, 0, 0];

/// The local days of the exported period. Times are seconds since the first local midnight.
#[derive(Debug)]
pub(super) struct Calendar {
    pub(super) days: u32,
    first_day: NaiveDate,
    /// The first local midnight in seconds since 1970 in UTC.
    midnight: i64,
    /// Weights of the days, summed up to each day.
    cumulative: Vec<u64>,
}

impl Calendar {
    pub(super) fn new(first_day: NaiveDate, days: u32) -> Self {
        let cumulative = (0..days)
            .scan(0, |sum, day| {
                *sum += weight(first_day + Days::new(u64::from(day)));
                Some(*sum)
            })
            .collect();
        let since_1970 = first_day.signed_duration_since(NaiveDate::default());
        Self { days, first_day, midnight: since_1970.num_seconds() - OFFSET, cumulative }
    }

    /// Returns a day, the busier the likelier.
    pub(super) fn pick_day(&self, chance: &mut Chance) -> u32 {
        let total = self.cumulative.last().copied().unwrap_or(1);
        let mark = chance.below(total);
        self.cumulative.partition_point(|sum| *sum <= mark) as u32
    }

    /// Returns how busy a day is; 100 is a plain weekday.
    pub(super) fn busyness(&self, day: u32) -> u64 {
        weight(self.date(i64::from(day)))
    }

    pub(super) fn date(&self, day: i64) -> NaiveDate {
        let distance = Days::new(day.unsigned_abs());
        if day < 0 { self.first_day - distance } else { self.first_day + distance }
    }

    /// Returns whether a time lies within the exported period.
    pub(super) fn covers(&self, at: i64) -> bool {
        (0..i64::from(self.days) * DAY).contains(&at)
    }

    /// Writes a time with the local offset: `2026-01-30T20:15:00+08:00`.
    pub(super) fn with_offset(&self, at: i64) -> String {
        let (date, time) = self.split(at);
        format!("{date}T{time}+08:00")
    }

    /// Writes a time in UTC: `2026-01-30T12:15:00Z`.
    pub(super) fn in_utc(&self, at: i64) -> String {
        let (date, time) = self.split(at - OFFSET);
        format!("{date}T{time}Z")
    }

    /// Writes a local time: `2026-01-30 20:15:00`.
    pub(super) fn local(&self, at: i64) -> String {
        let (date, time) = self.split(at);
        format!("{date} {time}")
    }

    /// Writes a local time as tills do: `30/01/2026 20:15`.
    pub(super) fn at_till(&self, at: i64) -> String {
        let date = self.date(at.div_euclid(DAY));
        let minute = at.rem_euclid(DAY) / 60;
        format!(
            "{:02}/{:02}/{} {:02}:{:02}",
            date.day(),
            date.month(),
            date.year(),
            minute / 60,
            minute % 60
        )
    }

    /// Returns a time in milliseconds since 1970 in UTC.
    pub(super) fn unix_millis(&self, at: i64) -> i64 {
        (self.midnight + at) * 1000
    }

    fn split(&self, at: i64) -> (NaiveDate, Time) {
        (self.date(at.div_euclid(DAY)), Time(at.rem_euclid(DAY)))
    }
}

/// A time of day in seconds.
struct Time(i64);

impl std::fmt::Display for Time {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hour, minute, second) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(formatter, "{hour:02}:{minute:02}:{second:02}")
    }
}

/// Returns a second of a day by the busy hours.
pub(super) fn pick_second(chance: &mut Chance, hours: &[u32; 24]) -> i64 {
    let hour = chance.weighted(hours) as i64;
    hour * 3600 + chance.below(3600) as i64
}

/// Returns how busy a day is: by weekday, by month, and by the great sales of the year.
fn weight(date: NaiveDate) -> u64 {
    let weekday = match date.weekday() {
        Weekday::Sat | Weekday::Sun => 130,
        Weekday::Fri => 110,
        _ => 100,
    };
    let month = [105, 80, 95, 95, 105, 110, 90, 90, 100, 105, 115, 110][date.month0() as usize];
    let sale = match (date.month(), date.day()) {
        (11, 11) => 300,
        (11, 8..=10) | (12, 12) | (6, 18) => 180,
        (6, 16 | 17) | (1, 20..=30) => 125,
        _ => 100,
    };
    weekday * month * sale / 10_000
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{Calendar, DAY};

    fn calendar() -> Calendar {
        Calendar::new(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), 30)
    }

    #[test]
    fn one_moment_is_written_in_every_way() {
        let at = 2 * DAY + 3 * 3600 + 62;
        assert_eq!(calendar().with_offset(at), "2026-01-03T03:01:02+08:00");
        assert_eq!(calendar().in_utc(at), "2026-01-02T19:01:02Z");
        assert_eq!(calendar().local(at), "2026-01-03 03:01:02");
        assert_eq!(calendar().at_till(at), "03/01/2026 03:01");
        assert_eq!(calendar().unix_millis(at), 1_767_380_462_000);
    }

    #[test]
    fn times_before_the_period_have_dates_too() {
        assert_eq!(calendar().local(-1), "2025-12-31 23:59:59");
    }
}
