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
    let told = [
        "its rules have changed, and 1 objects from which 2 rows and 0 rejects came",
        "or are gone",
    ];
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

/// Leaves the warehouse as a process does that dies right after it has decided on a generation.
fn die_behind_the_decision(project: &Project, before: u64) {
    fs::write(project.in_warehouse("CURRENT"), before.to_string()).unwrap();
    fs::write(project.in_warehouse("latest/GENERATION"), before.to_string()).unwrap();
}

#[test]
fn a_selection_is_held_against_the_night_that_a_dead_run_has_decided() {
    let project = Project::shop();
    project.publish(FIRST);
    project.publish(SECOND);
    die_behind_the_decision(&project, 1);
    let selected = project.run_with(FIRST, &["--select", "fact_revenue"]);
    says(&selected, 2, &["the marts that are left out are of 2026-01-04", "--as-of 2026-01-04"]);
    let backfill = ["backfill", &project.pipeline_path(), "--from", "2026-01-02", "--to", FIRST];
    says(&project.martlet(&backfill), 0, &[]);
    assert_eq!(project.report()["as_of"], SECOND);
}

#[test]
fn a_rollback_that_was_cut_off_is_completed_by_the_next() {
    let project = Project::shop();
    for night in ["2026-01-02", FIRST, SECOND] {
        project.publish(night);
    }
    says(&project.martlet(&["rollback"]), 0, &["generation 4: the tables of generation 2"]);
    let done = project.visible();
    for again in [&["rollback"][..], &["rollback", "--to", "2"]] {
        fs::write(project.in_warehouse("latest/GENERATION"), "3").unwrap();
        fs::remove_file(project.in_warehouse("latest/fact_buyers.parquet")).unwrap();
        says(&project.martlet(again), 0, &["is at generation 4", "already"]);
        assert!(project.visible() == done);
    }
    says(&project.martlet(&["rollback"]), 0, &["generation 5: the tables of generation 1"]);
}

#[test]
fn a_rollback_loses_no_rows_of_exports_that_are_gone() {
    let project = Project::shop();
    project.publish("2026-01-02");
    project.publish(FIRST);
    project.remove("data/raw/visits/dt=2026-01-02");
    says(&project.martlet(&["rollback"]), 0, &[]);
    let told = ["nights that are no more had others", "visits/dt=2026-01-02/a.ndjson"];
    says(&project.run(FIRST), 4, &told);
    says(&project.martlet(&["plan", &project.pipeline_path(), "--as-of", FIRST]), 4, &told);
    let pipeline = project.pipeline_path();
    let backfill = ["backfill", &pipeline, "--from", FIRST, "--to", FIRST];
    says(&project.martlet(&backfill), 4, &told);
    let without = [&backfill[..], &["--allow-incomplete"]].concat();
    says(&project.martlet(&without), 0, &["published "]);
    project.publish(SECOND);
}

#[test]
fn a_source_of_another_name_loses_no_rows_of_exports_that_are_gone() {
    let project = Project::shop();
    project.publish(FIRST);
    project.remove("data/raw/visits/dt=2026-01-01");
    let renamed = project.read(&project.pipeline_path()).replace("  visits:", "  seen:");
    let renamed = renamed.replace("    visits: { cookie", "    seen: { cookie");
    project.write(&project.pipeline_path(), renamed);
    let told = ["a source that is no more had others", "visits/dt=2026-01-01/a.ndjson"];
    says(&project.run(SECOND), 4, &told);
}

#[test]
fn an_older_night_computed_from_the_exports_alone_loses_no_rows_either() {
    let project = Project::shop();
    for night in ["2026-01-02", FIRST, SECOND] {
        project.publish(night);
    }
    says(&project.martlet(VACUUM), 0, &[]);
    project.remove("data/raw/visits/dt=2026-01-01");
    let refreshed = project.run_with(FIRST, &["--full-refresh"]);
    says(&refreshed, 4, &["nights that are no more had others", "visits/dt=2026-01-01/a.ndjson"]);
}

