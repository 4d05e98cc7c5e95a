//! The pipelines of a project, read and looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{personal, source_tree};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Severity};
use crate::plan::{self, Examination, Plan, StageFinding};
use crate::spec;

/// The folder of pipelines, relative to the project's root.
const PIPELINES: &str = "pipelines";

/// Pipelines that have been looked at, and what could not even be read.
pub(super) struct Project {
    pub(super) pipelines: Vec<PathBuf>,
    pub(super) examinations: Vec<Examination>,
    unread: Diagnostics,
    /// Whether these are all pipelines of the project.
    all: bool,
}

/// Reads and validates one pipeline.
pub(super) fn planned(project: &Path, pipeline: &Path) -> Result<Plan, Diagnostics> {
    resolved(&read(project, pipeline)?)
}

/// Validates a pipeline as written, and that its marts show no personal data unasked.
pub(super) fn resolved(spec: &spec::PipelineSpec) -> Result<Plan, Diagnostics> {
    let plan = plan::resolve(spec)?;
    let refused = personal::refused(spec, &plan);
    if refused.is_empty() { Ok(plan) } else { Err(refused) }
}

/// Reads a pipeline as written.
pub(super) fn read(project: &Path, pipeline: &Path) -> Result<spec::PipelineSpec, Diagnostics> {
    let tree = source_tree::read(project, pipeline)?;
    let path = source_tree::project_path(project, pipeline)?;
    spec::load(&tree, &path)
}

/// Looks at a pipeline as written; it is no plan where its marts show personal data unasked.
fn examined(spec: &spec::PipelineSpec) -> Examination {
    let mut examination = plan::examine(spec);
    let refused = examination.plan.as_ref().map(|plan| personal::refused(spec, plan));
    if let Some(refused) = refused.filter(|refused| !refused.is_empty()) {
        examination.found.extend(refused);
        examination.plan = None;
    }
    examination
}

impl Project {
    /// Looks at the pipelines named, or at all there are.
    pub(super) fn examine(root: &Path, named: &[PathBuf]) -> Self {
        let all = named.is_empty();
        let (pipelines, unread) =
            if all { all_pipelines(root) } else { (named.to_vec(), Diagnostics::new()) };
        let mut project = Self { pipelines, examinations: Vec::new(), unread, all };
        for pipeline in &project.pipelines {
            match read(root, pipeline) {
                Ok(spec) => project.examinations.push(examined(&spec)),
                Err(found) => project.unread.extend(found),
            }
        }
        project
    }

    /// Returns all that is wrong, each mistake once although two pipelines may share a stage.
    pub(super) fn found(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        let mut add = |more: Diagnostics| {
            for mistake in more {
                if !found.contains(&mistake) {
                    found.push(mistake);
                }
            }
        };
        add(self.unread.clone());
        for examination in &self.examinations {
            add(examination.found.clone());
        }
        let mut idle = Idle::default();
        for stage in self.stages_by_file().values() {
            add(self.of_idle_stage(stage, &mut idle));
        }
        add(idle.told());
        found
    }

    /// Returns the names of all stages that some pipeline publishes.
    pub(super) fn marts(&self) -> BTreeSet<&str> {
        let stages = self.examinations.iter().flat_map(|examination| &examination.stages);
        let marts = stages.filter_map(|finding| finding.stage.as_deref());
        marts.filter(|stage| stage.published).map(|stage| stage.name.as_str()).collect()
    }

    /// Returns the topmost folders in which stages lie.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let stages = self.examinations.iter().flat_map(|examination| &examination.stages);
        let first = |stage: &StageFinding| stage.spec.sql.path.split('/').next().map(PathBuf::from);
        let mut folders: Vec<PathBuf> = stages.filter_map(first).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Returns what each pipeline found out about each stage.
    fn stages_by_file(&self) -> BTreeMap<&str, Vec<&StageFinding>> {
        let mut stages = BTreeMap::<&str, Vec<&StageFinding>>::new();
        for stage in self.examinations.iter().flat_map(|examination| &examination.stages) {
            stages.entry(&stage.spec.sql.path).or_default().push(stage);
        }
        stages
    }

