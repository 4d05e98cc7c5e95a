//! The part of the page about a source.

use super::column_rules::rules;
use super::html::Html;
use super::page::{Input, article, definitions, origins};
use super::run::grouped;
use crate::lineage;
use crate::plan;
use crate::spec;

/// Writes what a source is made of, and what became of its records in the last run.
pub(super) fn source(html: &mut Html, input: &Input<'_>, source: &plan::Source) {
    let name = source.name.as_str();
    let written = input.spec.pipeline.sources.iter().find(|(known, _)| *known == name);
    let (Some((_, written)), Some(table)) = (written, input.lineage.table(name)) else {
        return;
    };
    let mut words = vec![name.to_owned(), written.description.clone().unwrap_or_default()];
    words.extend(written.columns.iter().map(|(name, _)| name.to_owned()));
    article(html, input, name, "source", &words, |html| {
        if let Some(description) = &written.description {
            html.element("p", &[], |html| html.prose(description));
        }
        definitions(html, &facts(source, written));
        last_night(html, input, name);
        columns(html, input, written, table);
    });
}

fn facts(source: &plan::Source, written: &spec::Source) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("path", written.path.clone()),
        ("format", source.format.as_str().to_owned()),
        (
            "load",
            match source.load {
                plan::Load::Append => "append: every export adds events",
                plan::Load::Upsert => "upsert: every export brings newer versions",
                plan::Load::Replace => "replace: the last export supersedes those before",
            }
            .to_owned(),
        ),
    ];
    if let Some(column) = &written.event_time {
        facts.push(("event time", column.clone()));
    }
    if let Some(rule) = &written.dedupe {
        let key = if rule.exact_rows { "all columns".to_owned() } else { rule.key.join(", ") };
        let order = match rule.order_by.as_slice() {
            [] => String::new(),
            order => format!(" by {}", order.join(", ")),
        };
        let end = match rule.keep {
            spec::Keep::First => "first",
            spec::Keep::Last => "last",
        };
        facts.push(("one row of", format!("{key}; the {end}{order}")));
    }
    facts.extend(written.checks.iter().map(|check| ("check", check.clone())));
    facts
}

fn last_night(html: &mut Html, input: &Input<'_>, name: &str) {
    let Some((run, counts)) = input.runs.iter().find_map(|run| Some((run, run.source(name)?)))
    else {
        return;
    };
    let text = format!(
        "As of {}: {} read, {} kept, {} rejected, {} duplicate.",
        run.as_of(),
        grouped(counts.read),
        grouped(counts.kept),
        grouped(counts.rejected),
        grouped(counts.duplicate)
    );
    html.leaf("p", &[("class", "quiet")], &text);
    if !counts.reasons.is_empty() {
        html.element("details", &[], |html| {
            html.leaf("summary", &[], "Why records were rejected");
            html.table(&["column and rule", "records"], |html| {
                for (reason, count) in &counts.reasons {
                    html.row("td", &[reason, &grouped(*count)]);
                }
            });
        });
    }
}

fn columns(html: &mut Html, input: &Input<'_>, written: &spec::Source, table: &lineage::Table) {
    html.columns(&["column", "type", "description", "rules", "made of"], |html| {
        for column in &table.columns {
            let mut of_name = written.columns.iter().filter(|(name, _)| *name == column.name);
            let declared = of_name.next().map(|(_, declared)| declared);
            html.element("tr", &[], |html| {
                html.element("td", &[], |html| html.leaf("code", &[], &column.name));
                html.leaf("td", &[], declared.map_or("added", |declared| &declared.data_type));
                let description = declared.and_then(|declared| declared.description.as_deref());
                html.element("td", &[], |html| html.prose(description.unwrap_or_default()));
                let rules = declared.map(rules).unwrap_or_default();
                html.element("td", &[], |html| html.prose(&rules.join("; ")));
                html.element("td", &[], |html| origins(html, input, &column.value));
            });
        }
    });
}
