//! Checks that are asked together find what each would find by itself.

use crate::harness::Project;

const NIGHT: &str = "2026-01-03";
const REVENUE: &str = "sql/marts/fact_revenue.yaml";
const LAST: &str = "  - unique: [day, product]\n";

fn with_checks(checks: &str) -> Project {
    let project = Project::shop();
    project.replace(REVENUE, LAST, &format!("{LAST}{checks}"));
    project
}

#[test]
fn each_check_counts_the_rows_that_break_it() {
    let project = with_checks(
        "  - { name: little, expression: revenue < 100, severity: warn }
  - { name: never, expression: orders > 1000, severity: warn }
  - { name: known, expression: \"product IN (SELECT name FROM products)\", severity: warn }
  - { name: not_of_the_night, expression: \"day = $as_of_date\", severity: warn }
",
    );
    project.publish(NIGHT);
    let report = project.report();
    for (name, broken) in [
        ("little", "NOT revenue < 100"),
        ("never", "NOT orders > 1000"),
        ("known", "product = '(unknown)'"),
        ("not_of_the_night", "day <> DATE '2026-01-03'"),
    ] {
        let sql = format!("SELECT count(*) FROM fact_revenue WHERE {broken}");
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["check"] == name).unwrap();
        assert_eq!(found["failures"].to_string(), project.value(&sql), "{name}");
        assert_ne!(found["failures"], 0, "{name}");
    }
}

#[test]
fn a_check_that_cannot_be_evaluated_is_named() {
    let project = with_checks(
        "  - { name: sound, expression: orders > 0 }
  - { name: impossible, expression: orders / (orders - orders) > 1 }
",
    );
    let outcome = project.run(NIGHT);
    assert_eq!(outcome.status, Some(3), "{outcome:?}");
    let named = "the check `impossible` of the stage `fact_revenue` cannot be evaluated";
    assert!(outcome.stdout.contains(named), "{outcome:?}");
}
