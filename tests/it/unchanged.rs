//! A stage is not computed again where all that its rows follow from is as it was.

use crate::harness::Project;

const NIGHT: &str = "2026-01-03";
const BUYERS: &str = "sql/marts/fact_buyers.sql";
const REVENUE: &str = "sql/marts/fact_revenue.sql";
const MARTS: &[&str] = &[
    "SELECT * FROM fact_revenue ORDER BY day, product",
    "SELECT orders, revenue FROM fact_buyers ORDER BY orders, revenue",
];

fn marts(project: &Project) -> Vec<String> {
    MARTS.iter().map(|sql| project.query(sql)).collect()
}

/// Returns the stages that the last run did not compute.
fn unchanged(project: &Project) -> Vec<String> {
    let report = project.report();
    let names = report["unchanged"].as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Compares the marts with those of a project that has never had others.
fn is_as_if_new(project: &Project, as_of: &str, change: impl Fn(&Project)) {
    let new = Project::shop();
    change(&new);
    new.publish(as_of);
    assert_eq!(marts(project), marts(&new));
}

#[test]
fn whoever_does_not_read_what_has_changed_stays() {
    let project = Project::shop();
    project.publish(NIGHT);
    let files = project.value("SELECT count(*) FROM fact_revenue");
    let change = |project: &Project| {
        project.replace(BUYERS, "COUNT(*) AS orders", "COUNT(*) + 1 AS orders");
    };
    change(&project);
    project.publish(NIGHT);
    assert_eq!(unchanged(&project), ["fact_revenue"]);
    assert_eq!(project.value("SELECT count(*) FROM fact_revenue"), files);
    is_as_if_new(&project, NIGHT, change);
}

#[test]
fn whoever_reads_it_is_computed_and_so_is_whose_check_reads_it() {
    let project = Project::shop();
    project.publish(NIGHT);
    // A check of `fact_buyers` reads `fact_revenue`.
    let change = |project: &Project| {
        project.replace(REVENUE, "COUNT(*) AS orders", "COUNT(*) + 1 AS orders");
    };
    change(&project);
    project.publish(NIGHT);
    assert!(unchanged(&project).is_empty());
    is_as_if_new(&project, NIGHT, change);
}

#[test]
fn a_variable_changes_the_stages_below_those_that_use_it() {
    let project = Project::shop();
    project.publish(NIGHT);
    let change = |project: &Project| {
        project.replace_in_pipeline("big: 100", "big: 20");
    };
    change(&project);
    project.publish(NIGHT);
    assert!(unchanged(&project).is_empty());
    is_as_if_new(&project, NIGHT, change);
}

#[test]
fn what_the_checks_of_an_unchanged_mart_found_is_told_again() {
    let project = Project::shop();
    project.publish(NIGHT);
    let checks = |project: &Project| {
        let report = project.report();
        let mut told: Vec<String> =
            report["checks"].as_array().unwrap().iter().map(ToString::to_string).collect();
        told.sort();
        told
    };
    let before = checks(&project);
    let failed = |check: &String| check.contains("known_products") && !check.contains(":0");
    assert!(before.iter().any(failed), "{before:?}");
    for _ in 0..2 {
        let sql = project.read(BUYERS);
        project.write(BUYERS, sql.replace("COUNT(*)", "0 + COUNT(*)")).publish(NIGHT);
        assert_eq!(unchanged(&project), ["fact_revenue"]);
        assert_eq!(checks(&project), before);
    }
}

#[test]
fn another_check_is_another_stage() {
    let project = Project::shop();
    project.publish(NIGHT);
    project.replace("sql/marts/fact_revenue.yaml", "(unknown)'\", severity", "?'\", severity");
    project.publish(NIGHT);
    assert_eq!(unchanged(&project), ["fact_buyers"]);
}

#[test]
fn customers_that_merge_change_whoever_reads_them() {
    let project = Project::shop();
    project.publish(NIGHT);
    // Nobody reads the visits; but one browser of two buyers makes them one customer.
    let change = |project: &Project| {
        let visit = |number: u32, email: &str| {
            format!(
                "{{\"visit_id\":\"v{number}\",\"ts\":1767322800000,\"client\":{{\"cookie\":\"zz\"}},\"email\":\"{email}\"}}\n"
            )
        };
        let visits = visit(90, "ann@mail.shop") + &visit(91, "bob@mail.shop");
        project.append("data/raw/visits/dt=2026-01-02/a.ndjson", &visits);
    };
    change(&project);
    project.publish(NIGHT);
    assert!(unchanged(&project).is_empty());
    is_as_if_new(&project, NIGHT, change);
}

#[test]
fn a_mart_that_does_not_ask_for_the_night_outlives_it() {
    let project = Project::shop();
    project.write("sql/marts/assortment.sql", "SELECT sku, name FROM products");
    project.replace_in_pipeline("publish: [", "publish: [assortment, ");
    project.publish("2026-01-04");
    let later = project.run_with("2026-01-05", &["--allow-incomplete"]);
    assert_eq!(later.status, Some(0), "{later:?}");
    assert_eq!(unchanged(&project), ["assortment"]);
    let forced = project.run_with("2026-01-05", &["--allow-incomplete", "--force"]);
    assert_eq!(forced.status, Some(0), "{forced:?}");
    assert!(unchanged(&project).is_empty());
}

#[test]
fn a_night_that_was_rolled_back_is_what_the_next_one_is_compared_with() {
    let project = Project::shop();
    project.publish(NIGHT);
    let first = project.read(BUYERS);
    project.write(BUYERS, first.replace("COUNT(*)", "7 + COUNT(*)")).publish(NIGHT);
    let rolled = project.martlet(&["rollback", "--to", "1"]);
    assert_eq!(rolled.status, Some(0), "{rolled:?}");
    project.publish(NIGHT);
    assert_eq!(unchanged(&project), ["fact_revenue"]);
    project.write(BUYERS, first).publish(NIGHT);
    is_as_if_new(&project, NIGHT, |_| {});
}

/// Gives `fact_revenue` a check that asks for a variable that no stage asks for.
fn with_checked_variable(project: &Project, value: u32) {
    let checks = "checks:\n  - { name: dear, query: \"SELECT * FROM fact_revenue WHERE revenue < $least\" }\n";
    project.replace("sql/marts/fact_revenue.yaml", "checks:\n", checks);
    project.replace_in_pipeline("big: 100", &format!("big: 100, least: {value}"));
}

#[test]
fn a_variable_of_a_check_changes_the_stage_of_the_check_alone() {
    let project = Project::shop();
    with_checked_variable(&project, 0);
    project.publish(NIGHT);
    project.replace_in_pipeline("least: 0", "least: 1");
    project.publish(NIGHT);
    assert_eq!(unchanged(&project), ["fact_buyers"]);
}

/// What may change between two nights of the shop: its name, and the change itself.
type Change = (&'static str, fn(&Project));

/// What is known before any data is read.
const OF_RULES: &[Change] = &[
    ("a mart", |it| {
        it.replace(BUYERS, "COUNT(*) AS", "COUNT(*) + 1 AS");
    }),
    ("a mart that a check of another reads", |it| {
        it.replace(REVENUE, "COUNT(*) AS orders", "COUNT(*) + 1 AS orders");
    }),
    ("a stage that marts read", |it| {
        it.replace("sql/order_values.sql", ">= $big", "> $big");
    }),
    ("a comment", |it| {
        it.replace(REVENUE, "SELECT", "-- By day.\nSELECT");
    }),
    ("a check", |it| {
        it.replace("sql/marts/fact_revenue.yaml", "min: 1", "min: 0");
    }),
    ("a variable", |it| {
        it.replace_in_pipeline("big: 100", "big: 20");
    }),
    ("a variable of a check", |it| {
        it.replace_in_pipeline("least: 0", "least: 1");
    }),
];

/// What can turn out to be less than it looked like.
const OF_DATA: &[Change] = &[
    ("an order", |it| {
        let order = "o90,2026-01-02T03:00:00Z,2026-01-02T03:00:00Z,eve@mail.shop,,S-1,5.00\n";
        it.append("data/raw/orders/dt=2026-01-02/a.csv", order);
    }),
    ("a product", |it| {
        it.append("data/raw/products/dt=2026-01-02/all.csv", "S-90,Lamp\n");
    }),
    ("a visit of nobody", |it| {
        let visit = "{\"visit_id\":\"v90\",\"ts\":1767322800000,\"client\":{\"cookie\":\"zz\"}}\n";
        it.append("data/raw/visits/dt=2026-01-02/a.ndjson", visit);
    }),
];

/// Returns the stages of a shop that its plan leaves alone after a change, and those that its run leaves alone.
fn foretold_and_seen(change: fn(&Project)) -> [Vec<String>; 2] {
    let project = Project::shop();
    with_checked_variable(&project, 0);
    project.publish(NIGHT);
    change(&project);
    let path = project.pipeline_path();
    let plan = project.martlet(&["plan", &path, "--as-of", NIGHT, "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let stages = plan["stages"].as_array().unwrap().iter().filter(|stage| stage["runs"] == false);
    let mut foretold: Vec<String> =
        stages.map(|stage| stage["stage"].as_str().unwrap().to_owned()).collect();
    foretold.sort();
    project.publish(NIGHT);
    [foretold, unchanged(&project)]
}

#[test]
fn a_run_leaves_alone_what_its_plan_leaves_alone() {
    for (name, change) in OF_RULES {
        let [foretold, seen] = foretold_and_seen(*change);
        assert_eq!(foretold, seen, "{name}");
    }
    for (name, change) in OF_DATA {
        let [foretold, seen] = foretold_and_seen(*change);
        assert!(foretold.iter().all(|stage| seen.contains(stage)), "{name}: {foretold:?} {seen:?}");
    }
}
