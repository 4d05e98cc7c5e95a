//! Shipped stages that go on customer by customer hold what they hold when all of them is computed every night.

use std::fs;

use regex::Regex;

use crate::harness::{Project, copy, martlet, outcome, repository};

/// The last nights of the sample, on which customers merge and rows come late.
const NIGHTS: [&str; 5] = ["2026-01-27", "2026-01-28", "2026-01-29", "2026-01-30", "2026-01-31"];
const TABLES: [&str; 3] = ["fact_touches", "stages.web_sessions", "stages.app_sessions"];
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
    let pipeline = format!("{}\npublish: [fact_touches, dim_campaigns]\n", &pipeline[..publish]);
    let pipeline = Regex::new("(?m)^name:.*$").unwrap().replace(&pipeline, "name: shop");
    let stages = Regex::new("(?m)^stages:.*$").unwrap();
    let pipeline = stages.replace(&pipeline, "stages: [sql/staging/nightly]");
    // On a night of 40 records two that are broken are more than 5 percent.
    project.write("pipelines/shop.yaml", pipeline.replace("max_percent: 5 ", "max_percent: 50 "));
    for folder in ["config", "sql/staging/nightly"] {
        fs::create_dir_all(project.at(folder)).unwrap();
        copy(&repository().join(folder), &project.at(folder));
    }
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
        advanced.publish(night);
        let forced = whole.run_with(night, &["--force"]);
        assert_eq!(forced.status, Some(0), "{forced:?}");
        assert_eq!(rows(&advanced), rows(&whole), "{night}");
        let report = advanced.report();
        let told = report["incremental"].as_array().unwrap();
        assert_eq!(told.len(), TABLES.len(), "{told:?}");
        let is_whole = |told: &serde_json::Value| !told["whole"].is_null();
        // The object that is exported again may be one of most customers.
        assert!(place == 2 || told.iter().all(|told| is_whole(told) == (place == 0)), "{told:?}");
        assert!(whole.report()["incremental"].as_array().unwrap().iter().all(is_whole));
    }
    let shown = advanced.martlet(&["show"]);
    assert!(shown.stdout.contains("customers computed, "), "{shown:?}");
}
