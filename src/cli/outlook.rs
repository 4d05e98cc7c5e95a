//! What the next run would do, in words.

mod impact;

use std::fmt::Write as _;

use chrono::NaiveDate;

use crate::report::{
    AdvanceOutlook, ChangeKind, Expected, ObjectSet, Outlook, PresentNight, Reason, ReasonKind,
    RuleChange, RulePart, SourceAction, SourceOutlook, StageOutlook, Verdict,
};

/// How many objects of a kind are named, and how many missing inputs.
const NAMED: usize = 3;
const MISSING: usize = 10;
/// How many days are listed before only the first and the last are told.
const DAYS: usize = 4;

/// Tells what the next run would do, why, how long it may take, and what it would change.
pub(super) fn text(outlook: &Outlook) -> String {
    let mut text = headline(outlook);
    missing(&mut text, outlook);
    if outlook.verdict != Verdict::Unchanged {
        sources(&mut text, &outlook.sources);
        changes(&mut text, outlook);
        stages(&mut text, outlook);
    }
    expected(&mut text, &outlook.expected);
    if let Some(told) = &outlook.impact {
        impact::tell(&mut text, told);
    }
    text
}

fn headline(outlook: &Outlook) -> String {
    let Outlook { pipeline, as_of, .. } = outlook;
    let night =
        |night: &PresentNight| format!("generation {} as of {}", night.generation, night.as_of);
    let present = outlook.present.as_ref().map(night);
    let mut text = match (outlook.verdict, &present) {
        (Verdict::Unchanged, Some(present)) => {
            format!(
                "nothing new to do for {pipeline} as of {as_of}: {present} has the same inputs and rules\n"
            )
        }
        (Verdict::Incomplete, _) => {
            format!("{pipeline} as of {as_of} would not be published: inputs are missing\n")
        }
        (_, Some(present)) => {
            format!("{pipeline} as of {as_of} would be computed; published is {present}\n")
        }
        (_, None) => {
            format!("{pipeline} as of {as_of} would be computed; nothing is published yet\n")
        }
    };
    if let Some(number) = outlook.completes {
        let _ = writeln!(
            text,
            "a run has died while it published generation {number}; the next run completes it first"
        );
    }
    if let Some(base) = outlook.base.as_ref().filter(|_| outlook.base != outlook.present) {
        let _ = writeln!(text, "it builds on an earlier night: {}", night(base));
    }
    if !outlook.left_out.is_empty() {
        let _ = writeln!(text, "left out, and kept as they are: {}", outlook.left_out.join(", "));
    }
    text
}

fn missing(text: &mut String, outlook: &Outlook) {
    for input in outlook.missing.iter().take(MISSING) {
        let _ = writeln!(text, "  missing: {}: {}", input.source, input.missing);
    }
    let more = outlook.missing.len().saturating_sub(MISSING);
    if more > 0 {
        let _ = writeln!(text, "  missing: {more} more");
    }
    if outlook.verdict == Verdict::Incomplete {
        text.push_str("  hint: run when the exports are complete, or with `--allow-incomplete`\n");
    }
}

fn sources(text: &mut String, sources: &[SourceOutlook]) {
    let _ = writeln!(
        text,
        "\n{:<24}{:>8}{:>9}{:>8}{:>8}{:>8}{:>12}",
        "source", "new", "changed", "again", "gone", "known", "to decode"
    );
    for source in sources {
        let SourceOutlook { source: name, new, changed, again, vanished, known, .. } = source;
        let (_, bytes) = source.decoded();
        let _ = writeln!(
            text,
            "{name:<24}{:>8}{:>9}{:>8}{:>8}{known:>8}{:>12}{}",
            new.objects,
            changed.objects,
            again.objects,
            vanished.objects,
            size(bytes),
            why(source.action)
        );
    }
    for source in sources {
        objects(text, source);
    }
}

/// Tells why more is decoded than what is new.
fn why(action: SourceAction) -> &'static str {
    match action {
        SourceAction::Unchanged | SourceAction::News => "",
        SourceAction::First => "  a new source",
        SourceAction::RulesChanged => "  its rules have changed: all is decoded anew",
        SourceAction::Refreshed => "  all is decoded anew",
    }
}

fn objects(text: &mut String, source: &SourceOutlook) {
    let SourceOutlook { source: name, new, changed, vanished, superseded, .. } = source;
    let is_whole = source.action != SourceAction::News;
    let kinds = [
        ("new", new, false),
        ("changed", changed, false),
        ("gone from the store, their rows stay", vanished, true),
        ("superseded, their rows leave", superseded, true),
    ];
    for (kind, set, is_always_told) in kinds {
        if !set.is_empty() && (is_always_told || !is_whole) {
            let _ = writeln!(text, "{name}: {kind}: {}", named(set));
        }
    }
    if !source.dates.is_empty() && !is_whole {
        let _ = writeln!(text, "{name}: days touched: {}", days(&source.dates));
    }
}

