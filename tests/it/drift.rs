//! Fields that appear and vanish: what is told, and when nothing is published.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::harness::Project;

const AS_OF: &str = "2026-01-02";
const ORDERS: &str = "data/raw/orders/dt=2026-01-01/a.csv";
const VISITS: &str = "data/raw/visits/dt=2026-01-01/a.ndjson";

/// Adds a column to the orders; brings visits with other keys, and one fewer.
fn drifted() -> Project {
    let project = Project::shop();
    let orders = project.read(ORDERS);
    let widened = orders.replace("amount\n", "amount,weight\n").replace(".00\n", ".00,1.25\n");
    let widened = widened.replace(".50\n", ".50,1.25\n");
    project.write(ORDERS, widened);
    let visits = "{\"visit_id\": \"v1\", \"ts\": 1767225600000, \"client\": {\"cookie\": \"c1\", \"os\": \"ios\"}}\n\
                  {\"stray\" = {}}\n\
                  {\"visit_id\": \"v2\", \"opened_at\": \"2026-01-01T08:00:00Z\", \"ts\": 1767225600000}\n";
    project.write(VISITS, visits);
    project
}

fn drift_of(report: &Value, source: &str) -> Value {
    let sources = report["sources"].as_array().unwrap();
    sources.iter().find(|told| told["source"] == source).unwrap()["drift"].clone()
}

#[test]
fn drift_is_told_with_a_column_to_paste() {
    let project = drifted();
    let outcome = project.publish(AS_OF);
    let report = project.report();
    let field = |field: &str, change: &str, object: &str, column: Value| json!({"field": field, "change": change, "objects": 1, "object": object, "column": column});
    assert_eq!(
        drift_of(&report, "orders"),
        json!([field(
            "weight",
            "new",
            "orders/dt=2026-01-01/a.csv",
            json!("weight: { type: \"decimal(18,2)\", required: true }")
        )])
    );
    let object = "visits/dt=2026-01-01/a.ndjson";
    assert_eq!(
        drift_of(&report, "visits"),
        json!([
            field("email", "vanished", object, Value::Null),
            field(
                "client.os",
                "new",
                object,
                json!("client_os: { from: \"client.os\", type: string }")
            ),
            field(
                "opened_at",
                "new",
                object,
                json!("opened_at: { type: timestamp, formats: [\"rfc3339\"] }")
            ),
        ])
    );
    assert_eq!(drift_of(&report, "products"), json!([]));
    let warning = "warning: orders: field `weight` is not declared (1 objects, first `orders/dt=2026-01-01/a.csv`); `weight: { type: \"decimal(18,2)\", required: true }`\n";
    assert!(outcome.stdout.contains(warning), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("warning: visits: field `email` has vanished"));
}

#[test]
fn a_field_that_only_some_records_lack_has_not_vanished() {
    let project = Project::shop();
    project.publish("2026-01-04");
    for source in ["orders", "visits", "products"] {
        assert_eq!(drift_of(&project.report(), source), json!([]), "{source}");
    }
}

#[test]
fn drift_is_ignored_or_fails_where_the_source_says_so() {
    let project = drifted();
    let limits = "rejects: { max_rows: 5 }";
    project.replace_in_pipeline(limits, &format!("{limits}\n    drift: ignore"));
    project.publish(AS_OF);
    assert_eq!(drift_of(&project.report(), "orders"), json!([]));
    let before = project.visible();
    project.replace_in_pipeline("drift: ignore", "drift: fail");
    let refused = project.run_with(AS_OF, &["--full-refresh"]);
    assert_eq!(refused.status, Some(3), "{refused:?}");
    assert!(project.visible() == before);
    let report = project.report();
    let expected = "the fields of the source `orders` are not those it declares: `weight` is new";
    assert_eq!(report["errors"], json!([expected]));
    assert_eq!(drift_of(&report, "orders")[0]["field"], "weight");
    assert_eq!(report["status"], "checks_failed");
}

