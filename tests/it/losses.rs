//! What is gone: marts that are published no more, files, exports and nights.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Outcome, Project, Visible, collect};
use crate::nights::{FIRST, SECOND};
use crate::snapshots::keep_nights;

const PUBLISH: &str = "publish: [fact_revenue, fact_buyers]";
const VACUUM: &[&str] = &["vacuum", "--keep", "1", "--min-age", "0", "--apply"];

/// Asserts that a command ended with a status, and that it says each of some texts.
#[track_caller]
fn says(outcome: &Outcome, status: i32, texts: &[&str]) {
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for text in texts {
        assert!(said.contains(text), "`{text}` is not in\n{said}");
    }
}

/// Returns the files of a table of the warehouse.
fn files_of(project: &Project, table: &str) -> Vec<PathBuf> {
    let folder = project.in_warehouse(table);
    let mut files = Visible::new();
    collect(&folder, &folder, &mut files);
    let tables = files.into_keys().filter(|name| name.ends_with(".parquet"));
    tables.map(|name| folder.join(name)).collect()
}

/// Returns the files that the Delta table of a mart names.
fn delta_files(project: &Project, mart: &str) -> Vec<String> {
    let log = project.in_warehouse(&format!("marts/{mart}/_delta_log"));
    let mut commits = Visible::new();
    collect(&log, &log, &mut commits);
    let mut named = Vec::new();
    for line in commits.values().flat_map(|text| text.split(|byte| *byte == b'\n')) {
        let Ok(action) = serde_json::from_slice::<Value>(line) else { continue };
        named.extend(action["add"]["path"].as_str().map(str::to_owned));
        named.retain(|path| action["remove"]["path"] != path.as_str());
    }
    named
}

#[test]
fn a_mart_that_leaves_is_seen_by_no_reader_and_comes_back_with_a_rollback() {
    let project = Project::shop();
    project.publish(FIRST);
    assert_eq!(delta_files(&project, "fact_buyers").len(), 1);
    project.replace_in_pipeline(PUBLISH, "publish: [fact_revenue]");
    let left = project.publish(FIRST);
    says(&left, 0, &["fact_buyers is published no more"]);
    let latest = project.in_warehouse("latest/fact_buyers.parquet");
    assert!(!latest.exists());
    assert_eq!(delta_files(&project, "fact_buyers"), [""; 0]);
    assert_eq!(delta_files(&project, "fact_revenue").len(), 1);
    says(&project.martlet(&["rollback"]), 0, &[]);
    assert!(latest.exists());
    assert_eq!(delta_files(&project, "fact_buyers").len(), 1);
}

#[test]
fn a_rollback_to_before_a_mart_takes_it_away() {
    let project = Project::shop();
    project.replace_in_pipeline(PUBLISH, "publish: [fact_revenue]").publish(FIRST);
    project.replace_in_pipeline("publish: [fact_revenue]", PUBLISH).publish(FIRST);
    says(&project.martlet(&["rollback"]), 0, &[]);
    assert!(!project.in_warehouse("latest/fact_buyers.parquet").exists());
    assert_eq!(delta_files(&project, "fact_buyers"), [""; 0]);
    project.replace_in_pipeline(PUBLISH, "publish: [fact_revenue]").publish(SECOND);
    says(&project.martlet(VACUUM), 0, &["marts/fact_buyers/"]);
    assert_eq!(delta_files(&project, "fact_buyers"), [""; 0]);
}

#[test]
fn a_plain_file_that_somebody_removed_is_put_back_by_the_same_night() {
    let project = Project::shop();
    project.publish(FIRST);
    let before = project.visible();
    fs::remove_file(project.in_warehouse("latest/fact_buyers.parquet")).unwrap();
    says(&project.run(FIRST), 0, &["nothing new"]);
    assert!(project.visible() == before);
}

