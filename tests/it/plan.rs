//! What the next run would do, told beforehand; and that telling it changes nothing.

use serde_json::{Value, json};

use crate::harness::{Outcome, Project, Visible, collect};
use crate::nights::{FIRST, SECOND};

/// Runs `plan` and checks that it leaves the warehouse as it is.
#[track_caller]
fn plan_with(project: &Project, as_of: &str, flags: &[&str]) -> Outcome {
    let before = warehouse(project);
    let path = project.pipeline_path();
    let arguments: Vec<&str> =
        ["plan", &path, "--as-of", as_of].iter().chain(flags).copied().collect();
    let outcome = project.martlet(&arguments);
    assert!(warehouse(project) == before, "the warehouse has changed: {outcome:?}");
    outcome
}

/// Returns the plan of a night that can be run.
#[track_caller]
fn plan(project: &Project, as_of: &str, flags: &[&str]) -> Value {
    let flags: Vec<&str> = flags.iter().copied().chain(["--format", "json"]).collect();
    let outcome = plan_with(project, as_of, &flags);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn warehouse(project: &Project) -> Visible {
    let mut files = Visible::new();
    let root = project.at("data/warehouse");
    collect(&root, &root, &mut files);
    files
}

fn source<'a>(plan: &'a Value, name: &str) -> &'a Value {
    plan["sources"].as_array().unwrap().iter().find(|it| it["source"] == name).unwrap()
}

/// Returns what is said of each source that is not left as it is: new, changed, again, gone and superseded objects.
fn touched(plan: &Value) -> Vec<(&str, &str, [u64; 5])> {
    let sources = plan["sources"].as_array().unwrap().iter();
    let told = sources.map(|source| {
        let kinds = ["new", "changed", "again", "vanished", "superseded"];
        let counts = kinds.map(|kind| source[kind]["objects"].as_u64().unwrap());
        (source["source"].as_str().unwrap(), source["action"].as_str().unwrap(), counts)
    });
    told.filter(|(_, action, counts)| *action != "unchanged" || *counts != [0; 5]).collect()
}

/// Returns the stages that are computed, each with its reasons.
fn computed(plan: &Value) -> Vec<String> {
    let stages = plan["stages"].as_array().unwrap().iter().filter(|stage| stage["runs"] == true);
    let told = stages.map(|stage| {
        let reasons = stage["reasons"].as_array().unwrap().iter();
        let reasons = reasons.map(|it| match it["of"].as_str() {
            Some(of) => format!("{} {of}", it["reason"].as_str().unwrap()),
            None => it["reason"].as_str().unwrap().to_owned(),
        });
        let reasons: Vec<String> = reasons.collect();
        format!("{}: {}", stage["stage"].as_str().unwrap(), reasons.join(", "))
    });
    told.collect()
}

fn published() -> Project {
    let project = Project::shop();
    project.publish(FIRST);
    project
}

#[test]
fn on_the_first_night_everything_is_new() {
    let project = Project::shop();
    let plan = plan(&project, FIRST, &[]);
    assert_eq!((&plan["version"], &plan["verdict"]), (&json!(1), &json!("run")));
    assert_eq!((&plan["present"], &plan["changes"]), (&Value::Null, &Value::Null));
    let all_new = [2, 0, 0, 0, 0];
    let expected = [
        ("orders", "first", all_new),
        ("visits", "first", all_new),
        ("products", "first", [1, 0, 0, 0, 0]),
    ];
    assert_eq!(touched(&plan), expected);
    assert_eq!(source(&plan, "orders")["dates"], json!(["2026-01-01", "2026-01-02"]));
    let first =
        ["order_values: first_night", "fact_buyers: first_night", "fact_revenue: first_night"];
    assert_eq!(computed(&plan), first);
    assert_eq!(plan["expected"]["elapsed_ms"], Value::Null);
    assert!(!project.at("data/warehouse").exists());
}

#[test]
fn a_night_that_is_published_is_nothing_new() {
    let project = published();
    let told = plan_with(&project, FIRST, &[]);
    assert_eq!(told.status, Some(0), "{told:?}");
    let headline = "nothing new to do for shop as of 2026-01-03: generation 1 as of 2026-01-03 has the same inputs and rules\n";
    assert!(told.stdout.starts_with(headline), "{told:?}");
    let nothing = plan(&project, FIRST, &["--impact"]);
    assert_eq!((&nothing["verdict"], &nothing["impact"]), (&json!("unchanged"), &Value::Null));
    assert_eq!(computed(&nothing), [] as [&str; 0]);
    let forced = plan(&project, FIRST, &["--force"]);
    assert_eq!(forced["verdict"], "run");
    assert_eq!(computed(&forced)[0], "order_values: forced");
}