    /// Returns what is wrong with a stage that no pipeline needs, as the one says that copes best with it.
    fn of_idle_stage(&self, findings: &[&StageFinding], idle: &mut Idle) -> Diagnostics {
        if findings.iter().any(|finding| finding.needed) {
            return Diagnostics::new();
        }
        // The tables a stage reads may be those of another pipeline; only all of them together can tell.
        let best = findings.iter().find(|finding| !finding.mistakes.iter().any(lacks_table));
        let Some(best) = best else {
            let first = findings.first().filter(|_| self.all && self.unread.is_empty());
            idle.without_tables.extend(first.map(|finding| without_tables(finding)));
            return Diagnostics::new();
        };
        let found = best.mistakes.clone();
        if self.all && !has_errors(&self.unread) && !has_errors(&found) {
            idle.unused.extend(unused(best).map(|unused| (best.spec.name.clone(), unused)));
        }
        found
    }
}

/// Says whether a mistake is that a table is not there.
fn lacks_table(mistake: &Diagnostic) -> bool {
    [Code::SqlUnknownTable, Code::TestUnknownTable].contains(&mistake.code)
}

/// Returns which tables a stage lacks that nothing needs. That keeps no night from being run: a shop may have no such data.
/// What else is wrong with it mostly follows from that.
fn without_tables(finding: &StageFinding) -> (String, Diagnostics) {
    let lacking = finding.mistakes.iter().filter(|mistake| lacks_table(mistake)).cloned();
    let warnings = lacking.map(|mistake| Diagnostic { severity: Severity::Warning, ..mistake });
    (finding.spec.name.clone(), warnings.collect())
}

/// So many stages that nothing needs are told one by one; of more, only their names.
const TOLD_ONE_BY_ONE: usize = 5;
/// So many names are told.
const NAMES: usize = 12;

/// The stages that no pipeline needs.
#[derive(Default)]
struct Idle {
    unused: Vec<(String, Diagnostic)>,
    without_tables: Vec<(String, Diagnostics)>,
}

impl Idle {
    fn told(self) -> Diagnostics {
        let mut told = Diagnostics::new();
        if self.unused.len() > TOLD_ONE_BY_ONE {
            let names = names(self.unused.iter().map(|(name, _)| name.as_str()));
            let message = format!("no mart needs {} stages: {names}", self.unused.len());
            let help =
                "name them under `publish` in a pipeline, read them in a stage, or remove them";
            told.push(Diagnostic::warning(Code::UnusedStage, message).help(help));
        } else {
            told.extend(self.unused.into_iter().map(|(_, unused)| unused));
        }
        if self.without_tables.len() > TOLD_ONE_BY_ONE {
            let names = names(self.without_tables.iter().map(|(name, _)| name.as_str()));
            let count = self.without_tables.len();
            let message = format!(
                "{count} stages that no mart needs read tables that are not there: {names}"
            );
            let help = "where a folder of `sql/contract` has such a table, without rows, list it under `stages`";
            told.push(Diagnostic::warning(Code::SqlUnknownTable, message).help(help));
        } else {
            told.extend(self.without_tables.into_iter().flat_map(|(_, lacking)| lacking));
        }
        told
    }
}

/// Writes the first of some names.
fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    let others = all.len().saturating_sub(NAMES);
    let mut names: Vec<String> = all.take(NAMES).map(|name| format!("`{name}`")).collect();
    if others > 0 {
        names.push(format!("{others} others"));
    }
    names.join(", ")
}

/// Says whether something is wrong that keeps a pipeline from being run.
pub(super) fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn unused(finding: &StageFinding) -> Option<Diagnostic> {
    let file = &finding.spec.sql;
    if file.text.contains(&format!("allow({})", Code::UnusedStage.as_str())) {
        return None;
    }
    let message = format!("no mart needs the stage `{}`", finding.spec.name);
    let end = file.text.find('\n').unwrap_or(file.text.len());
    let unused = Diagnostic::warning(Code::UnusedStage, message).at(file, 0..end);
    Some(unused.help("name it under `publish` in a pipeline, read it in a stage, or remove it"))
}

pub(super) fn all_pipelines(project: &Path) -> (Vec<PathBuf>, Diagnostics) {
    let folder = project.join(PIPELINES);
    let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let mut pipelines: Vec<PathBuf> = entries
        .map(|entry| Path::new(PIPELINES).join(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    pipelines.sort();
    let mut found = Diagnostics::new();
    if pipelines.is_empty() {
        let message = format!("there is no pipeline in `{}`", folder.display());
        let help = "name one, or give the project's root with `--project`";
        found.push(Diagnostic::error(Code::FileUnreadable, message).help(help));
    }
    (pipelines, found)
}
