//! Reads a pipeline and the stages it names.

use std::collections::{BTreeMap, BTreeSet};

use super::folders;
use super::positions::PositionMap;
use super::sidecar::Sidecar;
use super::source_tree::{SourceTree, ending, is_stage};
use super::types::Pipeline;
use super::unit_test::UnitTest;
use super::yaml;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile, nearest};

/// A pipeline as written, with its stages.
#[derive(Debug, Clone)]
pub(crate) struct PipelineSpec {
    pub(crate) file: SourceFile,
    pub(crate) positions: PositionMap,
    pub(crate) pipeline: Pipeline,
    /// In the order of their files' paths.
    pub(crate) stages: Vec<StageSpec>,
}

/// A stage as written: its SQL and the file beside it.
#[derive(Debug, Clone)]
pub(crate) struct StageSpec {
    /// The name of the file without its ending; not yet known to be a name.
    pub(crate) name: String,
    pub(crate) sql: SourceFile,
    pub(crate) sidecar: Option<SidecarSpec>,
}

impl StageSpec {
    /// Returns the path of the file beside the stage, whether there is one or not.
    pub(crate) fn sidecar_path(&self) -> String {
        with_ending(&self.sql.path, "yaml")
    }
}

/// The file beside a stage.
#[derive(Debug, Clone)]
pub(crate) struct SidecarSpec {
    pub(crate) file: SourceFile,
    pub(crate) positions: PositionMap,
    pub(crate) sidecar: Sidecar,
    /// The files its tests name, by their paths as written; those that are not there are left out.
    pub(crate) fixtures: BTreeMap<String, SourceFile>,
}

/// Reads a pipeline and all the stages in the folders it names, or says all that is wrong with them.
pub(crate) fn load(tree: &SourceTree, pipeline_path: &str) -> Result<PipelineSpec, Diagnostics> {
    let Some(file) = tree.file(pipeline_path) else {
        let message = format!("the pipeline `{pipeline_path}` does not exist");
        return Err(vec![Diagnostic::error(Code::FileUnreadable, message)]);
    };
    let (pipeline, positions, mut diagnostics) = yaml::parse(&file);
    // The stages are read even when the pipeline has mistakes, so that all are reported at once.
    let stages = load_stages(tree, &file, &mut diagnostics);
    match pipeline {
        Some(pipeline) if diagnostics.is_empty() => {
            Ok(PipelineSpec { file, positions, pipeline, stages })
        }
        _ => Err(diagnostics),
    }
}

fn load_stages(
    tree: &SourceTree,
    pipeline: &SourceFile,
    diagnostics: &mut Diagnostics,
) -> Vec<StageSpec> {
    let (folders, mistakes) = folders::named(pipeline);
    diagnostics.extend(mistakes);
    let mut paths = BTreeSet::new();
    for folder in &folders {
        match folders::problem(tree, folder) {
            Some(problem) => diagnostics.push(problem.at(pipeline, folder.place.clone())),
            None => paths.extend(tree.paths_below(&folder.path)),
        }
    }
    diagnostics.extend(duplicate_names(tree, &paths));
    diagnostics.extend(orphans(tree, &paths));
    let stages = paths.iter().filter(|path| is_stage(path));
    stages.filter_map(|path| load_stage(tree, path, diagnostics)).collect()
}

fn load_stage(tree: &SourceTree, path: &str, diagnostics: &mut Diagnostics) -> Option<StageSpec> {
    let sql = tree.file(path)?;
    let sidecar = tree.file(&with_ending(path, "yaml")).and_then(|file| {
        let (sidecar, positions, mistakes) = yaml::parse_optional(&file);
        diagnostics.extend(mistakes);
        sidecar.map(|sidecar| {
            let fixtures = fixtures(tree, &file.path, &sidecar);
            SidecarSpec { file, positions, sidecar, fixtures }
        })
    });
    Some(StageSpec { name: stem(path).to_owned(), sql, sidecar })
}

/// Returns the files that tests name, relative to the file the tests stand in.
fn fixtures(tree: &SourceTree, path: &str, sidecar: &Sidecar) -> BTreeMap<String, SourceFile> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let named = sidecar.tests.iter().flat_map(UnitTest::files);
    let file = |name: &str| Some((name.to_owned(), tree.file(&format!("{folder}/{name}"))?));
    named.filter_map(file).collect()
}

/// Reports every stage that bears the name of one before it.
fn duplicate_names(tree: &SourceTree, paths: &BTreeSet<&str>) -> Diagnostics {
    let mut first = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for path in paths.iter().filter(|path| is_stage(path)) {
        let Some(earlier) = first.get(stem(path)) else {
            first.insert(stem(path), *path);
            continue;
        };
        let message = format!("two stages are named `{}`", stem(path));
        let places = [(*path, "again here"), (*earlier, "first here")];
        let labelled =
            places.iter().filter_map(|(path, text)| Some((tree.file(path)?, text))).fold(
                Diagnostic::error(Code::DuplicateName, message),
                |diagnostic, (file, text)| diagnostic.labelled(&file, 0..0, *text),
            );
        diagnostics.push(labelled.help("a stage has the name of its file; rename one of them"));
    }
    diagnostics
}

/// Reports every YAML file that stands beside no stage.
fn orphans(tree: &SourceTree, paths: &BTreeSet<&str>) -> Diagnostics {
    let is_orphan = |path: &&&str| match ending(path) {
        Some("yaml") => !paths.contains(with_ending(path, "sql").as_str()),
        Some("yml") => true,
        _ => false,
    };
    paths
        .iter()
        .filter(is_orphan)
        .filter_map(|path| Some(orphan(&tree.file(path)?, paths)))
        .collect()
}

fn orphan(file: &SourceFile, paths: &BTreeSet<&str>) -> Diagnostic {
    if ending(&file.path) == Some("yml") {
        return Diagnostic::error(Code::OrphanSidecar, format!("`{}` is not read", file.path))
            .at(file, 0..0)
            .help("the file beside a stage ends in `.yaml`; rename it");
    }
    let message = format!("no stage stands beside `{}`", file.path);
    let diagnostic = Diagnostic::error(Code::OrphanSidecar, message).at(file, 0..0);
    let stages = paths.iter().filter(|path| is_stage(path));
    match nearest(stem(&file.path), stages.map(|path| stem(path))) {
        Some(name) => diagnostic.help(format!("did you mean the stage `{name}`?")),
        None => diagnostic.help(format!("add `{}.sql` or remove the file", stem(&file.path))),
    }
}

fn with_ending(path: &str, ending: &str) -> String {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    format!("{stem}.{ending}")
}

fn stem(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
