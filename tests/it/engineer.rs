//! What an engineer does beside writing: bring contracts in line, run a part, ask, look.

use std::fs;

use crate::harness::Project;

const AS_OF: &str = "2026-01-03";

#[test]
fn contracts_are_brought_in_line_with_the_sql_and_nothing_else_is_touched() {
    let project = Project::shop();
    let path = "sql/marts/fact_buyers.yaml";
    let right = project.read(path);
    project.replace(path, "type: integer", "type: double").append(path, "# The end.\n");
    project.replace(
        path,
        "  revenue: { type: \"decimal(28,2)\", description: Sum of the amounts in CNY, checks: [{ range: { min: 0 } }] }\n",
        "",
    );
    let drifted = project.martlet(&["check"]);
    assert_eq!(drifted.status, Some(2), "{drifted:?}");
    let updated = project.martlet(&["check", "--update"]);
    assert_eq!(updated.status, Some(0), "{updated:?}");
    assert_eq!(updated.stderr, format!("wrote the columns into {path}\n"));
    let expected = right.replace(
        ", description: Sum of the amounts in CNY, checks: [{ range: { min: 0 } }] }",
        " }",
    );
    assert_eq!(project.read(path), expected + "# The end.\n");
    let again = project.martlet(&["check", "--update"]);
    assert_eq!((again.status, again.stderr.as_str()), (Some(0), ""), "{again:?}");
}

#[test]
fn a_mart_without_a_contract_is_given_one() {
    let project = Project::shop();
    project.remove("sql/marts/fact_revenue.yaml");
    let updated = project.martlet(&["check", "--update"]);
    assert_eq!(updated.status, Some(0), "{updated:?}");
    let columns = ["day: { type: date }", "product: { type: string }", "orders: { type: integer }"];
    let rest = ["big_orders: { type: integer }", "revenue: { type: \"decimal(28,2)\" }"];
    let lines: Vec<String> =
        columns.iter().chain(&rest).map(|line| format!("  {line}\n")).collect();
    let expected = format!("columns:\n{}", lines.concat());
    assert_eq!(project.read("sql/marts/fact_revenue.yaml"), expected);
}

#[test]
fn a_part_of_the_marts_is_published_beside_the_others_of_its_night() {
    let project = Project::shop();
    project.publish(AS_OF);
    let revenue = project.query("SELECT * FROM fact_revenue ORDER BY day, product");
    // The check of the buyers reads the revenue, and would take it along.
    project.write("sql/marts/fact_buyers.yaml", "description: What each customer bought.\n");
    project.write(
        "sql/marts/fact_buyers.sql",
        "SELECT customer_id, COUNT(*) AS orders FROM order_values WHERE customer_id IS NOT NULL GROUP BY customer_id",
    );
    project.write("sql/marts/fact_revenue.sql", "SELECT 1 AS broken_meanwhile FROM order_values");
    project.write("sql/marts/fact_revenue.yaml", "description: None of this is run.\n");
    let part = project.run_with(AS_OF, &["--select", "fact_buyers"]);
    assert_eq!(part.status, Some(0), "{part:?}");
    assert_eq!(project.query("SELECT * FROM fact_revenue ORDER BY day, product"), revenue);
    let buyers = project.query("SELECT * FROM fact_buyers");
    assert!(buyers.starts_with("customer_id,orders\n"), "{buyers}");
    let again = project.run_with(AS_OF, &["--exclude", "fact_revenue"]);
    assert!(again.stdout.starts_with("nothing new"), "{again:?}");
}

