//! The whole pipeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;

use super::place::{Place, name};
use super::stages::Scope;
use super::{
    column, defaults, exchange, identity, margins, matching, rfm, source, stages, variables,
};
use crate::diagnostics::{Code, Diagnostics, Severity};
use crate::digest::Digest;
use crate::engine::planning_session;
use crate::names::PipelineName;
use crate::plan::Identity;
use crate::plan::examination::Examination;
use crate::plan::source::Source;
use crate::plan::stage::{Plan, Stage, Variable, parameters};
use crate::spec::PipelineSpec;
use crate::zone::AsOf;

/// Makes a plan of a pipeline as written, or says all that is wrong with it.
pub(crate) fn resolve(spec: &PipelineSpec) -> Result<Plan, Diagnostics> {
    let Examination { plan, found, .. } = examine(spec);
    plan.ok_or(found)
}

/// Looks at all of a pipeline as written, whether it is sound or not.
///
/// `as_of` only gives parameters their type here; a run binds its own.
pub(crate) fn examine(spec: &PipelineSpec) -> Examination {
    let mut found = Diagnostics::new();
    let place = Place::root(&spec.file, &spec.positions);
    let written = &spec.pipeline;
    version(written.version, &place, &mut found);
    let bad_name = |message| place.child("name").error(Code::BadName, message);
    let name: Option<PipelineName> = name(&written.name, bad_name, &mut found);
    currency(&written.currency, &place, &mut found);
    let timezone = column::timezone(Some(&written.timezone), chrono_tz::UTC, &place, &mut found);
    let mut variables =
        variables::resolve(&written.variables, &place.child("variables"), &mut found);
    defaults::add(spec, &place.child("variables"), &mut variables, &mut found);
    let mut constants = rfm::tables(&written.rfm, &variables, &place.child("rfm"), &mut found);
    constants.extend(margins::table(&written.margins, &place.child("margins"), &mut found));
    // Where the time zone is wrong, any other serves to find the rest of the mistakes.
    let days = timezone.unwrap_or(chrono_tz::UTC);
    let mut sources = sources(spec, days, &place.child("sources"), &mut found);
    exchange::resolve(written, &mut sources, &place.child("sources"), &mut found);
    let identity = identity_rules(spec, &mut sources, &place, &mut found);
    matching::resolve(&written.sources, &mut sources, &place.child("sources"), &mut found);
    let session = planning_session(days);
    let as_of = AsOf::midnight(NaiveDate::default(), days);
    let scope = Scope {
        spec,
        state: &session.state(),
        parameters: &parameters(as_of, &written.currency, &variables),
        variables: &variables,
        timezone: days,
        sources: &sources,
        has_identity: !identity.identifiers.is_empty(),
        constants: &constants,
        declared: declared(spec),
    };
    let stages = stages::resolve(spec, &scope, &place, &mut found);
    let plan = match (name, timezone) {
        (Some(name), Some(timezone)) if no_errors(&found) => Some(Plan {
            name,
            timezone,
            currency: written.currency.clone(),
            fingerprint: fingerprint(spec, &variables, &stages.needed),
            variables,
            constants,
            sources: sources.into_iter().map(Arc::new).collect(),
            identity,
            stages: stages.needed,
            idle: stages.idle,
            left_out: Vec::new(),
        }),
        _ => None,
    };
    Examination { plan, found, stages: stages.findings }
}

fn identity_rules(
    spec: &PipelineSpec,
    sources: &mut [Source],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Identity {
    match &spec.pipeline.identity {
        Some(rules) => {
            let names: Vec<&str> = spec.pipeline.sources.iter().map(|(name, _)| name).collect();
            identity::resolve(rules, sources, &names, &place.child("identity"), found)
        }
        None => Identity::default(),
    }
}

fn no_errors(found: &Diagnostics) -> bool {
    found.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
}

fn version(version: u32, place: &Place<'_>, found: &mut Diagnostics) {
    if version != 1 {
        let message = format!("version {version} of the pipeline format is not known");
        found
            .push(place.child("version").error(Code::BadValue, message).help("write `version: 1`"));
    }
}

fn currency(currency: &str, place: &Place<'_>, found: &mut Diagnostics) {
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_code {
        let message = format!("`{currency}` is no currency");
        let help = "a currency is an ISO 4217 code of three capital letters, such as `CNY`";
        found.push(place.child("currency").error(Code::BadValue, message).help(help));
    }
}

fn sources(
    spec: &PipelineSpec,
    timezone: chrono_tz::Tz,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Vec<Source> {
    if spec.pipeline.sources.is_empty() {
        found.push(place.key_error(Code::BadValue, "a pipeline has at least one source"));
    }
    spec.pipeline
        .sources
        .iter()
        .filter_map(|(name, written)| {
            source::resolve(name, written, timezone, &place.child(name), found)
        })
        .collect()
}

fn declared(spec: &PipelineSpec) -> BTreeSet<&str> {
    let sources = spec.pipeline.sources.iter().map(|(name, _)| name);
    sources.chain(spec.stages.iter().map(|stage| stage.name.as_str())).collect()
}

/// Digests every text the plan was made of.
fn fingerprint(spec: &PipelineSpec, variables: &[Variable], stages: &[Arc<Stage>]) -> String {
    let mut digest = Digest::default();
    digest.add(env!("CARGO_PKG_VERSION"));
    digest.add(&spec.file.text);
    // A default may stand beside a stage that is not needed itself.
    digest.add(&format!("{variables:?}"));
    let needed: BTreeSet<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    for stage in spec.stages.iter().filter(|stage| needed.contains(stage.name.as_str())) {
        digest.add(&stage.name);
        digest.add(&stage.sql.text);
        digest.add(stage.sidecar.as_ref().map_or("", |sidecar| sidecar.file.text.as_ref()));
    }
    digest.finish()
}
