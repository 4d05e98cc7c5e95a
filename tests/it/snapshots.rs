//! Marts that keep the rows of every night beside each other.

use std::fs;

use serde_json::Value;

use crate::harness::Project;
use crate::nights::{FIRST, SECOND};

const SQL: &str = "sql/marts/fact_buyers.sql";
const SIDECAR: &str = "sql/marts/fact_buyers.yaml";
/// How many buyers each night has.
const NIGHTS: &str = "
SELECT concat(CAST(CAST(as_of + INTERVAL '8 hours' AS DATE) AS VARCHAR), ': ', CAST(count(*) AS VARCHAR)) AS night
FROM fact_buyers GROUP BY as_of ORDER BY as_of";

/// Lets the mart of buyers keep its nights.
pub(crate) fn keep_nights(project: &Project) {
    project.replace(SQL, "AS revenue\n", "AS revenue, $as_of AS as_of\n");
    project.replace(SIDECAR, "columns:\n", "history: snapshot\ncolumns:\n");
    project.replace(
        SIDECAR,
        "checks:\n  - name",
        "  as_of: { type: timestamp }\nchecks:\n  - name",
    );
}

fn shop() -> Project {
    let project = Project::shop();
    keep_nights(&project);
    project
}

fn two_nights() -> Project {
    let project = shop();
    project.publish(FIRST);
    project.publish(SECOND);
    project
}

/// Returns the lines of an answer after its header.
#[track_caller]
fn lines(project: &Project, sql: &str) -> Vec<String> {
    project.query(sql).lines().skip(1).map(str::to_owned).collect()
}

/// Returns what the present generation says of the mart of buyers.
fn told(project: &Project) -> Value {
    let number = fs::read_to_string(project.in_warehouse("CURRENT")).unwrap();
    let text = fs::read(project.in_warehouse(&format!("generations/{number}.json"))).unwrap();
    let generation: Value = serde_json::from_slice(&text).unwrap();
    generation["tables"]["marts"]["fact_buyers"].clone()
}

/// Returns the file of each night.
fn files(project: &Project) -> Vec<(String, String)> {
    let told = told(project);
    let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
    let files = told["files"].as_array().unwrap().iter();
    files.map(|file| (text(file, "as_of"), text(file, "path"))).collect()
}

fn published(project: &Project) -> Value {
    let report = project.report();
    let tables = report["published"].as_array().unwrap().iter();
    tables.clone().find(|table| table["table"] == "fact_buyers").unwrap().clone()
}

#[test]
fn nights_stand_beside_each_other() {
    let project = two_nights();
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2", "2026-01-04: 1"]);
    assert_eq!(lines(&project, "SELECT count(*) FROM latest.fact_buyers"), ["1"]);
    assert_eq!(lines(&project, "SELECT count(*) FROM latest.fact_revenue"), ["4"]);
    let table = published(&project);
    assert_eq!((&table["rows"], &table["nights"]), (&1.into(), &2.into()));
    let generations = project.martlet(&["generations", "--format", "csv"]).stdout;
    assert!(generations.lines().nth(1).unwrap().contains(",5,current"), "{generations}");
    assert!(project.run(SECOND).stdout.starts_with("nothing new "));
}

#[test]
fn a_plain_file_holds_the_night_that_was_run_last() {
    let project = two_nights();
    let latest = || fs::read(project.in_warehouse("latest/fact_buyers.parquet")).unwrap();
    let of_file = |path: &str| fs::read(project.in_warehouse(path)).unwrap();
    let nights = files(&project);
    assert_eq!(latest(), of_file(&nights[1].1));
    assert_eq!(project.run(FIRST).status, Some(0));
    assert_eq!(latest(), of_file(&files(&project)[0].1));
    assert_eq!(lines(&project, "SELECT count(*) FROM latest.fact_buyers"), ["2"]);
}

#[test]
fn a_night_run_again_replaces_itself_alone() {
    let project = two_nights();
    let before = files(&project);
    project.replace(SQL, "GROUP BY", "AND amount >= 0 GROUP BY");
    project.publish(FIRST);
    let after = files(&project);
    assert_eq!(before[1], after[1]);
    assert_eq!(before[0].0, after[0].0);
    assert_ne!(before[0].1, after[0].1);
    project.run_with(SECOND, &["--full-refresh"]);
    let again = files(&project);
    assert_eq!(after[0], again[0]);
    assert_ne!(after[1], again[1]);
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2", "2026-01-04: 1"]);
}

#[test]
fn a_night_filled_in_later_stands_where_it_belongs() {
    let project = shop();
    project.publish(SECOND);
    let path = project.pipeline_path();
    let filled = project.martlet(&["backfill", &path, "--from", FIRST, "--to", SECOND]);
    assert_eq!(filled.status, Some(0), "{filled:?}");
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2", "2026-01-04: 1"]);
    assert_eq!(lines(&project, "SELECT count(*) FROM latest.fact_buyers"), ["1"]);
}

#[test]
fn a_part_of_the_marts_leaves_the_nights_of_the_others() {
    let project = two_nights();
    let before = files(&project);
    let part = project.run_with(SECOND, &["--select", "fact_revenue", "--force"]);
    assert_eq!(part.status, Some(0), "{part:?}");
    assert_eq!(files(&project), before);
    let part = project.run_with(SECOND, &["--select", "fact_buyers", "--force"]);
    assert_eq!(part.status, Some(0), "{part:?}");
    assert_eq!(files(&project)[0], before[0]);
    assert_ne!(files(&project)[1], before[1]);
}

