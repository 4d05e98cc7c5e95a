//! `martlet new`: what is drafted passes at once, and nothing is lost.

use crate::harness::{Outcome, Project, copy, repository};

#[track_caller]
fn drafted(project: &Project, arguments: &[&str]) -> Outcome {
    let arguments: Vec<&str> = ["new"].iter().chain(arguments).copied().collect();
    let ended = project.martlet(&arguments);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("\nnext:\n"), "{ended:?}");
    let check = project.martlet(&["check"]);
    assert_eq!(check.status, Some(0), "{check:?}");
    ended
}

#[track_caller]
fn refused(project: &Project, arguments: &[&str], told: &str) {
    let arguments: Vec<&str> = ["new"].iter().chain(arguments).copied().collect();
    let ended = project.martlet(&arguments);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains(told), "{told}: {ended:?}");
}

#[test]
fn a_stage_passes_at_once_and_when_it_is_published() {
    let project = Project::shop();
    let ended = drafted(&project, &["stage", "visits_seen", "--reads", "visits"]);
    assert_eq!(ended.stdout, "sql/visits_seen.sql\nsql/visits_seen.yaml\n");
    project.replace_in_pipeline("publish: [", "publish: [visits_seen, ");
    let check = project.martlet(&["check"]);
    assert_eq!(check.status, Some(0), "{check:?}");
    project.publish("2026-01-03");
    let visits = project.value("SELECT count(*) FROM clean.visits");
    assert_eq!(project.value("SELECT records FROM visits_seen"), visits);
}

#[test]
fn a_stage_is_refused_where_it_would_do_harm() {
    let project = Project::shop();
    let before = project.read("sql/order_values.sql");
    refused(&project, &["stage", "order_values"], "has a table `order_values` already");
    refused(&project, &["stage", "orders"], "has a table `orders` already");
    refused(&project, &["stage", "Order-Values"], "`Order-Values` is no name");
    refused(&project, &["stage", "extra", "--reads", "visit"], "did you mean `visits`?");
    refused(
        &project,
        &["stage", "extra", "--folder", "elsewhere"],
        "reads no stages from `elsewhere`",
    );
    refused(&project, &["stage", "extra", "--folder", "../elsewhere"], "outside the project");
    assert_eq!(project.read("sql/order_values.sql"), before);
    assert!(!project.at("sql/extra.sql").exists());
}

#[test]
fn a_source_is_added_behind_the_others_and_every_line_stays() {
    let project = Project::shop();
    let path = project.pipeline_path();
    let before = project.read(&path);
    let file = "data/raw/visits/dt=2026-01-01/a.ndjson";
    let ended = drafted(&project, &["source", "looks", "--from", file]);
    assert_eq!(ended.stdout, format!("{path}\n"));
    let after = project.read(&path);
    let mut lines = after.lines();
    for line in before.lines() {
        assert!(lines.any(|kept| kept == line), "`{line}` is lost:\n{after}");
    }
    assert!(after.contains("\n  looks:\n    path: \"visits/dt={date}/a.ndjson\"\n"), "{after}");
    refused(&project, &["source", "looks", "--from", file], "has a source `looks` already");
    refused(&project, &["source", "more", "--from", "data/raw/none.csv"], "data/raw/none.csv");
    project.write("pipelines/second.yaml", &before);
    refused(
        &project,
        &["source", "more", "--from", file],
        "say which gets the source with `--pipeline`",
    );
    assert_eq!(project.read(&path), after);
}

#[test]
fn a_pipeline_in_an_empty_project_passes_and_runs() {
    let project = Project::empty();
    let flags = ["--timezone", "Europe/Berlin", "--currency", "EUR"];
    let ended = drafted(&project, &[&["pipeline", "shop"], flags.as_slice()].concat());
    let paths = "pipelines/shop.yaml\nsql/shop/daily_orders.sql\nsql/shop/daily_orders.yaml\n";
    assert_eq!(ended.stdout, paths);
    let orders = "order_id,placed_at,amount\na,2026-01-01T23:30:00Z,5\nb,2026-01-02T09:00:00Z,7\n";
    project.write("data/raw/orders/dt=2026-01-02/a.csv", orders);
    project.publish("2026-01-03");
    let row = project.query("SELECT order_date, orders, amount FROM daily_orders");
    assert_eq!(row, "order_date,orders,amount\n2026-01-02,2,12.0000\n");
    refused(&project, &["pipeline", "shop"], "`pipelines/shop.yaml` is there already");
    refused(&project, &["pipeline", "other", "--timezone", "Berlin"], "Berlin");
    assert!(!project.at("pipelines/other.yaml").exists());
}

#[test]
fn drafts_tell_editors_their_schema_where_the_project_has_it() {
    let project = Project::shop();
    std::fs::create_dir(project.at("schemas")).unwrap();
    copy(&repository().join("schemas"), &project.at("schemas"));
    drafted(&project, &["stage", "visits_seen"]);
    let line = "# yaml-language-server: $schema=../schemas/sidecar.schema.json\n";
    assert!(project.read("sql/visits_seen.yaml").starts_with(line));
}