#[test]
fn marts_of_two_nights_are_not_published_together() {
    let project = Project::shop();
    project.publish("2026-01-02");
    let before = project.visible();
    let refused = project.run_with(AS_OF, &["--until", "fact_buyers"]);
    assert_eq!(refused.status, Some(0), "the check of the buyers needs the revenue: {refused:?}");
    let refused = project.run_with("2026-01-02", &["--select", "fact_revenue"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    let told = "  the marts that are left out are of 2026-01-03\n  \
         help: all marts are of one night: say `--as-of 2026-01-03`, or select all\n";
    assert!(refused.stdout.contains(told), "{refused:?}");
    assert!(project.visible() != before);
    let unknown = project.run_with(AS_OF, &["--select", "fact_buyer+"]);
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    assert!(unknown.stderr.ends_with("hint: did you mean `fact_buyers`?\n"), "{unknown:?}");
}

#[test]
fn questions_may_stand_in_files_and_answers_go_to_files() {
    let project = Project::shop();
    project.publish(AS_OF);
    project.write("revenue.sql", "SELECT sum(revenue) AS total\nFROM fact_revenue\n");
    let asked = project.martlet(&["query", "--file", "revenue.sql", "--format", "csv"]);
    assert_eq!(asked.status, Some(0), "{asked:?}");
    let total = asked.stdout.clone();
    // The ending of the file says how the answer is written, unless `--format` does.
    let to_file = ["query", "--file", "revenue.sql", "--output", "a.txt", "--format", "csv"];
    assert_eq!(project.martlet(&to_file).status, Some(0));
    assert_eq!(fs::read_to_string(project.at("a.txt")).unwrap(), total);
    let to_file = ["query", "--file", "revenue.sql", "--output", "a.parquet"];
    let written = project.martlet(&to_file);
    assert_eq!((written.status, written.stdout.as_str()), (Some(0), ""), "{written:?}");
    let file = fs::File::open(project.at("a.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let rows = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let value = arrow::util::display::array_value_to_string(rows.column(0), 0).unwrap();
    assert_eq!(total, format!("total\n{value}\n"));
    project.write("wrong.sql", "SELECT\n  sum(revenu) AS total\nFROM fact_revenue\n");
    let wrong = project.martlet(&["query", "--file", "wrong.sql"]);
    assert_eq!(wrong.status, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("[wrong.sql:2:7]"), "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean `revenue`?"), "{wrong:?}");
}

#[test]
fn plans_can_be_asked_for_and_nothing_can_be_changed() {
    let project = Project::shop();
    project.publish(AS_OF);
    let plan = project.martlet(&["query", "EXPLAIN SELECT product FROM fact_revenue"]);
    assert_eq!(plan.status, Some(0), "{plan:?}");
    assert!(plan.stdout.contains("logical_plan"), "{plan:?}");
    for statement in
        ["DROP TABLE fact_revenue", "EXPLAIN ANALYZE INSERT INTO fact_revenue SELECT 1"]
    {
        let refused = project.martlet(&["query", statement]);
        assert_eq!(refused.status, Some(2), "{statement}: {refused:?}");
    }
}

#[test]
fn a_stage_is_looked_at_without_being_published() {
    let project = Project::shop();
    project.publish(AS_OF);
    let visible = project.visible();
    project.write(
        "sql/order_sizes.sql",
        "SELECT order_id, CASE WHEN is_big THEN 'big' ELSE 'small' END AS size FROM order_values",
    );
    let seen = project.martlet(&["preview", "order_sizes", "--limit", "2", "--format", "csv"]);
    assert_eq!(seen.status, Some(0), "{seen:?}");
    assert!(seen.stdout.starts_with("order_id,size\n"), "{seen:?}");
    assert_eq!(seen.stdout.lines().count(), 3, "{seen:?}");
    let customers = project.martlet(&["preview", "order_values", "--format", "json"]);
    assert!(customers.stdout.contains("\"customer_id\":\""), "{customers:?}");
    assert!(project.visible() == visible);
    let unknown = project.martlet(&["preview", "order_size"]);
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean `order_sizes`?"), "{unknown:?}");
}

#[test]
fn a_development_warehouse_stands_beside_production_and_is_thrown_away() {
    let project = Project::shop();
    project.publish(AS_OF);
    let (visible, ask) = (project.visible(), "SELECT * FROM fact_buyers ORDER BY customer_id");
    let published = project.query(ask);
    project.replace("sql/marts/fact_buyers.sql", "COUNT(*) AS orders", "7 + COUNT(*) AS orders");
    // Only clean tables are read.
    project.remove("data/raw");
    let own = project.run_with(AS_OF, &["--dev", "ann"]);
    assert_eq!(own.status, Some(0), "{own:?}");
    assert!(own.stdout.starts_with("published shop@ann as of 2026-01-03"), "{own:?}");
    assert!(project.visible() == visible);
    assert_eq!(project.query(ask), published);
    let mine = project.martlet(&["query", "--dev", "ann", "--format", "csv", ask]);
    assert_ne!(mine.stdout, published, "{mine:?}");
    assert_eq!(mine.stdout.lines().count(), published.lines().count());
    assert!(project.at("data/warehouse/shop@ann/latest/fact_buyers.parquet").exists());

    let part = project.run_with(AS_OF, &["--dev", "ann", "--select", "fact_revenue"]);
    assert_eq!(part.status, Some(0), "{part:?}");
    let still = project.martlet(&["query", "--dev", "ann", "--format", "csv", ask]);
    assert_eq!(still.stdout, mine.stdout, "a mart that was left out is carried");
    let list = project.martlet(&["dev", "list"]);
    assert_eq!(list.stdout, "ann  as of 2026-01-03, generation 2\n");

    project.write("sql/marts/fact_buyers.yaml", "checks: [{ row_count: { min: 99 } }]\n");
    let blocked = project.run_with(AS_OF, &["--dev", "ann"]);
    assert_eq!(blocked.status, Some(3), "{blocked:?}");
    let later = project.run_with("2026-01-04", &["--dev", "ann"]);
    assert_eq!(later.status, Some(2), "{later:?}");

    let dropped = project.martlet(&["dev", "drop", "ann"]);
    assert!(dropped.stdout.starts_with("threw shop@ann away: "), "{dropped:?}");
    assert_eq!(project.martlet(&["dev", "list"]).stdout, "");
    assert_eq!(project.martlet(&["dev", "drop", "ann"]).status, Some(2));
    assert_eq!(project.martlet(&["query", "--dev", "ann", ask]).status, Some(2));
    assert!(project.visible() == visible);
}

#[test]
fn a_stage_that_nothing_needs_is_told_when_all_pipelines_are_checked() {
    let project = Project::shop();
    project.write("sql/idle.sql", "SELECT order_id FROM orders");
    project.write("sql/wrong.sql", "SELECT order_it FROM orders");
    let one = project.martlet(&["check", "pipelines/shop.yaml"]);
    assert_eq!(one.status, Some(2), "{one:?}");
    assert!(
        one.stderr.contains("[sql/wrong.sql:1:8]") && !one.stderr.contains("sql/idle.sql"),
        "{one:?}"
    );
    let all = project.martlet(&["check"]);
    assert!(all.stderr.contains("no mart needs the stage `idle`"), "{all:?}");
    // What nothing needs does not keep the night from being run.
    project.publish(AS_OF);
}

#[test]
fn a_stage_that_nothing_needs_may_lack_tables_and_of_many_only_the_names_are_told() {
    let project = Project::shop();
    project.write("sql/lacking.sql", "SELECT send_id, sent_on FROM sends");
    let lacking = project.martlet(&["check"]);
    assert_eq!(lacking.status, Some(0), "{lacking:?}");
    assert!(lacking.stderr.contains("table `sends` not found"), "{lacking:?}");
    assert!(lacking.stderr.ends_with("1 warning\n"), "{lacking:?}");
    for number in 0..6 {
        project.write(&format!("sql/idle_{number}.sql"), "SELECT order_id FROM orders");
        project.write(&format!("sql/lacking_{number}.sql"), "SELECT send_id FROM sends");
    }
    let many = project.martlet(&["check"]);
    assert_eq!(many.status, Some(0), "{many:?}");
    for told in [
        "no mart needs 6 stages: `idle_0`, `idle_1`, ",
        "7 stages that no mart needs read tables that are not there: `lacking`, `lacking_0`,",
        "2 warnings\n",
    ] {
        assert!(many.stderr.contains(told), "{told}: {many:?}");
    }
}
