use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::TableSource;
use datafusion::logical_expr::builder::LogicalTableSource;

use super::{Ground, Input, Night, Separation, separable, stamps};
use crate::engine::{Parameters, Select, Tables, plan_and_inspect, planning_session};

fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// `visits` and `orders` have customers, `campaigns` and `days` have none; `campaigns` and `orders` are stamped.
fn ground() -> (Ground, Tables) {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let time = |name: &str| Field::new(name, moment(), true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let tables = [
        (
            "visits",
            true,
            false,
            vec![
                text("customer_id"),
                text("session"),
                time("at"),
                Field::new("day", DataType::Date32, true),
                number("n"),
            ],
        ),
        (
            "orders",
            true,
            true,
            vec![text("customer_id"), text("order_id"), time("at"), time("as_of")],
        ),
        (
            "campaigns",
            false,
            true,
            vec![text("session"), text("channel"), time("at"), time("as_of")],
        ),
        (
            "days",
            false,
            false,
            vec![Field::new("day", DataType::Date32, true), time("at"), number("n")],
        ),
    ];
    let nights = [("as_of", Night::Instant), ("as_of_date", Night::Date)];
    let mut ground = Ground {
        key: "customer_id".to_owned(),
        inputs: BTreeMap::new(),
        nights: nights.map(|(name, night)| (name.to_owned(), night)).into(),
    };
    let mut sources = Tables::new();
    for (name, is_keyed, is_stamped, fields) in tables {
        let stamp = is_stamped.then(|| ("as_of".to_owned(), Night::Instant));
        let input = Input { is_keyed, stamps: stamp.into_iter().collect() };
        ground.inputs.insert(name.to_owned(), input);
        let table: Arc<dyn TableSource> =
            Arc::new(LogicalTableSource::new(Arc::new(Schema::new(fields))));
        sources.insert(name.to_owned(), table);
    }
    (ground, sources)
}

fn parameters() -> Parameters {
    Parameters::new(vec![
        ("as_of".to_owned(), ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into()))),
        ("as_of_date".to_owned(), ScalarValue::Date32(Some(0))),
        ("least".to_owned(), ScalarValue::Int64(Some(1))),
    ])
}

fn proved(sql: &str) -> Result<Separation, String> {
    let (ground, tables) = ground();
    let state = planning_session(chrono_tz::UTC).state();
    let planned =
        plan_and_inspect(&state, &tables, &parameters(), &Select::parse(sql).unwrap()).unwrap();
    separable(&planned.written, &ground).map_err(|refused| refused.reason)
}

#[track_caller]
fn comes_apart(sql: &str) {
    if let Err(reason) = proved(sql) {
        panic!("{sql}: {reason}");
    }
}

#[track_caller]
fn is_refused(sql: &str, reason: &str) {
    match proved(sql) {
        Ok(_) => panic!("accepted: {sql}"),
        Err(told) => assert!(told.contains(reason), "{sql}: {told}"),
    }
}

#[test]
fn rows_are_taken_as_they_are() {
    comes_apart(
        "SELECT customer_id, upper(session) AS s, n + $least AS n FROM visits WHERE n > $least",
    );
    comes_apart("SELECT v.customer_id FROM (SELECT * FROM visits) AS v ORDER BY v.at");
    is_refused("SELECT session, n FROM visits", "yields no `customer_id`");
    is_refused("SELECT upper(customer_id) AS customer_id FROM visits", "yields no `customer_id`");
    is_refused("SELECT session AS customer_id FROM visits", "yields no `customer_id`");
    is_refused("SELECT day, n FROM days", "reads no table with a `customer_id`");
    is_refused("SELECT 'x' AS customer_id", "reads no table with a `customer_id`");
}

#[test]
fn groups_are_of_one_customer() {
    comes_apart(
        "SELECT customer_id, session, MAX(at) AS at, count(*) AS n FROM visits GROUP BY session, customer_id",
    );
    comes_apart(
        "SELECT customer_id, count(*) FILTER (WHERE n > 1) AS n FROM visits GROUP BY 1 HAVING count(*) > 1",
    );
    is_refused(
        "SELECT MIN(customer_id) AS customer_id FROM visits GROUP BY session",
        "sums up over",
    );
    is_refused("SELECT MIN(customer_id) AS customer_id FROM visits", "sums up over");
    is_refused(
        "SELECT upper(customer_id) AS customer_id FROM visits GROUP BY upper(customer_id)",
        "sums up over",
    );
    is_refused(
        "SELECT customer_id, session FROM visits GROUP BY ROLLUP (customer_id, session)",
        "several ways",
    );
    is_refused(
        "SELECT customer_id, session FROM visits GROUP BY GROUPING SETS ((customer_id), (session))",
        "several ways",
    );
}

