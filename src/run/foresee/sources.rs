//! What the next run would do with each source.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::report::{ObjectSet, SourceAction, SourceOutlook};
use crate::run::base::{Base, Standing};
use crate::steps::extract::{Extracted, SourceObject, is_same, news};
use crate::warehouse::SourceLedger;

/// How many objects of each kind are named.
const NAMED: usize = 20;

/// Compares the listed objects of a source with those that earlier nights took in.
pub(super) fn of(listed: Extracted, base: &Base) -> SourceOutlook {
    let source = Arc::clone(&listed.source);
    let standing = base.standing(&source);
    let known = base.whole_ledger(&source);
    let news = news(listed, &base.ledger(&source), base.taken_again(&source));
    let mut told = SourceOutlook {
        source: source.name.to_string(),
        action: SourceAction::Unchanged,
        new: ObjectSet::default(),
        changed: ObjectSet::default(),
        again: ObjectSet::default(),
        vanished: ObjectSet::default(),
        superseded: ObjectSet::default(),
        known: news.known as u64,
        dates: Vec::new(),
    };
    for object in &news.fresh.objects {
        let set = match known.get(&object.path) {
            None => &mut told.new,
            Some(entry) if is_same(object, entry) => &mut told.again,
            Some(_) => &mut told.changed,
        };
        add(set, &object.path, object.size);
    }
    for path in &news.vanished {
        add(&mut told.vanished, path, known.get(path).map_or(0, |entry| entry.size));
    }
    let fresh: BTreeSet<&Arc<str>> = news.fresh.objects.iter().map(|object| &object.path).collect();
    for path in news.forgotten.iter().filter(|path| !fresh.contains(path)) {
        add(&mut told.superseded, path, known.get(path).map_or(0, |entry| entry.size));
    }
    told.action = match standing {
        Standing::Refreshed => SourceAction::Refreshed,
        Standing::New => SourceAction::First,
        Standing::OtherRules => SourceAction::RulesChanged,
        Standing::Same if told.changes_rows() => SourceAction::News,
        Standing::Same => SourceAction::Unchanged,
    };
    let dates = dates(&news.fresh.objects, &news.forgotten, &known);
    SourceOutlook { dates: dates.into_iter().collect(), ..told }
}

fn add(set: &mut ObjectSet, path: &str, bytes: u64) {
    set.objects += 1;
    set.bytes += bytes;
    if set.first.len() < NAMED {
        set.first.push(path.to_owned());
    }
}

/// Returns the days of the objects that come and of those whose rows leave.
fn dates(
    fresh: &[Arc<SourceObject>],
    forgotten: &BTreeSet<Arc<str>>,
    known: &SourceLedger,
) -> BTreeSet<chrono::NaiveDate> {
    let come = fresh.iter().filter_map(|object| object.date);
    let leave = forgotten.iter().filter_map(|path| known.get(path)?.date);
    come.chain(leave).collect()
}
