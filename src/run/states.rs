//! Tells which stages would yield what they yielded on the night before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parts;
use crate::digest::of as digest;
use crate::engine::{Context, Select};
use crate::plan::{AS_OF, AS_OF_DATE, CheckSeverity, History, IDENTITY_CUSTOMERS, Plan, Stage};
use crate::report::CheckReport;
use crate::steps::identity::{CleanFile, CleanTable, Identified};
use crate::steps::transform::Unchanged;
use crate::warehouse::{Generation, Parts, StageState, StageStates, TableRecord, Warehouse, Zone};

/// By table, a digest of what its rows follow from: two tables of one digest have the same rows.
type Contents = BTreeMap<String, String>;

/// Tells what every stage of the plan follows from on this night.
pub(super) fn of(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    identified: &Identified,
) -> StageStates {
    let parts = parts::of(plan);
    let mut contents: Contents = parts.constants.clone();
    let customers = &identified.digest;
    for table in &identified.tables {
        let content = content(ctx, warehouse, table, customers);
        contents.insert(table.source.name.to_string(), content);
    }
    contents.insert(IDENTITY_CUSTOMERS.to_owned(), customers.clone());
    with_stages(plan, &parts, &ctx.as_of.instant.to_rfc3339(), contents)
}

/// Digests the rows of a clean table: a file never changes, and its name is that of no other.
fn content(ctx: &Context, warehouse: &Warehouse, table: &CleanTable, customers: &str) -> String {
    let (layout, source) = (warehouse.layout(), table.source.name.as_str());
    let name = |(part, file): (usize, &CleanFile)| match file {
        CleanFile::Stored(file) => file.path.clone(),
        CleanFile::Written { .. } => {
            layout.relative(&layout.table_file(Zone::Clean, source, &ctx.run_id, part))
        }
    };
    let mut names: Vec<String> = table.files.iter().enumerate().map(name).collect();
    names.sort();
    let has_customers = !table.source.links.is_empty();
    let customers = has_customers.then_some(customers);
    digest(names.iter().map(String::as_str).chain(customers))
}

fn with_stages(plan: &Plan, parts: &Parts, as_of: &str, mut contents: Contents) -> StageStates {
    let mut rows = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        let part = parts.stages.get(stage.name.as_str()).map_or("", |part| part.digest.as_str());
        let content = followed(part, as_of, [&stage.select], &contents);
        rows.push(content.clone());
        contents.insert(stage.name.to_string(), content);
    }
    let state = |(stage, rows): (&Arc<Stage>, String)| {
        let part = parts.stages.get(stage.name.as_str()).map_or("", |part| part.checks.as_str());
        let part = digest([part, &values_for_checks(stage, parts)]);
        let checks = stage.checks.iter().map(|check| &check.select);
        let checks = followed(&part, as_of, checks, &contents);
        (stage.name.to_string(), StageState { rows, checks, failures: BTreeMap::new() })
    };
    plan.stages.iter().zip(rows).map(state).collect()
}

/// Tells the variables that the checks of a stage ask for.
fn values_for_checks(stage: &Stage, parts: &Parts) -> String {
    let uses = stage.checks.iter().flat_map(|check| &check.select.parameters);
    let values: BTreeMap<_, _> =
        uses.filter_map(|used| parts.variables.get_key_value(&used.name)).collect();
    format!("{values:?}")
}

/// Digests rules together with the night, where they ask for it, and with the tables they read.
fn followed<'a>(
    rules: &str,
    as_of: &str,
    selects: impl IntoIterator<Item = &'a Select>,
    contents: &Contents,
) -> String {
    let mut texts = vec![rules];
    for select in selects {
        let asks = |name: &str| select.parameters.iter().any(|used| used.name == name);
        texts.extend((asks(AS_OF) || asks(AS_OF_DATE)).then_some(as_of));
        for table in &select.tables {
            texts.push(table);
            texts.push(contents.get(table).map_or("", String::as_str));
        }
    }
    digest(texts)
}

/// Returns the states of the marts that this run leaves as they are.
pub(super) fn left_out(plan: &Plan, present: Option<&Generation>) -> StageStates {
    let states = present.into_iter().flat_map(|present| &present.states);
    let is_left = |name: &str| plan.left_out.iter().any(|mart| mart.as_str() == name);
    let left = states.filter(|(name, _)| is_left(name));
    left.map(|(name, state)| (name.clone(), state.clone())).collect()
}

/// Returns the stages that need not be computed, since they would yield what the generation has.
///
/// A stage that has no table there is computed where one that is computed reads it, or a check.
pub(super) fn unchanged(plan: &Plan, states: &StageStates, generation: &Generation) -> Unchanged {
    let is_same = |stage: &Stage| {
        let name = stage.name.as_str();
        let former = generation.states.get(name);
        former.zip(states.get(name)).is_some_and(|(former, state)| former.is_same(state))
    };
    let [marts, kept] =
        [Zone::Marts, Zone::Stages].map(|zone| generation.tables(zone).collect::<BTreeMap<_, _>>());
    let mut read: BTreeSet<&str> = BTreeSet::new();
    // Whoever is read stands before whoever reads it; but a check may read a stage that stands behind its own.
    loop {
        let before = read.len();
        let mut unchanged = Unchanged::default();
        for stage in plan.stages.iter().rev() {
            let name = stage.name.as_str();
            // A mart that keeps its nights gets another one, though it be like the last.
            let is_of_one_night =
                |table: &TableRecord| stage.history == History::Replace && table.history.is_none();
            let table = if stage.published {
                marts.get(name)
            } else {
                kept.get(name).filter(|_| stage.is_kept())
            };
            match table.filter(|table| is_of_one_night(table) && is_same(stage)) {
                Some(table) => {
                    unchanged.tables.insert(name.to_owned(), (*table).clone());
                }
                None if is_same(stage)
                    && !stage.published
                    && !stage.is_kept()
                    && !read.contains(name) =>
                {
                    unchanged.others.insert(name.to_owned());
                }
                None => {
                    read.extend(stage.select.tables.iter().map(String::as_str));
                    let checks = stage.checks.iter().flat_map(|check| &check.select.tables);
                    read.extend(checks.map(String::as_str));
                }
            }
        }
        if read.len() == before {
            return unchanged;
        }
    }
}

/// Tells what the checks of unchanged stages found when they were computed.
pub(super) fn former_checks(
    plan: &Plan,
    unchanged: &Unchanged,
    generation: &Generation,
) -> Vec<CheckReport> {
    let stages = plan.stages.iter().filter(|stage| unchanged.contains(&stage.name));
    let checks = stages.flat_map(|stage| stage.checks.iter().map(move |check| (stage, check)));
    let told = checks.map(|(stage, check)| {
        let former = generation.states.get(stage.name.as_str());
        let failures = former.and_then(|former| former.failures.get(&check.name));
        CheckReport {
            stage: stage.name.to_string(),
            check: check.name.clone(),
            blocking: check.severity == CheckSeverity::Error,
            failures: failures.copied().unwrap_or_default(),
        }
    });
    told.collect()
}

/// Adds to the states what the checks found.
pub(super) fn note_checks(states: &mut StageStates, checks: &[CheckReport]) {
    for check in checks.iter().filter(|check| check.failures > 0) {
        if let Some(state) = states.get_mut(&check.stage) {
            state.failures.insert(check.check.clone(), check.failures);
        }
    }
}
