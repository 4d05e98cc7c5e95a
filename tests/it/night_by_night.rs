//! Nights one after the other: each takes in what is new, and leaves what one run over everything leaves.

use serde_json::{Value, json};

use crate::harness::Project;

/// Everything of a night that does not tell which run made it. A customer's id tells by which identifier the customer
/// was known on the first night, so customers are told by their identifiers.
const ALL: &[&str] = &[
    "SELECT * FROM fact_revenue ORDER BY day, product",
    "SELECT orders, revenue FROM fact_buyers ORDER BY orders",
    "SELECT * EXCEPT (customer_id) FROM clean.orders ORDER BY order_id",
    "SELECT * EXCEPT (customer_id) FROM clean.visits ORDER BY visit_id",
    "SELECT * FROM clean.products ORDER BY sku",
    "SELECT value, state, min(value) OVER (PARTITION BY customer_id) FROM identity.map ORDER BY value",
    "SELECT source, object, read, kept, rejected, duplicate FROM ledger.objects ORDER BY object",
    "SELECT object, record, code, raw FROM rejects.orders ORDER BY object, record",
];
const ORDERS: &str = "data/raw/orders/dt=2026-01-02/a.csv";
const NIGHTS: &[&str] = &["2026-01-02", "2026-01-03", "2026-01-04"];

fn everything(project: &Project) -> Vec<String> {
    ALL.iter().map(|sql| project.query(sql)).collect()
}

/// Returns which objects of a source the last run decoded.
fn decoded(project: &Project, source: &str) -> Vec<String> {
    let report = project.report();
    let sources = report["sources"].as_array().unwrap();
    let found = sources.iter().find(|told| told["source"] == source).unwrap();
    let objects = found["objects"].as_array().unwrap().iter();
    objects.map(|object| object["object"].as_str().unwrap().to_owned()).collect()
}

fn told(project: &Project, source: &str, key: &str) -> Value {
    let report = project.report();
    let sources = report["sources"].as_array().unwrap();
    sources.iter().find(|told| told["source"] == source).unwrap()[key].clone()
}

#[test]
fn nights_one_by_one_leave_what_one_run_leaves() {
    let nightly = Project::shop();
    for as_of in NIGHTS {
        nightly.publish(as_of);
    }
    let at_once = Project::shop();
    at_once.publish("2026-01-04");
    assert_eq!(everything(&nightly), everything(&at_once));
}

#[test]
fn an_object_is_decoded_once() {
    let project = Project::shop();
    project.publish("2026-01-03");
    project.publish("2026-01-04");
    assert_eq!(decoded(&project, "orders"), ["orders/dt=2026-01-03/a.csv"]);
    assert_eq!(told(&project, "orders", "known"), 2);
    // A full export supersedes those before it.
    assert_eq!(decoded(&project, "products"), ["products/dt=2026-01-03/all.csv"]);
    let products = "SELECT DISTINCT _object FROM clean.products";
    assert_eq!(project.value(products), "products/dt=2026-01-03/all.csv");
}

#[test]
fn the_rows_of_a_changed_object_are_replaced() {
    let project = Project::shop();
    project.publish("2026-01-03");
    // The newer version of the order `o2` was a mistake, and the older one counts again.
    let corrected = project.read(ORDERS).replace("o2,", "o20,");
    project.write(ORDERS, &corrected);
    project.publish("2026-01-04");
    let versions = "SELECT string_agg(concat(order_id, ' ', amount), ', ' ORDER BY order_id) FROM clean.orders WHERE order_id LIKE 'o2%'";
    assert_eq!(project.value(versions), "\"o2 30.50, o20 25.50\"");

    let at_once = Project::shop();
    at_once.write(ORDERS, corrected).publish("2026-01-04");
    assert_eq!(everything(&project), everything(&at_once));
}

#[test]
fn a_vanished_object_is_reported_and_its_rows_stay() {
    let project = Project::shop();
    project.publish("2026-01-03");
    let before = project.value("SELECT count(*) FROM clean.visits");
    project.remove("data/raw/visits/dt=2026-01-01");
    let outcome = project.publish("2026-01-04");
    assert_eq!(told(&project, "visits", "vanished"), json!(["visits/dt=2026-01-01/a.ndjson"]));
    assert!(
        outcome.stdout.contains(
            "warning: visits: 1 objects of earlier nights are gone from the store (first `visits/dt=2026-01-01/a.ndjson`); their rows stay"
        ),
        "{outcome:?}"
    );
    let of_the_day = "SELECT count(*) FROM clean.visits WHERE _object LIKE '%01-01%'";
    assert_ne!(project.value(of_the_day), "0");
    let now: u64 = project.value("SELECT count(*) FROM clean.visits").parse().unwrap();
    assert!(now >= before.parse().unwrap());
}