#[test]
fn a_file_of_an_earlier_night_that_is_gone_or_cut_keeps_the_next_from_being_published() {
    let project = Project::shop();
    keep_nights(&project);
    project.publish(FIRST);
    let before = project.visible();
    let [file] = files_of(&project, "marts/fact_buyers").try_into().unwrap();
    let content = fs::read(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    fs::remove_file(&file).unwrap();
    says(&project.run(SECOND), 5, &[name, "is gone", ": bring it back"]);
    fs::write(&file, &content[..content.len() - 1]).unwrap();
    says(&project.run(SECOND), 5, &[name, "not the", ": bring it back"]);
    assert!(project.visible() == before);
    fs::write(&file, content).unwrap();
    project.publish(SECOND);
}

#[test]
fn other_rules_do_not_drop_the_rows_of_exports_that_are_gone() {
    let project = Project::shop();
    project.publish(FIRST);
    project.remove("data/raw/visits/dt=2026-01-01");
    let before = project.visible();
    project.replace_in_pipeline("type: string, case: lower", "type: string, case: upper");
    let told =
        ["its rules have changed, and 1 objects from which 2 of its rows came", "or are gone"];
    says(&project.run(FIRST), 4, &told);
    let foretold = project.martlet(&["plan", &project.pipeline_path(), "--as-of", FIRST]);
    says(&foretold, 4, &told);
    says(&foretold, 4, &["visits/dt=2026-01-01/a.ndjson", "--allow-incomplete"]);
    assert!(project.visible() == before);
    let without = project.run_with(FIRST, &["--allow-incomplete"]);
    says(&without, 0, &["warning: visits is incomplete: its rules have changed"]);
}

#[test]
fn a_full_refresh_does_not_drop_them_either() {
    let project = Project::shop();
    project.publish(FIRST);
    project.remove("data/raw/visits/dt=2026-01-01");
    let refreshed = project.run_with(FIRST, &["--full-refresh"]);
    says(&refreshed, 4, &["all of it is to be decoded anew", "visits/dt=2026-01-01/a.ndjson"]);
}

#[test]
fn duplicates_of_rows_that_leave_are_missed_where_their_object_is_gone() {
    let project = Project::shop();
    project.publish(FIRST);
    let rows = project.value("SELECT count(*) FROM clean.orders");
    project.publish(SECOND);
    // Its rows were updated by later exports, which now come anew without them.
    project.remove("data/raw/orders/dt=2026-01-01");
    for day in ["2026-01-02", "2026-01-03"] {
        let path = format!("data/raw/orders/dt={day}/a.csv");
        let text = project.read(&path);
        let header = text.lines().next().unwrap().to_owned();
        project.write(&path, header + "\n");
    }
    let outcome = project.run_with(SECOND, &["--allow-incomplete"]);
    says(&outcome, 0, &["warning: orders: rows of 1 objects that are gone", "cannot come back"]);
    assert_ne!(project.value("SELECT count(*) FROM clean.orders"), rows);
}

#[test]
fn an_older_night_whose_base_was_removed_is_computed_from_the_exports_alone_on_request() {
    let project = Project::shop();
    project.publish("2026-01-02");
    project.publish(FIRST);
    let buyers = project.query("SELECT * FROM fact_buyers ORDER BY 1");
    project.publish(SECOND);
    says(&project.martlet(VACUUM), 0, &[]);
    let refused = project.run(FIRST);
    says(&refused, 5, &["`martlet vacuum` has removed", "help: `--full-refresh`"]);
    says(&project.run_with(FIRST, &["--full-refresh"]), 0, &["published "]);
    assert_eq!(project.query("SELECT * FROM fact_buyers ORDER BY 1"), buyers);
}

#[test]
fn a_question_about_a_file_that_is_gone_is_no_wrong_question() {
    let project = Project::shop();
    project.publish(FIRST);
    says(&project.ask("SELECT * FROM nothing"), 2, &["nothing"]);
    let [file] = files_of(&project, "marts/fact_buyers").try_into().unwrap();
    fs::remove_file(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let told = ["a file of a published table cannot be read", name, ": bring it back"];
    says(&project.ask("SELECT count(*) FROM fact_buyers"), 5, &told);
}

#[test]
fn a_development_warehouse_that_is_not_there_is_named() {
    let project = Project::shop();
    project.publish(FIRST);
    let asked = ["query", "--dev", "nope", "SELECT 1"];
    says(&project.martlet(&asked), 2, &["no development warehouse `nope`", "martlet dev list"]);
}

#[test]
fn a_lease_that_martlet_has_not_written_is_told_with_the_way_out() {
    let project = Project::shop();
    project.publish(FIRST);
    fs::write(project.in_warehouse("LEASE"), "").unwrap();
    says(&project.run(SECOND), 5, &["LEASE", "hint: where no run is under way, remove it"]);
    fs::remove_file(project.in_warehouse("LEASE")).unwrap();
    project.publish(SECOND);
}

#[test]
fn a_warehouse_may_lie_in_a_folder_of_any_name() {
    let project = Project::shop();
    for folder in ["a b", "a%20b", "über#1?", "50%"] {
        let warehouse = format!("data/{folder}");
        let nights = [FIRST, SECOND].map(|night| {
            let outcome = project.run_with(night, &["--warehouse", &warehouse]);
            says(&outcome, 0, &["published "]);
            outcome
        });
        assert_eq!(nights.len(), 2);
        let asked = ["query", "--warehouse", &warehouse, "--format", "csv"];
        let question = "SELECT count(*) FROM latest.fact_buyers";
        says(&project.martlet(&[&asked[..], &[question]].concat()), 0, &["1"]);
        assert!(project.at(&warehouse).join("shop/CURRENT").exists(), "{folder}");
    }
}

#[test]
fn a_report_that_is_damaged_hides_no_other() {
    let project = Project::shop();
    project.publish(FIRST);
    project.publish(SECOND);
    let run = project.report()["run_id"].as_str().unwrap().to_owned();
    fs::write(project.in_warehouse(&format!("runs/{run}/report.json")), "{").unwrap();
    says(&project.martlet(&["runs"]), 0, &[&run, "damaged", "published"]);
    says(&project.martlet(&["plan", &project.pipeline_path(), "--as-of", SECOND]), 0, &[]);
    assert!(project.run(SECOND).stdout.starts_with("nothing new"));
}
