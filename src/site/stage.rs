//! The part of the page about a stage.

use super::html::Html;
use super::page::{Input, article, origins, table_links};
use super::run::grouped;
use crate::plan::{self, CheckSeverity, History, written_type};

/// What is said of a mart that keeps the rows of every night.
const KEEPS_NIGHTS: &str = "It keeps every night: one set of rows for each `as_of`. The file under `latest/` holds the last run alone.";

/// Writes what a stage holds, what it is made of, and how its checks went.
pub(super) fn stage(html: &mut Html, input: &Input<'_>, stage: &plan::Stage) {
    let name = stage.name.as_str();
    let kind = if stage.published { "mart" } else { "stage" };
    let mut words = vec![name.to_owned(), stage.description.clone().unwrap_or_default()];
    words.extend(stage.schema.fields().iter().map(|field| field.name().clone()));
    article(html, input, name, kind, &words, |html| {
        match &stage.description {
            Some(description) => html.element("p", &[], |html| html.prose(description)),
            None => html.leaf("p", &[("class", "quiet")], "Nothing is said about this table."),
        }
        let rows = input.runs.iter().find_map(|run| Some((run, run.rows(name)?)));
        if let Some((run, rows)) = rows {
            let text = format!("{} rows as of {}.", grouped(rows), run.as_of());
            html.leaf("p", &[("class", "quiet")], &text);
        }
        if stage.published && stage.history == History::Snapshot {
            html.element("p", &[("class", "quiet")], |html| html.prose(KEEPS_NIGHTS));
        }
        neighbours(html, input, name);
        columns(html, input, stage);
        checks(html, input, stage);
        sql(html, input, name);
    });
}

fn neighbours(html: &mut Html, input: &Input<'_>, name: &str) {
    let reads = input.lineage.table(name).map(|table| table.reads.iter().map(String::as_str));
    let readers = input.lineage.tables.iter().filter(|table| table.reads.contains(name));
    html.element("dl", &[], |html| {
        table_links(html, input, "reads", reads.into_iter().flatten().collect());
        table_links(html, input, "read by", readers.map(|table| table.name.as_str()).collect());
    });
}

fn columns(html: &mut Html, input: &Input<'_>, stage: &plan::Stage) {
    let table = input.lineage.table(stage.name.as_str());
    html.columns(&["column", "type", "description", "made of"], |html| {
        for field in stage.schema.fields() {
            let name = field.name().as_str();
            let declared = stage.columns.iter().find(|column| column.name.as_str() == name);
            let made_of = table.and_then(|table| table.column(name));
            html.element("tr", &[], |html| {
                html.element("td", &[], |html| html.leaf("code", &[], name));
                html.leaf("td", &[], &written_type(field.data_type()));
                let description = declared.and_then(|column| column.description.as_deref());
                html.element("td", &[], |html| html.prose(description.unwrap_or_default()));
                html.element("td", &[], |html| {
                    if let Some(column) = made_of {
                        origins(html, input, &column.value);
                    }
                });
            });
        }
    });
}

fn checks(html: &mut Html, input: &Input<'_>, stage: &plan::Stage) {
    if stage.checks.is_empty() {
        html.leaf("p", &[("class", "quiet")], "Nothing is checked.");
        return;
    }
    let last = input.runs.iter().find(|run| run.has_checked());
    html.table(&["check", "a failure", "last result"], |html| {
        for check in &stage.checks {
            let failures = last.and_then(|run| run.failures(stage.name.as_str(), &check.name));
            let (class, result) = match failures {
                None => ("quiet", "not run yet".to_owned()),
                Some(0) => ("good", "holds".to_owned()),
                Some(rows) => ("bad", format!("{} rows break it", grouped(rows))),
            };
            let severity = match check.severity {
                CheckSeverity::Error => "stops the night",
                CheckSeverity::Warn => "is told",
            };
            html.element("tr", &[], |html| {
                html.element("td", &[], |html| html.leaf("code", &[], &check.name));
                html.leaf("td", &[], severity);
                html.element("td", &[], |html| html.leaf("span", &[("class", class)], &result));
            });
        }
    });
}

fn sql(html: &mut Html, input: &Input<'_>, name: &str) {
    let Some(written) = input.spec.stages.iter().find(|stage| stage.name == name) else {
        return;
    };
    html.element("details", &[], |html| {
        html.element("summary", &[], |html| {
            html.text("SQL ");
            html.leaf("span", &[("class", "quiet")], &written.sql.path);
        });
        html.element("pre", &[], |html| html.leaf("code", &[], &written.sql.text));
    });
}
