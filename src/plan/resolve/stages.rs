//! The stages the published marts need, planned in the order in which they depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::execution::SessionState;
use datafusion::logical_expr::builder::LogicalTableSource;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::incremental::Known;
use super::place::{Place, with_nearest};
use super::planned::planned;
use super::{checks, lints};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Severity};
use crate::engine::{Parameters, Select, Tables};
use crate::names::StageName;
use crate::plan::examination::StageFinding;
use crate::plan::source::{Source, added};
use crate::plan::sql_diagnostic::not_select;
use crate::plan::stage::{ConstantTable, IDENTITY_CUSTOMERS, Stage, Variable};
use crate::spec::{PipelineSpec, StageSpec};

/// What planning stages needs to know of the rest of the pipeline.
pub(super) struct Scope<'a> {
    pub(super) spec: &'a PipelineSpec,
    pub(super) state: &'a SessionState,
    pub(super) parameters: &'a Parameters,
    pub(super) variables: &'a [Variable],
    /// The business time zone.
    pub(super) timezone: chrono_tz::Tz,
    pub(super) sources: &'a [Source],
    /// Whether the pipeline resolves customers.
    pub(super) has_identity: bool,
    /// Tables that the pipeline itself holds.
    pub(super) constants: &'a [ConstantTable],
    /// The names of all sources and stages, whether they could be read or not.
    pub(super) declared: BTreeSet<&'a str>,
}

/// A stage whose SQL is known to be a single `SELECT`.
pub(super) struct Parsed<'a> {
    pub(super) name: StageName,
    pub(super) spec: &'a StageSpec,
    pub(super) select: Select,
    /// Every table on the way to it.
    pub(super) upstream: BTreeSet<String>,
    /// Checks as SQL, with the place of each.
    pub(super) checks: Vec<checks::Written<'a>>,
}

type ParsedStages<'a> = BTreeMap<&'a str, Parsed<'a>>;

/// The stages of a pipeline after all of them have been looked at.
#[derive(Default)]
pub(super) struct Stages {
    /// What the published marts need, in order of their dependencies.
    pub(super) needed: Vec<Arc<Stage>>,
    /// What nothing published needs, but can be computed, in order of their dependencies.
    pub(super) idle: Vec<Arc<Stage>>,
    pub(super) findings: Vec<StageFinding>,
}

/// Plans all stages; what is wrong with those that nothing needs is kept apart from `found`.
pub(super) fn resolve(
    spec: &PipelineSpec,
    scope: &Scope<'_>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Stages {
    let parsed = parsed(spec, scope, found);
    let marts = published(spec, &parsed, &place.child("publish"), found);
    let needed = needed(&parsed, &marts);
    let order = order(&parsed, &needed, found);
    let mut tables = source_tables(scope);
    let mut known = Known::of_sources(scope);
    let mut stages = Stages::default();
    for name in order {
        let stage = &parsed[name];
        let is_mart = marts.contains(name);
        let planned = planned(stage, scope, &mut tables, &mut known, is_mart, found).map(Arc::new);
        stages.needed.extend(planned.clone());
        stages.findings.push(StageFinding::of(stage, true, planned));
    }
    for stage in needed.iter().map(|name| &parsed[name]) {
        checks::validate(stage, scope, &tables, found);
    }
    if !found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        let needed: Vec<&Parsed<'_>> = needed.iter().map(|name| &parsed[name]).collect();
        lints::unused(scope, &needed, place, found);
    }
    plan_idle(&parsed, &needed, scope, (&mut tables, &mut known), &mut stages);
    stages
}

