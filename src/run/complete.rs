//! Judges whether the inputs of a night are there.
//!
//! Days, objects and markers are judged before anything is decoded; how many records an object has is known only
//! behind that, and judged before anything is published.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};

use super::RunError;
use super::base::{Base, Standing};
use crate::engine::Context;
use crate::plan::{self, Load};
use crate::report::{MissingInput, ObjectAccount};
use crate::steps::extract::{ExtractError, ExtractErrorKind, Extracted};
use crate::warehouse::{LedgerEntry, SourceLedger};

/// How many markers are asked for at a time.
const AT_ONCE: usize = 16;

/// Lists what every source expects and does not have: objects of each day, and markers.
pub(super) async fn missing(
    ctx: &Context,
    extracted: &[Extracted],
) -> Result<Vec<MissingInput>, RunError> {
    let mut all = Vec::new();
    for extracted in extracted {
        let source = &extracted.source;
        if extracted.objects.is_empty() && source.expect.objects_per_day != Some(0) {
            let what = format!("no object matches `{}`", source.pattern.as_str());
            all.push(missing_in(source, what));
            continue;
        }
        let days = days(ctx, source);
        let short = days.iter().filter_map(|day| short_day(extracted, *day));
        all.extend(short.map(|what| missing_in(source, what)));
        let absent = absent_markers(ctx, source, &days).await?;
        all.extend(absent.into_iter().map(|what| missing_in(source, what)));
    }
    Ok(all)
}

/// Lists the objects that have fewer records than their source expects of each.
pub(super) fn too_few_rows(source: &plan::Source, objects: &[ObjectAccount]) -> Vec<MissingInput> {
    let Some(least) = source.expect.min_rows else {
        return Vec::new();
    };
    let is_marker = |object: &ObjectAccount| {
        let day = source.pattern.matches(&object.object).flatten().unwrap_or_default();
        source.expect.marker_of(day).as_ref() == Some(&object.object)
    };
    let short = objects.iter().filter(|object| object.account.read < least && !is_marker(object));
    let told = short.map(|object| {
        let read = object.account.read;
        let what = format!("`{}` has {read} of {least} expected rows", object.object);
        missing_in(source, what)
    });
    told.collect()
}

/// Lists what earlier nights took in and no night will have any more: objects that would have to be decoded anew and are not
/// there to be decoded.
///
/// What an object that is gone brought on an earlier night stays for as long as nothing asks for the object again.
pub(super) fn lost(extracted: &[Extracted], base: &Base) -> Vec<MissingInput> {
    let sources: BTreeSet<&str> = extracted.iter().map(|it| it.source.name.as_str()).collect();
    let lasting = extracted.iter().filter(|it| it.source.load != Load::Replace);
    lasting.flat_map(|extracted| lost_of(extracted, base, &sources)).collect()
}

fn lost_of(extracted: &Extracted, base: &Base, sources: &BTreeSet<&str>) -> Vec<MissingInput> {
    let source = &extracted.source;
    let anew = match base.standing(source) {
        Standing::OtherRules => Some("its rules have changed"),
        Standing::Refreshed => Some("all of it is to be decoded anew"),
        Standing::Same | Standing::New => None,
    };
    let causes = [
        anew.map(|why| (why, base.whole_ledger(source))),
        Some(("nights that are no more had others", base.elsewhere(source))),
        Some(("a source that is no more had others", base.orphans(source, sources))),
    ];
    let causes = causes.into_iter().flatten();
    causes.filter_map(|(why, known)| gone(extracted, why, &known)).collect()
}

/// Tells which of the objects known are not there.
fn gone(extracted: &Extracted, why: &str, known: &SourceLedger) -> Option<MissingInput> {
    let gone = known.iter().filter(|(path, entry)| {
        entry.account.kept + entry.account.rejected > 0 && !extracted.has(path)
    });
    let gone: Vec<_> = gone.collect();
    let (first, _) = gone.first()?;
    let sum =
        |count: fn(&LedgerEntry) -> u64| gone.iter().map(|(_, entry)| count(entry)).sum::<u64>();
    let rows = sum(|entry| entry.account.kept);
    let rejects = sum(|entry| entry.account.rejected);
    let (objects, pattern) = (gone.len(), extracted.source.pattern.as_str());
    Some(missing_in(
        &extracted.source,
        format!(
            "{why}, and {objects} objects from which {rows} rows and {rejects} rejects came match `{pattern}` no more or are \
             gone (first `{first}`)"
        ),
    ))
}

/// Ends the run where something is missing and that is not allowed.
pub(super) fn require(missing: &[MissingInput], allows_incomplete: bool) -> Result<(), RunError> {
    if missing.is_empty() || allows_incomplete {
        return Ok(());
    }
    Err(RunError::Incomplete { missing: missing.to_vec() })
}

fn missing_in(source: &plan::Source, missing: String) -> MissingInput {
    MissingInput { source: source.name.to_string(), missing }
}

/// Returns the days that must be complete, the earliest first.
fn days(ctx: &Context, source: &plan::Source) -> Vec<NaiveDate> {
    if !source.pattern.has_date() {
        return Vec::new();
    }
    let end = ctx.as_of.date;
    let first = match source.expect.days {
        plan::Days::Last(days) => end.checked_sub_days(Days::new(days.into())),
        plan::Days::Since(first) => Some(first),
    };
    first.into_iter().flat_map(|first| first.iter_days().take_while(|day| *day < end)).collect()
}

fn short_day(extracted: &Extracted, day: NaiveDate) -> Option<String> {
    let expect = &extracted.source.expect;
    let expected = expect.objects_per_day?;
    let marker = expect.marker_of(day);
    let of_day = extracted
        .objects
        .iter()
        .filter(|object| object.date == Some(day) && marker.as_deref() != Some(&*object.path));
    let found = of_day.count() as u64;
    (found < expected).then(|| format!("{day} has {found} of {expected} expected objects"))
}

/// Returns the markers that are not there, in the order of their days.
async fn absent_markers(
    ctx: &Context,
    source: &plan::Source,
    days: &[NaiveDate],
) -> Result<Vec<String>, RunError> {
    // A marker that tells no day is the same for all of them.
    let days = if source.expect.is_daily() { days } else { &[NaiveDate::default()] };
    let markers = days.iter().filter_map(|day| source.expect.marker_of(*day));
    let asked = stream::iter(markers).map(|marker| is_absent(ctx, source, marker));
    let answers: Vec<Option<String>> = asked.buffered(AT_ONCE).try_collect().await?;
    Ok(answers.into_iter().flatten().map(|marker| format!("`{marker}` is not there")).collect())
}

/// Returns the marker if there is no such object.
async fn is_absent(
    ctx: &Context,
    source: &plan::Source,
    marker: String,
) -> Result<Option<String>, RunError> {
    let parts = marker.split('/').map(Into::into);
    let location: Path = ctx.raw.prefix.parts().chain(parts).collect();
    match ctx.raw.store.head(&location).await {
        Ok(_) => Ok(None),
        Err(Error::NotFound { .. }) => Ok(Some(marker)),
        Err(error) => Err(RunError::Extract(ExtractError {
            source_name: source.name.clone(),
            object: Some(marker.into()),
            kind: ExtractErrorKind::Read(error),
        })),
    }
}
