//! A digest of everything a night is made of.

use crate::plan::Plan;
use crate::report::MissingInput;
use crate::steps::extract::Extracted;
use crate::steps::identity::METHOD;
use crate::warehouse::{Decision, NamedIdentifier};
use crate::zone::AsOf;

/// Digests the rules, the objects, the decisions and `as_of`: two runs with one digest would publish the same.
///
/// `missing` is what the night is known to lack.
pub(super) fn of(
    plan: &Plan,
    as_of: AsOf,
    extracted: &[Extracted],
    missing: &[MissingInput],
    decisions: &[Decision],
) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&plan.fingerprint);
    add(&as_of.instant.to_rfc3339());
    for source in extracted {
        add(source.source.name.as_str());
        for object in &source.objects {
            add(&object.path);
            add(object.etag.as_deref().unwrap_or_default());
            add(&object.size.to_string());
        }
    }
    // A night that lacks something is another one than the same night once that is no fault any more.
    for input in missing {
        add(&input.source);
        add(&input.missing);
    }
    add_decisions(decisions, &mut add);
    hasher.finalize().to_hex().to_string()
}

/// Digests what people have decided about who is who; none where they have decided nothing.
pub(super) fn of_decisions(decisions: &[Decision]) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add_decisions(decisions, &mut add);
    (!decisions.is_empty()).then(|| hasher.finalize().to_hex().to_string())
}

/// Digests what customers are resolved by, evidence apart: the rules, the decisions, and the way it is done.
pub(super) fn of_identity(plan: &Plan, decisions: &[Decision]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&METHOD.to_string());
    add(&format!("{:?}", plan.identity.identifiers));
    add(&format!("{:?}", plan.identity.sources));
    add_decisions(decisions, &mut add);
    hasher.finalize().to_hex().to_string()
}

fn add_decisions(decisions: &[Decision], add: &mut impl FnMut(&str)) {
    for decision in decisions {
        add(&decision.customer_id.clone().unwrap_or_default());
        for (side, named) in [("keep", &decision.keep), ("apart", &decision.apart)] {
            add(side);
            for NamedIdentifier { identifier_type, value } in named {
                add(identifier_type);
                add(value);
            }
        }
    }
}

/// Digests a night that goes on without what turned out to be missing while it was taken in.
pub(super) fn without(digest: &str, missing: &[MissingInput]) -> String {
    if missing.is_empty() {
        return digest.to_owned();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest.as_bytes());
    for input in missing {
        hasher.update(input.source.as_bytes());
        hasher.update(input.missing.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