#[test]
fn the_next_night_brings_objects_and_another_as_of() {
    let project = published();
    let plan = plan(&project, SECOND, &[]);
    assert_eq!(plan["present"], json!({ "generation": 1, "as_of": FIRST }));
    assert_eq!(plan["changes"], json!([]));
    let expected = [
        ("orders", "news", [1, 0, 0, 0, 0]),
        ("visits", "news", [1, 0, 0, 0, 0]),
        ("products", "news", [1, 0, 0, 0, 1]),
    ];
    assert_eq!(touched(&plan), expected);
    let orders = source(&plan, "orders");
    assert_eq!(orders["new"]["first"], json!(["orders/dt=2026-01-03/a.csv"]));
    assert_eq!((&orders["known"], &orders["dates"]), (&json!(2), &json!(["2026-01-03"])));
    let expected = [
        "order_values: as_of, input orders",
        "fact_buyers: input order_values",
        "fact_revenue: input order_values, input products",
    ];
    assert_eq!(computed(&plan), expected);
    assert!(plan["expected"]["elapsed_ms"].is_u64(), "{}", plan["expected"]);
    assert_eq!((&plan["expected"]["runs"], &plan["expected"]["unknown"]), (&json!(1), &json!([])));
}

#[test]
fn a_plan_is_told_to_people() {
    let project = published();
    let told = plan_with(&project, SECOND, &[]);
    let (told, time) = told.stdout.split_once("\nexpected time: ").unwrap();
    let expected = "\
shop as of 2026-01-04 would be computed; published is generation 1 as of 2026-01-03

source                       new  changed   again    gone   known   to decode
orders                         1        0       0       0       2       135 B
visits                         1        0       0       0       2        94 B
products                       1        0       0       0       0        30 B
orders: new: orders/dt=2026-01-03/a.csv
orders: days touched: 2026-01-03
visits: new: visits/dt=2026-01-03/a.ndjson
visits: days touched: 2026-01-03
products: new: products/dt=2026-01-03/all.csv
products: superseded, their rows leave: products/dt=2026-01-02/all.csv
products: days touched: 2026-01-02, 2026-01-03

rules: as in generation 1

stages: 3 of 3 to compute
  order_values                another night; reads orders
  fact_buyers                 reads order_values
  fact_revenue                reads order_values, products
";
    assert_eq!(told, expected);
    assert!(time.starts_with("about ") && time.contains(" by the last run (extract "), "{time}");
}

#[test]
fn a_changed_object_comes_anew_with_those_that_had_lost_to_it() {
    let project = published();
    let path = "data/raw/orders/dt=2026-01-02/a.csv";
    project.append(path, "o10,2026-01-02T12:00:00+08:00,2026-01-02T12:00:00+08:00,,,p1,1.00\n");
    let plan = plan(&project, FIRST, &[]);
    assert_eq!(touched(&plan), [("orders", "news", [0, 1, 1, 0, 0])]);
    let orders = source(&plan, "orders");
    assert_eq!(orders["changed"]["first"], json!(["orders/dt=2026-01-02/a.csv"]));
    assert_eq!(orders["again"]["first"], json!(["orders/dt=2026-01-01/a.csv"]));
    let expected = [
        "order_values: input orders",
        "fact_buyers: input order_values",
        "fact_revenue: input order_values",
    ];
    assert_eq!(computed(&plan), expected);
}

#[test]
fn rows_of_a_vanished_object_stay_and_so_do_the_stages() {
    let project = published();
    project.remove("data/raw/visits/dt=2026-01-01/a.ndjson");
    let plan = plan(&project, FIRST, &[]);
    assert_eq!(touched(&plan), [("visits", "unchanged", [0, 0, 0, 1, 0])]);
    assert_eq!(
        source(&plan, "visits")["vanished"]["first"],
        json!(["visits/dt=2026-01-01/a.ndjson"])
    );
    assert_eq!((&plan["verdict"], computed(&plan).len()), (&json!("run"), 0));
    let told = plan_with(&project, FIRST, &[]).stdout;
    assert!(told.contains("visits: gone from the store, their rows stay: visits/"), "{told}");
    assert!(told.contains("  unchanged: order_values, fact_buyers, fact_revenue\n"), "{told}");
}

#[test]
fn a_change_of_sql_computes_its_stage_and_what_it_needs() {
    let project = published();
    project.replace("sql/marts/fact_buyers.sql", "COUNT(*)", "COUNT(order_id)");
    let plan = plan(&project, FIRST, &[]);
    let changed = json!([{ "part": "stage_sql", "name": "fact_buyers", "change": "changed", "before": null, "after": null }]);
    assert_eq!(plan["changes"], changed);
    assert_eq!(touched(&plan), []);
    assert_eq!(computed(&plan), ["order_values: needed_by fact_buyers", "fact_buyers: sql"]);
}

