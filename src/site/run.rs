//! What earlier runs have left behind, as far as the page shows it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::html::Html;

/// How many runs the history shows.
const SHOWN: usize = 50;

/// The report of a run, as `runs/<run_id>/report.json` holds it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    #[serde(rename = "run_id")]
    id: String,
    as_of: String,
    status: String,
    started_at: String,
    #[serde(default)]
    elapsed_ms: u64,
    #[serde(default)]
    generation: Option<u64>,
    #[serde(default)]
    sources: Vec<SourceCounts>,
    #[serde(default)]
    checks: Vec<CheckResult>,
    #[serde(default)]
    published: Vec<PublishedRows>,
}

/// What became of the records of a source.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SourceCounts {
    source: String,
    pub(super) read: u64,
    pub(super) kept: u64,
    pub(super) rejected: u64,
    pub(super) duplicate: u64,
    #[serde(default)]
    pub(super) reasons: BTreeMap<String, u64>,
}

/// How a check went.
#[derive(Debug, Clone, Deserialize)]
struct CheckResult {
    stage: String,
    check: String,
    #[serde(default)]
    failures: u64,
}

/// How many rows a mart had.
#[derive(Debug, Clone, Deserialize)]
struct PublishedRows {
    table: String,
    rows: u64,
}

impl Run {
    /// Returns how many rows broke a check; nothing where the run has not come to it.
    pub(super) fn failures(&self, stage: &str, check: &str) -> Option<u64> {
        let mut results = self.checks.iter();
        let of_check = |result: &&CheckResult| result.stage == stage && result.check == check;
        results.find(of_check).map(|result| result.failures)
    }

    pub(super) fn has_checked(&self) -> bool {
        !self.checks.is_empty()
    }

    pub(super) fn source(&self, name: &str) -> Option<&SourceCounts> {
        self.sources.iter().find(|counts| counts.source == name)
    }

    pub(super) fn rows(&self, mart: &str) -> Option<u64> {
        self.published.iter().find(|table| table.table == mart).map(|table| table.rows)
    }

    pub(super) fn as_of(&self) -> &str {
        &self.as_of
    }

    /// Says how the run ended.
    pub(super) fn ending(&self) -> String {
        let words = self.status.replace('_', " ");
        match self.generation {
            Some(generation) if self.status == "published" => {
                format!("{words} as generation {generation}")
            }
            _ => words,
        }
    }

    fn sum(&self, of: impl Fn(&SourceCounts) -> u64) -> String {
        grouped(self.sources.iter().map(of).sum())
    }
}

/// Writes the history of a pipeline, the newest run first.
pub(super) fn history(html: &mut Html, runs: &[Run]) {
    if runs.is_empty() {
        html.leaf("p", &[("class", "quiet")], "No run has left a report in the warehouse.");
        return;
    }
    let titles = [
        "as of",
        "ended",
        "started",
        "took",
        "read",
        "kept",
        "rejected",
        "duplicate",
        "checks failed",
        "run",
    ];
    html.table(&titles, |html| {
        for run in runs.iter().take(SHOWN) {
            let class =
                if run.status == "published" || run.status == "unchanged" { "good" } else { "bad" };
            let failed = run.checks.iter().filter(|check| check.failures > 0).count();
            html.element("tr", &[], |html| {
                html.leaf("td", &[("class", "fixed")], &run.as_of);
                html.element("td", &[], |html| {
                    html.leaf("span", &[("class", class)], &run.ending());
                });
                html.leaf("td", &[], &moment(&run.started_at));
                html.leaf("td", &[("class", "number")], &took(run.elapsed_ms));
                for count in [
                    run.sum(|counts| counts.read),
                    run.sum(|counts| counts.kept),
                    run.sum(|counts| counts.rejected),
                    run.sum(|counts| counts.duplicate),
                    format!("{failed} of {}", run.checks.len()),
                ] {
                    html.leaf("td", &[("class", "number")], &count);
                }
                html.element("td", &[], |html| html.leaf("code", &[], &run.id));
            });
        }
    });
    if let Some(older @ 1..) = runs.len().checked_sub(SHOWN) {
        html.leaf("p", &[("class", "quiet")], &format!("{older} older runs are not shown."));
    }
}

/// Cuts a moment to its seconds.
fn moment(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

fn took(milliseconds: u64) -> String {
    let tenths = milliseconds / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// Writes a number with a space between groups of three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
