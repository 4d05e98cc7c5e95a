//! How tests came out, for people and for machines.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use crate::names::StageName;
use crate::plan::UnitTest;
use crate::trial::{Difference, Sign, Verdict};

/// The version of the JSON; it grows when a reader of the old form would be misled.
const VERSION: u32 = 1;

/// A test that has been run.
pub(super) struct Ran<'a> {
    pub(super) stage: &'a StageName,
    pub(super) test: &'a UnitTest,
    pub(super) verdict: Verdict,
    pub(super) elapsed: Duration,
}

impl Ran<'_> {
    pub(super) fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed)
    }

    /// Says why the test did not pass.
    fn reason(&self) -> String {
        match &self.verdict {
            Verdict::Passed => String::new(),
            Verdict::Failed(difference) => difference.text(),
            Verdict::Broken(error) => format!("{}\n", error.strip_backtrace()),
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.test.file, self.test.line)
    }
}

/// Returns the report for people.
pub(super) fn text(ran: &[Ran<'_>], elapsed: Duration) -> String {
    let mut text = String::new();
    let mut stage = None;
    for one in ran {
        if stage != Some(one.stage) {
            let _ = writeln!(text, "{}", one.stage);
            stage = Some(one.stage);
        }
        if one.passed() {
            let _ = writeln!(text, "  ok    {}", one.test.name);
            continue;
        }
        let _ = writeln!(text, "  FAIL  {} ({})", one.test.name, one.place());
        text.extend(one.reason().lines().map(|line| format!("        {line}\n")));
    }
    if ran.is_empty() {
        return "no tests; a test stands under `tests` in the file beside a stage\n".to_owned();
    }
    let failed = failed(ran);
    let counts = match failed {
        0 => format!("{} passed", ran.len()),
        failed => format!("{failed} failed, {} passed", ran.len() - failed),
    };
    format!("{text}\n{counts} in {} ms\n", elapsed.as_millis())
}

fn failed(ran: &[Ran<'_>]) -> usize {
    ran.iter().filter(|one| !one.passed()).count()
}

/// Returns the report for machines.
pub(super) fn json(ran: &[Ran<'_>], elapsed: Duration) -> String {
    let one = |one: &Ran<'_>| {
        let (status, difference) = match &one.verdict {
            Verdict::Passed => ("passed", Value::Null),
            Verdict::Failed(difference) => ("failed", rows(difference)),
            Verdict::Broken(_) => ("broken", Value::Null),
        };
        json!({
            "stage": one.stage,
            "name": one.test.name,
            "file": &*one.test.file,
            "line": one.test.line,
            "status": status,
            "message": one.reason(),
            "difference": difference,
            "elapsed_ms": one.elapsed.as_secs_f64() * 1e3,
        })
    };
    let failed = failed(ran);
    let report = json!({
        "version": VERSION,
        "passed": ran.len() - failed,
        "failed": failed,
        "elapsed_ms": elapsed.as_secs_f64() * 1e3,
        "tests": ran.iter().map(one).collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn rows(difference: &Difference) -> Value {
    let of = |sign: Sign| -> Vec<&Vec<String>> {
        let lines = difference.lines.iter().filter(|line| line.sign == sign);
        lines.map(|line| &line.cells).collect()
    };
    json!({
        "columns": difference.columns,
        "missing": of(Sign::Missing),
        "unexpected": of(Sign::Unexpected),
        "left_out": difference.left_out,
    })
}

/// Returns the report as the XML of `JUnit`: a suite for each stage.
pub(super) fn junit(ran: &[Ran<'_>], elapsed: Duration) -> String {
    let mut report = Report::new("martlet test");
    report.set_time(elapsed);
    for stage in ran.chunk_by(|left, right| left.stage == right.stage) {
        let mut suite = TestSuite::new(stage[0].stage.as_str());
        suite.set_time(stage.iter().map(|one| one.elapsed).sum());
        suite.add_test_cases(stage.iter().map(case));
        report.add_test_suite(suite);
    }
    report.to_string().unwrap_or_default() + "\n"
}

fn case(one: &Ran<'_>) -> TestCase {
    let status = match &one.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed(_) => refused(NonSuccessKind::Failure, "other rows than expected", one),
        Verdict::Broken(_) => refused(NonSuccessKind::Error, "it could not be computed", one),
    };
    let mut case = TestCase::new(one.test.name.as_str(), status);
    case.set_classname(one.stage.as_str());
    case.set_time(one.elapsed);
    case
}

fn refused(kind: NonSuccessKind, message: &str, one: &Ran<'_>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status.set_description(format!("{}\n{}", one.place(), one.reason()));
    status
}
