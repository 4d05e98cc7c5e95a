//! Nights of the little shop: what is published, when nothing is, and what does not matter.

use serde_json::Value;

use crate::harness::{Outcome, Project};

/// The nights of the little shop whose exports lie in its folder.
const FIRST: &str = "2026-01-03";
const SECOND: &str = "2026-01-04";

const REVENUE: &str = "SELECT * FROM fact_revenue ORDER BY day, product";
const CUSTOMERS: &str =
    "SELECT identifier_type, value, customer_id FROM identity.map ORDER BY identifier_type, value";
/// Everything of a night that does not tell which run made it.
const ALL: &[&str] = &[
    REVENUE,
    CUSTOMERS,
    "SELECT * FROM fact_buyers ORDER BY customer_id",
    "SELECT * FROM clean.orders ORDER BY order_id",
    "SELECT * FROM clean.visits ORDER BY visit_id",
    "SELECT * FROM clean.products ORDER BY sku",
    "SELECT object, record, message, raw FROM rejects.orders ORDER BY object, record",
    "SELECT object, record, message, raw FROM rejects.visits ORDER BY object, record",
];

fn everything(project: &Project) -> Vec<String> {
    ALL.iter().map(|sql| project.query(sql)).collect()
}

/// Runs a night that must not be published, and checks that readers see what they saw before.
#[track_caller]
fn refused(project: &Project, as_of: &str, status: i32) -> Outcome {
    let before = project.visible();
    let outcome = project.run(as_of);
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    assert!(project.visible() == before, "a night that failed changed what readers see");
    assert_eq!(project.report()["exit_status"], status);
    outcome
}

#[test]
fn a_night_on_the_same_data_publishes_nothing_and_says_so() {
    let project = Project::shop();
    project.publish(FIRST);
    let visible = project.visible();
    let again = project.run(FIRST);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert_eq!(
        project.masked(&again.stdout),
        "nothing new for shop as of 2026-01-03: generation 1 has the same inputs and rules\n"
    );
    let skipped = project.run_with(FIRST, &["--skip-exit-code"]);
    assert_eq!(skipped.status, Some(99), "{skipped:?}");
    assert!(project.visible() == visible);
    let statuses: Vec<Value> =
        project.reports().iter().map(|report| report["status"].clone()).collect();
    assert_eq!(statuses, ["published", "unchanged", "unchanged"]);
}

#[test]
fn a_forced_night_gives_the_same_tables_again() {
    let project = Project::shop();
    project.publish(FIRST);
    let (before, latest) = (everything(&project), project.visible());
    let forced = project.run_with(FIRST, &["--force"]);
    assert!(forced.stdout.starts_with("published "), "{forced:?}");
    assert_eq!(everything(&project), before);
    let after = project.visible();
    assert_eq!(after["CURRENT"], b"2");
    for mart in ["latest/fact_revenue.parquet", "latest/fact_buyers.parquet"] {
        assert!(after[mart] == latest[mart], "{mart} has other bytes");
    }
}

#[test]
fn changed_rules_are_something_new() {
    let project = Project::shop();
    project.publish(FIRST);
    project.replace_in_pipeline("{ big: 100 }", "{ big: 20 }");
    project.publish(FIRST);
    assert_eq!(project.value("SELECT SUM(big_orders) FROM fact_revenue"), "3");
    project.replace("sql/order_values.sql", "amount >= $big", "amount > $big");
    project.publish(FIRST);
}