/// Plans the stages that nothing published needs.
fn plan_idle<'a>(
    parsed: &ParsedStages<'a>,
    needed: &BTreeSet<&'a str>,
    scope: &Scope<'_>,
    (tables, known): (&mut Tables, &mut Known),
    stages: &mut Stages,
) {
    let idle: BTreeSet<&str> =
        parsed.keys().copied().filter(|name| !needed.contains(name)).collect();
    let mut circles = Diagnostics::new();
    let mut unsound = BTreeSet::new();
    for name in order(parsed, &idle, &mut circles).into_iter().filter(|name| idle.contains(name)) {
        let mut mistakes = Diagnostics::new();
        let stage = &parsed[name];
        let planned = planned(stage, scope, tables, known, false, &mut mistakes).map(Arc::new);
        checks::validate(stage, scope, tables, &mut mistakes);
        let is_error = |mistake: &Diagnostic| mistake.severity == Severity::Error;
        let stands_on_sound = stage.upstream.iter().all(|table| !unsound.contains(table.as_str()));
        if !stands_on_sound {
            // A test gives tables on the way to the stage, which are not known where one of them is unsound.
            mistakes.retain(|mistake| mistake.code != Code::TestUnknownTable);
        }
        match planned.clone().filter(|_| stands_on_sound && !mistakes.iter().any(is_error)) {
            Some(sound) => stages.idle.push(sound),
            None => drop(unsound.insert(name)),
        }
        stages.findings.push(StageFinding { mistakes, ..StageFinding::of(stage, false, planned) });
    }
    for circle in circles {
        let first = circle.labels.first().map(|label| Arc::clone(&label.file.path));
        let stage = parsed.values().find(|stage| Some(&stage.spec.sql.path) == first.as_ref());
        stages.findings.extend(stage.map(|stage| StageFinding {
            mistakes: vec![circle],
            ..StageFinding::of(stage, false, None)
        }));
    }
}

impl StageFinding {
    fn of(stage: &Parsed<'_>, needed: bool, planned: Option<Arc<Stage>>) -> Self {
        let spec = stage.spec.clone();
        Self { spec, needed, stage: planned, mistakes: Diagnostics::new() }
    }
}

/// Parses every stage there is, so that a broken one is reported even where nobody needs it yet.
fn parsed<'a>(
    spec: &'a PipelineSpec,
    scope: &Scope<'_>,
    found: &mut Diagnostics,
) -> ParsedStages<'a> {
    let mut stages = ParsedStages::new();
    for stage in &spec.stages {
        let Some(name) = stage_name(stage, scope, found) else {
            continue;
        };
        match Select::parse(&stage.sql.text) {
            Ok(select) => {
                let checks = checks::written(stage, found);
                stages.insert(
                    &stage.name,
                    Parsed { name, spec: stage, select, upstream: BTreeSet::new(), checks },
                );
            }
            Err(error) => found.push(not_select(&stage.sql, &error)),
        }
    }
    with_upstream(stages)
}

/// Tells every stage which tables are on the way to it.
fn with_upstream(mut stages: ParsedStages<'_>) -> ParsedStages<'_> {
    let reads: BTreeMap<&str, Vec<String>> = stages
        .iter()
        .map(|(name, stage)| (*name, stage.select.tables.iter().cloned().collect()))
        .collect();
    for (name, stage) in &mut stages {
        let mut waiting = reads[name].clone();
        while let Some(table) = waiting.pop() {
            if stage.upstream.insert(table.clone()) {
                waiting.extend(reads.get(table.as_str()).into_iter().flatten().cloned());
            }
        }
    }
    stages
}

fn stage_name(stage: &StageSpec, scope: &Scope<'_>, found: &mut Diagnostics) -> Option<StageName> {
    let refused = |code, message: String| Diagnostic::error(code, message).at(&stage.sql, 0..0);
    let is_source = scope.sources.iter().any(|source| source.name.as_str() == stage.name);
    let is_constant = scope.constants.iter().any(|table| table.name == stage.name);
    if is_source || is_constant || stage.name == IDENTITY_CUSTOMERS {
        let message = format!("the name `{}` is taken by another table of the run", stage.name);
        found.push(refused(Code::DuplicateName, message).help("rename the file of the stage"));
        return None;
    }
    match stage.name.parse() {
        Ok(name) => Some(name),
        Err(reason) => {
            let message = format!("the file name `{}` is no table name: {reason}", stage.name);
            found.push(refused(Code::BadName, message));
            None
        }
    }
}

/// Returns the names under `publish` that are stages.
fn published<'a>(
    spec: &'a PipelineSpec,
    parsed: &ParsedStages<'a>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> BTreeSet<&'a str> {
    if spec.pipeline.publish.is_empty() {
        let message = "a pipeline publishes at least one mart";
        found.push(place.key_error(Code::BadValue, message));
    }
    let mut marts = BTreeSet::new();
    for (index, name) in spec.pipeline.publish.iter().enumerate() {
        let place = place.child(index);
        let exists = spec.stages.iter().any(|stage| &stage.name == name);
        if !exists {
            let unknown = place.error(Code::UnknownStage, format!("no stage is named `{name}`"));
            let names = spec.stages.iter().map(|stage| stage.name.as_str());
            found.push(with_nearest(unknown, name, names));
        } else if parsed.contains_key(name.as_str()) && !marts.insert(name.as_str()) {
            let message = format!("`{name}` is published twice");
            found.push(place.error(Code::DuplicateName, message));
        }
    }
    marts
}

/// Returns the stages that the marts and the checks on the way to them read, however indirectly.
fn needed<'a>(parsed: &ParsedStages<'a>, marts: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut needed = BTreeSet::new();
    let mut waiting: Vec<&str> = marts.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        let Some((&name, stage)) = parsed.get_key_value(name) else {
            continue;
        };
        if needed.insert(name) {
            waiting.extend(stage.select.tables.iter().map(String::as_str));
            waiting.extend(stage.checks.iter().flat_map(checks::Written::tables));
        }
    }
    needed
}

