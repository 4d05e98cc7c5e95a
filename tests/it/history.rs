//! Going back and forth between generations, filling gaps, cleaning up, and looking at what has been.

use std::fs;

use crate::harness::{Outcome, Project};
use crate::nights::{FIRST, SECOND};

const REVENUE: &str = "SELECT sum(revenue) FROM fact_revenue";

/// Runs a command about the shop's warehouse that must succeed, and returns what it writes as CSV.
#[track_caller]
fn csv(project: &Project, arguments: &[&str]) -> Vec<String> {
    let outcome = project.martlet(&[arguments, &["--format", "csv"]].concat());
    assert_eq!(outcome.status, Some(0), "{arguments:?}: {outcome:?}");
    outcome.stdout.lines().map(str::to_owned).collect()
}

/// Returns some columns of a CSV without quotes, lines after the header.
fn columns(lines: &[String], wanted: &[&str]) -> Vec<String> {
    let header: Vec<&str> = lines[0].split(',').collect();
    let places: Vec<usize> = wanted
        .iter()
        .map(|name| header.iter().position(|column| column == name).unwrap())
        .collect();
    let chosen = |line: &String| {
        let fields: Vec<&str> = line.split(',').collect();
        places.iter().map(|place| fields[*place]).collect::<Vec<_>>().join(",")
    };
    lines[1..].iter().map(chosen).collect()
}

fn two_nights() -> (Project, String, String) {
    let project = Project::shop();
    project.publish(FIRST);
    let first = project.value(REVENUE);
    project.publish(SECOND);
    let second = project.value(REVENUE);
    assert_ne!(first, second);
    (project, first, second)
}

#[track_caller]
fn ended_with(outcome: &Outcome, status: i32, said: &str) {
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    assert!(outcome.stderr.contains(said), "{outcome:?}");
}

#[test]
fn a_rollback_is_a_generation_of_its_own_that_shows_the_older_tables() {
    let (project, first, second) = two_nights();
    let back = project.martlet(&["rollback"]);
    assert_eq!(back.status, Some(0), "{back:?}");
    assert_eq!(
        back.stdout,
        "shop is at generation 3: the tables of generation 1, as of 2026-01-03\n"
    );
    assert_eq!(project.value(REVENUE), first);
    let generations = csv(&project, &["generations"]);
    let told = columns(&generations, &["generation", "as_of", "restores", "marts", "state"]);
    assert_eq!(told, ["3,2026-01-03,1,2,current", "2,2026-01-04,,2,kept", "1,2026-01-03,,2,kept"]);
    assert_eq!(fs::read_to_string(project.in_warehouse("latest/GENERATION")).unwrap(), "3");
    let asked = project.martlet(&["query", "--generation", "2", "--format", "csv", REVENUE]);
    assert_eq!(asked.stdout.lines().nth(1), Some(second.as_str()), "{asked:?}");

    ended_with(&project.martlet(&["rollback"]), 2, "there is no generation before 1");
    let again = project.martlet(&["rollback", "--to", "1"]);
    assert!(again.status == Some(0) && again.stdout.contains("already"), "{again:?}");
    assert_eq!(fs::read_to_string(project.in_warehouse("CURRENT")).unwrap(), "3");
    ended_with(&project.martlet(&["rollback", "--to", "9"]), 2, "there is no generation 9");
    assert_eq!(project.martlet(&["rollback", "--to", "2"]).status, Some(0));
    assert_eq!(project.value(REVENUE), second);
}

#[test]
fn the_night_after_a_rollback_builds_on_the_restored_one() {
    let (project, _, second) = two_nights();
    assert_eq!(project.martlet(&["rollback"]).status, Some(0));
    assert!(project.run(FIRST).stdout.starts_with("nothing new "));
    project.publish(SECOND);
    assert_eq!(project.value(REVENUE), second);
}

