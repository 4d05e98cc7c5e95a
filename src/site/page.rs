//! The page as a whole.

use std::collections::BTreeSet;

use super::html::Html;
use super::run::{Run, history};
use super::{constant, graph, source, stage};
use crate::lineage::{Lineage, Origin};
use crate::plan::{ConstantTable, Plan, Stage};
use crate::spec::PipelineSpec;

/// A pipeline, and what is known of its runs.
pub(crate) struct Input<'a> {
    pub(crate) spec: &'a PipelineSpec,
    pub(crate) plan: &'a Plan,
    pub(crate) lineage: &'a Lineage,
    /// The newest first.
    pub(crate) runs: &'a [Run],
}

impl Input<'_> {
    fn name(&self) -> &str {
        self.plan.name.as_str()
    }

    /// Returns the marts or the other stages, in the order of their names.
    fn stages(&self, published: bool) -> Vec<&Stage> {
        let stages = self.plan.stages.iter().map(AsRef::as_ref);
        let mut stages: Vec<&Stage> = stages.filter(|stage| stage.published == published).collect();
        stages.sort_by_key(|stage| stage.name.as_str());
        stages
    }
}

/// Writes the page of some pipelines.
pub(crate) fn page(pipelines: &[Input<'_>]) -> String {
    let mut html = Html::default();
    html.raw(HEAD);
    html.raw("<style>");
    html.raw(include_str!("page.css"));
    html.raw("</style></head><body>");
    header(&mut html, pipelines);
    html.element("main", &[], |html| pipelines.iter().for_each(|input| pipeline(html, input)));
    html.raw("<script>");
    html.raw(include_str!("page.js"));
    html.raw("</script></body></html>\n");
    html.finish()
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\
<title>Data documents</title>";

/// Returns the anchor of a table, or of another part of a pipeline.
pub(super) fn anchor(pipeline: &str, part: &str) -> String {
    format!("{pipeline}-{part}")
}

fn header(html: &mut Html, pipelines: &[Input<'_>]) {
    html.element("header", &[], |html| {
        html.leaf("h1", &[], "Data documents");
        html.raw(
            "<input id=\"search\" type=\"search\" placeholder=\"Search\" \
             aria-label=\"Search tables and columns\" autocomplete=\"off\"><span id=\"found\" role=\"status\"></span>",
        );
        html.element("nav", &[], |html| {
            html.raw("<details id=\"contents\"><summary>Contents</summary>");
            for input in pipelines {
                contents(html, input);
            }
            html.raw("</details>");
        });
    });
}

fn contents(html: &mut Html, input: &Input<'_>) {
    let part = |name: &str| anchor(input.name(), name);
    html.element("h2", &[], |html| html.link(&part("pipeline"), input.name()));
    html.element("ul", &[], |html| {
        for (name, title) in [("graph", "Lineage"), ("runs", "Runs")] {
            html.element("li", &[], |html| html.link(&part(name), title));
        }
    });
    let names = |published| input.stages(published).into_iter().map(|stage| stage.name.as_str());
    let sources = input.plan.sources.iter().map(|source| source.name.as_str());
    let groups: [(&str, Vec<&str>); 3] = [
        ("Marts", names(true).collect()),
        ("Stages", names(false).collect()),
        ("Sources", sources.collect()),
    ];
    for (title, names) in groups {
        html.leaf("h3", &[], title);
        html.element("ul", &[], |html| {
            for name in names {
                html.element("li", &[], |html| html.link(&part(name), name));
            }
        });
    }
}

fn pipeline(html: &mut Html, input: &Input<'_>) {
    let name = input.name();
    html.element("section", &[("id", &anchor(name, "pipeline"))], |html| {
        html.leaf("h2", &[], name);
        if let Some(description) = &input.spec.pipeline.description {
            html.element("p", &[], |html| html.prose(description));
        }
        definitions(html, &facts(input));
        variables(html, input);
        titled(html, &anchor(name, "graph"), "Lineage", |html| graph::graph(html, input.lineage));
        titled(html, &anchor(name, "marts"), "Marts", |html| {
            input.stages(true).into_iter().for_each(|one| stage::stage(html, input, one));
        });
        titled(html, &anchor(name, "stages"), "Stages", |html| {
            input.stages(false).into_iter().for_each(|one| stage::stage(html, input, one));
        });
        titled(html, &anchor(name, "sources"), "Sources", |html| {
            input.plan.sources.iter().for_each(|one| source::source(html, input, one));
        });
        identity(html, input);
        constants(html, input);
        titled(html, &anchor(name, "runs"), "Runs", |html| history(html, input.runs));
    });
}

fn titled(html: &mut Html, anchor: &str, title: &str, inner: impl FnOnce(&mut Html)) {
    html.element("section", &[("id", anchor), ("class", "group")], |html| {
        html.leaf("h3", &[], title);
        inner(html);
    });
}

fn facts(input: &Input<'_>) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("time zone", input.plan.timezone.to_string()),
        ("currency", input.plan.currency.clone()),
    ];
    if let Some(run) = input.runs.first() {
        facts.push(("last run", format!("{}, as of {}", run.ending(), run.as_of())));
    }
    facts
}

/// What the pipeline sets for its stages, folded: there may be dozens.
fn variables(html: &mut Html, input: &Input<'_>) {
    let variables = &input.plan.variables;
    if variables.is_empty() {
        return;
    }
    html.element("details", &[], |html| {
        html.leaf("summary", &[], &format!("{} variables", variables.len()));
        html.table(&["variable", "value"], |html| {
            for variable in variables {
                html.row("td", &[&format!("${}", variable.name), &variable.value.to_string()]);
            }
        });
    });
}

/// The rules by which records belong to a customer.
fn identity(html: &mut Html, input: &Input<'_>) {
    let Some(rules) = &input.spec.pipeline.identity else {
        return;
    };
    titled(html, &anchor(input.name(), "identity"), "Customers", |html| {
        let titles = ["identifier", "priority", "rules", "held by"];
        html.table(&titles, |html| {
            for (name, identifier) in rules.identifiers.iter() {
                let mut limits = Vec::new();
                limits.extend(identifier.unique.then(|| "two never share a customer".to_owned()));
                limits.extend(
                    identifier.max_per_customer.map(|n| format!("at most {n} of a customer")),
                );
                limits.extend(
                    identifier.max_customers.map(|n| format!("links nobody beyond {n} owners")),
                );
                let columns = rules.links.iter().flat_map(|(source, links)| {
                    let of_type = links.iter().filter(|(known, _)| *known == name);
                    of_type.flat_map(move |(_, link)| {
                        link.columns.iter().map(move |column| format!("{source}.{column}"))
                    })
                });
                let columns: Vec<String> = columns.collect();
                let priority = identifier.priority.to_string();
                html.row("td", &[name, &priority, &limits.join("; "), &columns.join(", ")]);
            }
        });
    });
}

/// The tables whose rows stand in the pipeline, as far as a stage reads them.
fn constants(html: &mut Html, input: &Input<'_>) {
    let is_read = |table: &&ConstantTable| input.lineage.table(table.name).is_some();
    let tables: Vec<&ConstantTable> = input.plan.constants.iter().filter(is_read).collect();
    if tables.is_empty() {
        return;
    }
    titled(html, &anchor(input.name(), "constants"), "Constants", |html| {
        for table in tables {
            constant::constant(html, input, table);
        }
    });
}

/// Writes the part of the page about one table; `words` are what a search finds it by.
pub(super) fn article(
    html: &mut Html,
    input: &Input<'_>,
    name: &str,
    kind: &'static str,
    words: &[String],
    inner: impl FnOnce(&mut Html),
) {
    let anchor = anchor(input.name(), name);
    let words = words.join(" ").to_lowercase();
    html.element("article", &[("id", &anchor), ("data-search", &words)], |html| {
        html.element("h4", &[], |html| {
            html.link(&anchor, name);
            html.text(" ");
            html.leaf("span", &[("class", "kind")], kind);
        });
        inner(html);
    });
}

/// Writes facts with their names.
pub(super) fn definitions(html: &mut Html, facts: &[(&'static str, String)]) {
    html.element("dl", &[], |html| {
        for (name, value) in facts {
            html.leaf("dt", &[], name);
            html.leaf("dd", &[], value);
        }
    });
}

/// Writes links to tables as one fact.
pub(super) fn table_links(html: &mut Html, input: &Input<'_>, title: &str, names: Vec<&str>) {
    if names.is_empty() {
        return;
    }
    html.leaf("dt", &[], title);
    html.element("dd", &[], |html| {
        for (index, name) in names.into_iter().enumerate() {
            if index > 0 {
                html.text(", ");
            }
            html.link(&table_anchor(input, name), name);
        }
    });
}

fn table_anchor(input: &Input<'_>, table: &str) -> String {
    let part = if table == crate::plan::IDENTITY_CUSTOMERS { "identity" } else { table };
    anchor(input.name(), part)
}

/// Writes what a column is computed from, with links.
pub(super) fn origins(html: &mut Html, input: &Input<'_>, origins: &BTreeSet<Origin>) {
    if origins.is_empty() {
        html.leaf("span", &[("class", "quiet")], "constant");
    }
    for (index, origin) in origins.iter().enumerate() {
        if index > 0 {
            html.text(", ");
        }
        match origin {
            Origin::Field { field, .. } => html.leaf("code", &[], field),
            Origin::Objects { .. } => html.leaf("span", &[("class", "quiet")], "the object"),
            Origin::Rows { table } => {
                html.link(&table_anchor(input, table), &format!("rows of {table}"));
            }
            Origin::Column { table, column } => {
                html.link(&table_anchor(input, table), &format!("{table}.{column}"));
            }
        }
    }
}
