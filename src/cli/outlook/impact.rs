//! What a night would change, in words.

use std::fmt::Write as _;

use crate::report::{CustomerChange, CustomerImpact, Impact, MovedMoney, SegmentMove, Total};

/// How many moves between segments are told.
const MOVES: usize = 10;
/// How many characters of a customer's id are shown.
const ID: usize = 8;

/// Tells what would be different if the night were published.
pub(super) fn tell(text: &mut String, impact: &Impact) {
    let _ = writeln!(text, "\nimpact, against generation {}", impact.generation);
    totals(text, &impact.totals);
    segments(text, &impact.segments);
    if let Some(it) = &impact.customers {
        customers(text, it);
    }
    moved(text, &impact.moved);
    for check in &impact.failed {
        let kind = if check.blocks() { "error, nothing would be published" } else { "warning" };
        let _ =
            writeln!(text, "  {kind}: {} {}: {} rows", check.stage, check.check, check.failures);
    }
}

fn totals(text: &mut String, totals: &[Total]) {
    let changed: Vec<&Total> = totals.iter().filter(|total| total.before != total.after).collect();
    if changed.is_empty() {
        text.push_str("  rows and sums of money: all as they are\n");
        return;
    }
    let _ = writeln!(text, "  {:<28}{:<24}{:>18}{:>18}", "mart", "measure", "published", "then");
    for Total { mart, measure, before, after } in changed {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let (before, after) = (value(before), value(after));
        let _ = writeln!(text, "  {mart:<28}{measure:<24}{before:>18}{after:>18}");
    }
}

fn segments(text: &mut String, moves: &[SegmentMove]) {
    if moves.is_empty() {
        return;
    }
    let all: u64 = moves.iter().map(|it| it.customers).sum();
    let _ = writeln!(text, "  {all} customers in another RFM segment");
    for SegmentMove { before, after, customers } in moves.iter().take(MOVES) {
        let name =
            |segment: &Option<String>| segment.clone().unwrap_or_else(|| "(none)".to_owned());
        let _ = writeln!(text, "    {customers:>8}  {} -> {}", name(before), name(after));
    }
    let more = moves.len().saturating_sub(MOVES);
    if more > 0 {
        let _ = writeln!(text, "    and {more} other moves");
    }
}

fn customers(text: &mut String, it: &CustomerImpact) {
    let CustomerImpact { before, after, created, merged, split, retired, .. } = it;
    let _ = writeln!(
        text,
        "  customers: {before} -> {after}: {created} created, {merged} merged, {split} split, {retired} retired; {} identifiers change their customer",
        it.identifiers_moved
    );
    for example in &it.examples {
        let _ = writeln!(text, "    {}", told(example));
    }
}

fn told(change: &CustomerChange) -> String {
    let short = |id: &str| id.chars().take(ID).collect::<String>();
    let id = short(&change.customer_id);
    let other = change.from_customer_id.as_deref().map(short).unwrap_or_default();
    let cause = change.cause.as_ref().map(|cause| format!("  {cause}")).unwrap_or_default();
    let what = match change.change.as_str() {
        "merged" => format!("merged   {other} into {id}"),
        "split" => format!("split    {id} from {other}"),
        change => format!("{change:<9}{id}"),
    };
    format!("{what}, {} identifiers{cause}", change.identifiers)
}

fn moved(text: &mut String, moved: &[MovedMoney]) {
    let some: Vec<&MovedMoney> = moved.iter().filter(|money| money.rows > 0).collect();
    if some.is_empty() {
        return;
    }
    text.push_str("  money on rows that change their customer\n");
    for MovedMoney { source, column, rows, moved, total } in some {
        let _ = writeln!(text, "    {source}.{column}: {moved} of {total}, on {rows} rows");
    }
}
