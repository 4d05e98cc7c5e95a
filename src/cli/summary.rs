//! The end of a run, in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::report::{
    CheckReport, FieldChange, FieldDrift, PublishedTable, RunReport, SourceReport, Status, Step,
    StepReport, UnreadableObject, together,
};

/// How many kinds of rejects are told for each source.
const KINDS_OF_REJECTS: usize = 3;
/// With more rejects in a hundred records than that a warning is given, unless they are a handful.
const MANY_REJECTS: u64 = 5;
/// Fewer rejects than that are a handful.
const HANDFUL: u64 = 10;
/// How many missing inputs and unreadable objects are told.
const PASSED_OVER: usize = 10;
/// How many drifted fields are told for each source.
const DRIFTED_FIELDS: usize = 5;

/// Tells what was read, rejected, merged and published, where, and how long it took.
pub(super) fn text(report: &RunReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", headline(report));
    for error in &report.errors {
        let _ = writeln!(text, "  {error}");
    }
    if let Some(help) = &report.help {
        let _ = writeln!(text, "  help: {help}");
    }
    if !report.sources.is_empty() {
        sources(&mut text, report);
    }
    earlier_nights(&mut text, report);
    passed_over(&mut text, report);
    lost_files(&mut text, report);
    drift(&mut text, report);
    customers(&mut text, report);
    checks(&mut text, report);
    published(&mut text, report);
    steps(&mut text, &report.steps);
    text
}

fn headline(report: &RunReport) -> String {
    let RunReport { pipeline, as_of, run_id, .. } = report;
    let generation = report.generation.map(|number| number.to_string()).unwrap_or_default();
    match report.status {
        Status::Published => {
            format!("published {pipeline} as of {as_of}: generation {generation} (run {run_id})")
        }
        Status::Unchanged => format!(
            "nothing new for {pipeline} as of {as_of}: generation {generation} has the same inputs and rules"
        ),
        Status::ChecksFailed => {
            // A record, an object or a value may be what is wrong, long before there is anything to check.
            let has_failed = report.checks.iter().any(CheckReport::blocks);
            let why = if has_failed { "checks failed" } else { "the data cannot be used" };
            format!("nothing published for {pipeline} as of {as_of}: {why} (run {run_id})")
        }
        Status::Incomplete => format!(
            "nothing published for {pipeline} as of {as_of}: inputs are incomplete (run {run_id})"
        ),
        Status::Failed | Status::Interrupted if report.generation.is_some() => format!(
            "generation {generation} of {pipeline} as of {as_of} is decided, and the next run puts it in place (run {run_id})"
        ),
        Status::Failed => {
            format!("nothing published for {pipeline} as of {as_of}: failed (run {run_id})")
        }
        Status::Interrupted => {
            format!("nothing published for {pipeline} as of {as_of}: interrupted (run {run_id})")
        }
    }
}

fn sources(text: &mut String, report: &RunReport) {
    let total = report.total();
    let _ = writeln!(
        text,
        "\n{:<24}{:>12}{:>12}{:>12}{:>12}",
        "source", "read", "kept", "rejected", "duplicate"
    );
    let rows = report.sources.iter().map(|source| (source.source.as_str(), source.total));
    for (name, account) in rows.chain([("in all", total)]) {
        let _ = writeln!(
            text,
            "{name:<24}{:>12}{:>12}{:>12}{:>12}",
            account.read, account.kept, account.rejected, account.duplicate
        );
    }
    for source in report.sources.iter().filter(|source| source.total.rejected > 0) {
        let _ = writeln!(text, "rejects of {}: {}", source.source, reasons(source));
        many_rejects(text, source);
    }
}

/// Warns where so much of a source was rejected that its tables may mislead.
fn many_rejects(text: &mut String, SourceReport { source, total, .. }: &SourceReport) {
    if total.rejected >= HANDFUL && total.rejected * 100 > total.read * MANY_REJECTS {
        let percent = total.rejected as f64 * 100.0 / total.read as f64;
        let _ = writeln!(
            text,
            "warning: {source}: {percent:.1} % of the records were rejected; `martlet rejects` shows them, and \
             `rejects: {{ max_percent: N }}` below a source ends a run that has more"
        );
    }
}

