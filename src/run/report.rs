//! What the spine tells of each step.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::engine::Context;
use crate::plan::Plan;
use crate::report::{
    CustomerReport, Event, IncrementalReport, MatchReport, PublishedTable, SourceReport, Step,
    UnreadableObject,
};
use crate::steps::clean::CleanPart;
use crate::steps::dedupe::Deduped;
use crate::steps::extract::News;
use crate::steps::identity::Identified;
use crate::steps::transform::{Extent, Transformed};
use crate::warehouse::{Generation, Warehouse, Zone};

/// A step that is under way.
pub(super) struct Running<'a> {
    ctx: &'a Context,
    step: Step,
    subject: String,
    since: Instant,
}

/// Tells that a step begins to work on the whole pipeline.
pub(super) fn started<'a>(ctx: &'a Context, step: Step, plan: &Plan) -> Running<'a> {
    started_on(ctx, step, plan.name.as_str())
}

/// Tells that a step begins to work on a source.
pub(super) fn started_on<'a>(ctx: &'a Context, step: Step, subject: &str) -> Running<'a> {
    ctx.listener.on(&Event::Started { step, subject });
    Running { ctx, step, subject: subject.to_owned(), since: Instant::now() }
}

impl Running<'_> {
    /// Tells that the step is done, and with how much.
    pub(super) fn finished(self, count: u64) {
        let elapsed = self.since.elapsed();
        let event = Event::Finished { step: self.step, subject: &self.subject, count, elapsed };
        self.ctx.listener.on(&event);
    }
}

/// Tells what became of the records of a source.
pub(super) fn source(ctx: &Context, deduped: &Deduped, news: &News) -> SourceReport {
    let objects = deduped.accounts();
    let mut reasons = BTreeMap::new();
    for rejects in &deduped.cleaned.rejects {
        for (reason, count) in &rejects.reasons {
            *reasons.entry(reason.clone()).or_default() += count;
        }
    }
    SourceReport {
        source: deduped.cleaned.source.name.to_string(),
        total: objects.iter().map(|object| &object.account).sum(),
        reasons,
        unreadable: unreadable(&deduped.cleaned.parts),
        drift: deduped.cleaned.drift.clone(),
        known: news.known as u64,
        superseded: deduped.superseded.values().sum(),
        late: late(ctx, deduped),
        vanished: news.vanished.iter().map(ToString::to_string).collect(),
        out_of_reach: news.out_of_reach.iter().map(ToString::to_string).collect(),
        objects,
    }
}

/// Counts the rows that happened longer before the day of their object than the window is wide: copies of them may have
/// come and gone long before. An object without a day is of the last day of the night.
fn late(ctx: &Context, deduped: &Deduped) -> u64 {
    let source = &deduped.cleaned.source;
    let Some(window) = source.dedupe.as_ref().and_then(|rule| rule.window_days) else { return 0 };
    let last_day = ctx.as_of.date.to_epoch_days() - 1;
    let parts = deduped.cleaned.parts.iter();
    let of_part = |part: &CleanPart| -> u64 {
        let day = part.object.date.map_or(last_day, |date| date.to_epoch_days());
        let begin = day.saturating_sub_unsigned(window);
        part.days.range(..begin).map(|(_, rows)| rows).sum()
    };
    parts.map(of_part).sum()
}

fn unreadable(parts: &[CleanPart]) -> Vec<UnreadableObject> {
    let reasons = parts.iter().filter_map(|part| Some((part, part.unreadable.clone()?)));
    let told = |(part, reason): (&CleanPart, String)| UnreadableObject {
        object: part.object.path.to_string(),
        reason,
    };
    reasons.map(told).collect()
}

/// Tells what became of the customers, where the pipeline resolves any.
pub(super) fn customers(plan: &Plan, identified: &Identified) -> Option<CustomerReport> {
    let counts = identified.counts;
    (!plan.identity.identifiers.is_empty()).then_some(CustomerReport {
        customers: counts.customers,
        identifiers: counts.identifiers,
        created: counts.created,
        merged: counts.merged,
        split: counts.split,
        refused: counts.refused,
        ambiguous: counts.ambiguous,
        matching: identified.match_counts.map(|counts| MatchReport {
            compared: counts.compared,
            matched: counts.matched,
            blocks_capped: counts.capped,
            pairs_left_out: counts.left_out,
            unsettled: counts.unsettled,
        }),
    })
}

/// Returns the marts of the night before that this night does not publish.
pub(super) fn withdrawn(before: Vec<String>, published: &[PublishedTable]) -> Vec<String> {
    let is_published = |mart: &String| published.iter().any(|table| table.table == *mart);
    before.into_iter().filter(|mart| !is_published(mart)).collect()
}

/// Tells which marts are in place, and where to open them.
pub(super) fn published(warehouse: &Warehouse, generation: &Generation) -> Vec<PublishedTable> {
    let marts = generation.tables(Zone::Marts);
    marts
        .map(|(name, table)| PublishedTable {
            table: name.to_owned(),
            rows: table.rows_of_last_night(),
            bytes: table.last_night().map(|file| file.bytes).sum(),
            nights: table.history.is_some().then(|| table.nights().len() as u64),
            url: warehouse.shown(&warehouse.layout().latest(name)),
        })
        .collect()
}

/// Tells what was computed of the stages that go on from night to night.
pub(super) fn incremental(transformed: &Transformed) -> Vec<IncrementalReport> {
    let staged = transformed.staged.iter();
    let told = staged.filter_map(|staged| {
        let (customers, taken_over, whole) = match staged.extent.as_ref()? {
            Extent::Whole(why) => (None, 0, Some(why.to_string())),
            Extent::Advanced(it) => (Some(it.keys.len() as u64), it.taken_over, None),
        };
        let (stage, rows) = (staged.stage.name.to_string(), staged.rows());
        Some(IncrementalReport { stage, customers, taken_over, rows, whole })
    });
    told.collect()
}