#[test]
fn what_a_source_showed_before_it_was_away_counts_no_more_when_it_is_back() {
    let project = Project::shop();
    project.publish(FIRST);
    let whole = project.read(&project.pipeline_path());
    let (start, rest) = whole.split_once("  visits:\n").unwrap();
    let (_, end) = rest.split_once("  products:\n").unwrap();
    let without = format!("{start}  products:\n{end}");
    let without = without.replace("    visits: { cookie: cookie, email: email }\n", "");
    project.write(&project.pipeline_path(), without).publish(FIRST);
    project.write("data/raw/visits/dt=2026-01-01/a.ndjson", "");
    project.write(&project.pipeline_path(), whole).publish(FIRST);
    let evidence =
        "SELECT count(*) FROM identity.evidence WHERE object = 'visits/dt=2026-01-01/a.ndjson'";
    assert_eq!(project.value(evidence), "0");
    let links = project.value("SELECT count(*) FROM identity.links");
    let fresh = Project::shop();
    fresh.write("data/raw/visits/dt=2026-01-01/a.ndjson", "").publish(FIRST);
    assert_eq!(links, fresh.value("SELECT count(*) FROM identity.links"));
}

#[test]
fn without_files_that_are_lost_for_good_a_full_refresh_goes_on_and_tells_it() {
    let tables =
        ["ledger/objects", "clean/orders", "identity/evidence", "identity/changes", "identity/map"];
    for table in tables {
        let project = Project::shop();
        keep_nights(&project);
        project.publish(FIRST);
        let zone = if table.starts_with("ledger") { "" } else { "restricted/" };
        for file in files_of(&project, &format!("{zone}{table}")) {
            fs::remove_file(file).unwrap();
        }
        let refused = project.run(SECOND);
        assert_eq!(refused.status, Some(5), "{table}: {refused:?}");
        says(&refused, 5, &["--full-refresh"]);
        let refreshed = project.run_with(SECOND, &["--full-refresh"]);
        says(&refreshed, 0, &["warning: 1 files of earlier nights are gone", table]);
        assert_eq!(refreshed.stdout.contains("customers begin anew"), table.ends_with("map"));
        says(&project.run_with(SECOND, &["--force"]), 0, &["published "]);
    }
}

#[test]
fn a_night_of_a_history_that_is_lost_for_good_is_done_without() {
    let project = Project::shop();
    keep_nights(&project);
    project.publish(FIRST);
    let [file] = files_of(&project, "marts/fact_buyers").try_into().unwrap();
    fs::remove_file(&file).unwrap();
    says(&project.run(SECOND), 5, &["--full-refresh"]);
    says(
        &project.run_with(SECOND, &["--full-refresh"]),
        0,
        &["1 files of earlier nights are gone"],
    );
    assert_eq!(project.value("SELECT count(DISTINCT as_of) FROM fact_buyers"), "1");
}

#[test]
fn whoever_writes_into_a_plain_file_changes_no_mart() {
    let project = Project::shop();
    project.publish(FIRST);
    let rows = project.value("SELECT count(*) FROM fact_buyers");
    let latest = project.in_warehouse("latest/fact_buyers.parquet");
    fs::File::options().write(true).open(&latest).unwrap().set_len(4).unwrap();
    assert_eq!(project.value("SELECT count(*) FROM fact_buyers"), rows);
    says(&project.run(FIRST), 0, &["nothing new"]);
    assert!(fs::metadata(latest).unwrap().len() > 4);
}

#[test]
fn without_the_present_generation_nothing_is_removed_and_an_older_one_can_be_shown() {
    let project = Project::shop();
    project.publish(FIRST);
    project.publish(SECOND);
    fs::remove_file(project.in_warehouse("generations/2.json")).unwrap();
    says(&project.martlet(VACUUM), 5, &["generations/2.json", "is gone", "hint"]);
    says(&project.run(SECOND), 5, &["generations/2.json", "rollback --to N"]);
    says(&project.martlet(&["rollback", "--to", "1"]), 0, &["the tables of generation 1"]);
    project.publish(SECOND);
}

#[test]
fn what_stands_in_the_way_and_is_nothing_is_removed_as_the_message_says() {
    let project = Project::shop();
    project.publish(FIRST);
    fs::write(project.in_warehouse("CURRENT"), "").unwrap();
    says(&project.run(SECOND), 5, &["CURRENT", "remove it"]);
    fs::remove_file(project.in_warehouse("CURRENT")).unwrap();
    fs::write(project.in_warehouse("latest/GENERATION"), "junk").unwrap();
    project.publish(SECOND);
    says(&project.run(SECOND), 0, &["nothing new"]);
}
