//! Small SQL in, what its columns are made of out.

use super::{Direction, Lineage, Origin, lineage, mermaid_reach, reach, reach_text};
use crate::plan::resolve;
use crate::spec::{self, SourceTree};

const PIPELINE: &str = "\
version: 1
name: shop
timezone: Asia/Shanghai
currency: CNY
variables: { days: 90 }
stages: [sql]
sources:
  orders:
    path: orders/dt={date}/*.csv
    format: csv
    columns:
      order_id: { type: string, required: true }
      email: { from: mail, type: email }
      placed_at: { from_any: [ts, time], type: timestamp, required: true }
      amount: { from: value, type: 'decimal(18,4)' }
      status: { type: string }
    event_time: placed_at
    dedupe: { key: [order_id], order_by: [placed_at] }
  visits:
    path: visits/dt={date}/*.csv
    format: csv
    columns:
      visit_id: { type: string }
      order_id: { type: string }
      seconds: { type: integer }
identity:
  identifiers: { email: { priority: 1 } }
  links: { orders: { email: email } }
publish: [out]
";

fn shop(stages: &[(&str, &str)]) -> Lineage {
    let mut tree = SourceTree::default();
    tree.insert("pipelines/shop.yaml", PIPELINE);
    for (name, text) in stages {
        tree.insert(&format!("sql/{name}.sql"), text);
    }
    let plan = resolve(&spec::load(&tree, "pipelines/shop.yaml").unwrap()).unwrap();
    lineage(&plan).unwrap()
}

/// Returns `value | influences` of a column of the stage `out`.
#[track_caller]
fn made_of(sql: &str, column: &str) -> String {
    let shop = shop(&[("out", sql)]);
    let column = shop.table("out").unwrap().column(column).unwrap();
    let names = |origins: &std::collections::BTreeSet<Origin>| {
        origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(" ")
    };
    format!("{} | {}", names(&column.value), names(&column.influences))
}

#[test]
fn a_projection_passes_columns_on_and_a_filter_influences_them() {
    let sql =
        "SELECT amount + 1 AS more, 'x' AS word, $as_of AS as_of FROM orders WHERE status = 'paid'";
    assert_eq!(made_of(sql, "more"), "orders.amount | orders.status");
    assert_eq!(made_of(sql, "word"), " | orders.status");
    assert_eq!(made_of(sql, "as_of"), " | orders.status");
}

#[test]
fn groups_influence_aggregates_and_a_count_is_made_of_rows() {
    let sql = "SELECT status, count(*) AS n, sum(amount) AS total,
               count(*) FILTER (WHERE email IS NULL) AS anonymous
               FROM orders GROUP BY status HAVING max(placed_at) < $as_of";
    assert_eq!(made_of(sql, "status"), "orders.status | orders.placed_at");
    assert_eq!(made_of(sql, "n"), "orders.* | orders.placed_at orders.status");
    assert_eq!(made_of(sql, "total"), "orders.amount | orders.placed_at orders.status");
    let anonymous = "orders.* | orders.email orders.placed_at orders.status";
    assert_eq!(made_of(sql, "anonymous"), anonymous);
}

#[test]
fn joins_influence_both_sides() {
    let sql = "SELECT o.amount, v.seconds FROM orders o LEFT JOIN visits v
               ON v.order_id = o.order_id AND v.seconds > 3";
    let on = "orders.order_id visits.order_id";
    assert_eq!(made_of(sql, "amount"), format!("orders.amount | {on} visits.seconds"));
    assert_eq!(made_of(sql, "seconds"), format!("visits.seconds | {on}"));
    let semi =
        "SELECT amount FROM orders LEFT SEMI JOIN visits ON visits.order_id = orders.order_id";
    assert_eq!(made_of(semi, "amount"), format!("orders.amount | {on}"));
}

#[test]
fn a_case_is_its_branches_and_a_choice_between_constants_its_conditions() {
    let sql = "SELECT CASE WHEN status = 'paid' THEN amount ELSE 0 END AS paid,
               CASE status WHEN 'paid' THEN 1 ELSE 0 END AS is_paid,
               coalesce(amount, 0) AS known FROM orders";
    assert_eq!(made_of(sql, "paid"), "orders.amount | orders.status");
    assert_eq!(made_of(sql, "is_paid"), "orders.status | ");
    assert_eq!(made_of(sql, "known"), "orders.amount | ");
}

#[test]
fn windows_are_their_arguments_and_ranks_their_order() {
    let sql = "SELECT sum(amount) OVER (PARTITION BY email ORDER BY placed_at) AS running,
               row_number() OVER (PARTITION BY email ORDER BY placed_at, order_id) AS place,
               row_number() OVER () AS number FROM orders";
    assert_eq!(made_of(sql, "running"), "orders.amount | orders.email orders.placed_at");
    assert_eq!(made_of(sql, "place"), "orders.order_id orders.placed_at | orders.email");
    assert_eq!(made_of(sql, "number"), "orders.* | ");
}

#[test]
fn unions_distinct_values_and_limits() {
    let sql =
        "SELECT order_id AS id, amount FROM orders UNION ALL SELECT visit_id, seconds FROM visits";
    assert_eq!(made_of(sql, "id"), "orders.order_id visits.visit_id | ");
    assert_eq!(made_of(sql, "amount"), "orders.amount visits.seconds | ");
    let distinct = "SELECT DISTINCT status, email FROM orders";
    assert_eq!(made_of(distinct, "status"), "orders.status | orders.email");
    let limited = "SELECT amount FROM orders ORDER BY placed_at LIMIT 3";
    assert_eq!(made_of(limited, "amount"), "orders.amount | orders.placed_at");
    assert_eq!(
        made_of("SELECT amount FROM orders ORDER BY placed_at", "amount"),
        "orders.amount | "
    );
    let values = "SELECT low + amount AS sum FROM orders CROSS JOIN (VALUES (1), (2)) AS v(low)";
    assert_eq!(made_of(values, "sum"), "orders.amount | ");
    let on = "SELECT DISTINCT ON (status) amount FROM orders ORDER BY status, placed_at";
    assert_eq!(made_of(on, "amount"), "orders.amount | orders.placed_at orders.status");
}

#[test]
fn names_of_ctes_and_subqueries_lead_to_tables() {
    let sql =
        "WITH paid AS (SELECT order_id AS id, amount AS spent FROM orders WHERE status = 'paid'),
               twice AS (SELECT p.id, p.spent * 2 AS doubled FROM paid AS p)
               SELECT t.doubled AS out FROM (SELECT * FROM twice) AS t";
    assert_eq!(made_of(sql, "out"), "orders.amount | orders.status");
}

#[test]
fn subqueries_in_expressions_reach_their_tables_and_the_query_around_them() {
    let scalar = "SELECT amount / (SELECT sum(seconds) FROM visits WHERE order_id IS NOT NULL) AS share FROM orders";
    assert_eq!(made_of(scalar, "share"), "orders.amount visits.seconds | visits.order_id");
    let exists = "SELECT amount FROM orders WHERE EXISTS
                  (SELECT 1 FROM visits WHERE visits.order_id = orders.order_id)";
    let found = "orders.amount | visits.* orders.order_id visits.order_id";
    assert_eq!(made_of(exists, "amount"), found);
    let within = "SELECT amount FROM orders WHERE order_id IN (SELECT order_id FROM visits)";
    assert_eq!(made_of(within, "amount"), "orders.amount | orders.order_id visits.order_id");
}

#[test]
fn grouping_sets_and_lists_keep_their_columns_apart() {
    let sql = "SELECT status, email, grouping(email) AS level, sum(amount) AS total
               FROM orders GROUP BY GROUPING SETS ((status), (status, email))";
    assert_eq!(made_of(sql, "status"), "orders.status | orders.email");
    assert_eq!(made_of(sql, "level"), "orders.email orders.status | ");
    assert_eq!(made_of(sql, "total"), "orders.amount | orders.email orders.status");
    let unnested = "SELECT unnest(make_array(order_id, email)) AS id, amount FROM orders";
    assert_eq!(made_of(unnested, "id"), "orders.email orders.order_id | ");
    assert_eq!(made_of(unnested, "amount"), "orders.amount | ");
}

#[test]
fn clean_columns_are_made_of_raw_fields_and_the_dedupe_rule() {
    let shop = shop(&[("out", "SELECT 1 AS one")]);
    let column = |name: &str| {
        let column = shop.table("orders").unwrap().column(name).unwrap();
        let names = |origins: &std::collections::BTreeSet<Origin>| {
            origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(", ")
        };
        format!("{} | {}", names(&column.value), names(&column.influences))
    };
    let deduped = "orders.order_id, orders.placed_at";
    assert_eq!(column("amount"), format!("field `value` of orders | {deduped}"));
    assert_eq!(
        column("placed_at"),
        format!("field `time` of orders, field `ts` of orders | {deduped}")
    );
    assert_eq!(column("customer_id"), format!("orders.email | {deduped}"));
    assert_eq!(column("_event_date"), "orders.placed_at | orders.order_id");
    assert_eq!(column("_record"), format!("objects of orders | {deduped}"));
}

const THREE: [(&str, &str); 3] = [
    ("paid", "SELECT order_id, amount FROM orders WHERE status = 'paid'"),
    ("sums", "SELECT order_id, sum(amount) AS total FROM paid GROUP BY order_id"),
    ("out", "SELECT count(*) AS orders, max(total) AS largest FROM sums"),
];

#[test]
fn a_column_is_followed_back_to_raw_fields() {
    let shop = shop(&THREE);
    let back = reach(&shop, &Origin::column("out", "largest"), Direction::Back);
    let text = "\
out.largest in shop

is computed from
  sums        total
  paid        amount
  orders      amount
  raw orders  value

is influenced by
  paid        order_id
  orders      order_id, placed_at, status
  raw orders  order_id, status, time, ts
";
    assert_eq!(reach_text(&shop, &back), text);
    let rows = reach(&shop, &Origin::column("out", "orders"), Direction::Back);
    assert!(rows.value.contains(&Origin::Objects { source: "orders".to_owned() }), "{rows:?}");
}

#[test]
fn a_column_is_followed_forward_to_all_that_is_made_of_it() {
    let shop = shop(&THREE);
    let from = Origin::Field { source: "orders".to_owned(), field: "value".to_owned() };
    let forward = reach(&shop, &from, Direction::Forward);
    let names: Vec<String> = forward.value.iter().map(Origin::to_string).collect();
    assert_eq!(names, ["orders.amount", "out.largest", "paid.amount", "sums.total"]);
    assert!(forward.influence.is_empty(), "{forward:?}");
    let status = reach(&shop, &Origin::column("orders", "status"), Direction::Forward);
    assert!(status.value.is_empty(), "{status:?}");
    assert!(status.influence.contains(&Origin::column("out", "largest")), "{status:?}");
    assert!(
        status.influence.contains(&Origin::column("out", "orders")),
        "a count depends on filters"
    );
}

#[test]
fn a_flowchart_holds_the_steps_of_values_only() {
    let shop = shop(&THREE);
    let back = reach(&shop, &Origin::column("out", "largest"), Direction::Back);
    let chart = mermaid_reach(&back);
    assert_eq!(chart.matches(" --> ").count(), 4, "{chart}");
    assert!(!chart.contains("status"), "{chart}");
}