#[test]
fn every_record_is_accounted_for() {
    let project = Project::shop();
    project.publish(SECOND);
    let report = project.report();
    let mut objects = 0;
    for source in report["sources"].as_array().unwrap() {
        for account in source["objects"].as_array().unwrap().iter().chain([source]) {
            let count = |key: &str| account[key].as_u64().unwrap();
            assert_eq!(
                count("read"),
                count("kept") + count("rejected") + count("duplicate"),
                "{account}"
            );
            objects += 1;
        }
        let name = source["source"].as_str().unwrap();
        for (table, key) in [("clean", "kept"), ("rejects", "rejected")] {
            let rows = project.value(&format!("SELECT COUNT(*) FROM {table}.{name}"));
            assert_eq!(rows, source[key].to_string(), "{table}.{name}");
        }
    }
    assert_eq!(objects, 7 + 3);
    let of_object = &report["sources"][0]["objects"][1];
    assert_eq!(of_object["object"], "orders/dt=2026-01-02/a.csv");
    let counts = ["read", "kept", "rejected", "duplicate"].map(|key| of_object[key].as_u64());
    assert_eq!(counts, [4, 2, 2, 0].map(Some));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let nights = ["1", "2", "8"].map(|threads| {
        let project = Project::shop();
        let outcome = project.run_with(SECOND, &["--threads", threads]);
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        let marts: Vec<Vec<u8>> = project
            .visible()
            .into_iter()
            .filter_map(|(name, content)| name.ends_with(".parquet").then_some(content))
            .collect();
        (everything(&project), marts)
    });
    assert_eq!(nights[0].0, nights[1].0);
    assert_eq!(nights[0].0, nights[2].0);
    assert!(nights[0].1 == nights[1].1 && nights[0].1 == nights[2].1, "the marts' bytes differ");
}

#[test]
fn results_do_not_depend_on_the_names_and_order_of_files() {
    let project = Project::shop();
    project.publish(SECOND);
    let other = Project::shop();
    // The newest version of an order is read first, and one export comes in two files.
    let orders = other.read("data/raw/orders/dt=2026-01-02/a.csv");
    let lines: Vec<&str> = orders.lines().collect();
    other.write("data/raw/orders/dt=2026-01-02/z.csv", format!("{}\n{}\n", lines[0], lines[1]));
    let rest = [&lines[..1], &lines[2..]].concat().join("\n");
    other.write("data/raw/orders/dt=2026-01-02/a.csv", rest + "\n");
    other.rename("data/raw/orders/dt=2026-01-01/a.csv", "data/raw/orders/dt=2026-01-01/zz.csv");
    other
        .rename("data/raw/visits/dt=2026-01-01/a.ndjson", "data/raw/visits/dt=2026-01-03/b.ndjson");
    other.publish(SECOND);
    for sql in [REVENUE, CUSTOMERS, "SELECT * FROM fact_buyers ORDER BY customer_id"] {
        assert_eq!(project.query(sql), other.query(sql));
    }
}

#[test]
fn customers_keep_their_ids_when_more_is_known_of_them() {
    let project = Project::shop();
    project.publish(FIRST);
    let id = |value: &str| {
        let of = format!("SELECT customer_id FROM identity.map WHERE value = '{value}'");
        project.value(&of)
    };
    let before = ["ann@mail.shop", "K77", "c1", "cid@mail.shop", "c2"].map(id);
    let bob = id("bob@mail.shop");
    assert_ne!(before[0], bob);
    project.publish(SECOND);
    assert_eq!(["ann@mail.shop", "K77", "c1", "cid@mail.shop", "c2"].map(id), before);
    // An order of the second night shows that Bob is Ann; the older of the two ids stays.
    assert_eq!(id("bob@mail.shop"), before[0]);
    let merges =
        "SELECT customer_id, from_customer_id FROM identity.changes WHERE change = 'merged'";
    assert_eq!(
        project.query(merges),
        format!("customer_id,from_customer_id\n{},{bob}\n", before[0])
    );
    assert_eq!(project.report()["customers"]["merged"], 1);
}

