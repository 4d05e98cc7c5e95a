//! How long the next run is likely to take, by what earlier runs took for the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plan::Plan;
use crate::report::{Expected, SourceOutlook, StageOutlook, Step, Verdict, together};

/// How many of the newest reports are asked.
pub(super) const NEWEST: usize = 10;

/// Sums up the medians of the same steps in the newest reports of published nights; decoding by the bytes to decode.
pub(super) fn of(
    plan: &Plan,
    verdict: Verdict,
    sources: &[SourceOutlook],
    stages: &[StageOutlook],
    reports: &[Value],
) -> Expected {
    let reports: Vec<&Value> =
        reports.iter().filter(|report| report["status"] == "published").collect();
    let mut sum = Sum { reports: &reports, expected: Expected::default() };
    for source in sources {
        sum.add(Step::Extract, &source.source);
    }
    if verdict == Verdict::Run {
        for source in sources {
            sum.add_decoding(Step::Clean, source);
            sum.add_decoding(Step::Dedupe, source);
        }
        sum.add(Step::Identify, plan.name.as_str());
        for stage in stages.iter().filter(|stage| stage.runs) {
            sum.add(Step::Transform, &stage.stage);
        }
        sum.add(Step::Audit, plan.name.as_str());
        sum.add(Step::Publish, plan.name.as_str());
    }
    let Expected { mut steps, unknown, .. } = sum.expected;
    for (step, elapsed) in &mut steps {
        *elapsed = (*elapsed as f64 * overlap(&reports, *step)).round() as u64;
    }
    let elapsed_ms = (!steps.is_empty()).then(|| steps.values().sum());
    Expected { elapsed_ms, runs: reports.len() as u64, steps, unknown }
}

struct Sum<'a> {
    reports: &'a [&'a Value],
    expected: Expected,
}

impl Sum<'_> {
    fn add(&mut self, step: Step, subject: &str) {
        let elapsed = self.reports.iter().filter_map(|report| elapsed(report, step, subject));
        match median(elapsed.collect()) {
            Some(elapsed) => self.count(step, elapsed),
            None => self.is_unknown(step, subject),
        }
    }

    /// Adds a step whose time grows with the bytes that are decoded.
    fn add_decoding(&mut self, step: Step, source: &SourceOutlook) {
        let (_, bytes) = source.decoded();
        if bytes == 0 {
            return;
        }
        let of_source = rates(self.reports, step, |name| name == source.source);
        let of_any = || rates(self.reports, step, |_| true);
        match median(of_source).or_else(|| median(of_any())) {
            Some(rate) => self.count(step, rate * bytes as f64),
            None => self.is_unknown(step, &source.source),
        }
    }

    fn count(&mut self, step: Step, elapsed: f64) {
        *self.expected.steps.entry(step).or_default() += elapsed.round() as u64;
    }

    fn is_unknown(&mut self, step: Step, subject: &str) {
        self.expected.unknown.push(format!("{} {subject}", step.as_str()));
    }
}

/// Returns how long a run worked at a step, in milliseconds.
fn elapsed(report: &Value, step: Step, subject: &str) -> Option<f64> {
    let mut steps = report["steps"].as_array()?.iter();
    let found = steps.find(|it| it["step"] == step.as_str() && it["subject"] == subject)?;
    found["elapsed_ms"].as_f64()
}

/// Returns which part of the sum of a step's times it took, since parts of it run side by side.
fn overlap(reports: &[&Value], step: Step) -> f64 {
    let of_run = |report: &&Value| -> Option<f64> {
        let parts = report["steps"].as_array()?.iter().filter(|it| it["step"] == step.as_str());
        let span =
            |part: &Value| Some((part["started_ms"].as_u64()?, part["elapsed_ms"].as_u64()?));
        let spans = parts.map(span).collect::<Option<Vec<_>>>()?;
        let sum: u64 = spans.iter().map(|(_, elapsed)| elapsed).sum();
        (sum > 0).then(|| together(spans) as f64 / sum as f64)
    };
    median(reports.iter().filter_map(of_run).collect()).unwrap_or(1.0)
}

/// Returns how many milliseconds each run took for a byte, of those sources it decoded something of.
fn rates(reports: &[&Value], step: Step, is_asked: impl Fn(&str) -> bool) -> Vec<f64> {
    let of_run = |report: &&Value| -> Option<f64> {
        let bytes = bytes_by_source(report);
        let asked = bytes.iter().filter(|(source, bytes)| is_asked(source) && **bytes > 0.0);
        let (mut spent, mut decoded) = (0.0, 0.0);
        for (source, bytes) in asked {
            spent += elapsed(report, step, source)?;
            decoded += bytes;
        }
        (decoded > 0.0).then(|| spent / decoded)
    };
    reports.iter().filter_map(of_run).collect()
}

fn bytes_by_source(report: &Value) -> BTreeMap<&str, f64> {
    let sources = report["sources"].as_array().into_iter().flatten();
    let bytes = sources.filter_map(|source| {
        let objects = source["objects"].as_array().into_iter().flatten();
        let sizes = objects.filter_map(|object| object["size"].as_f64());
        Some((source["source"].as_str()?, sizes.sum()))
    });
    bytes.collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}
