//! What a column reaches: back to the raw fields, or forward to the marts.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Lineage, Table};
use super::origin::Origin;

/// Which way lineage is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// To what something is made of.
    Back,
    /// To what is made of something.
    Forward,
}

/// Everything that lies before or behind a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) from: Origin,
    pub(crate) direction: Direction,
    /// What is reached by values alone.
    pub(crate) value: BTreeSet<Origin>,
    /// What is reached only through something that decides about rows or chooses among values.
    pub(crate) influence: BTreeSet<Origin>,
    /// The steps between `from` and the values, each from what is used to what uses it.
    pub(crate) steps: BTreeSet<(Origin, Origin)>,
}

/// One use of something in something else.
struct Use {
    used: Origin,
    user: Origin,
    as_value: bool,
}

/// Follows a column, or a raw field, through the whole pipeline.
pub(crate) fn reach(lineage: &Lineage, from: &Origin, direction: Direction) -> Reach {
    let uses: Vec<Use> = lineage.tables.iter().flat_map(uses).collect();
    let neighbours = Neighbours::new(&uses, direction);
    let value = neighbours.values(from);
    let mut influence = neighbours.all(from);
    influence.retain(|origin| !value.contains(origin) && origin != from);
    let within = |origin: &Origin| value.contains(origin) || origin == from;
    let steps = uses
        .iter()
        .filter(|step| step.as_value && within(&step.used) && within(&step.user))
        .map(|step| (step.used.clone(), step.user.clone()))
        .collect();
    let value = value.into_iter().filter(|origin| origin != from).collect();
    Reach { from: from.clone(), direction, value, influence, steps }
}

fn uses(table: &Table) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut add = |user: &Origin, origins: &BTreeSet<Origin>, as_value| {
        let of = |used: &Origin| Use { used: used.clone(), user: user.clone(), as_value };
        uses.extend(origins.iter().map(of));
    };
    let rows = Origin::rows(&table.name);
    add(&rows, &table.rows_of, true);
    add(&rows, &table.chosen_by, false);
    for column in &table.columns {
        let user = Origin::column(&table.name, &column.name);
        add(&user, &column.value, true);
        add(&user, &column.influences, false);
    }
    uses
}

/// For each origin what lies next to it in one direction, and whether it is the value that leads there.
struct Neighbours<'a>(BTreeMap<&'a Origin, Vec<(&'a Origin, bool)>>);

impl<'a> Neighbours<'a> {
    fn new(uses: &'a [Use], direction: Direction) -> Self {
        let mut next: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for Use { used, user, as_value } in uses {
            let (here, there) = match direction {
                Direction::Back => (user, used),
                Direction::Forward => (used, user),
            };
            next.entry(here).or_default().push((there, *as_value));
        }
        Self(next)
    }

    fn values(&self, from: &Origin) -> BTreeSet<Origin> {
        self.reached(from, |as_value| as_value)
    }

    fn all(&self, from: &Origin) -> BTreeSet<Origin> {
        self.reached(from, |_| true)
    }

    fn reached(&self, from: &Origin, follows: impl Fn(bool) -> bool) -> BTreeSet<Origin> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(here) = waiting.pop() {
            for (there, as_value) in self.0.get(here).into_iter().flatten() {
                if follows(*as_value) && reached.insert((*there).clone()) {
                    waiting.push(there);
                }
            }
        }
        reached
    }
}
