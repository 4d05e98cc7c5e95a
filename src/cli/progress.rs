//! Shows what a run is doing, on stderr.
#![expect(clippy::print_stderr, reason = "progress is what this listener writes")]

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{Event, Listener, Step, StepReport};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Hidden,
    /// A line that moves.
    Bar,
    /// A line for each step that is done.
    Lines,
    /// A JSON object for each step that is done.
    Json,
}

/// Shows events and remembers the steps for the report.
pub(super) struct Progress {
    style: Style,
    bar: ProgressBar,
    since: Instant,
    steps: Mutex<Vec<StepReport>>,
    /// What was begun once more.
    again: Mutex<BTreeSet<(Step, String)>>,
}

impl Progress {
    pub(super) fn new(style: Style) -> Self {
        let bar = match style {
            Style::Bar => ProgressBar::new_spinner().with_style(spinner()),
            Style::Hidden | Style::Lines | Style::Json => ProgressBar::hidden(),
        };
        if style == Style::Bar {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { style, bar, since: Instant::now(), steps: Mutex::default(), again: Mutex::default() }
    }

    /// Ends the show and returns the steps that were done.
    pub(super) fn end(&self) -> Vec<StepReport> {
        self.bar.finish_and_clear();
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *steps)
    }

    fn begun_again(&self) -> MutexGuard<'_, BTreeSet<(Step, String)>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether some of a step with a source, a stage or the whole was begun once more. The audit, of the whole, tells
    /// the stages of which checks were.
    fn has_begun_again(&self, step: Step, subject: &str) -> bool {
        let is_meant =
            |(of, what): &(Step, String)| *of == step && (step == Step::Audit || what == subject);
        self.begun_again().iter().any(is_meant)
    }

    fn finished(&self, step: StepReport) {
        match self.style {
            Style::Hidden | Style::Bar => {}
            Style::Lines => {
                let StepReport { step, subject, count, elapsed_ms, again, .. } = &step;
                let (name, unit) = (step.as_str(), step.unit());
                let again = if *again { ", once more for lack of memory" } else { "" };
                eprintln!("{name:<9} {subject}: {count} {unit} in {elapsed_ms} ms{again}");
            }
            Style::Json => {
                if let Ok(line) = serde_json::to_string(&step) {
                    eprintln!("{line}");
                }
            }
        }
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Listener for Progress {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Started { step, subject } => {
                self.bar.set_message(format!("{} {subject}", step.as_str()));
            }
            Event::BegunAgain { step, subject } => {
                self.begun_again().insert((*step, (*subject).to_owned()));
            }
            Event::ObjectCleaned { source, object } => {
                self.bar.set_message(format!("clean {source}: {object}"));
            }
            Event::Finished { step, subject, count, elapsed } => self.finished(StepReport {
                step: *step,
                subject: (*subject).to_owned(),
                count: *count,
                started_ms: self.since.elapsed().saturating_sub(*elapsed).as_millis() as u64,
                elapsed_ms: elapsed.as_millis() as u64,
                again: self.has_begun_again(*step, subject),
            }),
        }
    }
}
