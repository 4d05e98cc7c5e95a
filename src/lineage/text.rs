//! Lineage for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph::{Column, Lineage, Table, TableKind};
use super::origin::Origin;
use super::reach::{Direction, Reach};

impl TableKind {
    /// Returns the word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Identity => "identity",
            Self::Constant => "constant",
            Self::Stage => "stage",
            Self::Mart => "mart",
        }
    }
}

/// Writes every table with what it reads; with the direct origins of each column, where these are asked for.
pub(crate) fn overview(lineage: &Lineage, with_columns: bool) -> String {
    let width = lineage.tables.iter().map(|table| table.name.len()).max().unwrap_or_default();
    let mut text = format!("{}\n\n", lineage.pipeline);
    for table in &lineage.tables {
        let line = format!("{:<width$}  {:<8}  {}", table.name, table.kind.as_str(), reads(table));
        let _ = writeln!(text, "{}", line.trim_end());
        if with_columns {
            table.columns.iter().for_each(|column| add_column(&mut text, column));
        }
    }
    text
}

fn reads(table: &Table) -> String {
    let names: Vec<&str> = table.reads.iter().map(String::as_str).collect();
    names.join(", ")
}

fn add_column(text: &mut String, column: &Column) {
    let value = if column.value.is_empty() { "constant".to_owned() } else { list(&column.value) };
    let _ = writeln!(text, "  {} <- {value}", column.name);
    if !column.influences.is_empty() {
        let _ = writeln!(text, "    influenced by {}", list(&column.influences));
    }
}

fn list(origins: &BTreeSet<Origin>) -> String {
    let names: Vec<String> = origins.iter().map(Origin::to_string).collect();
    names.join(", ")
}

/// Writes what a column reaches, table by table in the order in which a run makes them.
pub(crate) fn reach(lineage: &Lineage, reach: &Reach) -> String {
    let (value, influence, none) = match reach.direction {
        Direction::Back => ("is computed from", "is influenced by", "is computed from nothing"),
        Direction::Forward => ("is used to compute", "influences", "is used to compute nothing"),
    };
    let mut text = format!("{} in {}\n", reach.from, lineage.pipeline);
    if reach.value.is_empty() {
        let _ = writeln!(text, "\n{none}");
    }
    for (title, origins) in [(value, &reach.value), (influence, &reach.influence)] {
        if !origins.is_empty() {
            let _ = writeln!(text, "\n{title}");
            add_tables(&mut text, lineage, reach.direction, origins);
        }
    }
    text
}

fn add_tables(
    text: &mut String,
    lineage: &Lineage,
    direction: Direction,
    origins: &BTreeSet<Origin>,
) {
    let mut by_table: BTreeMap<(usize, bool, &str), Vec<&str>> = BTreeMap::new();
    for origin in origins {
        let name = origin.table();
        let place = lineage.tables.iter().position(|table| table.name == name);
        let is_raw = matches!(origin, Origin::Field { .. } | Origin::Objects { .. });
        by_table.entry((place.unwrap_or_default(), !is_raw, name)).or_default().push(origin.part());
    }
    let shown = |(_, is_table, name): &(usize, bool, &str)| {
        if *is_table { (*name).to_owned() } else { format!("raw {name}") }
    };
    let width = by_table.keys().map(|key| shown(key).len()).max().unwrap_or_default();
    let mut lines: Vec<String> = by_table
        .iter()
        .map(|(key, parts)| format!("  {:<width$}  {}\n", shown(key), parts.join(", ")))
        .collect();
    if direction == Direction::Back {
        lines.reverse();
    }
    text.extend(lines);
}
