//! Decides which stage begins when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::plan;

/// The stages that have not ended.
///
/// How much memory a query finds depends on what runs beside it, and on which of its own threads comes first. So a stage
/// that finds too little is computed once more, with nothing beside it and on one thread.
pub(super) struct Turns<'a> {
    stages: &'a [Arc<plan::Stage>],
    /// Those that have not begun, in the order in which they shall.
    waiting: Vec<&'a Arc<plan::Stage>>,
    /// The names of all that have not ended.
    lacking: BTreeSet<&'a str>,
    /// How many are computed side by side.
    at_once: usize,
    /// Those that wait to be computed once more.
    again: Vec<&'a Arc<plan::Stage>>,
    /// The names of those that have begun once more.
    begun_again: BTreeSet<&'a str>,
}

/// How a stage is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Beside others, on all threads.
    Beside,
    /// By itself, on one thread.
    Alone,
}

impl<'a> Turns<'a> {
    /// Takes stages, each behind those it reads.
    pub(super) fn new(stages: &'a [Arc<plan::Stage>], at_once: usize) -> Self {
        Self {
            stages,
            waiting: in_order(stages),
            lacking: stages.iter().map(|stage| stage.name.as_str()).collect(),
            at_once,
            again: Vec::new(),
            begun_again: BTreeSet::new(),
        }
    }

    /// Returns a stage that begins now, beside so many that are under way.
    pub(super) fn next(&mut self, running: usize) -> Option<(Arc<plan::Stage>, Manner)> {
        if self.begun_again.iter().any(|name| self.lacking.contains(name)) {
            return None;
        }
        if let Some(stage) = self.again.last() {
            let stage = (running == 0).then_some(*stage)?;
            self.again.pop();
            self.begun_again.insert(stage.name.as_str());
            return Some((Arc::clone(stage), Manner::Alone));
        }
        if running >= self.at_once {
            return None;
        }
        let place = self.waiting.iter().position(|stage| is_ready(stage, &self.lacking))?;
        Some((Arc::clone(self.waiting.remove(place)), Manner::Beside))
    }

    /// Notes that a stage is there.
    pub(super) fn ended(&mut self, name: &str) {
        self.lacking.remove(name);
    }

    /// Has a stage computed once more; says no where it has been already.
    pub(super) fn once_more(&mut self, name: &str) -> bool {
        let stage = self.stages.iter().find(|stage| stage.name.as_str() == name);
        match stage.filter(|_| !self.begun_again.contains(name)) {
            Some(stage) => {
                self.again.push(stage);
                true
            }
            None => false,
        }
    }
}

/// Returns stages in the order in which they are begun as far as they can be: those on which most others hang one behind
/// the other come first, so that no long chain is left for the end, when nothing else keeps the other cores busy.
fn in_order(stages: &[Arc<plan::Stage>]) -> Vec<&Arc<plan::Stage>> {
    let reads = stages.iter().map(|stage| (stage.name.as_str(), &stage.select.tables));
    let heights = heights(&reads.collect::<Vec<_>>());
    let mut order: Vec<&Arc<plan::Stage>> = stages.iter().collect();
    order.sort_by_key(|stage| Reverse(heights.get(stage.name.as_str())));
    order
}

/// Returns for each table that is read how many stages hang on it one behind the other at most. Stages are given with what
/// they read, each after those.
fn heights<'a>(stages: &[(&'a str, &'a BTreeSet<String>)]) -> BTreeMap<&'a str, usize> {
    let mut heights: BTreeMap<&str, usize> = BTreeMap::new();
    // From behind, all readers of a stage are known when it comes.
    for (name, reads) in stages.iter().rev() {
        let height = heights.get(name).copied().unwrap_or_default();
        for read in *reads {
            let below = heights.entry(read.as_str()).or_default();
            *below = (*below).max(height + 1);
        }
    }
    heights
}

/// Says whether all that a stage reads is there.
fn is_ready(stage: &plan::Stage, lacking: &BTreeSet<&str>) -> bool {
    stage.select.tables.iter().all(|table| !lacking.contains(table.as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{Manner, Turns, heights};
    use crate::steps::fixtures::tiny_plan;

    #[test]
    fn the_longest_chain_tells_how_high_a_stage_stands() {
        let reads = |tables: &[&str]| -> BTreeSet<String> {
            tables.iter().map(|table| (*table).to_owned()).collect()
        };
        let stages = [
            ("orders", reads(&["raw"])),
            ("touches", reads(&["raw"])),
            ("segments", reads(&["orders"])),
            ("paths", reads(&["orders", "touches"])),
            ("credits", reads(&["paths"])),
        ];
        let stages: Vec<_> = stages.iter().map(|(name, reads)| (*name, reads)).collect();
        // Nothing reads `segments` and `credits`.
        let expected = BTreeMap::from([("raw", 3), ("orders", 2), ("touches", 2), ("paths", 1)]);
        assert_eq!(heights(&stages), expected);
    }

    #[test]
    fn a_stage_that_is_computed_once_more_has_nothing_beside_it() {
        let join =
            "SELECT lefts.number FROM lefts INNER JOIN rights ON rights.number = lefts.number";
        let orders = "SELECT number FROM orders";
        let plan = tiny_plan(&[
            ("sql/lefts.sql", orders),
            ("sql/rights.sql", orders),
            ("sql/fact_last.sql", join),
        ]);
        let mut turns = Turns::new(&plan.stages, 2);
        let next = |turns: &mut Turns<'_>, running| {
            turns.next(running).map(|(stage, manner)| (stage.name.to_string(), manner))
        };
        let (one, _) = next(&mut turns, 0).unwrap();
        let (other, _) = next(&mut turns, 1).unwrap();
        assert_eq!(next(&mut turns, 2), None);
        assert!(turns.once_more(&one));
        assert_eq!(next(&mut turns, 1), None);
        turns.ended(&other);
        assert_eq!(next(&mut turns, 0), Some((one.clone(), Manner::Alone)));
        assert_eq!(next(&mut turns, 1), None);
        assert!(!turns.once_more(&one));
        turns.ended(&one);
        assert_eq!(next(&mut turns, 0), Some(("fact_last".to_owned(), Manner::Beside)));
    }
}
