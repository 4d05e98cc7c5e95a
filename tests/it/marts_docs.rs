//! `docs/marts.md`: what stands between its marks is made from the files beside the stages.
//!
//! `UPDATE_EXPECT=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;

use regex::Regex;
use serde_yaml::Value;

use crate::harness::{Visible, collect, expect_file, repository};

const PAGE: &str = "docs/marts.md";

/// The tables the marts read, in the order in which a shop thinks of them.
const CONTRACT: [&str; 8] = [
    "fact_orders",
    "dim_customers",
    "fact_refunds",
    "fact_order_lines",
    "fact_touches",
    "dim_campaigns",
    "fact_campaign_spend",
    "fact_campaign_assignments",
];

/// Returns the files beside the stages, by the name of the stage.
fn sidecars() -> BTreeMap<String, Value> {
    let mut files = Visible::new();
    for folder in ["sql/marts", "sql/staging/nightly"] {
        collect(&repository(), &repository().join(folder), &mut files);
    }
    files
        .iter()
        .filter_map(|(path, text)| {
            let name = path.rsplit('/').next().unwrap().strip_suffix(".yaml")?;
            Some((name.to_owned(), serde_yaml::from_slice(text).unwrap()))
        })
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Writes a text as a cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}

fn columns(sidecar: &Value) -> String {
    let mut block = format!("{}\n\n", text(sidecar, "description").trim());
    if text(sidecar, "history") == "snapshot" {
        block.push_str("It keeps every night: one set of rows for each `as_of`.\n\n");
    }
    block.push_str("| column | type | definition |\n| --- | --- | --- |\n");
    for (name, column) in sidecar["columns"].as_mapping().unwrap() {
        let (name, kind) = (name.as_str().unwrap(), text(column, "type"));
        writeln!(block, "| `{name}` | {kind} | {} |", cell(text(column, "description"))).unwrap();
    }
    let named = sidecar["checks"].as_sequence().into_iter().flatten();
    let named: Vec<String> = named
        .filter(|check| check["severity"].as_str() != Some("warn"))
        .filter_map(|check| Some(check["name"].as_str()?.replace('_', " ")))
        .collect();
    if !named.is_empty() {
        write!(block, "\nPublished only if: {}.\n", named.join("; ")).unwrap();
    }
    block
}

/// Tells the tables a pipeline provides, as `sql/contract` has them.
fn contract() -> String {
    let mut files = Visible::new();
    collect(&repository(), &repository().join("sql/contract"), &mut files);
    let mut block = String::new();
    for table in CONTRACT {
        let path = format!("sql/contract/{table}/{table}.yaml");
        let sidecar: Value = serde_yaml::from_slice(&files[&path]).unwrap();
        write!(block, "**{table}.** {}", columns(&sidecar)).unwrap();
        block.push('\n');
    }
    block
}

fn variables(sidecars: &BTreeMap<String, Value>) -> String {
    let mut rows = BTreeMap::new();
    for sidecar in sidecars.values() {
        for (name, variable) in sidecar["variables"].as_mapping().into_iter().flatten() {
            let default = serde_yaml::to_string(&variable["default"]).unwrap();
            let default = default.trim().replace('\'', "\"");
            let row = format!("| `{default}` | {} |", cell(text(variable, "description")));
            rows.insert(name.as_str().unwrap().to_owned(), row);
        }
    }
    let mut block = "| variable | default | meaning |\n| --- | --- | --- |\n".to_owned();
    for (name, row) in rows {
        writeln!(block, "| `{name}` {row}").unwrap();
    }
    block
}

#[test]
fn the_page_is_what_the_stages_say() {
    let sidecars = sidecars();
    let path = repository().join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let marked =
        Regex::new(r"(?s)<!-- (columns of (\w+)|variables|contract) -->\n.*?<!-- end -->").unwrap();
    let made = marked.replace_all(&page, |found: &regex::Captures<'_>| {
        let block = match found.get(2) {
            Some(name) => columns(&sidecars[name.as_str()]),
            None if &found[1] == "contract" => contract(),
            None => variables(&sidecars),
        };
        format!("<!-- {} -->\n{block}<!-- end -->", &found[1])
    });
    expect_file(&path, &made);
}

#[test]
fn every_mart_is_on_the_page() {
    let page = std::fs::read_to_string(repository().join(PAGE)).unwrap();
    let pipeline = std::fs::read(repository().join("pipelines/nightly.yaml")).unwrap();
    let pipeline: Value = serde_yaml::from_slice(&pipeline).unwrap();
    for mart in pipeline["publish"].as_sequence().unwrap() {
        let mark = format!("<!-- columns of {} -->", mart.as_str().unwrap());
        assert!(page.contains(&mark), "`{mark}` is missing in {PAGE}");
    }
}

#[test]
fn every_column_is_described() {
    for (stage, sidecar) in sidecars() {
        assert!(!text(&sidecar, "description").is_empty(), "{stage} has no description");
        for (name, column) in sidecar["columns"].as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            assert!(!text(column, "description").is_empty(), "{stage}.{name} has no description");
        }
    }
}