/// Warns of what earlier nights had left and is lost.
fn lost_files(text: &mut String, report: &RunReport) {
    let Some(first) = report.lost_files.first() else { return };
    let _ = writeln!(
        text,
        "warning: {} files of earlier nights are gone and were done without (first `{first}`)",
        report.lost_files.len()
    );
    let has_lost = |table: &str| report.lost_files.iter().any(|path| path.contains(table));
    if has_lost("identity/map/") || has_lost("identity/links/") {
        let _ = writeln!(text, "warning: who was who is not known any more: customers begin anew");
    }
}

/// Tells what has become of the objects and rows of earlier nights.
fn earlier_nights(text: &mut String, report: &RunReport) {
    let known: u64 = report.sources.iter().map(|source| source.known).sum();
    if known > 0 {
        let _ = writeln!(text, "{known} objects went in on earlier nights and stay as they are");
    }
    for SourceReport { source, superseded, late, vanished, out_of_reach, .. } in &report.sources {
        if *late > 0 {
            let _ = writeln!(
                text,
                "{source}: {late} rows came more days late than its dedupe window is wide, and count all the same"
            );
        }
        if *superseded > 0 {
            let _ = writeln!(
                text,
                "{source}: {superseded} rows of earlier nights are duplicates of new ones"
            );
        }
        if let Some(first) = vanished.first() {
            let _ = writeln!(
                text,
                "warning: {source}: {} objects of earlier nights are gone from the store (first `{first}`); their rows stay",
                vanished.len()
            );
        }
        if let Some(first) = out_of_reach.first() {
            let _ = writeln!(
                text,
                "warning: {source}: rows of {} objects that are gone from the store (first `{first}`) were duplicates of rows \
                 that left tonight; they cannot come back",
                out_of_reach.len()
            );
        }
    }
}

/// Warns of what the night was to go on without.
fn passed_over(text: &mut String, report: &RunReport) {
    let told = report.missing.iter().filter(|_| report.allow_incomplete);
    let missing = told.map(|input| format!("{} is incomplete: {}", input.source, input.missing));
    let unreadable = report.sources.iter().flat_map(|source| {
        source.unreadable.iter().map(move |object| {
            let UnreadableObject { object, reason } = object;
            format!("{}: `{object}` was passed over: {reason}", source.source)
        })
    });
    let warnings: Vec<String> = missing.chain(unreadable).collect();
    for warning in warnings.iter().take(PASSED_OVER) {
        let _ = writeln!(text, "warning: {warning}");
    }
    if warnings.len() > PASSED_OVER {
        let more = warnings.len() - PASSED_OVER;
        let _ = writeln!(text, "warning: {more} other missing inputs in report.json");
    }
}

/// Warns of fields that are not declared or have vanished.
fn drift(text: &mut String, report: &RunReport) {
    for source in &report.sources {
        for drift in source.drift.iter().take(DRIFTED_FIELDS) {
            let FieldDrift { field, objects, object, .. } = drift;
            let what = match drift.change {
                FieldChange::New => "is not declared",
                FieldChange::Vanished => "has vanished",
                FieldChange::Type => "has another type",
            };
            let _ = write!(
                text,
                "warning: {}: field `{field}` {what} ({objects} objects, first `{object}`)",
                source.source
            );
            let column = drift.column.as_ref().map(|column| format!("; `{column}`"));
            let _ = writeln!(text, "{}", column.unwrap_or_default());
        }
        let more = source.drift.len().saturating_sub(DRIFTED_FIELDS);
        if more > 0 {
            let _ =
                writeln!(text, "warning: {}: {more} other fields in report.json", source.source);
        }
    }
}