#[test]
fn a_vacuum_removes_what_no_kept_generation_needs_and_nothing_else() {
    let (project, _, second) = two_nights();
    let by_age = csv(&project, &["vacuum", "--keep", "1"]);
    assert_eq!(by_age.len(), 1, "files of today are old enough: {by_age:?}");
    let keeping = csv(&project, &["vacuum", "--keep", "2", "--min-age", "0"]);
    assert_eq!(keeping.len(), 1, "files of a kept generation: {keeping:?}");

    let waste = csv(&project, &["vacuum", "--keep", "1", "--min-age", "0"]);
    let waste = columns(&waste, &["file"]);
    assert!(waste.iter().any(|file| file.starts_with("marts/fact_revenue/")), "{waste:?}");
    assert!(waste.iter().all(|file| project.in_warehouse(file).exists()), "only listed");
    let first_run = &project.reports()[0]["run_id"].as_str().unwrap().to_owned();
    assert!(waste.iter().all(|file| file.contains(first_run)), "{waste:?}");

    let fragment = "data/warehouse/shop/marts/fact_revenue/x-0.parquet#1";
    project.write(fragment, "what a killed write leaves");
    let removed = csv(&project, &["vacuum", "--keep", "1", "--min-age", "0", "--apply"]);
    assert!(!project.at(fragment).exists());
    assert_eq!(columns(&removed, &["file"]), waste);
    assert!(waste.iter().all(|file| !project.in_warehouse(file).exists()));
    assert_eq!(project.value(REVENUE), second);
    for table in ["clean.orders", "rejects.orders", "identity.map", "identity.links"] {
        project.query(&format!("SELECT count(*) FROM {table}"));
    }
    let states = columns(&csv(&project, &["generations"]), &["generation", "state"]);
    assert_eq!(states, ["2,current", "1,vacuumed"]);
    ended_with(&project.martlet(&["rollback"]), 5, "files of generation 1 have been removed");
    assert!(project.run(SECOND).stdout.starts_with("nothing new "));
}

#[test]
fn a_difference_tells_rows_and_money() {
    let (project, first, second) = two_nights();
    let totals = csv(&project, &["diff", "1", "2"]);
    assert_eq!(totals[0], "mart,measure,before,after");
    let revenue = format!("fact_revenue,revenue,{first},{second}");
    assert!(totals.contains(&revenue), "{totals:?}");
    assert!(totals.iter().any(|line| line.starts_with("fact_revenue,rows,")), "{totals:?}");
    let segments = project.martlet(&["diff", "1", "2", "--segments"]);
    ended_with(&segments, 2, "not both generations have `fact_rfm_segments`");
}

