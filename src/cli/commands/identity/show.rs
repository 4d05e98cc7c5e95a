//! `martlet identity show`.

use datafusion::scalar::ScalarValue;

use super::answer::{Answer, count};
use super::registry::{EVIDENCE, Found, Registry, shown, texts};
use crate::cli::commands::query::{NoAnswer, usage};
use arrow::array::AsArray;

/// Shows a customer: its identifiers, what connects them, and what became of them.
pub(super) async fn show(registry: &Registry, who: &str) -> Result<Answer, NoAnswer> {
    if !registry.named(who).await?.is_empty() {
        return of_identifier(registry, &registry.identifier(who).await?).await;
    }
    let id = who.to_lowercase();
    let Some(survivor) = survivor(registry, &id).await? else {
        return Err(usage(
            format!("no identifier and no customer `{who}` was ever seen"),
            "values are kept as they are after cleaning: e-mails in small letters, phones as `+8613…`",
        ));
    };
    let answer = of_customer(registry, &survivor).await?;
    Ok(if survivor == id {
        answer
    } else {
        answer.note(format!("the customer {id} is {survivor} now"))
    })
}

/// Returns the customer that has the identifiers an id once had; none for an id that was never given.
async fn survivor(registry: &Registry, id: &str) -> Result<Option<String>, NoAnswer> {
    let mut id = id.to_owned();
    // An id can come back after a split, so the way from id to id may be a circle.
    let mut passed = Vec::new();
    while !passed.contains(&id) {
        if !registry.of_customer(&id).await?.is_empty() {
            return Ok(Some(id));
        }
        let sql = "SELECT customer_id FROM identity.changes WHERE from_customer_id = $id \
                   AND change = 'merged' ORDER BY changed_at DESC LIMIT 1";
        let rows = registry.ask(sql, &[("id", ScalarValue::from(id.as_str()))]).await?;
        let Some(batch) = rows.iter().find(|batch| batch.num_rows() > 0) else {
            return retired(registry, &id).await;
        };
        let next = texts(batch, "customer_id")?.as_string::<i32>().value(0).to_owned();
        passed.push(std::mem::replace(&mut id, next));
    }
    Ok(None)
}

/// Returns an id that was given once and that nobody has now.
async fn retired(registry: &Registry, id: &str) -> Result<Option<String>, NoAnswer> {
    let sql = "SELECT customer_id FROM identity.changes WHERE customer_id = $id LIMIT 1";
    let rows = registry.ask(sql, &[("id", ScalarValue::from(id))]).await?;
    Ok((count(&rows) > 0).then(|| id.to_owned()))
}

async fn of_identifier(registry: &Registry, found: &Found) -> Result<Answer, NoAnswer> {
    match &found.customer {
        Some(id) => of_customer(registry, id).await,
        None => {
            let shown = registry.shown(&found.named);
            let number = [("number", ScalarValue::from(found.number))];
            let identifiers = registry.ask(&identifiers("number = $number"), &number).await?;
            let history = registry.ask(&history("number = $number"), &number).await?;
            Ok(Answer::default()
                .note(format!("{shown} belongs to no customer"))
                .fact("customer_id", serde_json::Value::Null)
                .table("identifiers", identifiers)
                .table("history", history))
        }
    }
}

async fn of_customer(registry: &Registry, id: &str) -> Result<Answer, NoAnswer> {
    let parameters = [("id", ScalarValue::from(id))];
    let ask = |sql: String| {
        let parameters = parameters.clone();
        async move { registry.ask(&sql, &parameters).await }
    };
    let members = "number IN (SELECT number FROM identity.map WHERE customer_id = $id)";
    Ok(Answer::default()
        .note(format!("customer {id}"))
        .fact("customer_id", id)
        .table("identifiers", ask(identifiers("customer_id = $id")).await?)
        .table("links", ask(links()).await?)
        .table("history", ask(history(&format!("customer_id = $id OR {members}"))).await?)
        .table("changes", ask(changes()).await?)
        .table("conflicts", ask(conflicts()).await?))
}

fn identifiers(condition: &str) -> String {
    let value = shown("value");
    format!(
        "SELECT identifier_type, {value} AS value, state, first_seen, valid_from \
         FROM identity.map WHERE {condition} ORDER BY identifier_type, number"
    )
}

/// One row for each pair and each object that shows it; none shows that records are alike.
fn links() -> String {
    let (left, right) = (shown("one.value"), shown("other.value"));
    format!(
        "SELECT one.identifier_type AS left_type, {left} AS left_value, \
         other.identifier_type AS right_type, {right} AS right_value, \
         evidence.source, evidence.object, min(evidence.first_seen) AS first_seen, \
         max(evidence.last_seen) AS last_seen, max(evidence.weight) AS weight \
         FROM {EVIDENCE} \
         JOIN identity.map AS one ON one.number = evidence.left_number \
         JOIN identity.map AS other ON other.number = evidence.right_number \
         WHERE one.customer_id = $id AND other.customer_id = $id \
         GROUP BY one.number, one.identifier_type, one.value, other.number, other.identifier_type, \
         other.value, evidence.source, evidence.object \
         ORDER BY first_seen, one.number, other.number, source, object"
    )
}

fn history(condition: &str) -> String {
    let value = shown("value");
    format!(
        "SELECT identifier_type, {value} AS value, customer_id, valid_from, valid_to \
         FROM identity.history WHERE {condition} ORDER BY valid_from, number"
    )
}

fn changes() -> String {
    let (left, right) = (shown("left_value"), shown("right_value"));
    format!(
        "SELECT changed_at, change, customer_id, from_customer_id, identifiers, reason, left_type, \
         CASE WHEN left_value IS NOT NULL THEN {left} END AS left_value, right_type, \
         CASE WHEN right_value IS NOT NULL THEN {right} END AS right_value, source \
         FROM identity.changes WHERE customer_id = $id OR from_customer_id = $id \
         ORDER BY changed_at, change, customer_id, from_customer_id"
    )
}

fn conflicts() -> String {
    let (left, right) = (shown("left_value"), shown("right_value"));
    format!(
        "SELECT rule, left_type, {left} AS left_value, left_customer_id, right_type, \
         CASE WHEN right_value IS NOT NULL THEN {right} END AS right_value, right_customer_id, first_seen \
         FROM identity.conflicts WHERE left_customer_id = $id OR right_customer_id = $id \
         ORDER BY first_seen, rule, left_type, right_type"
    )
}