fn named(set: &ObjectSet) -> String {
    let shown = set.first.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match set.objects.saturating_sub(NAMED as u64) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn days(days: &[NaiveDate]) -> String {
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if days.len() > DAYS => {
            format!("{} from {first} to {last}", days.len())
        }
        _ => days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn changes(text: &mut String, outlook: &Outlook) {
    let Some(present) = &outlook.present else { return };
    let number = present.generation;
    match &outlook.changes {
        None => {
            let _ =
                writeln!(text, "\ngeneration {number} does not tell by which rules it was made");
        }
        Some(changes) if changes.is_empty() => {
            let _ = writeln!(text, "\nrules: as in generation {number}");
        }
        Some(changes) => {
            let _ = writeln!(text, "\nrules changed since generation {number}");
            for change in changes {
                let _ = writeln!(text, "  {}", rule(change));
            }
        }
    }
}

fn rule(change: &RuleChange) -> String {
    let part = match change.part {
        RulePart::Martlet => "martlet's version",
        RulePart::Timezone => "the time zone",
        RulePart::Variable => "variable",
        RulePart::Source => "source",
        RulePart::Identity => "rules of identity",
        RulePart::Decisions => "decisions about who is who",
        RulePart::Table => "table in the pipeline",
        RulePart::StageSql => "stage",
        RulePart::StageColumns => "columns of",
        RulePart::StageChecks => "checks of",
        RulePart::Rest => "texts that change no row, such as descriptions and limits",
    };
    let name = change.name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
    let what = match (change.change, &change.before, &change.after) {
        (_, Some(before), Some(after)) => format!(": {before} -> {after}"),
        (ChangeKind::New, ..) => ": new".to_owned(),
        (ChangeKind::Removed, ..) => ": removed".to_owned(),
        (ChangeKind::Changed, ..) if change.part == RulePart::StageSql => ": other SQL".to_owned(),
        (ChangeKind::Changed, ..) => ": changed".to_owned(),
    };
    format!("{part}{name}{what}")
}

fn stages(text: &mut String, outlook: &Outlook) {
    let (computed, unchanged): (Vec<&StageOutlook>, Vec<&StageOutlook>) =
        outlook.stages.iter().partition(|stage| stage.runs);
    let _ = writeln!(text, "\nstages: {} of {} to compute", computed.len(), outlook.stages.len());
    let all: Option<&[Reason]> = computed.first().map(|stage| stage.reasons.as_slice());
    let is_one_reason = computed.len() > 1 && computed.iter().all(|it| Some(&*it.reasons) == all);
    if let Some(reasons) = all.filter(|_| is_one_reason && unchanged.is_empty()) {
        let _ = writeln!(text, "  everything, because {}", because(reasons));
        return;
    }
    for stage in &computed {
        let _ = writeln!(text, "  {:<28}{}", stage.stage, because(&stage.reasons));
    }
    for stage in &computed {
        if let Some(told) = &stage.incremental {
            let _ = writeln!(text, "  {}", advance(&stage.stage, told));
        }
    }
    if !unchanged.is_empty() {
        let names: Vec<&str> = unchanged.iter().map(|stage| stage.stage.as_str()).collect();
        let _ = writeln!(text, "  unchanged: {}", names.join(", "));
    }
}

fn advance(stage: &str, told: &AdvanceOutlook) -> String {
    match told {
        AdvanceOutlook::Customers { unless } if unless.is_empty() => {
            format!("{stage}: only customers whose rows may differ")
        }
        AdvanceOutlook::Customers { unless } => {
            let tables = unless.join(" or ");
            format!(
                "{stage}: only customers whose rows may differ, all where {tables} has other rows"
            )
        }
        AdvanceOutlook::Whole { why } => format!("{stage}: all customers, since {why}"),
    }
}

fn because(reasons: &[Reason]) -> String {
    let inputs: Vec<&str> = reasons
        .iter()
        .filter(|reason| reason.reason == ReasonKind::Input)
        .filter_map(|reason| reason.of.as_deref())
        .collect();
    let others = reasons.iter().filter(|reason| reason.reason != ReasonKind::Input);
    let mut told: Vec<String> = others.map(other_reason).collect();
    if !inputs.is_empty() {
        told.push(format!("reads {}", inputs.join(", ")));
    }
    told.join("; ")
}

fn other_reason(reason: &Reason) -> String {
    let of = reason.of.as_deref().unwrap_or_default();
    match reason.reason {
        ReasonKind::Forced => "that was asked for".to_owned(),
        ReasonKind::FirstNight => "nothing is published yet".to_owned(),
        ReasonKind::Unknown => "it is not known what made the published table".to_owned(),
        ReasonKind::Martlet => "martlet has another version".to_owned(),
        ReasonKind::Timezone => "the time zone is another".to_owned(),
        ReasonKind::New => "new".to_owned(),
        ReasonKind::Sql => "other SQL".to_owned(),
        ReasonKind::Columns => "other columns".to_owned(),
        ReasonKind::Variable => format!("variable `{of}`"),
        ReasonKind::Checks => "its checks".to_owned(),
        ReasonKind::AsOf => "another night".to_owned(),
        ReasonKind::KeepsNights => "it keeps its nights".to_owned(),
        ReasonKind::Input => format!("reads {of}"),
        ReasonKind::NeededBy => format!("is read by {of}"),
    }
}

fn expected(text: &mut String, expected: &Expected) {
    let Some(elapsed) = expected.elapsed_ms else {
        text.push_str("\nexpected time: unknown, no earlier run tells\n");
        return;
    };
    let runs = if expected.runs == 1 { "the last run" } else { "the last runs" };
    let steps = expected.steps.iter();
    let steps: Vec<String> =
        steps.map(|(step, elapsed)| format!("{} {}", step.as_str(), seconds(*elapsed))).collect();
    let _ = writeln!(
        text,
        "\nexpected time: about {} by {runs} ({})",
        seconds(elapsed),
        steps.join(", ")
    );
    if let Some(first) = expected.unknown.first() {
        let more = match expected.unknown.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "  without what no run has done yet: {first}{more}");
    }
}

/// Writes a time as exactly as anybody wants to know it.
fn seconds(milliseconds: u64) -> String {
    match milliseconds / 1000 {
        0..10 => format!("{:.2} s", milliseconds as f64 / 1000.0),
        whole @ 10..120 => format!("{whole} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Writes a number of bytes as people say it.
fn size(bytes: u64) -> String {
    match bytes {
        0 => "-".to_owned(),
        1..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