#[test]
fn the_fields_of_parquet_drift_too() {
    let project = Project::shop();
    project.publish("2026-01-03");
    let table = std::fs::read(project.in_warehouse("latest/fact_revenue.parquet")).unwrap();
    project.write("data/raw/products/dt=2026-01-01/all.parquet", table);
    let old = "path: products/dt={date}/*.csv\n    format: csv\n    columns:\n      sku: { type: string, case: upper, required: true }\n      name: { type: string, required: true }";
    let new = "path: products/dt={date}/*.parquet\n    format: parquet\n    columns:\n      sku: { from: product, type: string }\n      name: { from: product, type: string }";
    project.replace_in_pipeline(old, new);
    project.publish("2026-01-03");
    let drift = drift_of(&project.report(), "products");
    let fields: Vec<&str> =
        drift.as_array().unwrap().iter().map(|told| told["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"day") && !fields.contains(&"product"), "{drift}");
    let day = drift.as_array().unwrap().iter().find(|told| told["field"] == "day").unwrap();
    assert!(day["column"].as_str().unwrap().starts_with("day: { type: date"), "{day}");
}

#[test]
fn a_field_whose_values_fit_no_more_has_another_type() {
    let project = Project::shop();
    let amounts = |project: &Project, with: &str| {
        let orders = project.read(ORDERS).replace(".00\n", with).replace(".50\n", with);
        project.write(ORDERS, orders);
    };
    amounts(&project, " yuan\n");
    project.replace_in_pipeline("    rejects: { max_rows: 5 }", "    drift: warn");
    let outcome = project.publish(AS_OF);
    let drift = drift_of(&project.report(), "orders");
    assert_eq!(
        drift,
        json!([{"field": "amount", "change": "type", "objects": 1, "object": "orders/dt=2026-01-01/a.csv",
            "column": "amount: { type: string, required: true }"}])
    );
    assert!(outcome.stdout.contains("warning: orders: field `amount` has another type"));
    project.replace_in_pipeline("    drift: warn", "    drift: fail");
    assert_eq!(project.run_with(AS_OF, &["--full-refresh"]).status, Some(3));
    let expected =
        "the fields of the source `orders` are not those it declares: `amount` has another type";
    assert_eq!(project.report()["errors"], json!([expected]));
}

/// Writes a Parquet object of one column.
fn write_parquet(project: &Project, day: &str, name: &str, column: ArrayRef) {
    let batch = RecordBatch::try_from_iter([(name, column)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    project.write(&format!("data/raw/rows/dt={day}/a.parquet"), bytes);
}

#[test]
fn a_field_that_parquet_stores_otherwise_has_another_type() {
    let project = Project::shop();
    let rows = "\n  rows:\n    path: rows/dt={date}/*.parquet\n    format: parquet\n    columns:\n      id: { type: string, from_any: [id, number] }\n";
    project.replace_in_pipeline("\nidentity:", &format!("{rows}\nidentity:"));
    write_parquet(&project, "2026-01-01", "id", Arc::new(Int64Array::from(vec![7, 8])));
    write_parquet(&project, "2026-01-02", "id", Arc::new(StringArray::from(vec!["x9"])));
    write_parquet(&project, "2026-01-03", "number", Arc::new(Int64Array::from(vec![10])));
    project.publish("2026-01-04");
    assert_eq!(
        drift_of(&project.report(), "rows"),
        json!([{"field": "id", "change": "type", "objects": 1, "object": "rows/dt=2026-01-02/a.parquet",
            "column": "id: { type: string, required: true }"}])
    );
    let ids = project.query("SELECT id FROM clean.rows ORDER BY id");
    assert_eq!(ids, "id\n10\n7\n8\nx9\n");
    // Where a source insists on its fields, none of several may be missing.
    let insisting = "format: parquet\n    drift: fail\n";
    project.replace_in_pipeline("format: parquet\n", insisting);
    let refused = project.run_with("2026-01-04", &["--full-refresh"]);
    assert_eq!(refused.status, Some(3), "{refused:?}");
    assert!(refused.stdout.contains("the object has no column `number`"), "{refused:?}");
}
