//! Segment rules and written cut points, proven before anything runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use chrono::{Datelike, NaiveDate};
use datafusion::common::ScalarValue;
use serde_yaml::Value;

use super::place::Place;
use super::variables::scalar;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::stage::{ConstantTable, Variable};
use crate::spec;

/// The table of segments: `r_score`, `fm_score`, `segment`, one row for each of the 25 pairs.
const SEGMENT_RULES: &str = "rfm_segment_rules";
/// The table of written cut points: `dimension`, `score`, `lower_bound`, `valid_from`.
const FIXED_CUTPOINTS: &str = "rfm_fixed_cutpoints";
/// Whoever is known and has no order; no rule may give this name.
const PROSPECTS: &str = "Prospects";

const SCORES: std::ops::RangeInclusive<i64> = 1..=5;
/// The scores that begin at a cut point.
const CUT_SCORES: std::ops::RangeInclusive<i64> = 2..=5;
/// Money and counts, as the marts compare them.
const PRECISION: u8 = 18;
const SCALE: i8 = 4;

/// The rules where a pipeline has none, as (segment, R scores, FM scores).
const DEFAULT_RULES: &[(&str, &[i64], &[i64])] = &[
    ("Champions", &[5], &[4, 5]),
    ("Loyal", &[3, 4], &[4, 5]),
    ("Potential loyalist", &[4, 5], &[2, 3]),
    ("New", &[5], &[1]),
    ("Promising", &[4], &[1]),
    ("Need attention", &[3], &[3]),
    ("About to sleep", &[3], &[1, 2]),
    ("Can't lose them", &[1, 2], &[5]),
    ("At risk", &[1, 2], &[3, 4]),
    ("Hibernating", &[1, 2], &[1, 2]),
];

/// A segment for each pair of R and FM score.
type Grid = BTreeMap<(i64, i64), String>;

/// A dimension, a score, and the value it begins at; more is better, so recency has a minus.
type Bound = (&'static str, i64, i128, i32);

/// Makes the tables that the marts on recency, frequency and monetary value read.
pub(super) fn tables(
    rfm: &spec::Rfm,
    variables: &[Variable],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Vec<ConstantTable> {
    let grid = if rfm.segments.is_empty() {
        default_grid()
    } else {
        grid(&rfm.segments, &place.child("segments"), found)
    };
    let bounds: Vec<Bound> = rfm
        .cutpoints
        .iter()
        .enumerate()
        .flat_map(|(index, cutpoints)| {
            bounds(cutpoints, &place.child("cutpoints").child(index), found)
        })
        .collect();
    if rfm.cutpoints.is_empty() && variable(variables, "rfm_mode") == Some("cutpoints") {
        let message = "`rfm_mode` is `cutpoints`, and none are written";
        found.push(place.key_error(Code::MissingKey, message).help("add `cutpoints` to `rfm`"));
    }
    [segment_table(&grid), cutpoint_table(&bounds)].into_iter().flatten().collect()
}

fn variable<'a>(variables: &'a [Variable], name: &str) -> Option<&'a str> {
    let variable = variables.iter().find(|variable| variable.name.as_str() == name)?;
    match &variable.value {
        ScalarValue::Utf8(value) => value.as_deref(),
        _ => None,
    }
}

fn default_grid() -> Grid {
    let mut grid = Grid::new();
    for (segment, r, fm) in DEFAULT_RULES {
        take(&mut grid, segment, r, fm);
    }
    grid
}

/// Gives a segment to the pairs that are still free; says how many those were.
fn take(grid: &mut Grid, segment: &str, r: &[i64], fm: &[i64]) -> usize {
    let before = grid.len();
    for r in r {
        for fm in fm {
            grid.entry((*r, *fm)).or_insert_with(|| segment.to_owned());
        }
    }
    grid.len() - before
}

/// Gives every pair of scores the segment of the first rule that names it; reports pairs that none
/// names and rules that never apply.
fn grid(rules: &[spec::SegmentRule], place: &Place<'_>, found: &mut Diagnostics) -> Grid {
    let mut grid = Grid::new();
    for (index, rule) in rules.iter().enumerate() {
        let place = place.child(index);
        let known = scores(&rule.r, &place.child("r"), found);
        let (r, fm) = (known, scores(&rule.fm, &place.child("fm"), found));
        if rule.segment.trim().is_empty() || rule.segment == PROSPECTS {
            let message = format!("`{}` is no name of a segment of buyers", rule.segment);
            found.push(place.child("segment").error(Code::BadValue, message));
        }
        if take(&mut grid, &rule.segment, &r, &fm) == 0 && !r.is_empty() && !fm.is_empty() {
            let message = format!("the rule of `{}` never applies", rule.segment);
            let help = "rules before it take all its scores; move it up or remove it";
            found.push(place.warning(Code::SegmentUnreachable, message).help(help));
        }
    }
    let gaps: Vec<String> = SCORES
        .flat_map(|r| SCORES.map(move |fm| (r, fm)))
        .filter(|pair| !grid.contains_key(pair))
        .map(|(r, fm)| format!("r {r} fm {fm}"))
        .collect();
    if !gaps.is_empty() {
        let message = format!("no rule gives a segment to {}", gaps.join(", "));
        let help = "a last rule without `r` and `fm` takes all that is left";
        found.push(place.key_error(Code::SegmentGap, message).help(help));
    }
    grid
}

