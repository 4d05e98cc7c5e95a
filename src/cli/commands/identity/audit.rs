//! `martlet identity audit`.

use super::answer::Answer;
use super::registry::{Registry, shown};
use crate::cli::commands::query::NoAnswer;

/// Shows how many identifiers come together, and what looks wrong.
pub(super) async fn audit(registry: &Registry, limit: u64) -> Result<Answer, NoAnswer> {
    let ask = |sql: String| async move { registry.ask(&sql, &[]).await };
    Ok(Answer::default()
        .table("cardinalities", ask(cardinalities()).await?)
        .table("largest_customers", ask(largest(limit)).await?)
        .table("refused_links", ask(refused(limit)).await?)
        .table("most_linked_values", ask(most_linked(limit)).await?))
}

/// Each link from both sides, once whatever the number of sources that show it.
const ENDS: &str = "
WITH ends AS (
  SELECT left_number AS one, right_number AS other FROM identity.links
  UNION
  SELECT right_number, left_number FROM identity.links
)";

/// With how many values of another type the values of a type were seen: about 1 is right, from 10 on it is no identifier.
fn cardinalities() -> String {
    format!(
        "{ENDS}, counted AS (
  SELECT \"left\".identifier_type AS one_type, \"right\".identifier_type AS other_type, one, count(*) AS others
  FROM ends
  JOIN identity.map AS \"left\" ON \"left\".number = one
  JOIN identity.map AS \"right\" ON \"right\".number = other
  GROUP BY \"left\".identifier_type, \"right\".identifier_type, one
)
SELECT one_type AS type, other_type AS linked_type, count(*) AS linked_values,
       round(avg(others), 2) AS average, max(others) AS most
FROM counted GROUP BY one_type, other_type ORDER BY one_type, other_type"
    )
}

fn largest(limit: u64) -> String {
    format!("SELECT * FROM identity.clusters ORDER BY identifiers DESC, customer_id LIMIT {limit}")
}

/// Refused links and shared values by rule; the example is the oldest.
fn refused(limit: u64) -> String {
    let order = "ORDER BY first_seen, left_type, left_value, right_type, right_value";
    let (left, right) = (shown("left_value"), shown("right_value"));
    format!(
        "WITH told AS (
  SELECT rule, identifier_type, left_type, {left} AS left_value, right_type,
         CASE WHEN right_value IS NOT NULL THEN {right} END AS right_value, first_seen
  FROM identity.conflicts
)
SELECT rule, identifier_type, left_type, right_type, count(*) AS conflicts,
       first_value(left_value {order}) AS left_value, first_value(right_value {order}) AS right_value
FROM told GROUP BY rule, identifier_type, left_type, right_type
ORDER BY conflicts DESC, rule, identifier_type, left_type, right_type LIMIT {limit}"
    )
}

fn most_linked(limit: u64) -> String {
    let value = shown("value");
    format!(
        "{ENDS}, counted AS (SELECT one, count(*) AS others FROM ends GROUP BY one)
SELECT identifier_type, {value} AS value, state, customer_id, others
FROM counted JOIN identity.map ON number = one
ORDER BY others DESC, identifier_type, number LIMIT {limit}"
    )
}
