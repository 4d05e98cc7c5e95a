//! One column of a source.

use super::place::{Place, name, with_nearest};
use super::preparation;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::Preparation;
use crate::plan::data_type::decimal;
use crate::plan::source::{
    Case, ClockChanges, Column, ColumnKind, Gap, Overlap, Replace, TimeFormat, added,
};
use crate::spec;

/// What a column inherits from its source and pipeline.
pub(super) struct Defaults<'a> {
    pub(super) timezone: chrono_tz::Tz,
    pub(super) null_if: &'a [String],
}

const TYPES: &[&str] = &[
    "string",
    "email",
    "phone",
    "boolean",
    "integer",
    "double",
    "decimal(p,s)",
    "date",
    "timestamp",
];

/// Reads one column, or reports what is wrong with it.
pub(super) fn resolve(
    text: &str,
    column: &spec::Column,
    defaults: &Defaults<'_>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Column> {
    let name = name(text, |message| place.key_error(Code::BadName, message), found);
    if text == added::CUSTOMER_ID {
        let taken = "`customer_id` is added by martlet itself";
        let help = "give the raw field another name, such as `source_customer_id`";
        found.push(place.key_error(Code::DuplicateName, taken).help(help));
    }
    let kind = kind(column, defaults, place, found);
    let replace = column.replace.as_ref().and_then(|rule| replace(rule, place, found));
    let default = default(column, place, found);
    if let Some(kind) = &kind {
        refuse_idle_keys(column, kind, place, found);
    }
    let (from, further_fields) = preparation::raw_fields(text, column, place, found);
    let preparation = preparation::resolve(column, kind.as_ref(), place, found);
    let conversion = preparation::conversion(column, place, found);
    Some(Column {
        from,
        name: name?,
        kind: kind?,
        required: column.required,
        pii: column.pii,
        trim: column.trim.unwrap_or(true),
        null_if: column.null_if.clone().unwrap_or_else(|| defaults.null_if.to_vec()),
        case: column.case.map(case),
        replace,
        accepted: column.accepted.clone(),
        default,
        preparation: Preparation { further_fields, ..preparation },
        conversion,
        // Other columns and sources are not known yet.
        exchange: None,
    })
}

fn kind(
    column: &spec::Column,
    defaults: &Defaults<'_>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<ColumnKind> {
    Some(match column.data_type.trim() {
        "string" => ColumnKind::String,
        "email" => ColumnKind::Email,
        "phone" => phone(column, place, found)?,
        "boolean" => ColumnKind::Boolean,
        "integer" => ColumnKind::Integer,
        "double" => ColumnKind::Double,
        "date" => ColumnKind::Date { formats: formats(column, "%Y-%m-%d", place, found)? },
        "timestamp" => ColumnKind::Timestamp {
            formats: formats(column, "rfc3339", place, found)?,
            timezone: timezone(column.timezone.as_deref(), defaults.timezone, place, found)?,
            clock_changes: clock_changes(column),
        },
        other => match decimal(other) {
            Some((precision, scale)) => ColumnKind::Decimal { precision, scale },
            None => {
                let unknown = format!("the type `{other}` is not known");
                let unknown = place.child("type").error(Code::BadValue, unknown);
                found.push(with_nearest(unknown, other, TYPES.iter().copied()));
                return None;
            }
        },
    })
}

fn phone(column: &spec::Column, place: &Place<'_>, found: &mut Diagnostics) -> Option<ColumnKind> {
    let is_known = |region: &String| region.parse::<phonenumber::country::Id>().is_ok();
    match &column.region {
        Some(region) if !is_known(region) => {
            let message = format!("the region `{region}` is not known");
            let help = "a region is an ISO 3166 code of two letters, such as `CN`";
            found.push(place.child("region").error(Code::BadValue, message).help(help));
            None
        }
        region => Some(ColumnKind::Phone { region: region.clone() }),
    }
}

fn clock_changes(column: &spec::Column) -> ClockChanges {
    ClockChanges {
        gap: match column.gap {
            None | Some(spec::Gap::Reject) => Gap::Reject,
            Some(spec::Gap::Shift) => Gap::Shift,
        },
        overlap: match column.overlap {
            None | Some(spec::Overlap::Earlier) => Overlap::Earlier,
            Some(spec::Overlap::Later) => Overlap::Later,
            Some(spec::Overlap::Reject) => Overlap::Reject,
        },
    }
}