#[test]
fn a_failed_error_check_keeps_the_night_from_being_published() {
    let project = Project::shop();
    project.publish(FIRST);
    let before = everything(&project);
    project.replace("sql/marts/fact_revenue.yaml", ", severity: warn", "");
    let failed = refused(&project, FIRST, 3);
    insta::assert_snapshot!(project.masked(&failed.stdout), @r"
    nothing published for shop as of 2026-01-03: checks failed (run [run])

    source                          read        kept    rejected   duplicate
    orders                             0           0           0           0
    visits                             0           0           0           0
    products                           0           0           0           0
    in all                             0           0           0           0
    5 objects went in on earlier nights and stay as they are

    3 customers from 6 identifiers: 0 created, 0 merged, 0 split; 0 links refused, 0 values shared by too many

    14 of 15 checks passed
    error: fact_revenue known_products: 1 rows
    ");
    let report = project.report();
    let failures: Vec<&Value> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["failures"] != 0)
        .collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0]["check"], "known_products");
    assert_eq!(failures[0]["blocking"], true);
    assert_eq!(everything(&project), before);
    // The next night knows the product.
    project.publish(SECOND);
}

#[test]
fn the_first_night_publishes_nothing_where_a_check_fails() {
    let project = Project::shop();
    project.replace("sql/marts/fact_revenue.yaml", ", severity: warn", "");
    refused(&project, FIRST, 3);
    assert!(project.visible().is_empty());
    let asked = project.ask(REVENUE);
    assert_eq!(asked.status, Some(2), "{asked:?}");
    assert!(asked.stderr.contains("has published nothing yet"), "{asked:?}");
}

#[test]
fn a_failed_warning_is_told_and_published() {
    let project = Project::shop();
    let published = project.publish(FIRST);
    assert!(published.stdout.contains("warning: fact_revenue known_products: 1 rows"));
    let last = published.stdout.lines().last().unwrap();
    assert!(last.contains("transform ") && last.ends_with(" s"), "{published:?}");
    let report = project.report();
    let checks = report["checks"].as_array().unwrap();
    let warned = checks.iter().find(|check| check["failures"] != 0).unwrap();
    assert_eq!((&warned["blocking"], &warned["failures"]), (&Value::from(false), &Value::from(1)));
}

/// A stage whose rows break every kind of check on a column.
const BAD_REVENUE: &str = "\
SELECT CAST(NULL AS DATE) AS day, 'Nib' AS product, CAST(1 AS BIGINT) AS orders
UNION ALL SELECT day, 'Pen', CAST(5 AS BIGINT) FROM order_values
";

#[test]
fn every_kind_of_check_on_a_column_can_fail() {
    for (column, check, name) in [
        ("day", "not_null: true", "not_null(day)"),
        ("product", "unique: true", "unique(product)"),
        ("product", "accepted_values: [Pen, Pad]", "accepted_values(product)"),
        ("orders", "range: { min: 2 }", "range(orders)"),
        ("orders", "range: { max: 4 }", "range(orders)"),
        ("product", "relationship: products.name", "relationship(product -> products.name)"),
    ] {
        let project = Project::shop();
        project.write("sql/marts/fact_revenue.sql", BAD_REVENUE);
        project.write("sql/marts/fact_buyers.yaml", "");
        let columns = [("day", "date"), ("product", "string"), ("orders", "integer")];
        let columns = columns.map(|(name, data_type)| {
            let checks =
                if name == column { format!(", checks: [{{ {check} }}]") } else { String::new() };
            format!("  {name}: {{ type: {data_type}{checks} }}\n")
        });
        project.write("sql/marts/fact_revenue.yaml", format!("columns:\n{}", columns.concat()));
        let failed = refused(&project, FIRST, 3);
        let told = format!("error: fact_revenue {name}: ");
        assert!(failed.stdout.contains(&told), "{check}: {failed:?}");
    }
}

#[test]
fn every_kind_of_check_on_a_table_can_fail() {
    for (check, name) in [
        ("unique: [day]", "unique(day)"),
        ("row_count: { min: 4 }", "row_count"),
        ("row_count: { max: 2 }", "row_count"),
        ("expression: \"orders < 2\"", "expression(orders < 2)"),
        ("query: \"SELECT * FROM order_values WHERE NOT is_big\"", "query"),
    ] {
        let project = Project::shop();
        project.write("sql/marts/fact_revenue.yaml", format!("checks: [{{ {check} }}]\n"));
        let failed = refused(&project, FIRST, 3);
        assert!(
            failed.stdout.contains(&format!("error: fact_revenue {name}: ")),
            "{check}: {failed:?}"
        );
    }
}