#[test]
fn equal_rows_are_of_one_customer() {
    comes_apart("SELECT DISTINCT customer_id, session FROM visits");
    comes_apart(
        "SELECT DISTINCT ON (customer_id) customer_id, session FROM visits ORDER BY customer_id, at",
    );
    is_refused("SELECT customer_id FROM visits WHERE n = 1 LIMIT 3", "first rows of all customers");
    is_refused(
        "SELECT DISTINCT ON (session) session, customer_id FROM visits ORDER BY session, at",
        "`DISTINCT` makes one",
    );
    is_refused(
        "SELECT s.session, o.customer_id FROM (SELECT DISTINCT session FROM visits) AS s JOIN orders AS o ON s.session = o.order_id",
        "`DISTINCT` makes one",
    );
}

#[test]
fn windows_are_of_one_customer() {
    comes_apart(
        "SELECT customer_id, ROW_NUMBER() OVER (PARTITION BY session, customer_id ORDER BY at) AS place FROM visits",
    );
    is_refused(
        "SELECT customer_id, ROW_NUMBER() OVER (PARTITION BY session ORDER BY at) AS place FROM visits",
        "window reaches over",
    );
    is_refused("SELECT customer_id, SUM(n) OVER () AS n FROM visits", "window reaches over");
    is_refused(
        "SELECT customer_id, SUM(n) OVER (PARTITION BY customer_id) AS a, SUM(n) OVER (PARTITION BY session) AS b FROM visits",
        "window reaches over",
    );
    // A window over rows of nobody is read whole.
    comes_apart(
        "SELECT customer_id, d.n FROM visits JOIN (SELECT day, SUM(n) OVER () AS n FROM days) AS d ON d.day = visits.day",
    );
}

#[test]
fn only_rows_of_one_customer_meet() {
    comes_apart(
        "SELECT v.customer_id, o.order_id FROM visits AS v JOIN orders AS o ON o.customer_id = v.customer_id AND o.at > v.at",
    );
    comes_apart("SELECT o.customer_id FROM visits AS v JOIN orders AS o USING (customer_id)");
    comes_apart(
        "SELECT v.customer_id, o.order_id FROM visits AS v LEFT JOIN orders AS o ON v.customer_id = o.customer_id",
    );
    comes_apart(
        "SELECT o.customer_id, v.n FROM visits AS v RIGHT JOIN orders AS o ON v.customer_id = o.customer_id",
    );
    comes_apart(
        "SELECT v.customer_id FROM visits AS v LEFT SEMI JOIN orders AS o ON v.customer_id = o.customer_id",
    );
    comes_apart(
        "SELECT v.customer_id FROM visits AS v LEFT ANTI JOIN orders AS o ON v.customer_id = o.customer_id",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v JOIN orders AS o ON v.session = o.order_id",
        "different customers meet",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v JOIN orders AS o ON v.customer_id = o.order_id",
        "different customers meet",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v JOIN orders AS o ON v.customer_id = o.customer_id OR v.n = 1",
        "different customers meet",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v JOIN orders AS o ON v.customer_id <> o.customer_id",
        "different customers meet",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v CROSS JOIN orders AS o",
        "different customers meet",
    );
    is_refused(
        "SELECT o.customer_id FROM visits AS v LEFT JOIN orders AS o ON v.customer_id = o.customer_id",
        "yields no `customer_id`",
    );
    is_refused(
        "SELECT v.customer_id FROM visits AS v FULL JOIN orders AS o ON v.customer_id = o.customer_id",
        "belong to no customer",
    );
}

#[test]
fn tables_without_customers_are_read_whole() {
    comes_apart(
        "SELECT customer_id, channel FROM visits JOIN campaigns ON campaigns.session = visits.session",
    );
    comes_apart(
        "SELECT customer_id, channel FROM visits LEFT JOIN campaigns ON campaigns.session = visits.session",
    );
    comes_apart(
        "SELECT customer_id, channel FROM campaigns RIGHT JOIN visits ON campaigns.session = visits.session",
    );
    comes_apart(
        "SELECT customer_id FROM visits LEFT ANTI JOIN campaigns ON campaigns.session = visits.session",
    );
    comes_apart(
        "SELECT customer_id, d.n FROM visits CROSS JOIN (SELECT SUM(n) AS n FROM days) AS d",
    );
    comes_apart(
        "SELECT customer_id, d.n FROM visits JOIN (SELECT day, n FROM days ORDER BY day LIMIT 1) AS d ON d.day = visits.day",
    );
    is_refused(
        "SELECT customer_id, channel FROM campaigns LEFT JOIN visits ON campaigns.session = visits.session",
        "belong to no customer",
    );
    is_refused(
        "SELECT customer_id, channel FROM visits FULL JOIN campaigns ON campaigns.session = visits.session",
        "belong to no customer",
    );
    is_refused(
        "SELECT c.channel AS customer_id FROM campaigns AS c LEFT ANTI JOIN visits AS v ON c.session = v.session",
        "belong to no customer",
    );
}