#[test]
fn a_rollback_shows_the_nights_there_were() {
    let project = two_nights();
    assert_eq!(project.martlet(&["rollback"]).status, Some(0));
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2"]);
    let asked = ["query", "--generation", "2", "--format", "csv", NIGHTS];
    assert_eq!(project.martlet(&asked).stdout.lines().count(), 3);
    project.publish(SECOND);
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2", "2026-01-04: 1"]);
}

#[test]
fn a_vacuum_keeps_every_night_that_is_held() {
    let project = two_nights();
    let vacuum = ["vacuum", "--keep", "1", "--min-age", "0", "--apply", "--format", "csv"];
    let removed = project.martlet(&vacuum);
    assert!(removed.stdout.contains("marts/fact_revenue/"), "{removed:?}");
    assert!(!removed.stdout.contains("marts/fact_buyers/"), "{removed:?}");
    assert_eq!(lines(&project, NIGHTS), ["2026-01-03: 2", "2026-01-04: 1"]);
}

#[test]
fn two_generations_are_compared_by_the_night_each_brought() {
    let project = two_nights();
    let difference = project.martlet(&["diff", "1", "2", "--format", "csv"]);
    assert!(difference.stdout.contains("fact_buyers,rows,2,1"), "{difference:?}");
}

#[test]
fn a_development_warehouse_keeps_nights_of_its_own() {
    let project = shop();
    for night in [FIRST, SECOND] {
        project.publish(night);
        let own = project.run_with(night, &["--dev", "ann"]);
        assert_eq!(own.status, Some(0), "{own:?}");
    }
    let asked = project.martlet(&["query", "--dev", "ann", "--format", "csv", NIGHTS]);
    let nights: Vec<&str> = asked.stdout.lines().skip(1).collect();
    assert_eq!(nights, ["2026-01-03: 2", "2026-01-04: 1"], "{asked:?}");
    assert_eq!(files(&project).len(), 2);
}

#[test]
fn a_column_that_comes_is_null_in_earlier_nights_and_one_that_goes_is_not_shown() {
    let project = shop();
    project.publish(FIRST);
    project.replace(SQL, "COUNT(*) AS orders", "COUNT(*) AS purchases");
    project.replace(SIDECAR, "  orders: {", "  purchases: {");
    project.publish(SECOND);
    let nights = "SELECT count(purchases), count(*), min(as_of) FROM fact_buyers GROUP BY as_of ORDER BY as_of";
    let counts: Vec<String> =
        lines(&project, nights).iter().map(|line| line[..3].to_owned()).collect();
    assert_eq!(counts, ["0,2", "1,1"]);
    let gone = project.ask("SELECT orders FROM fact_buyers");
    assert_eq!(gone.status, Some(2), "{gone:?}");

    // The night before by the rules of then: its column is the one that is shown again.
    assert_eq!(project.martlet(&["rollback"]).status, Some(0));
    assert_eq!(lines(&project, "SELECT count(orders) FROM fact_buyers"), ["2"]);
}

#[test]
fn a_column_of_another_type_is_refused_before_anything_is_read() {
    let project = shop();
    project.publish(FIRST);
    let before = project.visible();
    project.replace(SQL, "COUNT(*) AS orders", "CAST(COUNT(*) AS DOUBLE) AS orders");
    project.replace(SIDECAR, "orders: { type: integer", "orders: { type: double");
    let refused = project.run(SECOND);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    let said = "the mart `fact_buyers` keeps its nights, in which the column `orders` is `integer`, not `double`";
    assert!(refused.stdout.contains(said), "{refused:?}");
    assert!(refused.stdout.contains("run one night with `history: replace`"), "{refused:?}");
    assert!(project.visible() == before);

    project.replace(SIDECAR, "history: snapshot", "history: replace");
    project.publish(SECOND);
    project.replace(SIDECAR, "history: replace", "history: snapshot");
    project.publish(SECOND);
    assert_eq!(lines(&project, NIGHTS), ["2026-01-04: 1"]);
}

#[test]
fn rows_of_another_night_are_not_published() {
    let project = shop();
    project.replace(SQL, "$as_of AS as_of", "$as_of - INTERVAL '1 day' AS as_of");
    let blocked = project.run(FIRST);
    assert_eq!(blocked.status, Some(3), "{blocked:?}");
    assert!(
        blocked.stdout.contains("error: fact_buyers rows_are_of_the_night: 2 rows"),
        "{blocked:?}"
    );
}

#[test]
fn nights_may_be_told_apart_by_a_date() {
    let project = shop();
    project.replace(SQL, "$as_of AS as_of", "$as_of_date AS as_of");
    project.replace(SIDECAR, "as_of: { type: timestamp }", "as_of: { type: date }");
    project.publish(FIRST);
    project.publish(SECOND);
    let nights = "SELECT as_of, count(*) FROM fact_buyers GROUP BY as_of ORDER BY as_of";
    assert_eq!(lines(&project, nights), ["2026-01-03,2", "2026-01-04,1"]);
}
