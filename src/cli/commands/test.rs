//! `martlet test`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::args::{Global, TestArguments, TestFormat};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::project::{Project, has_errors};
use crate::cli::test_report::{self, Ran};
use crate::cli::watch;
use crate::diagnostics::{Severity, nearest};
use crate::engine::Resources;
use crate::plan::{Plan, Stage};
use crate::trial::Trial;

/// How much memory tests may use; they are given by hand, and small.
const MEMORY: usize = 256 << 20;
/// How often files are looked at while waiting for a change.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs the tests of stages, once or after every change.
pub(in crate::cli) fn test(
    global: &Global,
    arguments: &TestArguments,
    output: &Output,
) -> ExitStatus {
    if !arguments.watch {
        return once(global, arguments, output).1;
    }
    let mut folders = Vec::new();
    loop {
        let before = watch::stamp(&global.project, &folders);
        (folders, _) = once(global, arguments, output);
        output.note("waiting for a change; Ctrl-C ends");
        watch::until_changed(&global.project, &folders, &before, PATIENCE);
    }
}

/// Runs the tests, and tells the folders their stages lie in.
fn once(global: &Global, arguments: &TestArguments, output: &Output) -> (Vec<PathBuf>, ExitStatus) {
    let project = Project::examine(&global.project, &arguments.pipelines);
    let folders = project.folders();
    let mut found = project.found();
    if has_errors(&found) {
        found.retain(|diagnostic| diagnostic.severity == Severity::Error);
        output.diagnostics(&found);
        return (folders, ExitStatus::Usage);
    }
    if let Some((unknown, hint)) = unknown_stage(&project, &arguments.stages) {
        output.plain_error(&format!("no stage is named `{unknown}`"), &hint);
        return (folders, ExitStatus::Usage);
    }
    let begun_at = Instant::now();
    let selected = selected(&project, &arguments.stages);
    let ran = match ran(&selected) {
        Ok(ran) => ran,
        Err(error) => {
            output.error(&error);
            return (folders, ExitStatus::Permanent);
        }
    };
    let elapsed = begun_at.elapsed();
    match arguments.format {
        TestFormat::Text => output.data(&test_report::text(&ran, elapsed)),
        TestFormat::Json => output.data(&test_report::json(&ran, elapsed)),
        TestFormat::Junit => output.data(&test_report::junit(&ran, elapsed)),
    }
    let passed = ran.iter().all(Ran::passed);
    (folders, if passed { ExitStatus::Success } else { ExitStatus::ChecksFailed })
}

fn unknown_stage(project: &Project, named: &[String]) -> Option<(String, String)> {
    let stages = || project.examinations.iter().flat_map(|examination| &examination.stages);
    let unknown = named.iter().find(|name| stages().all(|stage| stage.spec.name != **name))?;
    let near = nearest(unknown, stages().map(|stage| stage.spec.name.as_str()));
    let hint = near.map_or_else(
        || "a stage has the name of its file, without `.sql`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Some((unknown.clone(), hint))
}

/// A pipeline and those of its stages whose tests are run in it.
type Selected<'a> = Vec<(&'a Plan, Vec<Arc<Stage>>)>;

/// Returns every stage with tests once, with the first pipeline that can compute it.
fn selected<'a>(project: &'a Project, named: &[String]) -> Selected<'a> {
    let mut seen = BTreeSet::new();
    let mut selected = Vec::new();
    for examination in &project.examinations {
        let Some(plan) = &examination.plan else { continue };
        let mut stages = Vec::new();
        for finding in &examination.stages {
            let is_named = named.is_empty() || named.contains(&finding.spec.name);
            if let Some(stage) = finding.stage.as_ref().filter(|stage| !stage.tests.is_empty())
                && is_named
                && !has_errors(&finding.mistakes)
                && seen.insert(&finding.spec.sql.path)
            {
                stages.push(Arc::clone(stage));
            }
        }
        stages.sort_by(|left, right| left.name.cmp(&right.name));
        selected.push((plan, stages));
    }
    selected
}

fn ran<'a>(selected: &'a Selected<'_>) -> std::io::Result<Vec<Ran<'a>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let spill = std::env::temp_dir();
    Ok(runtime.block_on(run_all(selected, &spill)))
}

async fn run_all<'a>(selected: &'a Selected<'_>, spill: &Path) -> Vec<Ran<'a>> {
    let mut all = Vec::new();
    for (plan, stages) in selected {
        let mut trial = Trial::new(plan, Resources { threads: 1, memory: MEMORY, spill });
        for stage in stages {
            for test in &stage.tests {
                let begun_at = Instant::now();
                let verdict = trial.run(test).await;
                all.push(Ran { stage: &stage.name, test, verdict, elapsed: begun_at.elapsed() });
            }
        }
    }
    all
}
