//! Parses the texts of moments: what a clock showed, and where it stood if the text says so.
//!
//! Texts of the usual shapes are read by position; all others by `chrono`, which decides what a format means.

use chrono::format::{Item, Numeric, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::number::split_sign;
use crate::plan;

/// What a clock showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) local: NaiveDateTime,
    /// How far the clock was ahead of UTC, in seconds; none where the text does not say.
    pub(crate) offset: Option<i32>,
}

/// A format, ready to parse.
#[derive(Debug, Clone)]
pub(crate) enum MomentFormat {
    Rfc3339,
    UnixSeconds,
    UnixMillis,
    Pattern(Pattern),
}

/// A `strftime` pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    holds: Holds,
    shape: Option<Shape>,
}

/// What a pattern tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Date,
    DateAndTime,
    DateTimeAndOffset,
}

impl MomentFormat {
    pub(crate) fn new(format: &plan::TimeFormat) -> Self {
        match format {
            plan::TimeFormat::Rfc3339 => Self::Rfc3339,
            plan::TimeFormat::UnixSeconds => Self::UnixSeconds,
            plan::TimeFormat::UnixMillis => Self::UnixMillis,
            plan::TimeFormat::Pattern(text) => Self::Pattern(Pattern::new(text)),
        }
    }

    /// Returns the moment that a text means in this format.
    pub(crate) fn parse(&self, text: &str) -> Option<Moment> {
        match self {
            Self::Rfc3339 => parse_rfc3339(text),
            Self::UnixSeconds => parse_unix(text, 6),
            Self::UnixMillis => parse_unix(text, 3),
            Self::Pattern(pattern) => pattern.parse(text),
        }
    }
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let holds = holds(text);
        let shape = match holds {
            Holds::DateTimeAndOffset => None,
            Holds::Date | Holds::DateAndTime => Shape::new(text),
        };
        Self { text: text.to_owned(), holds, shape }
    }

    fn parse(&self, text: &str) -> Option<Moment> {
        let by_shape = self.shape.as_ref().and_then(|shape| shape.parse(text.as_bytes()));
        match by_shape {
            Some(local) => Some(Moment { local, offset: None }),
            None => self.parse_by_chrono(text),
        }
    }

    fn parse_by_chrono(&self, text: &str) -> Option<Moment> {
        let local = match self.holds {
            Holds::DateTimeAndOffset => {
                let moment = DateTime::parse_from_str(text, &self.text).ok()?;
                return Some(zoned(&moment));
            }
            Holds::DateAndTime => NaiveDateTime::parse_from_str(text, &self.text).ok()?,
            Holds::Date => {
                let date = NaiveDate::parse_from_str(text, &self.text).ok()?;
                date.and_time(NaiveTime::MIN)
            }
        };
        Some(Moment { local, offset: None })
    }
}

fn zoned(moment: &DateTime<chrono::FixedOffset>) -> Moment {
    Moment { local: moment.naive_local(), offset: Some(moment.offset().local_minus_utc()) }
}

fn holds(pattern: &str) -> Holds {
    use chrono::format::Fixed::{
        RFC2822, RFC3339, TimezoneOffset, TimezoneOffsetColon, TimezoneOffsetColonZ,
        TimezoneOffsetZ,
    };
    let is_offset = |item: &Item<'_>| {
        matches!(
            item,
            Item::Fixed(
                RFC2822
                    | RFC3339
                    | TimezoneOffset
                    | TimezoneOffsetColon
                    | TimezoneOffsetColonZ
                    | TimezoneOffsetZ
            )
        )
    };
    let is_time = |item: &Item<'_>| {
        use Numeric::{Hour, Hour12, Minute, Second, Timestamp};
        matches!(item, Item::Numeric(Hour | Hour12 | Minute | Second | Timestamp, _))
    };
    // `%#z` is an item that only chrono itself can name.
    if pattern.contains("%#z") || StrftimeItems::new(pattern).any(|item| is_offset(&item)) {
        return Holds::DateTimeAndOffset;
    }
    if StrftimeItems::new(pattern).any(|item| is_time(&item)) {
        Holds::DateAndTime
    } else {
        Holds::Date
    }
}