/// Returns the stages named and those they read, each after those it reads; circles are reported and left out.
fn order<'a>(
    parsed: &ParsedStages<'a>,
    needed: &BTreeSet<&'a str>,
    found: &mut Diagnostics,
) -> Vec<&'a str> {
    let mut graph = DiGraphMap::<&str, ()>::new();
    for &name in needed {
        graph.add_node(name);
        for table in &parsed[name].select.tables {
            if let Some((&upstream, _)) = parsed.get_key_value(table.as_str()) {
                graph.add_edge(name, upstream, ());
            }
        }
    }
    let mut order = Vec::with_capacity(needed.len());
    // Tarjan's algorithm yields a component only after every component it points at.
    for component in tarjan_scc(&graph) {
        match component.as_slice() {
            &[name] if !graph.contains_edge(name, name) => order.push(name),
            circle => found.push(circular(parsed, circle)),
        }
    }
    order
}

fn circular(parsed: &ParsedStages<'_>, circle: &[&str]) -> Diagnostic {
    let mut names: Vec<&str> = circle.to_vec();
    names.sort_unstable();
    let message = format!("stages need each other in a circle: `{}`", names.join("`, `"));
    let diagnostic = Diagnostic::error(Code::StageCycle, message)
        .help("let one of them read something that does not need the others");
    names.iter().fold(diagnostic, |diagnostic, &name| {
        let stage = &parsed[name];
        let next = names.iter().find(|&&other| stage.select.tables.contains(other));
        let next = next.copied().unwrap_or(name);
        let text = &stage.spec.sql.text;
        let span = text.find(next).map_or(0..0, |at| at..at + next.len());
        diagnostic.labelled(&stage.spec.sql, span, format!("`{name}` reads `{next}`"))
    })
}

fn source_tables(scope: &Scope<'_>) -> Tables {
    let table = |schema: SchemaRef| -> Arc<dyn datafusion::logical_expr::TableSource> {
        Arc::new(LogicalTableSource::new(schema))
    };
    let mut tables: Tables = scope
        .sources
        .iter()
        .map(|source| (source.name.to_string(), table(source.table_schema())))
        .collect();
    for constant in scope.constants {
        tables.insert(constant.name.to_owned(), table(constant.rows.schema()));
    }
    if scope.has_identity {
        tables.insert(IDENTITY_CUSTOMERS.to_owned(), table(identity_customers_schema()));
    }
    tables
}

/// The schema of the table of resolved customers.
pub(crate) fn identity_customers_schema() -> SchemaRef {
    let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new(added::CUSTOMER_ID, DataType::Utf8, false),
        Field::new("first_seen", moment.clone(), false),
        Field::new("id_created_at", moment, false),
        Field::new("identifiers", DataType::Int64, false),
    ]))
}
