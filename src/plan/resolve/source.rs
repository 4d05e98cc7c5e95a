//! One source.

use std::collections::HashMap;

use super::column::{self, Defaults};
use super::format;
use super::intake;
use super::place::{Place, name, with_nearest};
use crate::diagnostics::{Code, Diagnostics};
use crate::engine::RowExpression;
use crate::plan::OnError;
use crate::plan::PathPattern;
use crate::plan::source::{
    Column, ColumnKind, Compression, Dedupe, Drift, Keep, Load, RejectLimit, RejectLimits,
    RowCheck, Source,
};
use crate::spec;

/// Values that mean "no value" where a source does not say otherwise.
const NULL_TOKENS: &[&str] = &[""];

/// Reads one source without its links, or reports what is wrong with it.
pub(super) fn resolve(
    text: &str,
    source: &spec::Source,
    business_timezone: chrono_tz::Tz,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Source> {
    let before = found.len();
    let name = name(text, |message| place.key_error(Code::BadName, message), found);
    let pattern = pattern(&source.path, place, found);
    let format = format::resolve(source, place, found);
    let encoding = format::encoding(source, place, found);
    let timezone = column::timezone(source.timezone.as_deref(), business_timezone, place, found);
    let null_if = source.null_if.clone();
    let null_if = null_if.unwrap_or_else(|| NULL_TOKENS.iter().map(|&t| t.to_owned()).collect());
    let defaults = Defaults { timezone: timezone?, null_if: &null_if };
    let columns = columns(source, &defaults, place, found);
    let expect = intake::expect(source, place, found);
    let limits = intake::limits(&source.limits, place, found);
    let event_time = event_time(source, columns.as_deref(), place, found);
    let dedupe = dedupe(source, place, found);
    let columns = columns?;
    let resolved = Source {
        name: name?,
        pattern: pattern?,
        format: format?,
        compression: compression(source.compression),
        encoding: encoding?,
        load: load(source.load),
        checks: row_checks(source),
        columns,
        event_time,
        dedupe,
        rejects: reject_limits(&source.rejects),
        drift: match source.drift {
            spec::Drift::Ignore => Drift::Ignore,
            spec::Drift::Warn => Drift::Warn,
            spec::Drift::Fail => Drift::Fail,
        },
        on_error: match source.on_error {
            spec::OnError::Fail => OnError::Fail,
            spec::OnError::Skip => OnError::Skip,
        },
        expect: expect?,
        limits,
        links: Vec::new(),
        matching: None,
        business_timezone,
    };
    validate_checks(source, &resolved, place, found);
    (found.len() == before).then_some(resolved)
}

fn pattern(text: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<PathPattern> {
    match PathPattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(reason) => {
            let message = format!("the path pattern cannot be used: {reason}");
            let help = "a pattern lies below the raw root, such as `web/dt={date}/*.ndjson.gz`";
            found.push(place.child("path").error(Code::BadPattern, message).help(help));
            None
        }
    }
}

fn compression(compression: spec::Compression) -> Compression {
    match compression {
        spec::Compression::Auto => Compression::Auto,
        spec::Compression::None => Compression::None,
        spec::Compression::Gzip => Compression::Gzip,
        spec::Compression::Zstd => Compression::Zstd,
        spec::Compression::Bzip2 => Compression::Bzip2,
    }
}

fn reject_limits(limits: &spec::RejectLimits) -> RejectLimits {
    let spec::RejectLimits { max_rows, max_percent, ref per_object } = *limits;
    let spec::RejectLimit { max_rows: rows_of_object, max_percent: percent_of_object } =
        *per_object;
    RejectLimits {
        per_run: RejectLimit { max_rows, max_percent },
        per_object: RejectLimit { max_rows: rows_of_object, max_percent: percent_of_object },
    }
}

fn load(load: spec::Load) -> Load {
    match load {
        spec::Load::Append => Load::Append,
        spec::Load::Upsert => Load::Upsert,
        spec::Load::Replace => Load::Replace,
    }
}

fn columns(
    source: &spec::Source,
    defaults: &Defaults<'_>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Vec<Column>> {
    let place = place.child("columns");
    if source.columns.is_empty() {
        found.push(place.key_error(Code::BadValue, "a source has at least one column"));
        return None;
    }
    let resolved: Vec<_> = source
        .columns
        .iter()
        .map(|(name, column)| column::resolve(name, column, defaults, &place.child(name), found))
        .collect();
    resolved.into_iter().collect()
}

/// Returns the index of a column that a key names, or reports that there is none.
pub(super) fn column_index(
    name: &str,
    columns: &[&str],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<usize> {
    let index = columns.iter().position(|column| *column == name);
    if index.is_none() {
        let message = format!("the source has no column `{name}`");
        let unknown = place.error(Code::UnknownColumn, message);
        found.push(with_nearest(unknown, name, columns.iter().copied()));
    }
    index
}

/// Returns the names of a source's columns as written, sound or not.
fn names(source: &spec::Source) -> Vec<&str> {
    source.columns.iter().map(|(name, _)| name).collect()
}

fn event_time(
    source: &spec::Source,
    columns: Option<&[Column]>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<usize> {
    let place = place.child("event_time");
    let index = column_index(source.event_time.as_deref()?, &names(source), &place, found)?;
    let is_time = |column: &Column| {
        matches!(column.kind, ColumnKind::Timestamp { .. } | ColumnKind::Date { .. })
    };
    if columns.is_some_and(|columns| !is_time(&columns[index])) {
        let message = "the event time is a column of type `timestamp` or `date`";
        found.push(place.error(Code::BadValue, message));
    }
    Some(index)
}

fn dedupe(source: &spec::Source, place: &Place<'_>, found: &mut Diagnostics) -> Option<Dedupe> {
    let columns = names(source);
    let Some(rule) = &source.dedupe else {
        if source.load == spec::Load::Upsert {
            let message = "`load: upsert` needs a `dedupe` rule with the key of the entity";
            found.push(place.child("load").error(Code::BadValue, message));
        }
        return None;
    };
    let place = place.child("dedupe");
    if rule.exact_rows != rule.key.is_empty() {
        let message = "a `dedupe` rule has either a `key` or `exact_rows: true`";
        found.push(place.key_error(Code::BadValue, message));
    }
    let indexes = |names: &[String], key: &str, found: &mut Diagnostics| -> Vec<usize> {
        let place = place.child(key);
        let index =
            |(at, name): (usize, &String)| column_index(name, &columns, &place.child(at), found);
        names.iter().enumerate().filter_map(index).collect()
    };
    let key = indexes(&rule.key, "key", found);
    let order_by = indexes(&rule.order_by, "order_by", found);
    Some(Dedupe {
        key: if rule.exact_rows { (0..columns.len()).collect() } else { key },
        keep: match rule.keep {
            spec::Keep::First => Keep::First,
            spec::Keep::Last => Keep::Last,
        },
        order_by,
        window_days: rule.window.as_ref().and_then(|text| window(text, source, &place, found)),
    })
}

/// Reads a number of days such as `3d`; the rows need a time by which they are apart.
fn window(
    text: &str,
    source: &spec::Source,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<u32> {
    let place = place.child("window");
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
    if days.is_none() {
        let message = format!("`{text}` is no number of days");
        found.push(place.error(Code::BadValue, message).help("a window is written as in `3d`"));
    }
    let is_time = |name: &str| source.event_time.as_deref() == Some(name);
    if !source.columns.iter().any(|(name, column)| is_time(name) && column.required) {
        let message = "a `window` needs an `event_time` whose column is `required`";
        let help = "without a window, every row of the table is compared";
        found.push(place.error(Code::BadValue, message).help(help));
    }
    days
}

fn row_checks(source: &spec::Source) -> Vec<RowCheck> {
    let of_columns = source.columns.iter().filter_map(|(name, column)| {
        let expression = column.check.clone()?;
        Some(RowCheck { column: name.parse().ok(), expression })
    });
    let of_rows = source
        .checks
        .iter()
        .map(|expression| RowCheck { column: None, expression: expression.clone() });
    of_columns.chain(of_rows).collect()
}

/// Plans every row check against the clean columns, so that a wrong one is found without data.
fn validate_checks(
    written: &spec::Source,
    source: &Source,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let places: HashMap<&str, Place<'_>> = written
        .columns
        .iter()
        .filter_map(|(name, column)| {
            Some((column.check.as_deref()?, place.child("columns").child(name).child("check")))
        })
        .chain(
            written
                .checks
                .iter()
                .enumerate()
                .map(|(index, check)| (check.as_str(), place.child("checks").child(index))),
        )
        .collect();
    let schema = source.cleaned_schema();
    let names = || source.columns.iter().map(|column| column.name.as_str());
    for check in &source.checks {
        let Err(error) = RowExpression::compile(&schema, &check.expression) else {
            continue;
        };
        if let Some(place) = places.get(check.expression.as_str()) {
            found.push(crate::plan::sql_diagnostic::bad_condition(
                &error,
                names(),
                |code, message| place.error(code, message),
            ));
        }
    }
}