/// Reads a time zone, or takes the inherited one.
pub(super) fn timezone(
    written: Option<&str>,
    inherited: chrono_tz::Tz,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<chrono_tz::Tz> {
    let Some(text) = written else {
        return Some(inherited);
    };
    match text.parse() {
        Ok(timezone) => Some(timezone),
        Err(_) => {
            let message = format!("the time zone `{text}` is not known");
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let unknown = place.child("timezone").error(Code::BadValue, message);
            let near = crate::diagnostics::nearest(text, names);
            let help = near.map_or_else(
                || "a time zone is an IANA name, such as `Asia/Shanghai`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            found.push(unknown.help(help));
            None
        }
    }
}

fn formats(
    column: &spec::Column,
    fallback: &str,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Vec<TimeFormat>> {
    if column.formats.is_empty() {
        return Some(vec![time_format(fallback)?]);
    }
    let place = place.child("formats");
    let mut formats = Vec::with_capacity(column.formats.len());
    for (index, text) in column.formats.iter().enumerate() {
        match time_format(text) {
            Some(format) => formats.push(format),
            None => found.push(
                place
                    .child(index)
                    .error(Code::BadValue, format!("the time format `{text}` is not known"))
                    .help("use `rfc3339`, `unix_s`, `unix_ms` or a pattern such as `%Y-%m-%d %H:%M:%S`"),
            ),
        }
    }
    (formats.len() == column.formats.len()).then_some(formats)
}

fn time_format(text: &str) -> Option<TimeFormat> {
    use chrono::format::{Item, StrftimeItems};
    Some(match text {
        "rfc3339" => TimeFormat::Rfc3339,
        "unix_s" => TimeFormat::UnixSeconds,
        "unix_ms" => TimeFormat::UnixMillis,
        pattern => {
            let known = StrftimeItems::new(pattern).all(|item| !matches!(item, Item::Error));
            if !known || !pattern.contains('%') {
                return None;
            }
            TimeFormat::Pattern(pattern.to_owned())
        }
    })
}

fn replace(rule: &spec::Replace, place: &Place<'_>, found: &mut Diagnostics) -> Option<Replace> {
    match regex::Regex::new(&rule.pattern) {
        Ok(_) => Some(Replace { pattern: rule.pattern.clone(), with: rule.with.clone() }),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("the pattern is no regular expression: {reason}");
            found.push(place.child("replace").child("pattern").error(Code::BadValue, message));
            None
        }
    }
}

fn case(case: spec::Case) -> Case {
    match case {
        spec::Case::Lower => Case::Lower,
        spec::Case::Upper => Case::Upper,
    }
}

/// Reads the value that stands in for "no value", as the raw text that would make it.
fn default(column: &spec::Column, place: &Place<'_>, found: &mut Diagnostics) -> Option<String> {
    let text = preparation::raw_text(column.default.as_ref()?);
    if text.is_none() {
        let message = "a default is a number, a text, `true` or `false`";
        found.push(place.child("default").error(Code::WrongType, message));
    }
    text
}

/// Reports keys that would do nothing on a column of this type.
fn refuse_idle_keys(
    column: &spec::Column,
    kind: &ColumnKind,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let is_moment = matches!(kind, ColumnKind::Timestamp { .. });
    let is_time = is_moment || matches!(kind, ColumnKind::Date { .. });
    let is_phone = matches!(kind, ColumnKind::Phone { .. });
    let is_string = matches!(kind, ColumnKind::String);
    let is_text = is_string || is_phone || matches!(kind, ColumnKind::Email);
    let is_integer = matches!(kind, ColumnKind::Integer);
    let has_places = matches!(kind, ColumnKind::Double | ColumnKind::Decimal { .. });
    let is_decimal = matches!(kind, ColumnKind::Decimal { .. });
    let is_number = is_integer || has_places;
    let is_mapped = is_string || is_integer || matches!(kind, ColumnKind::Boolean);
    let has_point = has_places || (is_integer && column.unit.is_some());
    let idle = [
        ("formats", !column.formats.is_empty() && !is_time, "date and timestamp columns"),
        ("timezone", column.timezone.is_some() && !is_moment, "timestamp columns"),
        ("gap", column.gap.is_some() && !is_moment, "timestamp columns"),
        ("overlap", column.overlap.is_some() && !is_moment, "timestamp columns"),
        ("region", column.region.is_some() && !is_phone, "phone columns"),
        ("case", column.case.is_some() && !is_string, "string columns"),
        ("accepted", !column.accepted.is_empty() && !is_string, "string columns"),
        ("split", column.split.is_some() && !is_text, "string, email and phone columns"),
        ("map", column.map.is_some() && !is_mapped, "string, boolean and integer columns"),
        ("thousands", column.thousands.is_some() && !is_number, "columns of numbers"),
        ("unit", column.unit.is_some() && !is_number, "columns of numbers"),
        (
            "round",
            column.round && (!is_decimal || column.unit.is_some()),
            "decimal columns without `unit`",
        ),
        ("convert", column.convert.is_some() && !is_decimal, "decimal columns"),
        (
            "decimal_point",
            column.decimal_point.is_some() && !has_point,
            "double and decimal columns, and integer columns with a `unit`,",
        ),
    ];
    for (key, _, only) in idle.into_iter().filter(|(_, idle, _)| *idle) {
        let message = format!("`{key}` means nothing on a column of type `{}`", column.data_type);
        let help = format!("only {only} have `{key}`");
        found.push(place.child(key).key_error(Code::BadValue, message).help(help));
    }
}