#[test]
fn every_branch_of_a_union_has_customers() {
    comes_apart("SELECT customer_id, at FROM visits UNION ALL SELECT customer_id, at FROM orders");
    comes_apart(
        "SELECT customer_id, session FROM visits UNION SELECT customer_id, order_id FROM orders",
    );
    is_refused(
        "SELECT customer_id, at FROM visits UNION ALL SELECT channel, at FROM campaigns",
        "branch of a `UNION`",
    );
    is_refused(
        "SELECT customer_id, session FROM visits UNION ALL SELECT order_id, customer_id FROM orders",
        "yields no `customer_id`",
    );
}

#[test]
fn what_cannot_be_followed_is_refused() {
    is_refused(
        "SELECT customer_id FROM visits WHERE n = (SELECT MAX(n) FROM visits)",
        "another query",
    );
    is_refused(
        "SELECT customer_id FROM visits WHERE n = (SELECT MAX(n) FROM days)",
        "another query",
    );
    is_refused(
        "SELECT customer_id FROM visits WHERE session IN (SELECT order_id FROM orders)",
        "another query",
    );
    is_refused(
        "SELECT customer_id FROM visits AS v WHERE EXISTS (SELECT 1 FROM orders AS o WHERE o.customer_id = v.customer_id)",
        "another query",
    );
    is_refused(
        "SELECT customer_id, unnest(make_array(n, n)) AS n FROM visits",
        "cannot be followed",
    );
}

#[test]
fn the_night_is_a_column_or_compared_with_what_stands_in_a_table() {
    let compared = |sql: &str| -> Vec<String> {
        let found = proved(sql).unwrap_or_else(|reason| panic!("{sql}: {reason}")).compared;
        found.iter().map(|it| format!("{}.{}", it.table, it.column)).collect()
    };
    assert_eq!(compared("SELECT customer_id FROM visits WHERE at < $as_of"), ["visits.at"]);
    assert_eq!(
        compared("SELECT customer_id, $as_of_date > day AS past FROM visits"),
        ["visits.day"]
    );
    assert_eq!(
        compared(
            "SELECT customer_id, MAX(n) FILTER (WHERE t < $as_of) AS n FROM (SELECT customer_id, n, at AS t FROM visits) AS v GROUP BY customer_id"
        ),
        ["visits.at"]
    );
    let both = "SELECT customer_id FROM (SELECT customer_id, at FROM visits UNION ALL SELECT customer_id, at FROM orders) AS a WHERE at < $as_of";
    assert_eq!(compared(both), ["orders.at", "visits.at"]);
    assert_eq!(
        compared(
            "SELECT v.customer_id FROM visits AS v LEFT JOIN orders AS o ON o.customer_id = v.customer_id AND o.at BETWEEN v.at AND $as_of"
        ),
        ["orders.at"]
    );
    for (sql, reason) in [
        (
            "SELECT customer_id FROM visits WHERE at < $as_of - INTERVAL '1 day'",
            "computes with the night",
        ),
        (
            "SELECT customer_id FROM visits WHERE at + INTERVAL '1 day' < $as_of",
            "something else than an instant",
        ),
        ("SELECT customer_id, $as_of - at AS age FROM visits", "computes with the night"),
        ("SELECT customer_id FROM visits WHERE day < $as_of", "something else than an instant"),
        ("SELECT customer_id FROM visits WHERE at < $as_of_date", "something else than a day"),
        (
            "SELECT customer_id FROM (SELECT customer_id, MAX(at) AS at FROM visits GROUP BY customer_id) AS v WHERE at < $as_of",
            "something else",
        ),
        (
            "SELECT customer_id FROM visits JOIN campaigns ON campaigns.session = visits.session AND campaigns.at < $as_of",
            "something else",
        ),
        (
            "SELECT v.customer_id FROM visits AS v JOIN (SELECT day FROM days WHERE days.at < $as_of) AS d ON d.day = v.day",
            "something else",
        ),
        (
            "SELECT customer_id FROM (SELECT customer_id, day FROM visits UNION ALL SELECT customer_id, CAST(at AS DATE) FROM orders) AS a WHERE day < $as_of_date",
            "something else",
        ),
        (
            "SELECT customer_id FROM visits WHERE coalesce($as_of, at) > at",
            "computes with the night",
        ),
        (
            "SELECT customer_id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY at < $as_of, $as_of) AS n FROM visits",
            "computes with the night",
        ),
    ] {
        is_refused(sql, reason);
    }
}

