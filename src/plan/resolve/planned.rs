//! One stage, planned over the tables before it.

use std::ops::Range;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::builder::LogicalTableSource;

use super::contract::{contract, report_drift, stored_schema};
use super::incremental::{self, Known};
use super::place::{Place, with_nearest};
use super::stages::{Parsed, Scope};
use super::{checks, history, lints, unit_tests};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::engine::{Planned, Select, Tables, not_deterministic, plan_and_inspect, schema_of};
use crate::plan::sql_diagnostic::{Explained, explained, word_at};
use crate::plan::stage::{Stage, StageColumn};
use crate::spec::{self, SidecarSpec, StageSpec};

/// How many mistakes of one text are told at most.
const MOST_MISTAKES: usize = 20;

/// Plans one stage and adds its table; a stage that cannot be planned stands in with its contract.
pub(super) fn planned(
    stage: &Parsed<'_>,
    scope: &Scope<'_>,
    tables: &mut Tables,
    known: &mut Known,
    published: bool,
    found: &mut Diagnostics,
) -> Option<Stage> {
    let contract = contract(stage, found);
    let history = history::resolve(stage.spec, found);
    let unplanned = stage.select.tables.iter().any(|table| {
        // A table nobody declares is for the planner to report; one that failed is not this stage's fault.
        !tables.contains_key(table) && scope.declared.contains(table.as_str())
    });
    if unplanned {
        has_unknown_parameters(stage, scope, found);
        return None;
    }
    let attempt = attempt(stage, scope, tables, found);
    let schema = match &attempt {
        Attempt::Sound(planned) => {
            refuse_not_deterministic(stage, &planned.plan, found);
            let schema = stored_schema(stage, &schema_of(&planned.plan), found);
            if let Some(schema) = &schema {
                lints::of_stage(stage, schema, &planned.mixed, published, found);
            }
            schema
        }
        Attempt::Mended(_) | Attempt::Failed => None,
    };
    let mended = match &attempt {
        Attempt::Mended(plan) => stored_schema(stage, &schema_of(plan), &mut Diagnostics::new()),
        _ => None,
    };
    let shown = schema.as_ref().or(contract.as_ref()).or(mended.as_ref())?;
    let table = Arc::new(LogicalTableSource::new(Arc::clone(shown)));
    tables.insert(stage.name.to_string(), table);
    let schema = schema?;
    if let Some(contract) = contract {
        report_drift(stage, &contract, &schema, found);
    }
    let (telling_columns, key_check) = checks::telling_columns(&schema, &stage.checks);
    let Attempt::Sound(sound) = attempt else { return None };
    let planned = Stage {
        name: stage.name.clone(),
        select: stage.select.clone(),
        description: sidecar(stage).and_then(|sidecar| sidecar.description.clone()),
        columns: columns(stage),
        checks: stage.checks.iter().map(checks::Written::check).collect(),
        row_checks: checks::together(&stage.spec.name, &stage.checks),
        telling_columns,
        key_check,
        tests: unit_tests::resolve(stage, &schema, scope, tables, found),
        schema,
        published,
        history,
        incremental: incremental::resolve(stage, &sound.written, known, found),
    };
    known.add(&planned, &sound.written);
    Some(planned)
}

/// What came of planning a text.
enum Attempt {
    Sound(Box<Planned>),
    /// It can be planned once its mistakes, which have been reported, are mended.
    Mended(LogicalPlan),
    Failed,
}

/// Plans the SQL of a stage; after a wrong name goes on with the right one, to find the next mistake.
fn attempt(
    stage: &Parsed<'_>,
    scope: &Scope<'_>,
    tables: &Tables,
    found: &mut Diagnostics,
) -> Attempt {
    let mut sound = !has_unknown_parameters(stage, scope, found);
    let mut select = if sound {
        stage.select.clone()
    } else {
        stage.select.without_parameters(|name| is_parameter(scope, name))
    };
    let names: Vec<&str> = scope.declared.iter().copied().collect();
    for _ in 0..MOST_MISTAKES {
        let error = match plan_and_inspect(scope.state, tables, scope.parameters, &select) {
            Ok(planned) if sound => return Attempt::Sound(Box::new(planned)),
            Ok(planned) => return Attempt::Mended(planned.plan),
            Err(error) => error,
        };
        let mistake = explained(&stage.spec.sql, &error, &names);
        // After a first mistake, others than wrong names may merely follow from how it was mended.
        if !sound && mistake.wrong.is_none() {
            return Attempt::Failed;
        }
        sound = false;
        let next = mended(&select, &mistake);
        told(with_declaration(mistake, stage, scope), found);
        match next {
            Some(next) => select = next,
            None => return Attempt::Failed,
        }
    }
    Attempt::Failed
}

fn mended(select: &Select, mistake: &Explained) -> Option<Select> {
    let (kind, place) = mistake.wrong?;
    select.repaired(kind, place, mistake.near.as_deref())
}

