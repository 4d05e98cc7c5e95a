//! Finds out which objects are new to the ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::types::{Extracted, SourceObject};
use crate::plan::Load;
use crate::warehouse::{LedgerEntry, SourceLedger};

/// What has happened to the objects of a source since the ledger was written.
#[derive(Debug, Clone)]
pub(crate) struct News {
    /// The objects to decode: those that are new or have changed, and those that had lost rows to such.
    pub(crate) fresh: Extracted,
    /// Objects whose rows leave the table, for they come anew or have been superseded.
    pub(crate) forgotten: BTreeSet<Arc<str>>,
    /// Objects that are gone from the store; their rows stay.
    pub(crate) vanished: BTreeSet<Arc<str>>,
    /// Objects that are gone from the store, and had lost rows to such as leave now: those rows cannot come back.
    pub(crate) out_of_reach: BTreeSet<Arc<str>>,
    /// Objects that went in on earlier nights and stay as they are.
    pub(crate) known: usize,
}

/// Which objects are decoded once more although they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    None,
    /// Those that have rejects: what accepts a record may have changed outside the rules of its source.
    WithRejects,
}

/// Compares the listed objects of a source with the ledger.
pub(crate) fn news(listed: Extracted, ledger: &SourceLedger, again: Again) -> News {
    let is_listed = |path: &Arc<str>| listed.has(path);
    let gone: BTreeSet<Arc<str>> = ledger.keys().filter(|path| !is_listed(path)).cloned().collect();
    let changed = listed.objects.iter().filter(|object| {
        ledger.get(&object.path).is_some_and(|entry| !is_same(object, entry) || again.takes(entry))
    });
    let mut forgotten: BTreeSet<Arc<str>> =
        changed.map(|object| Arc::clone(&object.path)).collect();
    let vanished = match listed.source.load {
        // The last day's export supersedes the others, so theirs is no loss.
        Load::Replace => {
            forgotten.extend(gone);
            BTreeSet::new()
        }
        Load::Append | Load::Upsert => gone,
    };
    // Rows that lost to rows which leave now may be the best of their copies again.
    let losers =
        forgotten.iter().filter_map(|path| ledger.get(path)).flat_map(|entry| &entry.beaten);
    let (losers, out_of_reach): (BTreeSet<Arc<str>>, _) =
        losers.cloned().partition(|path| is_listed(path));
    forgotten.extend(losers);

    let mut fresh = listed;
    let listed = fresh.objects.len();
    fresh
        .objects
        .retain(|object| forgotten.contains(&object.path) || !ledger.contains_key(&object.path));
    News { known: listed - fresh.objects.len(), fresh, forgotten, vanished, out_of_reach }
}

impl Again {
    fn takes(self, entry: &LedgerEntry) -> bool {
        self == Self::WithRejects && entry.account.rejected > 0
    }
}

/// Says whether an object is what it was when it went in.
pub(crate) fn is_same(object: &SourceObject, entry: &LedgerEntry) -> bool {
    object.size == entry.size && object.etag == entry.etag
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::{Again, News, news};
    use crate::plan::{self, Load};
    use crate::report::Account;
    use crate::steps::extract::{Extracted, SourceObject};
    use crate::steps::fixtures::source;
    use crate::warehouse::{LedgerEntry, SourceLedger};

    fn object(path: &str, size: u64) -> Arc<SourceObject> {
        Arc::new(SourceObject {
            location: path.into(),
            path: path.into(),
            etag: None,
            size,
            date: None,
        })
    }

    fn entry(beaten: &[&str]) -> LedgerEntry {
        LedgerEntry {
            etag: None,
            size: 1,
            date: None,
            run_id: "r1".to_owned(),
            account: Account::default(),
            beaten: beaten.iter().map(|path| Arc::from(*path)).collect(),
        }
    }

    fn told(load: Load, listed: &[(&str, u64)], ledger: &[(&str, &[&str])]) -> News {
        let source = Arc::new(plan::Source { load, ..source("orders", &[]) });
        let objects = listed.iter().map(|(path, size)| object(path, *size)).collect();
        let ledger: SourceLedger =
            ledger.iter().map(|(path, beaten)| (Arc::from(*path), entry(beaten))).collect();
        news(Extracted { source, objects }, &ledger, Again::None)
    }

    fn paths(objects: &BTreeSet<Arc<str>>) -> Vec<&str> {
        objects.iter().map(AsRef::as_ref).collect()
    }

    fn fresh(news: &News) -> Vec<&str> {
        news.fresh.objects.iter().map(|object| object.path.as_ref()).collect()
    }

    #[test]
    fn an_object_is_decoded_once() {
        let news = told(Load::Append, &[("a", 1), ("b", 1)], &[("a", &[])]);
        assert_eq!(fresh(&news), ["b"]);
        assert_eq!((news.known, news.forgotten.len(), news.vanished.len()), (1, 0, 0));
    }

    #[test]
    fn a_changed_object_comes_anew_with_those_that_had_lost_rows_to_it() {
        let ledger: &[(&str, &[&str])] = &[("a", &["b", "gone"]), ("b", &[]), ("c", &["a"])];
        let news = told(Load::Append, &[("a", 2), ("b", 1), ("c", 1)], ledger);
        assert_eq!(fresh(&news), ["a", "b"]);
        assert_eq!(paths(&news.forgotten), ["a", "b"]);
        assert_eq!(paths(&news.out_of_reach), ["gone"]);
    }

    #[test]
    fn rows_of_a_vanished_object_stay() {
        let news = told(Load::Upsert, &[("b", 1)], &[("a", &[]), ("b", &[])]);
        assert_eq!(paths(&news.vanished), ["a"]);
        assert!(news.forgotten.is_empty() && news.fresh.objects.is_empty());
    }

    #[test]
    fn a_superseded_export_leaves() {
        let news = told(Load::Replace, &[("b", 1)], &[("a", &[])]);
        assert_eq!(paths(&news.forgotten), ["a"]);
        assert_eq!(fresh(&news), ["b"]);
    }
}