#[test]
fn a_new_stage_and_one_that_is_gone_are_told() {
    let project = published();
    project.write(
        "sql/marts/fact_days.sql",
        "SELECT day, COUNT(*) AS orders FROM order_values GROUP BY day",
    );
    project.replace_in_pipeline("[fact_revenue, fact_buyers]", "[fact_revenue, fact_days]");
    let plan = plan(&project, FIRST, &[]);
    let changes = plan["changes"].as_array().unwrap().iter();
    let changes: Vec<_> = changes.map(|it| (&it["part"], &it["name"], &it["change"])).collect();
    let (sql, days, buyers) = (json!("stage_sql"), json!("fact_days"), json!("fact_buyers"));
    let expected = [(&sql, &buyers, &json!("removed")), (&sql, &days, &json!("new"))];
    assert_eq!(changes, expected);
    assert_eq!(computed(&plan), ["order_values: needed_by fact_days", "fact_days: new"]);
    assert_eq!(plan["expected"]["unknown"], json!(["transform fact_days"]));
}

#[test]
fn a_changed_variable_computes_the_stages_that_use_it() {
    let project = published();
    project.replace_in_pipeline("big: 100", "big: 50");
    let plan = plan(&project, FIRST, &[]);
    let changed = json!([{ "part": "variable", "name": "big", "change": "changed", "before": "100", "after": "50" }]);
    assert_eq!(plan["changes"], changed);
    assert_eq!(computed(&plan)[0], "order_values: variable big");
    assert_eq!(computed(&plan).len(), 3);
}

#[test]
fn a_source_with_other_rules_is_decoded_anew() {
    let project = published();
    project.replace_in_pipeline("amount >= 0", "amount >= -10");
    let plan = plan(&project, FIRST, &[]);
    assert_eq!(touched(&plan), [("orders", "rules_changed", [0, 0, 2, 0, 0])]);
    assert_eq!(plan["changes"][0]["part"], "source");
    let told = plan_with(&project, FIRST, &[]).stdout;
    assert!(told.contains("its rules have changed: all is decoded anew"), "{told}");
}

#[test]
fn what_changes_no_row_is_told_as_such() {
    let project = published();
    project.replace(
        "sql/marts/fact_buyers.yaml",
        "What each customer bought",
        "What everybody bought",
    );
    let plan = plan(&project, FIRST, &[]);
    assert_eq!((&plan["changes"][0]["part"], computed(&plan).len()), (&json!("rest"), 0));
    assert_eq!(plan["verdict"], "run");
}

#[test]
fn a_generation_of_an_older_version_does_not_tell_what_made_it() {
    let project = published();
    let path = "data/warehouse/shop/generations/1.json";
    let mut generation: Value = serde_json::from_str(&project.read(path)).unwrap();
    generation.as_object_mut().unwrap().remove("parts").unwrap();
    project.write(path, generation.to_string());
    let plan = plan(&project, SECOND, &[]);
    assert_eq!(plan["changes"], Value::Null);
    assert_eq!(computed(&plan)[0], "order_values: unknown");
    let told = plan_with(&project, SECOND, &[]).stdout;
    assert!(told.contains("generation 1 does not tell by which rules it was made\n"), "{told}");
}

#[test]
fn missing_inputs_end_a_plan_as_they_would_end_the_run() {
    let project = published();
    project.remove("data/raw/orders/dt=2026-01-03");
    let told = plan_with(&project, SECOND, &["--impact"]);
    assert_eq!(told.status, Some(4), "{told:?}");
    let expected = "\
shop as of 2026-01-04 would not be published: inputs are missing
  missing: orders: 2026-01-03 has 0 of 1 expected objects
  hint: run when the exports are complete, or with `--allow-incomplete`
";
    assert!(told.stdout.starts_with(expected), "{told:?}");
    assert_eq!(project.run(SECOND).status, Some(4));
    let allowed = plan(&project, SECOND, &["--allow-incomplete"]);
    assert_eq!(
        (&allowed["verdict"], allowed["missing"].as_array().unwrap().len()),
        (&json!("run"), 1)
    );
}

#[test]
fn mistakes_are_told_before_anything_else() {
    let project = Project::shop();
    project.replace("sql/order_values.sql", "amount,", "amont,");
    let told = plan_with(&project, FIRST, &[]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.stderr.contains("`amount`"), "{told:?}");
    let unknown = Project::shop();
    let told = plan_with(&unknown, FIRST, &["--select", "fact_buyer"]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.stderr.contains("did you mean `fact_buyers`?"), "{told:?}");
}