/// Lists the most frequent reasons for rejects.
fn reasons(source: &SourceReport) -> String {
    let mut reasons: Vec<(&str, u64)> =
        source.reasons.iter().map(|(reason, rows)| (reason.as_str(), *rows)).collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let shown = reasons.iter().take(KINDS_OF_REJECTS);
    let mut shown: Vec<String> = shown.map(|(reason, rows)| format!("{rows} {reason}")).collect();
    if reasons.len() > KINDS_OF_REJECTS {
        let rest: u64 = reasons.iter().skip(KINDS_OF_REJECTS).map(|(_, rows)| rows).sum();
        shown.push(format!("{rest} other"));
    }
    shown.join(", ")
}

fn customers(text: &mut String, report: &RunReport) {
    let Some(customers) = &report.customers else { return };
    let _ = writeln!(
        text,
        "\n{} customers from {} identifiers: {} created, {} merged, {} split; {} links refused, {} values shared by too many",
        customers.customers,
        customers.identifiers,
        customers.created,
        customers.merged,
        customers.split,
        customers.refused,
        customers.ambiguous
    );
    let Some(matching) = &customers.matching else { return };
    let _ = writeln!(
        text,
        "{} matches among {} pairs of records compared",
        matching.matched, matching.compared
    );
    if matching.blocks_capped > 0 {
        let _ = writeln!(
            text,
            "warning: {} blocks of records were too big: {} pairs left out",
            matching.blocks_capped, matching.pairs_left_out
        );
    }
    if matching.unsettled > 0 {
        let _ = writeln!(
            text,
            "warning: the estimate for {} sources had not settled: compare columns that tell more, or fewer that depend on each other",
            matching.unsettled
        );
    }
}

fn checks(text: &mut String, report: &RunReport) {
    let failed: Vec<_> = report.checks.iter().filter(|check| check.failures > 0).collect();
    // Where a night ends before most of its checks, those that passed tell nothing.
    let has_ended_early = failed.is_empty() && report.status != Status::Published;
    if report.checks.is_empty() || has_ended_early {
        return;
    }
    let passed = report.checks.len() - failed.len();
    let _ = writeln!(text, "\n{passed} of {} checks passed", report.checks.len());
    for check in failed {
        let kind = if check.blocks() { "error" } else { "warning" };
        let _ = writeln!(text, "{kind}: {} {}: {} rows", check.stage, check.check, check.failures);
    }
}

fn published(text: &mut String, report: &RunReport) {
    if !report.published.is_empty() {
        let _ = writeln!(text);
    }
    for table in &report.published {
        let nights = table.nights.filter(|nights| *nights > 1);
        let nights = nights.map(|nights| format!(", {nights} nights kept")).unwrap_or_default();
        let PublishedTable { table, rows, url, .. } = table;
        let _ = writeln!(text, "{table:<28}{rows:>10} rows  {url}{nights}");
    }
    for mart in &report.withdrawn {
        let _ = writeln!(text, "{mart} is published no more: its table is empty by now");
    }
}

fn steps(text: &mut String, steps: &[StepReport]) {
    let mut spans = BTreeMap::<Step, Vec<(u64, u64)>>::new();
    for step in steps {
        spans.entry(step.step).or_default().push((step.started_ms, step.elapsed_ms));
    }
    if spans.is_empty() {
        return;
    }
    let told = spans
        .into_iter()
        .map(|(step, spans)| format!("{} {:.2} s", step.as_str(), together(spans) as f64 / 1000.0));
    let told: Vec<String> = told.collect();
    let _ = writeln!(text, "\n{}", told.join(", "));
    let again = steps.iter().filter(|step| step.again).map(|step| match step.step {
        Step::Audit => "checks",
        _ => step.subject.as_str(),
    });
    let again: Vec<&str> = again.collect();
    if !again.is_empty() {
        let again = again.join(", ");
        let _ = writeln!(text, "computed once more, each by itself, for lack of memory: {again}");
        let _ = writeln!(text, "with more `--memory` the night takes less time");
    }
}
