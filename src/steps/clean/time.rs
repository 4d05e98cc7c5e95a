//! Turns texts into dates and moments.
//!
//! A moment without an offset is local to the column's time zone. What becomes of a local time that a
//! clock change skips or repeats is declared with the column. A leap second is the first second of the next minute.
//! A date is the one that stands in the text; what the text says about time and offset does not move it.

use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;

use super::moment::{Moment, MomentFormat};
use super::zone::Zone;
use crate::plan::{ClockChanges, TimeFormat};

/// Days from the first day of year 1 to the first of 1970.
const DAYS_BEFORE_1970: i32 = 719_163;
const NO_FORMAT_FITS: &str = "in none of the declared formats";
const OUT_OF_RANGE: &str = "outside of the years 1 to 9999";

/// Parses the dates of one column.
#[derive(Debug)]
pub(crate) struct DateParser {
    formats: Vec<MomentFormat>,
}

impl DateParser {
    pub(crate) fn new(formats: &[TimeFormat]) -> Self {
        Self { formats: formats.iter().map(MomentFormat::new).collect() }
    }

    /// Returns the days since 1970.
    #[inline]
    pub(crate) fn parse(&self, text: &str) -> Result<i32, &'static str> {
        let moment = first_that_fits(&self.formats, text)?;
        Ok(moment.local.num_days_from_ce() - DAYS_BEFORE_1970)
    }
}

/// Parses the moments of one column.
#[derive(Debug)]
pub(crate) struct TimestampParser {
    formats: Vec<MomentFormat>,
    zone: Zone,
    clock_changes: ClockChanges,
}

impl TimestampParser {
    pub(crate) fn new(formats: &[TimeFormat], timezone: Tz, clock_changes: ClockChanges) -> Self {
        Self {
            formats: formats.iter().map(MomentFormat::new).collect(),
            zone: Zone::new(timezone),
            clock_changes,
        }
    }

    /// Returns the microseconds since 1970 in UTC.
    #[inline]
    pub(crate) fn parse(&mut self, text: &str) -> Result<i64, &'static str> {
        let Moment { local, offset } = first_that_fits(&self.formats, text)?;
        match offset {
            Some(offset) => {
                let micros = local.and_utc().timestamp_micros();
                Ok(micros - i64::from(offset) * 1_000_000)
            }
            None => self.zone.utc_of(local, self.clock_changes),
        }
    }
}

#[inline]
fn first_that_fits(formats: &[MomentFormat], text: &str) -> Result<Moment, &'static str> {
    let mut moments = formats.iter().filter_map(|format| format.parse(text));
    let moment = moments.next().ok_or(NO_FORMAT_FITS)?;
    if in_range(moment.local) { Ok(moment) } else { Err(OUT_OF_RANGE) }
}

fn in_range(local: NaiveDateTime) -> bool {
    (1..=9999).contains(&local.year())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::zone::SKIPPED;
    use super::{DateParser, NO_FORMAT_FITS, OUT_OF_RANGE, TimestampParser};
    use crate::plan::{ClockChanges, TimeFormat};

    fn formats() -> Vec<TimeFormat> {
        let pattern = |text: &str| TimeFormat::Pattern(text.to_owned());
        vec![TimeFormat::Rfc3339, pattern("%d/%m/%Y %H:%M"), pattern("%Y-%m-%d")]
    }

    fn moment(timezone: chrono_tz::Tz, text: &str) -> Result<String, &'static str> {
        let changes = ClockChanges::default();
        let micros = TimestampParser::new(&formats(), timezone, changes).parse(text)?;
        Ok(DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339())
    }

    #[test]
    fn formats_are_tried_in_order_and_local_times_have_a_zone() {
        let shanghai = chrono_tz::Asia::Shanghai;
        for (text, expected) in [
            ("2026-01-31T08:15:00.5-02:00", "2026-01-31T10:15:00.500+00:00"),
            ("31/01/2026 08:15", "2026-01-31T00:15:00+00:00"),
            ("2026-01-31", "2026-01-30T16:00:00+00:00"),
        ] {
            assert_eq!(moment(shanghai, text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(moment(shanghai, "31.01.2026"), Err(NO_FORMAT_FITS));
        assert_eq!(moment(shanghai, "0000-01-31"), Err(OUT_OF_RANGE));
        assert_eq!(moment(shanghai, "+12026-01-31"), Err(OUT_OF_RANGE));
        assert!(moment(shanghai, "9999-12-31T23:59:59Z").is_ok());
        assert_eq!(moment(chrono_tz::Europe::Berlin, "31/03/2024 02:30"), Err(SKIPPED));
    }

    #[test]
    fn a_date_is_the_one_in_the_text() {
        let dates = DateParser::new(&formats());
        for text in ["1970-01-02", "02/01/1970 23:59", "1970-01-02T23:00:00-08:00"] {
            assert_eq!(dates.parse(text), Ok(1), "{text}");
        }
        assert_eq!(dates.parse("1970-02-30"), Err(NO_FORMAT_FITS));
    }
}