#[test]
fn a_column_that_is_the_night_stays_one() {
    let stamped = |sql: &str| -> Vec<String> {
        let found = proved(sql).unwrap_or_else(|reason| panic!("{sql}: {reason}")).stamps;
        found.into_keys().collect()
    };
    assert_eq!(
        stamped("SELECT customer_id, $as_of AS a, $as_of_date AS d, at FROM visits"),
        ["a", "d"]
    );
    assert_eq!(stamped("SELECT customer_id, as_of FROM orders"), ["as_of"]);
    assert_eq!(
        stamped("SELECT customer_id, as_of, count(*) AS n FROM orders GROUP BY customer_id, as_of"),
        ["as_of"]
    );
    assert_eq!(
        stamped(
            "SELECT customer_id, as_of FROM orders UNION ALL SELECT customer_id, $as_of FROM visits"
        ),
        ["as_of"]
    );
    comes_apart(
        "SELECT customer_id, channel FROM visits LEFT JOIN campaigns ON campaigns.session = visits.session",
    );
    for (sql, reason) in [
        (
            "SELECT customer_id, MAX(as_of) AS as_of FROM orders GROUP BY customer_id",
            "`as_of`, which is the night",
        ),
        ("SELECT customer_id FROM orders WHERE at < as_of", "`as_of`, which is the night"),
        (
            "SELECT v.customer_id FROM visits AS v JOIN orders AS o ON v.customer_id = o.customer_id AND v.at = o.as_of",
            "`as_of`, which is the night",
        ),
        (
            "SELECT customer_id, campaigns.as_of FROM visits LEFT JOIN campaigns ON campaigns.session = visits.session",
            "in some rows only",
        ),
        (
            "SELECT customer_id, as_of FROM orders UNION ALL SELECT customer_id, at FROM visits",
            "in some rows only",
        ),
        (
            "SELECT customer_id, as_of FROM orders UNION SELECT customer_id, at FROM visits",
            "tells rows apart",
        ),
        (
            "SELECT customer_id, t, count(*) AS n FROM (SELECT customer_id, $as_of AS t FROM orders UNION ALL SELECT customer_id, at FROM visits) AS a GROUP BY customer_id, t",
            "tells rows apart",
        ),
    ] {
        is_refused(sql, reason);
    }
}

#[test]
fn only_what_is_mentioned_makes_a_difference() {
    let mentioned =
        proved("SELECT v.customer_id, n FROM (SELECT * FROM visits) AS v WHERE at < $as_of");
    // A `*` mentions all.
    let all: Vec<String> = mentioned.unwrap().mentioned.into_iter().collect();
    assert_eq!(all, ["at", "customer_id", "day", "n", "session"]);
    let some = proved(
        "SELECT customer_id, count(*) AS times FROM visits WHERE at < $as_of GROUP BY customer_id",
    );
    let some: Vec<String> =
        some.unwrap().mentioned.into_iter().filter(|it| !it.contains('(')).collect();
    assert_eq!(some, ["at", "customer_id", "times"]);
}

#[test]
fn columns_of_a_table_without_customers_may_be_the_night_too() {
    let (ground, tables) = ground();
    let state = planning_session(chrono_tz::UTC).state();
    let found = |sql: &str| -> Vec<String> {
        let select = Select::parse(sql).unwrap();
        let planned = plan_and_inspect(&state, &tables, &parameters(), &select).unwrap();
        stamps(&planned.written, &ground).into_keys().collect()
    };
    assert_eq!(found("SELECT channel, $as_of AS a, $as_of > at AS past FROM campaigns"), ["a"]);
    assert_eq!(found("SELECT DISTINCT as_of FROM campaigns WHERE at < $as_of LIMIT 3"), ["as_of"]);
    assert_eq!(found("SELECT as_of FROM campaigns UNION ALL SELECT at FROM campaigns"), [""; 0]);
    let outer = "SELECT c.as_of FROM days LEFT JOIN campaigns AS c ON c.at = days.at";
    assert_eq!(found(outer), [""; 0]);
    assert_eq!(found("SELECT MAX(as_of) AS as_of FROM campaigns"), [""; 0]);
}
