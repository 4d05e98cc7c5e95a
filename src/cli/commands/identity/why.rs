//! `martlet identity why`.

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;

use super::answer::Answer;
use super::chain::chain;
use super::registry::{EVIDENCE, Registry, shown};
use crate::cli::commands::query::{NoAnswer, usage};

/// Shows the shortest chain of evidence between two identifiers.
pub(super) async fn why(registry: &Registry, one: &str, other: &str) -> Result<Answer, NoAnswer> {
    let (one, other) = (registry.identifier(one).await?, registry.identifier(other).await?);
    let names = format!("{} and {}", registry.shown(&one.named), registry.shown(&other.named));
    if one.number == other.number {
        return Err(usage(format!("{names} are the same identifier"), "name two of them"));
    }
    let is_one = one.customer.is_some() && one.customer == other.customer;
    // The links of both customers: what nobody links to either cannot be part of the chain.
    let id = |customer: &Option<String>| ScalarValue::Utf8(customer.clone());
    let number = |number: i64| ScalarValue::from(number);
    let parameters = [
        ("one", number(one.number)),
        ("other", number(other.number)),
        ("left_id", id(&one.customer)),
        ("right_id", id(&other.customer)),
    ];
    let rows = registry.ask(&links(), &parameters).await?;
    let steps = steps(&rows, one.number, other.number)?;
    let verdict = match (is_one, &steps) {
        (true, Some(_)) => format!("{names} are one customer"),
        (true, None) => format!("{names} are one customer, because somebody has decided so"),
        (false, Some(_)) => {
            format!("{names} are not one customer, although links lead from one to the other")
        }
        (false, None) => {
            format!("{names} are not one customer, and nothing that was seen connects them")
        }
    };
    let answer = Answer::default().note(verdict).fact("one_customer", is_one);
    Ok(match steps {
        Some(steps) => answer.table("chain", vec![steps]),
        None => answer.table("chain", Vec::new()),
    })
}

/// One row for each pair, with the first object that shows it.
fn links() -> String {
    let (left, right) = (shown("one.value"), shown("other.value"));
    let is_near = |name: &str| {
        format!("({name}.customer_id IN ($left_id, $right_id) OR {name}.number IN ($one, $other))")
    };
    format!(
        "SELECT one.number AS left_number, other.number AS right_number, \
         one.identifier_type AS left_type, {left} AS left_value, \
         other.identifier_type AS right_type, {right} AS right_value, \
         first_value(evidence.source ORDER BY evidence.first_seen, evidence.source, evidence.object) AS source, \
         first_value(evidence.object ORDER BY evidence.first_seen, evidence.source, evidence.object) AS object, \
         min(evidence.first_seen) AS first_seen, max(evidence.last_seen) AS last_seen, \
         max(evidence.weight) AS weight, one.customer_id = other.customer_id AS joins \
         FROM {EVIDENCE} \
         JOIN identity.map AS one ON one.number = evidence.left_number \
         JOIN identity.map AS other ON other.number = evidence.right_number \
         WHERE {} AND {} \
         GROUP BY one.number, one.identifier_type, one.value, one.customer_id, \
         other.number, other.identifier_type, other.value, other.customer_id \
         ORDER BY first_seen, left_number, right_number",
        is_near("one"),
        is_near("other"),
    )
}

/// Returns the rows of the chain, without the numbers.
fn steps(rows: &[RecordBatch], one: i64, other: i64) -> Result<Option<RecordBatch>, NoAnswer> {
    let Some(first) = rows.first() else { return Ok(None) };
    let links = concat_batches(&first.schema(), rows).map_err(NoAnswer::Output)?;
    let ends = |name: &str| links[name].as_primitive::<Int64Type>().values().iter().copied();
    let pairs: Vec<(i64, i64)> = ends("left_number").zip(ends("right_number")).collect();
    let Some(places) = chain(&pairs, one, other) else { return Ok(None) };
    let places: UInt32Array = places.into_iter().map(|place| Some(place as u32)).collect();
    let chain = take_record_batch(&links, &places).map_err(NoAnswer::Output)?;
    let columns: Vec<usize> = (2..chain.num_columns()).collect();
    chain.project(&columns).map(Some).map_err(NoAnswer::Output)
}