/// A pattern of which every text has its digits in the same places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shape {
    length: usize,
    literals: Vec<(usize, u8)>,
    year: usize,
    month: usize,
    day: usize,
    hour: Option<usize>,
    minute: Option<usize>,
    second: Option<usize>,
}

impl Shape {
    /// Returns the shape of a pattern of four-digit years, two-digit other parts and ASCII literals.
    ///
    /// White space is no such literal but between digits of a text: there `chrono` takes one blank for one blank.
    fn new(pattern: &str) -> Option<Self> {
        let pattern =
            pattern.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
        let mut shape = Self::default();
        let (mut year, mut month, mut day) = (None, None, None);
        let mut bytes = pattern.bytes();
        while let Some(byte) = bytes.next() {
            let (part, width) = match byte {
                b'%' => match bytes.next()? {
                    b'Y' => (&mut year, 4),
                    b'm' => (&mut month, 2),
                    b'd' => (&mut day, 2),
                    b'H' => (&mut shape.hour, 2),
                    b'M' => (&mut shape.minute, 2),
                    b'S' => (&mut shape.second, 2),
                    _ => return None,
                },
                b' '..=b'~' => {
                    shape.literals.push((shape.length, byte));
                    shape.length += 1;
                    continue;
                }
                _ => return None,
            };
            if part.replace(shape.length).is_some() {
                return None;
            }
            shape.length += width;
        }
        (shape.year, shape.month, shape.day) = (year?, month?, day?);
        shape.has_whole_time().then_some(shape)
    }

    /// Says whether each part of the time stands with those above it.
    fn has_whole_time(&self) -> bool {
        self.hour.is_some() == self.minute.is_some()
            && (self.second.is_none() || self.minute.is_some())
    }

    #[inline]
    fn parse(&self, text: &[u8]) -> Option<NaiveDateTime> {
        let literal = |(at, byte): &(usize, u8)| text[*at] == *byte;
        if text.len() != self.length || !self.literals.iter().all(literal) {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(
            (two_digits(text, self.year)? * 100 + two_digits(text, self.year + 2)?) as i32,
            two_digits(text, self.month)?,
            two_digits(text, self.day)?,
        )?;
        let part = |at: Option<usize>| at.map_or(Some(0), |at| two_digits(text, at));
        date.and_hms_opt(part(self.hour)?, part(self.minute)?, part(self.second)?)
    }
}

#[inline]
fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let digit = |at: usize| {
        let value = text.get(at)?.wrapping_sub(b'0');
        (value < 10).then_some(u32::from(value))
    };
    Some(digit(at)? * 10 + digit(at + 1)?)
}

fn parse_rfc3339(text: &str) -> Option<Moment> {
    match parse_usual_rfc3339(text.as_bytes()) {
        Some(moment) => Some(moment),
        None => DateTime::parse_from_rfc3339(text).ok().map(|moment| zoned(&moment)),
    }
}

/// Parses `2026-01-31T08:15:00`, a fraction of up to nine digits, and `Z` or an offset.
#[inline]
fn parse_usual_rfc3339(text: &[u8]) -> Option<Moment> {
    let (head, tail) = text.split_at_checked(19)?;
    let separators = [head[4], head[7], head[10], head[13], head[16]];
    if !matches!(separators, [b'-', b'-', b'T' | b't' | b' ', b':', b':']) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        (two_digits(head, 0)? * 100 + two_digits(head, 2)?) as i32,
        two_digits(head, 5)?,
        two_digits(head, 8)?,
    )?;
    let (nanos, tail) = parse_fraction(tail)?;
    let local = date.and_hms_nano_opt(
        two_digits(head, 11)?,
        two_digits(head, 14)?,
        two_digits(head, 17)?,
        nanos,
    )?;
    let offset = Some(parse_offset(tail)?);
    Some(Moment { local, offset })
}