#[test]
fn the_only_pipeline_of_a_project_needs_no_name() {
    let project = Project::shop();
    let told = project.martlet(&["plan", "--as-of", FIRST]);
    assert_eq!(told.status, Some(0), "{told:?}");
    project.write("pipelines/other.yaml", "");
    let told = project.martlet(&["plan", "--as-of", FIRST]);
    assert_eq!(told.status, Some(2), "{told:?}");
    assert!(told.stderr.contains("several pipelines"), "{told:?}");
}

/// A shop in which two people share a card, and a rule keeps them apart.
fn kept_apart() -> Project {
    let project = Project::shop();
    project.replace_in_pipeline("email: { priority: 1 }", "email: { priority: 1, unique: true }");
    project.publish(SECOND);
    project
}

#[test]
fn a_rule_of_identity_shows_whom_it_would_merge_and_which_money_would_move() {
    let project = kept_apart();
    project.replace_in_pipeline(", unique: true", "");
    let plan = plan(&project, SECOND, &["--impact"]);
    assert_eq!(plan["changes"][0]["part"], "identity");
    let impact = &plan["impact"];
    assert_eq!(impact["generation"], 1);
    let counts = ["before", "after", "created", "merged", "split", "retired", "identifiers_moved"];
    let counts = counts.map(|key| impact["customers"][key].as_u64().unwrap());
    assert_eq!(counts, [4, 3, 0, 1, 0, 0, 1], "{impact:#}");
    let merge = &impact["customers"]["examples"][0];
    assert_eq!(
        (&merge["change"], &merge["cause"]),
        (&json!("merged"), &json!("link: card, email (orders)"))
    );
    let moved = &impact["moved"][0];
    let moved = ["source", "column", "rows", "moved", "total"].map(|key| &moved[key]);
    assert_eq!(
        moved,
        [&json!("orders"), &json!("amount"), &json!(2), &json!("325.50"), &json!("555.49")]
    );
    let rows = impact["totals"].as_array().unwrap().iter();
    let mut rows = rows.filter(|it| it["mart"] == "fact_buyers" && it["measure"] == "rows");
    assert_eq!(rows.next().unwrap()["after"], "1");
    let told = plan_with(&project, SECOND, &["--impact"]).stdout;
    assert!(told.contains("customers: 4 -> 3: 0 created, 1 merged, 0 split, 0 retired"), "{told}");
    assert!(told.contains("orders.amount: 325.50 of 555.49, on 2 rows\n"), "{told}");
    // What was told is what comes.
    project.publish(SECOND);
    assert_eq!(project.value("SELECT count(*) FROM fact_buyers"), "1");
}

#[test]
fn a_change_without_effect_shows_none() {
    let project = kept_apart();
    project.replace("sql/marts/fact_buyers.sql", "COUNT(*)", "COUNT(order_id)");
    let plan = plan(&project, SECOND, &["--impact"]);
    let impact = &plan["impact"];
    let totals = impact["totals"].as_array().unwrap();
    assert!(totals.iter().all(|total| total["before"] == total["after"]), "{impact:#}");
    assert!(totals.iter().any(|total| total["measure"] == "revenue"), "{impact:#}");
    assert_eq!(impact["customers"]["identifiers_moved"], 0);
    assert_eq!(impact["moved"][0]["rows"], 0);
}

#[test]
fn checks_that_would_fail_are_told_and_end_the_plan_as_they_would_end_the_run() {
    let project = kept_apart();
    project.replace("sql/marts/fact_buyers.yaml", "min: 0", "min: 1000");
    let told = plan_with(&project, SECOND, &["--impact"]);
    assert_eq!(told.status, Some(3), "{told:?}");
    assert!(told.stdout.contains("error, nothing would be published: fact_buyers "), "{told:?}");
    assert_eq!(project.run(SECOND).status, Some(3));
}

#[test]
fn a_guard_that_would_break_is_told_with_all_it_would_do() {
    let project = kept_apart();
    project.replace_in_pipeline(", unique: true", "");
    project.replace_in_pipeline("  links:\n", "  guards: { max_cluster_size: 3 }\n  links:\n");
    let told = plan_with(&project, SECOND, &["--impact"]);
    assert_eq!(told.status, Some(3), "{told:?}");
    assert!(told.stdout.contains("identity max_cluster_size(3)"), "{told:?}");
    assert!(told.stdout.contains("1 merged"), "{told:?}");
    assert_eq!(project.run(SECOND).status, Some(3));
}
