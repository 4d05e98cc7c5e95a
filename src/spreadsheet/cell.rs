//! What a cell shows, as a text.

use calamine::{DataRef, ExcelDateTime};

/// From here on a day has no number in a spreadsheet any more.
const DAYS: f64 = 2_958_466.0;
/// Up to here every whole number is a floating-point number of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;
const MILLISECONDS_A_DAY: f64 = 86_400_000.0;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    /// An error such as `#DIV/0!`.
    Error(String),
    /// A formula whose value is not in the workbook.
    NotComputed,
}

impl Cell {
    /// Returns what a cell holds, or nothing where it is empty.
    pub(super) fn new(value: DataRef<'_>, is_formula: bool) -> Option<Self> {
        Some(Self::Text(match value {
            DataRef::Empty if is_formula => return Some(Self::NotComputed),
            DataRef::Empty => return None,
            DataRef::Error(error) => return Some(Self::Error(error.to_string())),
            DataRef::Int(value) => value.to_string(),
            DataRef::Float(value) => number(value),
            DataRef::Bool(value) => value.to_string(),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text,
            DataRef::SharedString(text) => text.to_owned(),
            DataRef::DateTime(moment) => self::moment(&moment),
        }))
    }

    /// Returns how many bytes the text has.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Text(text) | Self::Error(text) => text.len(),
            Self::NotComputed => 0,
        }
    }
}

/// Writes a number with the fifteen digits that spreadsheets keep, without the noise behind them.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < WHOLE {
        return (value as i64).to_string();
    }
    let rounded = format!("{value:.14e}").parse::<f64>().unwrap_or(value);
    rounded.to_string()
}

/// Writes a date as `2026-01-31`, with a time behind it where it has one; a time of no day as `08:15:00`.
fn moment(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    if !(0.0..DAYS).contains(&days) {
        return number(days);
    }
    if moment.is_duration() {
        return duration((days * MILLISECONDS_A_DAY).round() as u64);
    }
    let (year, month, day, hour, minute, second, millisecond) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    if millisecond > 0 {
        time = format!("{time}.{millisecond:03}");
    }
    match (hour, minute, second, millisecond) {
        _ if days < 1.0 => time,
        (0, 0, 0, 0) => date,
        _ => format!("{date}T{time}"),
    }
}

fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match milliseconds % 1000 {
        0 => text,
        rest => format!("{text}.{rest:03}"),
    }
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, DataRef, ExcelDateTime, ExcelDateTimeType};

    use super::Cell;

    fn shown(value: DataRef<'_>) -> String {
        match Cell::new(value, false) {
            Some(Cell::Text(text)) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn numbers_have_no_noise() {
        for (value, expected) in [
            (0.1 + 0.2, "0.3"),
            (19.9 + 4e-15, "19.9"),
            (1.005 * 1000.0, "1005"),
            (-1.5, "-1.5"),
            (-0.0, "0"),
            (1e15, "1000000000000000"),
            (4_503_599_627_370_497.0, "4503599627370497"),
            (1e21, "1000000000000000000000"),
            (123_456.789_012_345_67, "123456.789012346"),
            (1e-7, "0.0000001"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(shown(DataRef::Float(value)), expected, "{value}");
        }
    }

    #[test]
    fn moments_are_written_as_iso_8601() {
        let moment = |days, kind| shown(DataRef::DateTime(ExcelDateTime::new(days, kind, false)));
        for (days, expected) in [
            (46_053.0, "2026-01-31"),
            (46_053.343_75, "2026-01-31T08:15:00"),
            (46_053.343_752_893_52, "2026-01-31T08:15:00.250"),
            (46_053.999_999_999, "2026-02-01"),
            (0.5, "12:00:00"),
            (0.0, "00:00:00"),
            (60.0, "1900-02-29"),
            (-1.0, "-1"),
            (2_958_465.0, "9999-12-31"),
            (2_958_466.0, "2958466"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(moment(days, ExcelDateTimeType::DateTime), expected, "{days}");
        }
        assert_eq!(moment(1.25, ExcelDateTimeType::TimeDelta), "30:00:00");
        assert_eq!(moment(0.000_005_787, ExcelDateTimeType::TimeDelta), "00:00:00.500");
        let of_1904 = ExcelDateTime::new(44_591.0, ExcelDateTimeType::DateTime, true);
        assert_eq!(shown(DataRef::DateTime(of_1904)), "2026-01-31");
    }

    #[test]
    fn what_has_no_value_says_why() {
        assert_eq!(Cell::new(DataRef::Empty, false), None);
        assert_eq!(Cell::new(DataRef::Empty, true), Some(Cell::NotComputed));
        let error = Cell::new(DataRef::Error(CellErrorType::Div0), true);
        assert_eq!(error, Some(Cell::Error("#DIV/0!".to_owned())));
        assert_eq!(shown(DataRef::Bool(true)), "true");
        assert_eq!(shown(DataRef::SharedString(" x ")), " x ");
    }
}
