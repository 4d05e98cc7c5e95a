//! A part of a plan: some marts, and the stages they need.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::stage::{Plan, Stage};
use crate::diagnostics::nearest;
use crate::digest;
use crate::names::StageName;

/// Which marts of a plan are wanted; nothing said means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Stages; with `+` behind, everything that reads them too.
    pub(crate) select: Vec<String>,
    /// Stages that are left out, with everything that reads them.
    pub(crate) exclude: Vec<String>,
    /// Stages with which the run ends.
    pub(crate) until: Vec<String>,
}

/// Says why a selection selects nothing that makes sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectionError {
    #[error("the pipeline needs no stage `{name}`")]
    Unknown { name: String, near: Option<String> },
    #[error("the selection holds no mart, so nothing would be published")]
    NoMart { marts: Vec<String> },
}

impl SelectionError {
    /// Returns the way out.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unknown { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Unknown { near: None, .. } => {
                "a stage is named like its file; `+` behind it takes in what reads it".to_owned()
            }
            Self::NoMart { marts } => {
                format!(
                    "the marts are `{}`; `name+` selects those that read it",
                    marts.join("`, `")
                )
            }
        }
    }
}

impl Plan {
    /// Returns the plan of the marts selected and the stages they need.
    ///
    /// What is left out is named in `left_out`, and the plan counts as other rules than the whole.
    pub(crate) fn selected(self, selection: &Selection) -> Result<Self, SelectionError> {
        if *selection == Selection::default() {
            return Ok(self);
        }
        let wanted = wanted(&self.stages, selection)?;
        let marts = self.stages.iter().filter(|stage| stage.published);
        let (kept, left_out): (Vec<&Arc<Stage>>, Vec<&Arc<Stage>>) =
            marts.partition(|mart| wanted.contains(mart.name.as_str()));
        if kept.is_empty() {
            let marts = left_out.iter().map(|mart| mart.name.to_string()).collect();
            return Err(SelectionError::NoMart { marts });
        }
        let needed = needed(&self.stages, kept.iter().map(|mart| mart.name.as_str()));
        let left_out: Vec<StageName> = left_out
            .iter()
            .map(|mart| mart.name.clone())
            .filter(|mart| !needed.contains(mart.as_str()))
            .collect();
        let stages: Vec<Arc<Stage>> = self
            .stages
            .iter()
            .filter(|stage| needed.contains(stage.name.as_str()))
            .map(Arc::clone)
            .collect();
        let fingerprint = fingerprint(&self.fingerprint, &left_out);
        Ok(Self { stages, left_out, fingerprint, ..self })
    }
}

/// Returns the stages a selection names, before those they read are added.
fn wanted<'a>(
    stages: &'a [Arc<Stage>],
    selection: &Selection,
) -> Result<BTreeSet<&'a str>, SelectionError> {
    let mut wanted: BTreeSet<&str> = match selection.select.as_slice() {
        [] => stages.iter().map(|stage| stage.name.as_str()).collect(),
        terms => union(stages, terms, false)?,
    };
    if !selection.until.is_empty() {
        let last = union(stages, &selection.until, false)?;
        let before = needed(stages, last.into_iter());
        wanted.retain(|name| before.contains(name));
    }
    let excluded = union(stages, &selection.exclude, true)?;
    wanted.retain(|name| !excluded.contains(name));
    Ok(wanted)
}

/// Returns what terms such as `name` and `name+` stand for.
fn union<'a>(
    stages: &'a [Arc<Stage>],
    terms: &[String],
    with_readers: bool,
) -> Result<BTreeSet<&'a str>, SelectionError> {
    let mut all = BTreeSet::new();
    for term in terms {
        let bare = term.trim_start_matches('+');
        let name = bare.trim_end_matches('+');
        let Some(stage) = stages.iter().find(|stage| stage.name.as_str() == name) else {
            let names = stages.iter().map(|stage| stage.name.as_str());
            let near = nearest(name, names).map(str::to_owned);
            return Err(SelectionError::Unknown { name: name.to_owned(), near });
        };
        all.insert(stage.name.as_str());
        if with_readers || bare.ends_with('+') {
            all.extend(readers(stages, stage.name.as_str()));
        }
    }
    Ok(all)
}

/// Returns everything that reads a stage, however indirectly.
fn readers<'a>(stages: &'a [Arc<Stage>], name: &'a str) -> BTreeSet<&'a str> {
    let mut readers = BTreeSet::from([name]);
    // A stage stands after those it reads, so one walk meets them all.
    for stage in stages {
        if stage.select.tables.iter().any(|table| readers.contains(table.as_str())) {
            readers.insert(stage.name.as_str());
        }
    }
    readers
}