/// Adds a mistake; one that was made before in the same words gets a further place there.
fn told(mistake: Diagnostic, found: &mut Diagnostics) {
    let is_same = |other: &&mut Diagnostic| {
        other.code == mistake.code
            && other.message == mistake.message
            && other.labels.first().map(|label| &label.file)
                == mistake.labels.first().map(|label| &label.file)
    };
    match (found.iter_mut().find(is_same), mistake.labels.first()) {
        (Some(other), Some(label)) => other.labels.push(label.clone()),
        _ => found.push(mistake),
    }
}

/// Shows where the column that was meant is declared, if only one table that is read has it; or else the stage that
/// might lack it, if only one of those that are read declares no columns.
fn with_declaration(mistake: Explained, stage: &Parsed<'_>, scope: &Scope<'_>) -> Diagnostic {
    let Explained { diagnostic, near, .. } = mistake;
    if diagnostic.code != Code::SqlUnknownColumn {
        return diagnostic;
    }
    let tables = || stage.select.tables.iter();
    let near = near.as_deref();
    let declared = near.and_then(|near| {
        let (file, span) = only(tables().filter_map(|table| declared(scope, table, near)))?;
        Some((file, span, format!("`{near}` is declared here")))
    });
    let made = || {
        let stage = only(tables().filter_map(|table| without_columns(scope, table)))?;
        let place = first_line_of_sql(&stage.sql.text);
        Some((stage.sql.clone(), place, format!("the columns of `{}` are made here", stage.name)))
    };
    match declared.or_else(made) {
        Some((file, span, text)) => diagnostic.labelled(&file, span, text),
        None => diagnostic,
    }
}

/// Returns the item of an iterator that has one alone.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let item = items.next()?;
    items.next().is_none().then_some(item)
}

/// Returns the first line that is no comment.
fn first_line_of_sql(text: &str) -> Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let sql = line.trim();
        if !sql.is_empty() && !sql.starts_with("--") {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    0..0
}

/// Returns the stage of a name, if it declares no columns.
fn without_columns<'a>(scope: &Scope<'a>, name: &str) -> Option<&'a StageSpec> {
    let stage = scope.spec.stages.iter().find(|stage| stage.name == name)?;
    let declares = |sidecar: &SidecarSpec| sidecar.sidecar.columns.iter().next().is_some();
    (!stage.sidecar.as_ref().is_some_and(declares)).then_some(stage)
}

/// Returns where a column of a source or stage is declared.
fn declared(scope: &Scope<'_>, table: &str, column: &str) -> Option<(SourceFile, Range<usize>)> {
    let spec = scope.spec;
    if let Some((_, source)) = spec.pipeline.sources.iter().find(|(name, _)| *name == table) {
        source.columns.iter().find(|(name, _)| *name == column)?;
        let place = Place::root(&spec.file, &spec.positions).child("sources").child(table);
        return Some((spec.file.clone(), place.child("columns").child(column).key()));
    }
    let stage = spec.stages.iter().find(|stage| stage.name == table)?;
    let sidecar = stage.sidecar.as_ref()?;
    sidecar.sidecar.columns.iter().find(|(name, _)| *name == column)?;
    let place = Place::root(&sidecar.file, &sidecar.positions).child("columns").child(column);
    Some((sidecar.file.clone(), place.key()))
}

fn is_parameter(scope: &Scope<'_>, name: &str) -> bool {
    scope.parameters.names().any(|known| known == name)
}

/// Reports the parameters nobody has declared; says whether there are any.
fn has_unknown_parameters(stage: &Parsed<'_>, scope: &Scope<'_>, found: &mut Diagnostics) -> bool {
    let before = found.len();
    let file = &stage.spec.sql;
    for used in &stage.select.parameters {
        if is_parameter(scope, &used.name) {
            continue;
        }
        let span = word_at(&file.text, used.line, used.column);
        let message = format!("the parameter `${}` is not known", used.name);
        let unknown = Diagnostic::error(Code::SqlUnknownParameter, message).at(file, span);
        found.push(with_nearest(unknown, &used.name, scope.parameters.names()));
    }
    found.len() > before
}

/// Reports functions that would make two runs of one night differ.
fn refuse_not_deterministic(stage: &Parsed<'_>, plan: &LogicalPlan, found: &mut Diagnostics) {
    let file = &stage.spec.sql;
    for name in not_deterministic(plan).unwrap_or_default() {
        let at = file.text.to_lowercase().find(&name);
        let span = at.map_or(0..0, |at| at..at + name.len());
        let message = format!("the function `{name}` gives another answer each time it is asked");
        let help =
            "a night computed again must be the same; use `$as_of` or `$as_of_date` for the time";
        found.push(Diagnostic::error(Code::SqlNotDeterministic, message).at(file, span).help(help));
    }
}

fn sidecar<'a>(stage: &Parsed<'a>) -> Option<&'a spec::Sidecar> {
    stage.spec.sidecar.as_ref().map(|sidecar| &sidecar.sidecar)
}

fn columns(stage: &Parsed<'_>) -> Vec<StageColumn> {
    let columns = sidecar(stage).into_iter().flat_map(|sidecar| sidecar.columns.iter());
    columns
        .filter_map(|(name, column)| {
            Some(StageColumn {
                name: name.parse().ok()?,
                description: column.description.clone(),
                pii: column.pii,
                additive: column.additive,
            })
        })
        .collect()
}