/// Returns the nanoseconds of a fraction, if there is one, and what follows it.
#[inline]
fn parse_fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let digit = |value: u32, byte: &u8| value * 10 + u32::from(byte - b'0');
    let value = digits[..length].iter().fold(0, digit);
    Some((value * 10u32.pow(9 - length as u32), &digits[length..]))
}

#[inline]
fn parse_offset(text: &[u8]) -> Option<i32> {
    let sign = match text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (two_digits(text, 1)?, two_digits(text, 4)?);
    let fits = hours < 24 && minutes < 60;
    fits.then_some(sign * (hours * 3600 + minutes * 60) as i32)
}

/// Parses a number since 1970 whose unit is ten to the `power` microseconds; digits below a microsecond are dropped.
fn parse_unix(text: &str, power: u32) -> Option<Moment> {
    let (negative, digits) = split_sign(text.as_bytes());
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        None => (digits, &[][..]),
        Some(point) => (&digits[..point], &digits[point + 1..]),
    };
    let complete = !whole.is_empty() && (point.is_none() || !fraction.is_empty());
    if !complete || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let kept = fraction.iter().chain(std::iter::repeat(&b'0')).take(power as usize);
    let mut micros = 0i64;
    for byte in whole.iter().chain(kept) {
        micros = micros.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    let moment = DateTime::from_timestamp_micros(if negative { -micros } else { micros })?;
    Some(Moment { local: moment.naive_utc(), offset: Some(0) })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    use proptest::prelude::*;

    use super::{MomentFormat, Pattern, Shape, parse_rfc3339, parse_usual_rfc3339};
    use crate::plan::TimeFormat;

    const HOT: [&str; 8] = [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%d/%m/%Y %H:%M",
        "%F %T",
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%Y%m%d",
        "%Y%m%d%H%M%S",
    ];

    fn parsed(format: &TimeFormat, text: &str) -> Option<String> {
        let moment = MomentFormat::new(format).parse(text)?;
        let offset = moment.offset.map(|offset| format!(" {offset:+}"));
        Some(format!("{}{}", moment.local, offset.unwrap_or_default()))
    }

    fn by_pattern(pattern: &str, text: &str) -> Option<String> {
        parsed(&TimeFormat::Pattern(pattern.to_owned()), text)
    }

    #[test]
    fn patterns_tell_date_time_and_offset() {
        for (pattern, text, expected) in [
            ("%Y-%m-%d", "2026-01-31", "2026-01-31 00:00:00"),
            ("%d/%m/%Y %H:%M", "31/01/2026 08:15", "2026-01-31 08:15:00"),
            ("%d/%m/%Y %H:%M", "1/2/2026 8:15", "2026-02-01 08:15:00"),
            ("%Y-%m-%d %H:%M:%S%.f", "2026-01-31 08:15:00.25", "2026-01-31 08:15:00.250"),
            ("%d %b %Y", "31 Jan 2026", "2026-01-31 00:00:00"),
            ("%m/%d/%y %I:%M %p", "01/31/26 08:15 PM", "2026-01-31 20:15:00"),
            ("%Y-%m-%d %H:%M:%S %z", "2026-01-31 08:15:00 +0800", "2026-01-31 08:15:00 +28800"),
            ("%Y-%m-%d %H:%M:%S %#z", "2026-01-31 08:15:00 +08", "2026-01-31 08:15:00 +28800"),
        ] {
            assert_eq!(by_pattern(pattern, text).as_deref(), Some(expected), "{pattern}");
        }
        for (pattern, text) in [
            ("%Y-%m-%d", "2026-02-29"),
            ("%Y-%m-%d", "2026-01-31 08:15"),
            ("%Y-%m-%d %H:%M:%S", "2026-01-31 24:00:00"),
            ("%Y-%m-%d %H:%M:%S", "2026-01-31"),
            ("%Y-%m-%d %H:%M:%S", ""),
            ("%Y-%m-%d %H", "2026-01-31 08"),
            ("%d/%m/%Y", "31-01-2026"),
        ] {
            assert_eq!(by_pattern(pattern, text), None, "{pattern} {text}");
        }
    }

    #[test]
    fn a_leap_second_is_kept_for_its_zone_to_resolve() {
        let moment = parse_rfc3339("2016-12-31T23:59:60Z").unwrap();
        let next_day = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        assert_eq!(
            moment.local.and_utc().timestamp_micros(),
            next_day.and_utc().timestamp_micros()
        );
    }

    #[test]
    fn unix_times_keep_microseconds() {
        let seconds = |text: &str| parsed(&TimeFormat::UnixSeconds, text);
        let millis = |text: &str| parsed(&TimeFormat::UnixMillis, text);
        assert_eq!(seconds("0").as_deref(), Some("1970-01-01 00:00:00 +0"));
        assert_eq!(seconds("1769818500.25").as_deref(), Some("2026-01-31 00:15:00.250 +0"));
        assert_eq!(seconds("-1.0000019").as_deref(), Some("1969-12-31 23:59:58.999999 +0"));
        assert_eq!(millis("1769818500250").as_deref(), Some("2026-01-31 00:15:00.250 +0"));
        assert_eq!(millis("0.0015").as_deref(), Some("1970-01-01 00:00:00.000001 +0"));
        for text in ["", "-", ".5", "5.", "1e9", "1.2.3", "99999999999999999999", "1 "] {
            assert_eq!(seconds(text), None, "{text}");
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn hot_patterns_have_a_shape_and_others_have_none() {
        for pattern in HOT {
            assert!(Shape::new(pattern).is_some(), "{pattern}");
        }
        for pattern in
            ["%d %b %Y", "%y-%m-%d", "%Y-%m-%d %H", "%e/%m/%Y", "%Y-%m-%d %H:%M:%S%.f", "%Y %Y"]
        {
            assert!(Shape::new(pattern).is_none(), "{pattern}");
        }
    }

    fn nearly_right() -> impl Strategy<Value = String> {
        let digits = "[0-9]{4}[-/ ][0-9]{2}[-/ ][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}";
        let moments = (-62_135_596_800i64..253_402_300_799).prop_flat_map(|second| {
            let moment = DateTime::from_timestamp(second, 0).unwrap();
            prop::sample::select(&HOT[..])
                .prop_map(move |pattern| moment.format(pattern).to_string())
        });
        prop_oneof![digits, moments, "[0-9/:. +T-]{8,20}"]
    }

    proptest! {
        #[test]
        fn what_a_shape_reads_chrono_reads_likewise(text in nearly_right()) {
            for pattern in HOT {
                let by_shape = Shape::new(pattern).unwrap().parse(text.as_bytes());
                let by_chrono = Pattern::new(pattern).parse_by_chrono(&text);
                if let Some(by_shape) = by_shape {
                    prop_assert_eq!(Some(by_shape), by_chrono.map(|moment| moment.local), "{}", pattern);
                }
            }
        }

        #[test]
        fn the_usual_rfc3339_is_read_as_chrono_reads_it(
            second in -62_135_596_800i64..253_402_300_799,
            fraction in "(\\.[0-9]{1,9})?",
            offset in "(Z|z|[+-][0-9]{2}:[0-9]{2})",
            separator in "[Tt ]",
        ) {
            let moment: NaiveDateTime = DateTime::from_timestamp(second, 0).unwrap().naive_utc();
            let text = format!("{}{separator}{}{fraction}{offset}", moment.date(), moment.time());
            let by_position = parse_usual_rfc3339(text.as_bytes());
            let by_chrono = DateTime::parse_from_rfc3339(&text).ok().map(|moment| super::zoned(&moment));
            prop_assert_eq!(by_position, by_chrono);
        }
    }
}