/// Returns the stages that `names` and the checks on the way to them read, however indirectly.
fn needed<'a>(stages: &'a [Arc<Stage>], names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut needed = BTreeSet::new();
    let mut waiting: Vec<&str> = names.collect();
    while let Some(name) = waiting.pop() {
        let Some(stage) = stages.iter().find(|stage| stage.name.as_str() == name) else {
            continue;
        };
        if needed.insert(stage.name.as_str()) {
            waiting.extend(stage.select.tables.iter().map(String::as_str));
            let checks = stage.checks.iter().flat_map(|check| &check.select.tables);
            waiting.extend(checks.map(String::as_str));
        }
    }
    needed
}

fn fingerprint(whole: &str, left_out: &[StageName]) -> String {
    if left_out.is_empty() {
        return whole.to_owned();
    }
    digest::of(std::iter::once(whole).chain(left_out.iter().map(StageName::as_str)))
}

#[cfg(test)]
mod tests {
    use super::{Selection, SelectionError};
    use crate::plan::{Plan, resolve};
    use crate::spec::{self, SourceTree};

    const PIPELINE: &str = "\
version: 1
name: shop
timezone: UTC
currency: EUR
stages: [sql]
sources:
  orders: { path: 'orders/{date}.csv', format: csv, columns: { id: { type: string } } }
publish: [by_day, by_week, counts]
";

    /// `by_week` reads the mart `by_day`, which reads `days`; `counts` reads the source.
    fn plan() -> Plan {
        let mut tree = SourceTree::default();
        tree.insert("pipelines/shop.yaml", PIPELINE);
        tree.insert("sql/days.sql", "SELECT id FROM orders");
        tree.insert("sql/by_day.sql", "SELECT id FROM days");
        tree.insert("sql/by_week.sql", "SELECT id FROM by_day");
        tree.insert("sql/counts.sql", "SELECT count(*) AS n FROM orders");
        resolve(&spec::load(&tree, "pipelines/shop.yaml").unwrap()).unwrap()
    }

    fn selected(select: &[&str], exclude: &[&str], until: &[&str]) -> Result<String, String> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let selection =
            Selection { select: owned(select), exclude: owned(exclude), until: owned(until) };
        let named = |plan: Plan| {
            let mut names: Vec<String> =
                plan.stages.iter().map(|stage| stage.name.to_string()).collect();
            names.sort();
            let left_out: Vec<&str> = plan.left_out.iter().map(AsRef::as_ref).collect();
            format!("{} without {}", names.join(" "), left_out.join(" "))
        };
        plan().selected(&selection).map(named).map_err(|error| error.help())
    }

    #[test]
    fn a_selection_holds_marts_and_what_they_need() {
        let all = "by_day by_week counts days without ";
        assert_eq!(selected(&[], &[], &[]).unwrap(), all);
        assert_eq!(selected(&["counts"], &[], &[]).unwrap(), "counts without by_day by_week");
        assert_eq!(selected(&["by_week"], &[], &[]).unwrap(), "by_day by_week days without counts");
        assert_eq!(selected(&["by_day"], &[], &[]).unwrap(), "by_day days without by_week counts");
        assert_eq!(selected(&["days+"], &[], &[]).unwrap(), "by_day by_week days without counts");
    }

    #[test]
    fn who_reads_what_is_left_out_is_left_out_too() {
        assert_eq!(selected(&[], &["by_day"], &[]).unwrap(), "counts without by_day by_week");
        assert_eq!(
            selected(&["days+"], &["by_week"], &[]).unwrap(),
            "by_day days without by_week counts"
        );
        assert_eq!(selected(&[], &[], &["by_day"]).unwrap(), "by_day days without by_week counts");
    }

    #[test]
    fn a_selection_of_nothing_tells_what_there_is() {
        assert_eq!(selected(&["dais"], &[], &[]).unwrap_err(), "did you mean `days`?");
        assert!(selected(&["days"], &[], &[]).unwrap_err().contains("`by_day`"));
    }

    #[test]
    fn a_part_of_the_rules_is_other_rules() {
        let selection = Selection { select: vec!["counts".to_owned()], ..Selection::default() };
        let part = plan().selected(&selection).unwrap();
        assert_ne!(part.fingerprint, plan().fingerprint);
        let all = Selection {
            exclude: vec![],
            select: vec!["days+".to_owned(), "counts".to_owned()],
            until: vec![],
        };
        assert_eq!(plan().selected(&all).unwrap().fingerprint, plan().fingerprint);
        let none =
            Selection { exclude: vec!["days".into(), "counts".into()], ..Selection::default() };
        assert!(matches!(plan().selected(&none), Err(SelectionError::NoMart { .. })));
    }
}