/// Returns the scores a rule names, or all of them.
fn scores(written: &[i64], place: &Place<'_>, found: &mut Diagnostics) -> Vec<i64> {
    if written.is_empty() {
        return SCORES.collect();
    }
    for score in written.iter().filter(|score| !SCORES.contains(score)) {
        let message = format!("`{score}` is no score");
        found.push(place.error(Code::BadValue, message).help("scores go from 1 to 5"));
    }
    written.iter().copied().filter(|score| SCORES.contains(score)).collect()
}

fn bounds(cutpoints: &spec::Cutpoints, place: &Place<'_>, found: &mut Diagnostics) -> Vec<Bound> {
    let Ok(valid_from) = NaiveDate::parse_from_str(&cutpoints.valid_from, "%Y-%m-%d") else {
        let message = format!("`{}` is no date", cutpoints.valid_from);
        let help = "a date is written as a text, such as \"2026-01-31\"";
        found.push(place.child("valid_from").error(Code::BadValue, message).help(help));
        return Vec::new();
    };
    let epoch = valid_from.num_days_from_ce() - NaiveDate::default().num_days_from_ce();
    let dimensions = [
        ("recency", "recency_days", &cutpoints.recency_days, -1),
        ("frequency", "frequency", &cutpoints.frequency, 1),
        ("monetary", "monetary", &cutpoints.monetary, 1),
    ];
    let mut bounds = Vec::new();
    for (dimension, key, written, sign) in dimensions {
        let values: Option<Vec<i128>> = written.iter().map(money).collect();
        let values: Vec<i128> =
            values.unwrap_or_default().into_iter().map(|value| value * sign).collect();
        if values.len() != CUT_SCORES.count() || !values.is_sorted() {
            let direction = if sign < 0 { "fall" } else { "rise" };
            let message = format!("`{key}` has four numbers that {direction}");
            let help = "they are the values at which the scores 2, 3, 4 and 5 begin";
            found.push(place.child(key).error(Code::BadValue, message).help(help));
        }
        let scored = CUT_SCORES.zip(values);
        bounds.extend(scored.map(|(score, value)| (dimension, score, value, epoch)));
    }
    bounds
}

/// Returns a written number in ten-thousandths.
fn money(value: &Value) -> Option<i128> {
    match scalar(value)? {
        ScalarValue::Int64(Some(value)) => Some(i128::from(value) * 10_000),
        ScalarValue::Decimal128(Some(value), _, scale @ 0..=SCALE) => {
            Some(value * 10_i128.pow(u32::from(SCALE.abs_diff(scale))))
        }
        _ => None,
    }
}

fn segment_table(grid: &Grid) -> Option<ConstantTable> {
    let r: Int64Array = grid.keys().map(|(r, _)| Some(*r)).collect();
    let fm: Int64Array = grid.keys().map(|(_, fm)| Some(*fm)).collect();
    let segments: StringArray = grid.values().map(|segment| Some(segment.as_str())).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("r_score", Arc::new(r)), ("fm_score", Arc::new(fm)), ("segment", Arc::new(segments))];
    let rows = RecordBatch::try_from_iter(columns).ok()?;
    Some(ConstantTable { name: SEGMENT_RULES, rows })
}

fn cutpoint_table(bounds: &[Bound]) -> Option<ConstantTable> {
    let dimensions: StringArray = bounds.iter().map(|bound| Some(bound.0)).collect();
    let scores: Int64Array = bounds.iter().map(|bound| Some(bound.1)).collect();
    let values: Decimal128Array = bounds.iter().map(|bound| Some(bound.2)).collect();
    let values = values.with_precision_and_scale(PRECISION, SCALE).ok()?;
    let days: Date32Array = bounds.iter().map(|bound| Some(bound.3)).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("dimension", Arc::new(dimensions)),
        ("score", Arc::new(scores)),
        ("lower_bound", Arc::new(values)),
        ("valid_from", Arc::new(days)),
    ];
    let rows = RecordBatch::try_from_iter(columns).ok()?;
    Some(ConstantTable { name: FIXED_CUTPOINTS, rows })
}

#[cfg(test)]
mod tests {
    use super::default_grid;

    #[test]
    fn the_default_rules_are_total() {
        let grid = default_grid();
        assert_eq!(grid.len(), 25);
        assert_eq!(grid[&(5, 5)], "Champions");
        assert_eq!(grid[&(3, 3)], "Need attention");
        assert_eq!(grid[&(2, 4)], "At risk");
    }
}
