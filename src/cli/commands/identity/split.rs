//! `martlet identity split`.

use super::answer::Answer;
use super::registry::{Found, Registry};
use super::unlink::decided;
use crate::cli::commands::query::{NoAnswer, usage};
use crate::cli::environment;
use crate::warehouse::{DECISION_VERSION, Decision};

/// Decides that some identifiers keep a customer's id and the others are somebody else.
pub(super) async fn split(
    registry: &Registry,
    customer: &str,
    keep: &[String],
) -> Result<Answer, NoAnswer> {
    let id = id(registry, customer).await?;
    let members = registry.of_customer(&id).await?;
    let mut kept: Vec<Found> = Vec::with_capacity(keep.len());
    for text in keep {
        let found = registry.identifier(text).await?;
        if found.customer.as_ref() != Some(&id) {
            let shown = registry.shown(&found.named);
            let hint = format!("`martlet identity show {id}` shows its identifiers");
            return Err(usage(format!("{shown} is no identifier of the customer {id}"), &hint));
        }
        kept.push(found);
    }
    let (keep, apart): (Vec<Found>, Vec<Found>) =
        members.into_iter().partition(|member| kept.contains(member));
    if apart.is_empty() {
        return Err(usage(
            format!("all identifiers of the customer {id} would stay"),
            "name those that belong together after `--keep`, and leave the others out",
        ));
    }
    let note = format!("{} identifiers keep the id {id}, {} leave it", keep.len(), apart.len());
    let names = |found: Vec<Found>| found.into_iter().map(|found| found.named).collect();
    let decision = Decision {
        version: DECISION_VERSION,
        made_by: "split".to_owned(),
        made_at: environment::now(),
        customer_id: Some(id),
        keep: names(keep),
        apart: names(apart),
    };
    decided(registry, &decision, note).await
}

/// Returns the id of a customer that is named by it, or by one of its identifiers.
async fn id(registry: &Registry, customer: &str) -> Result<String, NoAnswer> {
    let id = customer.to_lowercase();
    if !registry.of_customer(&id).await?.is_empty() {
        return Ok(id);
    }
    let found = registry.identifier(customer).await?;
    let shown = registry.shown(&found.named);
    found.customer.ok_or_else(|| {
        usage(format!("{shown} belongs to no customer"), "name a customer that has identifiers")
    })
}
