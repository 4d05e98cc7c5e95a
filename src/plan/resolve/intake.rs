//! What is asked of a source's objects beyond their columns.

use serde_yaml::Value;

use super::place::Place;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::PathPattern;
use crate::plan::intake::{Days, Expect, Limits, XlsxFormat};
use crate::size::parse_bytes;
use crate::spec;
use crate::spreadsheet::SheetChoice;

const DATE: &str = "{date}";
/// What fits into the places of a block.
const MOST_RECORD: usize = 512 << 20;
const LEAST_RECORD: usize = 1 << 10;

/// Reads where the records of a workbook stand.
pub(super) fn xlsx(
    options: Option<&spec::XlsxOptions>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<XlsxFormat> {
    let header_row = options.and_then(|options| options.header_row);
    if header_row == Some(0) {
        let message = "rows are numbered from 1";
        found.push(place.child("header_row").error(Code::BadValue, message));
        return None;
    }
    let sheet = match options.and_then(|options| options.sheet.as_ref()) {
        None => Some(SheetChoice::Number(1)),
        Some(Value::String(name)) => Some(SheetChoice::Name(name.clone())),
        Some(value) => {
            let number = value.as_u64().filter(|number| *number > 0);
            number.and_then(|number| u32::try_from(number).ok()).map(SheetChoice::Number)
        }
    };
    if sheet.is_none() {
        let message = "a sheet is a name, or a number from 1";
        let help = "write a name that looks like a number in quotes";
        found.push(place.child("sheet").error(Code::BadValue, message).help(help));
    }
    Some(XlsxFormat { sheet: sheet?, header_row })
}

/// Reads how much of an object is taken in.
pub(super) fn limits(limits: &spec::Limits, place: &Place<'_>, found: &mut Diagnostics) -> Limits {
    let place = place.child("limits");
    let plain = Limits::default();
    let mut size = |key: &str, text: Option<&str>| {
        let bytes = parse_bytes(text?);
        if bytes.is_none() {
            let message = "this is no size";
            let help = "a size is a number with a unit, such as `16MiB`";
            found.push(place.child(key).error(Code::BadValue, message).help(help));
        }
        bytes
    };
    let object = size("object", limits.object.as_deref());
    let record = size("record", limits.record.as_deref()).unwrap_or(plain.record);
    if !(LEAST_RECORD..=MOST_RECORD).contains(&record) {
        let message = "a record may have from 1KiB to 512MiB";
        found.push(place.child("record").error(Code::BadValue, message));
    }
    Limits { record, object: object.map(|bytes| bytes as u64), ..plain }
}

/// Reads what must be there before a night is complete.
pub(super) fn expect(
    source: &spec::Source,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Expect> {
    let written = &source.expect;
    let place = place.child("expect");
    let before = found.len();
    if let Some(marker) = &written.marker {
        check_marker(marker, &place.child("marker"), found);
    }
    let days = days(written, &place, found);
    let is_daily = [
        ("days", written.days.is_some()),
        ("since", written.since.is_some()),
        ("marker", written.marker.as_ref().is_some_and(|marker| marker.contains(DATE))),
    ];
    if source.load == spec::Load::Replace && (written.days.is_some() || written.since.is_some()) {
        let message = "of full exports only the last day is taken in, so no other can be expected";
        let key = if written.days.is_some() { "days" } else { "since" };
        found.push(place.child(key).key_error(Code::BadValue, message));
    }
    if !source.path.contains(DATE) {
        for (key, _) in is_daily.into_iter().filter(|(_, is_given)| *is_given) {
            let message = "the paths of this source do not tell days";
            let help = "put `{date}` into its `path`";
            found.push(place.child(key).error(Code::BadValue, message).help(help));
        }
    }
    (found.len() == before).then(|| Expect {
        // Days that must be complete have something.
        objects_per_day: written
            .objects_per_day
            .or_else(|| (written.days.is_some() || written.since.is_some()).then_some(1)),
        min_rows: written.min_rows,
        marker: written.marker.clone(),
        days,
    })
}

fn check_marker(marker: &str, place: &Place<'_>, found: &mut Diagnostics) {
    let rest = marker.replace(DATE, "");
    let problem = match PathPattern::parse(marker) {
        Err(reason) => Some(format!("the marker's path cannot be used: {reason}")),
        Ok(_) if rest.contains(['*', '?', '[', '{']) => {
            Some("a marker is one object, not a pattern".to_owned())
        }
        Ok(_) => None,
    };
    if let Some(message) = problem {
        let help = "a marker lies below the raw root, such as `web/dt={date}/_SUCCESS`";
        found.push(place.error(Code::BadPattern, message).help(help));
    }
}

fn days(written: &spec::Expect, place: &Place<'_>, found: &mut Diagnostics) -> Days {
    if written.days.is_some() && written.since.is_some() {
        let message = "a source has either `days` or `since`";
        found.push(place.child("since").key_error(Code::BadValue, message));
    }
    if written.days == Some(0) {
        let message = "at least the last day must be complete";
        let help = "leave `expect` out where nothing has to be there";
        found.push(place.child("days").error(Code::BadValue, message).help(help));
    }
    match (&written.since, written.days) {
        (Some(text), _) => match text.parse() {
            Ok(day) => Days::Since(day),
            Err(_) => {
                let message = format!("`{text}` is no date");
                let help = "write a date as `2026-01-31`";
                found.push(place.child("since").error(Code::BadValue, message).help(help));
                Days::default()
            }
        },
        (None, Some(days)) => Days::Last(days),
        (None, None) => Days::default(),
    }
}