#[test]
fn rows_that_come_late_are_dated_by_their_event() {
    let project = Project::shop();
    project.publish("2026-01-03");
    let late = "o2,2026-01-01T10:00:00+08:00,2026-01-05T08:00:00+08:00,bob@mail.shop,,p2,1.00\n";
    project.append("data/raw/orders/dt=2026-01-03/a.csv", late);
    project.publish("2026-01-04");
    assert_eq!(told(&project, "orders", "superseded"), 1);
    let version = "SELECT concat(_event_date, ' ', amount) FROM clean.orders WHERE order_id = 'o2'";
    assert_eq!(project.value(version), "2026-01-01 1.00");
    let law = "SELECT count(*) FROM ledger.objects WHERE read <> kept + rejected + duplicate";
    assert_eq!(project.value(law), "0");
    let kept = "SELECT sum(kept) = (SELECT count(*) FROM clean.orders) FROM ledger.objects WHERE source = 'orders'";
    assert_eq!(project.value(kept), "true");
}

#[test]
fn rows_that_come_later_than_the_window_are_kept_and_counted() {
    let project = Project::shop();
    project.replace_in_pipeline(
        "dedupe: { key: [order_id], keep: last, order_by: [updated_at] }",
        "dedupe: { key: [order_id], keep: last, order_by: [updated_at], window: 1d }",
    );
    project.publish("2026-01-03");
    let row =
        |day: u8| format!("o2,2025-12-{day}T10:00:00+08:00,2026-01-05T08:00:00+08:00,,,p2,1.00\n");
    // The object is of the third of January: a day more is late, and the days before it are the same row.
    project.append("data/raw/orders/dt=2026-01-03/a.csv", &(row(30) + &row(29) + &row(20)));
    let outcome = project.publish("2026-01-04");
    assert_eq!(told(&project, "orders", "late"), 3);
    let said = "orders: 3 rows came more days late than its dedupe window is wide, and count all the same\n";
    assert!(outcome.stdout.contains(said), "{outcome:?}");
    let days = "SELECT string_agg(CAST(_event_date AS VARCHAR), ' ' ORDER BY _event_date) FROM clean.orders WHERE order_id = 'o2'";
    assert_eq!(project.value(days), "2025-12-20 2025-12-29 2026-01-01");
    let law = "SELECT count(*) FROM ledger.objects WHERE read <> kept + rejected + duplicate";
    assert_eq!(project.value(law), "0");
}

#[test]
fn other_rules_decode_a_source_anew_and_no_other() {
    let project = Project::shop();
    project.publish("2026-01-03");
    project.replace_in_pipeline(
        "email: { type: email, pii: true }\n      card",
        "email: { type: string }\n      card",
    );
    project.publish("2026-01-04");
    assert_eq!(decoded(&project, "orders").len(), 3);
    assert_eq!(decoded(&project, "visits").len(), 1);
    assert_eq!(project.value("SELECT count(*) FROM clean.orders WHERE order_id = 'o4'"), "1");
    let types = "SELECT count(*) FROM rejects.orders WHERE \"column\" = 'email'";
    assert_eq!(project.value(types), "0");
}

#[test]
fn a_full_refresh_decodes_everything_and_changes_nothing() {
    let project = Project::shop();
    for as_of in NIGHTS {
        project.publish(as_of);
    }
    let (before, map) = (everything(&project), project.query("SELECT * FROM identity.map"));
    let refreshed = project.run_with("2026-01-04", &["--full-refresh"]);
    assert_eq!(refreshed.status, Some(0), "{refreshed:?}");
    assert_eq!(decoded(&project, "orders").len(), 3);
    assert_eq!(everything(&project), before);
    assert_eq!(project.query("SELECT * FROM identity.map"), map);
}

#[test]
fn a_night_after_the_repetition_of_an_older_one_builds_on_the_latest() {
    let project = Project::shop();
    project.publish("2026-01-02");
    project.publish("2026-01-03");
    project.publish("2026-01-02");
    project.publish("2026-01-04");
    assert_eq!(decoded(&project, "orders"), ["orders/dt=2026-01-03/a.csv"]);
    let at_once = Project::shop();
    at_once.publish("2026-01-04");
    assert_eq!(everything(&project), everything(&at_once));
}

#[test]
fn a_window_needs_a_time_and_days() {
    let project = Project::shop();
    let rule = "dedupe: { key: [visit_id], keep: first, order_by: [visited_at] }";
    let with = |window: &str| {
        format!(
            "dedupe: {{ key: [visit_id], keep: first, order_by: [visited_at], window: {window} }}"
        )
    };
    project.replace_in_pipeline(rule, &with("3d"));
    project.publish("2026-01-03");
    project.publish("2026-01-04");
    project.replace_in_pipeline(&with("3d"), &with("soon"));
    let checked = project.martlet(&["check"]);
    assert_eq!(checked.status, Some(2), "{checked:?}");
    assert!(checked.stderr.contains("`soon` is no number of days"), "{checked:?}");
}

#[test]
fn rejects_that_are_accepted_by_now_are_taken_in_on_request() {
    let project = Project::shop();
    project.publish("2026-01-04");
    let replay =
        |source: &str| project.martlet(&["replay", &project.pipeline_path(), "--source", source]);
    let before = everything(&project);
    assert_eq!(replay("orders").status, Some(0));
    assert_eq!(everything(&project), before);
    // The objects without rejects stay as they are.
    assert_eq!(decoded(&project, "orders").len(), 2);
    assert_eq!(told(&project, "orders", "known"), 1);
    assert_eq!(decoded(&project, "visits").len(), 0);
    let unknown = replay("ordrs");
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean `orders`?"), "{unknown:?}");
}
