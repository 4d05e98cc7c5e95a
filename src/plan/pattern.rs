//! Path patterns: which objects below the raw root belong to a source.

use chrono::NaiveDate;
use globset::GlobBuilder;
use regex::bytes::Regex;

/// The place of the day of an export in a pattern.
const DATE: &str = "{date}";
/// Stands for the date while the glob is translated; no path holds it.
const DATE_MARK: &str = "\u{1}";
const DATE_EXPRESSION: &str = "([0-9]{4}-[0-9]{2}-[0-9]{2})";

/// Says why a text is no path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("a path pattern must not be empty")]
    Empty,
    #[error("a path pattern is relative to the raw root and does not start with `/`")]
    Absolute,
    #[error("a path pattern must not climb out of the raw root with `..`")]
    ClimbsOut,
    #[error("a path pattern has no empty segment, no `.` and no control characters")]
    BadSegment,
    #[error("the path pattern is not well formed: {0}")]
    Glob(String),
}

/// Where a source's objects lie: a glob below the raw root, with `{date}` for the day of an export.
///
/// `*` and `?` stay within a folder, `**` crosses folders, `[a-z]` and `{a,b}` choose. Where `{date}` stands
/// more than once, all places hold the same day.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    /// The pattern as written, such as `web/dt={date}/*.ndjson.gz`.
    text: String,
    prefix: String,
    expression: Regex,
}

impl PathPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        refuse_bad_segments(text)?;
        let marked = text.replace(DATE, DATE_MARK);
        let glob = GlobBuilder::new(&marked)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| PatternError::Glob(error.kind().to_string()))?;
        let expression = glob.regex().replace(DATE_MARK, DATE_EXPRESSION);
        Ok(Self {
            text: text.to_owned(),
            prefix: literal_folder(text),
            expression: Regex::new(&expression)
                .map_err(|error| PatternError::Glob(error.to_string()))?,
        })
    }

    /// Returns the pattern as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the folder below which every match lies; empty for the raw root itself.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Says whether the pattern tells the day of an export.
    pub(crate) fn has_date(&self) -> bool {
        self.text.contains(DATE)
    }

    /// Says whether a path below the raw root matches, and if so which day `{date}` stands for.
    ///
    /// A text in the place of `{date}` that is no day of the calendar does not match.
    #[expect(
        clippy::option_option,
        reason = "whether it matches and whether it holds a date are two questions"
    )]
    pub(crate) fn matches(&self, path: &str) -> Option<Option<NaiveDate>> {
        let captures = self.expression.captures(path.as_bytes())?;
        let mut dates = captures.iter().skip(1).flatten();
        let Some(first) = dates.next() else {
            return Some(None);
        };
        let all_equal = dates.all(|other| other.as_bytes() == first.as_bytes());
        let date = path.get(first.range())?.parse().ok()?;
        all_equal.then_some(Some(date))
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathPattern {}

fn refuse_bad_segments(text: &str) -> Result<(), PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    if text.starts_with('/') {
        return Err(PatternError::Absolute);
    }
    if text.split('/').any(|segment| segment == "..") {
        return Err(PatternError::ClimbsOut);
    }
    let bad = |segment: &str| segment.is_empty() || segment == ".";
    if text.split('/').any(bad) || text.chars().any(char::is_control) {
        return Err(PatternError::BadSegment);
    }
    Ok(())
}

/// Returns the leading folders that hold no special character.
fn literal_folder(text: &str) -> String {
    let special = |character: char| matches!(character, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
    let folders = text.rsplit_once('/').map_or("", |(folders, _)| folders);
    let literal: Vec<&str> =
        folders.split('/').take_while(|segment| !segment.contains(special)).collect();
    literal.join("/")
}

#[cfg(test)]
mod tests {
    use super::{PathPattern, PatternError};

    fn date_in(pattern: &str, path: &str) -> String {
        match PathPattern::parse(pattern).unwrap().matches(path) {
            None => "no match".to_owned(),
            Some(None) => "no date".to_owned(),
            Some(Some(date)) => date.to_string(),
        }
    }

    #[test]
    fn a_date_is_found_in_its_place() {
        let pattern = "web/dt={date}/*.ndjson.gz";
        assert_eq!(date_in(pattern, "web/dt=2026-01-31/a.ndjson.gz"), "2026-01-31");
        assert_eq!(date_in(pattern, "web/dt=2026-02-30/a.ndjson.gz"), "no match");
        assert_eq!(date_in(pattern, "web/dt=20260131/a.ndjson.gz"), "no match");
        assert_eq!(date_in(pattern, "web/dt=2026-01-31/b/a.ndjson.gz"), "no match");
        assert_eq!(date_in(pattern, "x/web/dt=2026-01-31/a.ndjson.gz"), "no match");
    }

    #[test]
    fn two_dates_in_one_path_are_the_same_day() {
        let pattern = "{date}/sales_{date}.csv";
        assert_eq!(date_in(pattern, "2026-01-31/sales_2026-01-31.csv"), "2026-01-31");
        assert_eq!(date_in(pattern, "2026-01-31/sales_2026-01-30.csv"), "no match");
    }

    #[test]
    fn globs_stay_within_a_folder_unless_doubled() {
        assert_eq!(date_in("a/*.csv", "a/x.csv"), "no date");
        assert_eq!(date_in("a/*.csv", "a/b/x.csv"), "no match");
        assert_eq!(date_in("a/**/*.csv", "a/b/c/x.csv"), "no date");
        assert_eq!(date_in("a/**/*.csv", "a/x.csv"), "no date");
        assert_eq!(date_in("a/?.{csv,txt}", "a/x.txt"), "no date");
        assert_eq!(date_in("a/[0-9].csv", "a/x.csv"), "no match");
        assert_eq!(date_in("a/x.csv", "a/xxcsv"), "no match");
    }

    #[test]
    fn the_prefix_is_the_literal_folder() {
        for (pattern, prefix) in [
            ("web/dt={date}/*.gz", "web"),
            ("a/b/c.csv", "a/b"),
            ("*.csv", ""),
            ("c.csv", ""),
            ("a/b*/c/d.csv", "a"),
        ] {
            assert_eq!(PathPattern::parse(pattern).unwrap().prefix(), prefix, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        let refused = |text: &str| PathPattern::parse(text).unwrap_err();
        assert_eq!(refused(""), PatternError::Empty);
        assert_eq!(refused("/etc/*"), PatternError::Absolute);
        assert_eq!(refused("a/../../b"), PatternError::ClimbsOut);
        assert_eq!(refused("a//b"), PatternError::BadSegment);
        assert_eq!(refused("./b"), PatternError::BadSegment);
        assert_eq!(refused("a/\u{1}"), PatternError::BadSegment);
        assert!(matches!(refused("a/[b"), PatternError::Glob(_)));
        assert!(matches!(refused("a/{b"), PatternError::Glob(_)));
    }
}
