//! Sums up how the fields of a source's objects differ from the declared ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::CleanErrorKind;
use crate::engine::Context;
use crate::report::{FieldChange, FieldDrift};
use crate::steps::extract::{Drift, Extracted, SourceObject};

/// How an object differs from what its source declares.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) drift: Drift,
    /// Fields of which most values are not of their column's type.
    pub(super) misfits: Vec<String>,
}

/// The objects in which a field was found or missed.
type Places = BTreeMap<String, Vec<usize>>;

/// Tells every field that is new in some object or has another type there, with a guess of its column, and every
/// declared one that is in none.
///
/// `found` holds the objects that have records. A field that some of them lack is not told: exports leave out what
/// has no value.
pub(super) async fn drift_of(
    ctx: &Context,
    extracted: Extracted,
    found: Vec<(Arc<SourceObject>, Changes)>,
) -> Result<Vec<FieldDrift>, CleanErrorKind> {
    let new = places(&found, |changes| &changes.drift.new);
    let vanished = places(&found, |changes| &changes.drift.vanished);
    let vanished = vanished.into_iter().filter(|(_, places)| places.len() == found.len());
    let mut told: Vec<FieldDrift> = vanished
        .map(|(field, places)| told(field, FieldChange::Vanished, &places, &found, None))
        .collect();
    let retyped =
        retyped(&found).into_iter().map(|(field, places)| (field, FieldChange::Type, places));
    let new = new.into_iter().map(|(field, places)| (field, FieldChange::New, places));
    let guessed: Vec<(String, FieldChange, Vec<usize>)> = retyped.chain(new).collect();
    if guessed.is_empty() {
        return Ok(told);
    }
    let (ctx, runtime) = (ctx.clone(), Handle::current());
    let guessed = tokio::task::spawn_blocking(move || {
        let guess = |(field, change, places): (String, FieldChange, Vec<usize>)| {
            let object = &found[places[0]].0;
            let sampled = extracted.sample(&ctx, &runtime, object, std::slice::from_ref(&field));
            let column = sampled.first().map(crate::infer::Field::as_column);
            self::told(field, change, &places, &found, column)
        };
        guessed.into_iter().map(guess).collect::<Vec<_>>()
    });
    told.extend(guessed.await?);
    Ok(told)
}

/// Returns the fields whose values do not fit their column, or whose stored type is not that of the first object.
fn retyped(found: &[(Arc<SourceObject>, Changes)]) -> Places {
    let mut retyped = places(found, |changes| &changes.misfits);
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (place, (_, changes)) in found.iter().enumerate() {
        for (field, stored) in &changes.drift.types {
            let places = retyped.get(field.as_str());
            let is_told = places.is_some_and(|places| places.contains(&place));
            if *first.entry(field).or_insert(stored) != stored && !is_told {
                retyped.entry(field.clone()).or_default().push(place);
            }
        }
    }
    for places in retyped.values_mut() {
        places.sort_unstable();
    }
    retyped
}

fn places(
    found: &[(Arc<SourceObject>, Changes)],
    fields: impl Fn(&Changes) -> &Vec<String>,
) -> Places {
    let mut places = Places::new();
    for (place, (_, changes)) in found.iter().enumerate() {
        for field in fields(changes) {
            places.entry(field.clone()).or_default().push(place);
        }
    }
    places
}

fn told(
    field: String,
    change: FieldChange,
    places: &[usize],
    found: &[(Arc<SourceObject>, Changes)],
    column: Option<String>,
) -> FieldDrift {
    let object = found[places[0]].0.path.to_string();
    FieldDrift { field, change, objects: places.len() as u64, object, column }
}
