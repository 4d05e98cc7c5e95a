//! `martlet identity unlink`.

use super::answer::Answer;
use super::registry::Registry;
use crate::cli::commands::query::{NoAnswer, usage};
use crate::cli::environment;
use crate::warehouse::{DECISION_VERSION, Decision};

/// Decides that two identifiers never belong to one customer.
pub(super) async fn unlink(
    registry: &Registry,
    one: &str,
    other: &str,
) -> Result<Answer, NoAnswer> {
    let (one, other) = (registry.identifier(one).await?, registry.identifier(other).await?);
    let (left, right) = (registry.shown(&one.named), registry.shown(&other.named));
    if one.number == other.number {
        return Err(usage(
            format!("{left} and {right} are the same identifier"),
            "name two of them",
        ));
    }
    let decision = Decision {
        version: DECISION_VERSION,
        made_by: "unlink".to_owned(),
        made_at: environment::now(),
        customer_id: None,
        keep: vec![one.named],
        apart: vec![other.named],
    };
    decided(registry, &decision, format!("{left} and {right} never share a customer")).await
}

/// Takes down a decision and says where.
pub(super) async fn decided(
    registry: &Registry,
    decision: &Decision,
    note: String,
) -> Result<Answer, NoAnswer> {
    let path = registry.warehouse.decide(decision).await.map_err(NoAnswer::Warehouse)?;
    let shown = registry.warehouse.shown(&path);
    Ok(Answer::default()
        .note(note)
        .note("it takes effect with the next run")
        .note(format!("decided in {shown}; remove that file to take it back"))
        .fact("decision", shown))
}