#[test]
fn what_may_not_be_added_up_is_no_total() {
    let project = Project::shop();
    let contract = "sql/marts/fact_revenue.yaml";
    project.replace(contract, "description: Sum", "additive: false, description: Sum");
    project.publish("2026-01-02");
    let told = |project: &Project| {
        let impact = ["plan", "--as-of", SECOND, "--impact", "--format", "json"];
        let impact: serde_json::Value =
            serde_json::from_str(&project.martlet(&impact).stdout).unwrap();
        let totals = impact["impact"]["totals"].as_array().unwrap().clone();
        let of_mart = totals.iter().filter(|total| total["mart"] == "fact_revenue");
        of_mart.map(|total| total["measure"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(told(&project), ["\"rows\""]);
    // A night that may add it up does not make a total of one that may not.
    project.replace(contract, "additive: false, ", "");
    assert_eq!(told(&project), ["\"rows\""]);
    project.publish(SECOND);
    let totals = csv(&project, &["diff", "1", "2"]);
    assert!(totals.iter().all(|line| !line.starts_with("fact_revenue,revenue")), "{totals:?}");
}

#[test]
fn runs_are_listed_and_shown_however_they_ended() {
    let (project, _, _) = two_nights();
    project.run(SECOND);
    project.rename("data/raw/orders", "data/raw/elsewhere");
    assert_eq!(project.run("2026-01-05").status, Some(4));
    let runs = csv(&project, &["runs"]);
    let told = columns(&runs, &["as_of", "status", "exit_status", "generation"]);
    let expected = [
        "2026-01-05,incomplete,4,",
        "2026-01-04,unchanged,0,2",
        "2026-01-04,published,0,2",
        "2026-01-03,published,0,1",
    ];
    assert_eq!(told, expected);
    let run = columns(&runs, &["run_id"]).pop().unwrap();
    let shown = project.martlet(&["show", &run]);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    assert!(shown.stdout.contains("status       published\n"), "{shown:?}");
    assert!(shown.stdout.contains("source       orders: "), "{shown:?}");
    let newest = project.martlet(&["show", "--format", "json"]);
    let newest: serde_json::Value = serde_json::from_str(&newest.stdout).unwrap();
    assert_eq!(newest["status"], "incomplete");
    ended_with(&project.martlet(&["show", "never"]), 2, "there is no report of never");
}

/// Returns the dates of all generations, the oldest first.
fn published(project: &Project) -> Vec<String> {
    let mut dates = columns(&csv(project, &["generations"]), &["as_of"]);
    dates.reverse();
    dates
}

fn backfill(project: &Project, from: &str, to: &str) -> Outcome {
    let path = project.pipeline_path();
    project.martlet(&["backfill", &path, "--from", from, "--to", to])
}

#[test]
fn a_backfill_runs_the_missing_nights_in_order_and_ends_where_the_marts_stood() {
    let project = Project::shop();
    project.publish(SECOND);
    let newest = project.value(REVENUE);
    let filled = backfill(&project, "2026-01-02", SECOND);
    assert_eq!(filled.status, Some(0), "{filled:?}");
    assert!(filled.stderr.contains("2 nights are missing"), "{filled:?}");
    assert_eq!(published(&project), [SECOND, "2026-01-02", FIRST, SECOND]);
    assert_eq!(project.value(REVENUE), newest);
    let again = backfill(&project, "2026-01-02", SECOND);
    assert!(again.stderr.contains("0 nights are missing"), "{again:?}");
    assert_eq!(published(&project).len(), 4);

    // What a backfill leaves that was killed right after the last missing night.
    project.publish(FIRST);
    assert_eq!(backfill(&project, "2026-01-02", SECOND).status, Some(0));
    assert_eq!(project.value(REVENUE), newest);
    ended_with(&backfill(&project, SECOND, FIRST), 2, "lies behind");
}

#[test]
fn a_backfill_that_stopped_goes_on_where_it_stopped() {
    let project = Project::shop();
    let missing = "data/raw/orders/dt=2026-01-02/a.csv";
    project.rename(missing, "aside.csv");
    let stopped = backfill(&project, "2026-01-02", SECOND);
    ended_with(&stopped, 4, "stopped at 2026-01-03");
    assert_eq!(published(&project), ["2026-01-02"]);
    project.rename("aside.csv", missing);
    assert_eq!(backfill(&project, "2026-01-02", SECOND).status, Some(0));
    assert_eq!(published(&project), ["2026-01-02", FIRST, SECOND]);
}

#[test]
fn the_doctor_finds_a_folder_fit_and_says_what_a_file_in_the_way_means() {
    let project = Project::shop();
    let findings = csv(&project, &["doctor"]);
    let outcomes = columns(&findings, &["outcome"]);
    assert!(outcomes.len() > 8 && outcomes.iter().all(|outcome| outcome == "ok"), "{findings:?}");
    let left = fs::read_dir(project.at("data/warehouse")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the doctor has left something behind");

    project.write("in_the_way", "");
    let ill = project.martlet(&["doctor", "--warehouse", "in_the_way", "--format", "csv"]);
    assert_eq!(ill.status, Some(5), "{ill:?}");
    assert!(ill.stdout.contains("check the credentials, and allow writing"), "{ill:?}");
}

#[test]
fn a_night_that_was_taken_back_is_missing() {
    let (project, first, second) = two_nights();
    assert_eq!(project.martlet(&["rollback"]).status, Some(0));
    // What was not asked for stays taken back.
    assert_eq!(backfill(&project, "2026-01-02", FIRST).status, Some(0));
    assert_eq!(project.value(REVENUE), first);
    let filled = backfill(&project, FIRST, SECOND);
    assert!(filled.stderr.contains("1 nights are missing"), "{filled:?}");
    assert_eq!(project.value(REVENUE), second);
}

#[test]
fn an_older_night_builds_on_the_one_before_it_whenever_that_was_run() {
    let project = Project::shop();
    project.publish(SECOND);
    let known = "went in on earlier nights and stay as they are";
    assert!(!project.publish("2026-01-02").stdout.contains(known));
    let later = project.publish(FIRST);
    assert!(later.stdout.contains(known), "{later:?}");
}

#[test]
fn a_vacuum_keeps_what_the_next_night_builds_on() {
    let project = Project::shop();
    project.publish(SECOND);
    let newest = project.value(REVENUE);
    project.publish(FIRST);
    let vacuum = ["vacuum", "--keep", "1", "--min-age", "0", "--apply"];
    assert_eq!(project.martlet(&vacuum).status, Some(0));
    project.publish(SECOND);
    assert_eq!(project.value(REVENUE), newest);
    let by_age = project.martlet(&["vacuum", "--keep", "1", "--min-age", "4294967295"]);
    assert_eq!(by_age.status, Some(0), "{by_age:?}");
}

#[test]
fn a_generation_that_is_gone_is_no_beginning() {
    let (project, ..) = two_nights();
    project.remove("data/warehouse/shop/generations/2.json");
    let run = project.run("2026-01-05");
    assert_eq!(run.status, Some(5), "{run:?}");
    assert!(run.stdout.contains("generations/2.json` is gone"), "{run:?}");
}
