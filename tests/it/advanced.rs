//! Shipped stages that go on customer by customer hold what they hold when all of them is computed every night.

use std::fs;

use regex::Regex;
use serde_json::{Value, json};

use crate::harness::{Project, copy, martlet, outcome, repository};

/// The last nights of the sample, on which customers merge and rows come late.
const NIGHTS: [&str; 5] = ["2026-01-27", "2026-01-28", "2026-01-29", "2026-01-30", "2026-01-31"];
const TABLES: [&str; 4] =
    ["fact_touches", "customer_touches", "stages.web_sessions", "stages.app_sessions"];
/// A mart that keeps its nights.
const STAGE: &str = "sql/staging/nightly/customer_touches.sql";
const SQL: &str = "SELECT customer_id, count(*) AS touches, $as_of AS as_of FROM fact_touches GROUP BY customer_id";
const SIDECAR: &str = "\
description: How often each customer was touched, night by night.
incremental: { by: customer_id }
history: snapshot
columns:
  customer_id: { type: string }
  touches: { type: integer }
  as_of: { type: timestamp }
";
/// An object that is exported again, with the rows of another one, before the third night.
const CHANGED: &str = "data/raw/web/dt=2026-01-22/part-0000.ndjson.gz";
const ANOTHER: &str = "data/raw/web/dt=2026-01-15/part-0000.ndjson.gz";

/// A small invented retailer, and of the shipped pipeline the stages that lead to touches.
fn retailer() -> Project {
    let project = Project::empty();
    let raw = project.at("data/raw");
    let flags = ["--customers", "80", "--days", "20", "--seed", "7", "--out"];
    let sample = outcome(martlet().arg("sample").args(flags).arg(&raw));
    assert_eq!(sample.status, Some(0), "{sample:?}");
    let pipeline = fs::read_to_string(repository().join("pipelines/nightly.yaml")).unwrap();
    let publish = pipeline.find("\npublish:").unwrap();
    let pipeline = format!(
        "{}\npublish: [fact_touches, dim_campaigns, customer_touches]\n",
        &pipeline[..publish]
    );
    let pipeline = Regex::new("(?m)^name:.*$").unwrap().replace(&pipeline, "name: shop");
    let stages = Regex::new("(?m)^stages:.*$").unwrap();
    let pipeline = stages.replace(&pipeline, "stages: [sql/staging/nightly]");
    project.write("pipelines/shop.yaml", pipeline.as_ref());
    for folder in ["config", "sql/staging/nightly"] {
        fs::create_dir_all(project.at(folder)).unwrap();
        copy(&repository().join(folder), &project.at(folder));
    }
    project.write(STAGE, SQL);
    project.write("sql/staging/nightly/customer_touches.yaml", SIDECAR);
    project
}

/// Returns the rows of all tables, in an order of their own.
fn rows(project: &Project) -> Vec<Vec<String>> {
    let table = |table: &&str| {
        let text = project.query(&format!("SELECT * FROM {table}"));
        let mut rows: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        rows.sort();
        rows
    };
    TABLES.iter().map(table).collect()
}

/// Returns what `plan` tells of how far each incremental stage will go on.
fn foretold(project: &Project, as_of: &str, flags: &[&str]) -> Vec<Value> {
    let plan = ["plan", "pipelines/shop.yaml", "--as-of", as_of, "--format", "json"];
    let told = project.martlet(&[&plan, flags].concat());
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let stages = told["stages"].as_array().unwrap().iter();
    stages.map(|stage| stage["incremental"].clone()).filter(|told| !told.is_null()).collect()
}

