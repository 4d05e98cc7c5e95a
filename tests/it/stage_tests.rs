//! Unit tests of stages: those that ship, and how one that fails is told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Project, martlet, outcome, repository};

/// The shipped stages whose edge cases their definitions name.
const TESTED: &[&str] = &[
    "attribution_conversions",
    "attribution_lost_touches",
    "attribution_paths",
    "attribution_removal_effects",
    "attribution_touches",
    "attribution_weights",
    "campaign_month_spend",
    "campaign_month_touches",
    "campaign_paybacks",
    "churn_thresholds",
    "cohort_members",
    "cohort_periods",
    "customer_spells",
    "dim_campaigns",
    "eligible_orders",
    "fact_attribution_channels",
    "fact_attribution_credits",
    "fact_campaign_lift",
    "fact_campaign_pre_post",
    "fact_campaign_roi",
    "fact_campaign_spend",
    "fact_cash_movements",
    "fact_churn_points",
    "fact_churn_rate",
    "fact_cohort_churn",
    "fact_customer_lifecycle",
    "fact_order_lines",
    "fact_orders",
    "fact_refunds",
    "fact_rfm_segments",
    "fact_value_matrix",
    "lift_arms",
    "lift_assignments",
    "lift_outcomes",
    "lift_revenue_intervals",
    "online_order_values",
    "order_gaps",
    "order_margins",
    "order_refunds",
    "rfm_customer_values",
    "rfm_cutpoints",
    "rfm_migration",
    "rfm_scores",
    "value_matrix_quadrants",
];

#[test]
fn the_shipped_stages_do_what_their_definitions_say() {
    let ran = outcome(martlet().current_dir(repository()).args(["test", "--format", "json"]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["version"], &told["failed"]), (&1.into(), &0.into()));
    let tests = told["tests"].as_array().unwrap();
    let stages: BTreeSet<&str> = tests.iter().map(|test| test["stage"].as_str().unwrap()).collect();
    let untested: Vec<_> = TESTED.iter().filter(|stage| !stages.contains(*stage)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

const SIDECAR: &str = "sql/order_values.yaml";

fn shop(tests: &str) -> Project {
    let project = Project::shop();
    project.write(SIDECAR, format!("tests:\n{tests}"));
    project
}

const FAILING: &str = "  - name: big orders are marked
    as_of: 2026-01-03
    variables: { big: 50 }
    given:
      orders:
        - { order_id: a, placed_at: 2026-01-02T10:00:00+08:00, amount: 49.99 }
        - { order_id: b, placed_at: 2026-01-02T10:00:00+08:00, amount: 50 }
        - { order_id: c, placed_at: 2026-01-03T00:00:00+08:00, amount: 99 }
    expect:
      - { order_id: a, is_big: false }
      - { order_id: b, is_big: false }
";

#[test]
fn a_test_that_fails_shows_the_rows_and_ends_with_3() {
    let project = shop(FAILING);
    let ran = project.martlet(&["test"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let told = project.masked(&ran.stdout);
    assert_eq!(
        told,
        "order_values
  FAIL  big orders are marked (sql/order_values.yaml:2)
          order_id | is_big
        - b        | false
        + b        | true
          differs in `is_big`
          1 row is as expected

1 failed, 0 passed in [time]
"
    );
}

#[test]
fn build_servers_are_told_the_same() {
    let project = shop(FAILING);
    let ran = project.martlet(&["test", "--format", "junit"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    for part in [
        r#"<testsuites name="martlet test" tests="1" skipped="0" failures="1" errors="0""#,
        r#"<testsuite name="order_values" tests="1""#,
        r#"<testcase name="big orders are marked" classname="order_values""#,
        r#"<failure message="other rows than expected">sql/order_values.yaml:2"#,
        "+ b        | true",
    ] {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
}

#[test]
fn rows_may_be_kept_in_files_and_made_by_sql() {
    let project = shop(
        "  - name: from files
    as_of: 2026-01-03
    given: { orders: { csv: cases/orders.csv } }
    expect: { ndjson: cases/expected.ndjson }
  - name: from SQL
    as_of: 2026-01-03
    given:
      orders: { sql: \"SELECT column1 AS order_id, TIMESTAMP '2026-01-01 00:00:00' AS placed_at, column2 AS amount FROM (VALUES ('a', 100.5), ('b', 1)) AS rows\" }
    match: some
    expect: { sql: \"SELECT 'a' AS order_id, 100.5 AS amount, true AS is_big\" }
",
    );
    project.write(
        "sql/cases/orders.csv",
        "order_id,placed_at,amount\na,2026-01-01T00:00:00Z,100\nb,2026-01-01T00:00:00Z,\n",
    );
    project.write("sql/cases/expected.ndjson", "{\"order_id\":\"a\",\"amount\":100.00,\"is_big\":true}\n\n{\"order_id\":\"b\",\"amount\":\"0\",\"is_big\":false}\n");
    let refused = project.martlet(&["test"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("`amount` must not be NULL"), "{}", refused.stderr);
    project.replace("sql/cases/orders.csv", "Z,\n", "Z,0\n");
    let ran = project.martlet(&["test"]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("  ok    from files\n  ok    from SQL\n"), "{}", ran.stdout);
    project.replace("sql/cases/orders.csv", "Z,100", "Z,lots");
    let refused = project.martlet(&["test"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("[sql/cases/orders.csv:2:1]"), "{}", refused.stderr);
}

#[test]
fn a_table_of_with_is_tested_by_its_name() {
    let project = shop(
        "  - name: only what was placed before
    as_of: 2026-01-03
    cte: placed
    given:
      orders:
        - { order_id: a, placed_at: 2026-01-02T23:59:59+08:00 }
        - { order_id: b, placed_at: 2026-01-03T00:00:00+08:00 }
    expect: [{ order_id: a }]
",
    );
    project.write(
        "sql/order_values.sql",
        "WITH placed AS (SELECT * EXCLUDE (_event_date, _object, _record) FROM orders WHERE placed_at < $as_of)
SELECT order_id, customer_id, CAST(placed_at AS DATE) AS day, sku, amount, amount >= $big AS is_big FROM placed",
    );
    let ran = project.martlet(&["test", "order_values"]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_stage_that_is_not_there_is_told() {
    let ran = Project::shop().martlet(&["test", "order_value"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert_eq!(
        ran.stderr,
        "error: no stage is named `order_value`\nhint: did you mean `order_values`?\n"
    );
    let none = Project::shop().martlet(&["test"]);
    assert_eq!(none.status, Some(0), "{none:?}");
    assert!(none.stdout.starts_with("no tests"), "{none:?}");
}