#[test]
fn too_many_rejects_stop_the_night_and_are_kept() {
    let project = Project::shop();
    project.replace_in_pipeline("rejects: { max_rows: 5 }", "rejects: { max_rows: 3 }");
    let failed = refused(&project, SECOND, 3);
    assert!(
        failed.stdout.contains(
            "the source `orders` has 4 rejects of 10 records, more than its limit of 3 rows"
        ),
        "{failed:?}"
    );
    let report = project.report();
    assert_eq!(report["sources"][0]["rejected"], 4);
    let kept =
        format!("restricted/rejects/orders/{}-0.parquet", report["run_id"].as_str().unwrap());
    assert!(project.in_warehouse(&kept).is_file(), "{kept}");
}

#[test]
fn rejects_beyond_a_percentage_stop_the_night() {
    let project = Project::shop();
    project.replace_in_pipeline("rejects: { max_rows: 5 }", "rejects: { max_percent: 30.1 }");
    project.publish(SECOND);
    let project = Project::shop();
    project.replace_in_pipeline("rejects: { max_rows: 5 }", "rejects: { max_percent: 30 }");
    let failed = refused(&project, SECOND, 3);
    assert!(failed.stdout.contains("more than its limit of 30 percent"), "{failed:?}");
}

#[test]
fn a_day_without_its_export_is_not_published() {
    let project = Project::shop();
    project.publish(FIRST);
    project.remove("data/raw/orders/dt=2026-01-03");
    let failed = refused(&project, SECOND, 4);
    assert!(
        failed
            .stdout
            .contains("the source `orders` is incomplete: 2026-01-03 has 0 of 1 expected objects"),
        "{failed:?}"
    );
    assert_eq!(project.report()["status"], "incomplete");
}

#[test]
fn a_source_without_objects_is_incomplete() {
    let project = Project::shop();
    project.remove("data/raw/visits");
    let failed = refused(&project, FIRST, 4);
    assert!(
        failed.stdout.contains(
            "the source `visits` is incomplete: no object matches `visits/dt={date}/*.ndjson`"
        ),
        "{failed:?}"
    );
    assert!(project.visible().is_empty());
}

#[test]
fn exports_of_the_day_of_as_of_and_later_are_not_read() {
    let project = Project::shop();
    project.publish(FIRST);
    assert_eq!(
        project.value("SELECT MAX(_object) FROM clean.orders"),
        "orders/dt=2026-01-02/a.csv"
    );
    let visible = project.visible();
    project.append("data/raw/orders/dt=2026-01-03/a.csv", "rubbish\n");
    assert!(project.run(FIRST).stdout.starts_with("nothing new "));
    assert!(project.visible() == visible);
}

#[test]
fn of_a_replaced_source_only_the_last_day_counts() {
    let project = Project::shop();
    let products = "SELECT sku FROM clean.products ORDER BY sku";
    for (as_of, expected) in [
        ("2026-01-02", "sku\nP1\nP2\nP9\n"),
        ("2026-01-03", "sku\nP1\nP2\n"),
        ("2026-01-04", "sku\nP1\nP2\nP3\n"),
    ] {
        project.publish(as_of);
        assert_eq!(project.query(products), expected, "{as_of}");
    }
}

#[test]
fn an_older_night_can_be_computed_again() {
    let project = Project::shop();
    project.publish(FIRST);
    let first = project.query(REVENUE);
    project.publish(SECOND);
    assert_ne!(project.query(REVENUE), first);
    project.publish(FIRST);
    assert_eq!(project.query(REVENUE), first);
    assert_eq!(project.read("data/warehouse/shop/CURRENT"), "3");
}

#[test]
fn the_report_for_machines_is_the_one_that_is_kept() {
    let project = Project::shop();
    let outcome = project.run_with(FIRST, &["--format", "json", "-q"]);
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(told, project.report());
    assert_eq!(told["version"], 1);
    assert_eq!(outcome.stderr, "");
}