#[test]
fn nights_that_go_on_hold_what_whole_nights_hold() {
    let (advanced, whole) = (retailer(), retailer());
    for (place, night) in NIGHTS.iter().enumerate() {
        if place == 2 {
            for project in [&advanced, &whole] {
                let another = fs::read(project.at(ANOTHER)).unwrap();
                project.write(CHANGED, another);
            }
        }
        let foretold = foretold(&advanced, night, &[]);
        assert_eq!(foretold.len(), TABLES.len(), "{foretold:?}");
        let none = json!({ "whole": { "why": "there is no table to go on from" } });
        assert!(foretold.iter().all(|told| (*told == none) == (place == 0)), "{foretold:?}");
        advanced.publish(night);
        let forced = whole.run_with(night, &["--force"]);
        assert_eq!(forced.status, Some(0), "{forced:?}");
        assert_eq!(rows(&advanced), rows(&whole), "{night}");
        let report = advanced.report();
        let told = report["incremental"].as_array().unwrap();
        assert_eq!(told.len(), TABLES.len(), "{told:?}");
        // The object that is exported again may be one of most customers.
        assert!(place == 2 || told.iter().all(|told| has_gone_on(told) == (place > 0)), "{told:?}");
        assert!(!whole.report()["incremental"].as_array().unwrap().iter().any(has_gone_on));
    }
    let shown = advanced.martlet(&["show"]);
    assert!(shown.stdout.contains("customers computed, "), "{shown:?}");
}

#[test]
fn nights_go_on_from_what_a_rollback_restored_and_a_vacuum_left() {
    let (advanced, whole) = (retailer(), retailer());
    for night in &NIGHTS[..3] {
        advanced.publish(night);
    }
    assert_eq!(advanced.martlet(&["rollback"]).status, Some(0));
    let vacuum = ["vacuum", "--keep", "1", "--min-age", "0", "--apply"];
    assert_eq!(advanced.martlet(&vacuum).status, Some(0));
    advanced.publish(NIGHTS[2]);
    assert!(advanced.report()["incremental"].as_array().unwrap().iter().all(has_gone_on));
    for night in &NIGHTS[..3] {
        let forced = whole.run_with(night, &["--force"]);
        assert_eq!(forced.status, Some(0), "{forced:?}");
    }
    assert_eq!(rows(&advanced), rows(&whole));
}

#[test]
fn what_a_selection_left_out_is_whole_the_next_night() {
    let (advanced, whole) = (retailer(), retailer());
    advanced.publish(NIGHTS[0]);
    let selected = advanced.run_with(NIGHTS[0], &["--select", "dim_campaigns", "--force"]);
    assert_eq!(selected.status, Some(0), "{selected:?}");
    let none = json!({ "whole": { "why": "there is no table to go on from" } });
    let foretold = foretold(&advanced, NIGHTS[2], &[]);
    assert!(foretold.contains(&none), "{foretold:?}");
    advanced.publish(NIGHTS[2]);
    let report = advanced.report();
    let told: Vec<bool> =
        report["incremental"].as_array().unwrap().iter().map(has_gone_on).collect();
    let foretold: Vec<bool> = foretold.iter().map(has_gone_on).collect();
    assert_eq!(foretold, told);
    for night in [NIGHTS[0], NIGHTS[2]] {
        let forced = whole.run_with(night, &["--force"]);
        assert_eq!(forced.status, Some(0), "{forced:?}");
    }
    assert_eq!(rows(&advanced), rows(&whole));
}

#[test]
fn a_plan_tells_why_a_stage_would_not_go_on() {
    let project = retailer();
    project.publish(NIGHTS[0]);
    let asked = json!({ "whole": { "why": "that was asked for" } });
    let forced = foretold(&project, NIGHTS[1], &["--force"]);
    assert_eq!(forced, vec![asked; TABLES.len()]);
    project.write(STAGE, SQL.replace("count(*)", "count(touch_id)"));
    let told = project.martlet(&["plan", "pipelines/shop.yaml", "--as-of", NIGHTS[1]]).stdout;
    assert!(
        told.contains("customer_touches: all customers, since its rules have changed\n"),
        "{told}"
    );
    assert!(told.contains("web_sessions: only customers whose rows may differ\n"), "{told}");
}

/// Says whether a stage of a report took over rows.
fn has_gone_on(told: &Value) -> bool {
    told["whole"].is_null()
}
