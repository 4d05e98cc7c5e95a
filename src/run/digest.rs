//! A digest of everything a night is made of.

use crate::digest::{self, Digest};
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
    let mut digest = Digest::default();
    digest.add(&plan.fingerprint);
    digest.add(&as_of.instant.to_rfc3339());
    for source in extracted {
        digest.add(source.source.name.as_str());
        for object in &source.objects {
            digest.add(&object.path);
            digest.add(object.etag.as_deref().unwrap_or_default());
            digest.add(&object.size.to_string());
        }
    }
    // A night that lacks something is another one than the same night once that is no fault any more.
    for input in missing {
        digest.add(&input.source);
        digest.add(&input.missing);
    }
    add_decisions(decisions, &mut digest);
    digest.finish()
}

/// Digests what people have decided about who is who; none where they have decided nothing.
pub(super) fn of_decisions(decisions: &[Decision]) -> Option<String> {
    let mut digest = Digest::default();
    add_decisions(decisions, &mut digest);
    (!decisions.is_empty()).then(|| digest.finish())
}

/// Digests what customers are resolved by, evidence apart: the rules, the decisions, and the way it is done.
pub(super) fn of_identity(plan: &Plan, decisions: &[Decision]) -> String {
    let mut digest = Digest::default();
    digest.add(&METHOD.to_string());
    digest.add(&format!("{:?}", plan.identity.identifiers));
    digest.add(&format!("{:?}", plan.identity.sources));
    add_decisions(decisions, &mut digest);
    digest.finish()
}

fn add_decisions(decisions: &[Decision], digest: &mut Digest) {
    for decision in decisions {
        digest.add(&decision.customer_id.clone().unwrap_or_default());
        for (side, named) in [("keep", &decision.keep), ("apart", &decision.apart)] {
            digest.add(side);
            for NamedIdentifier { identifier_type, value } in named {
                digest.add(identifier_type);
                digest.add(value);
            }
        }
    }
}

/// Digests a night that goes on without what turned out to be missing while it was taken in.
pub(super) fn without(night: &str, missing: &[MissingInput]) -> String {
    if missing.is_empty() {
        return night.to_owned();
    }
    let lacks = missing.iter().flat_map(|input| [input.source.as_str(), input.missing.as_str()]);
    digest::of(std::iter::once(night).chain(lacks))
}
