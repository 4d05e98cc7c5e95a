//! Lineage as Mermaid flowcharts, for pages that draw them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph::{Lineage, TableKind};
use super::origin::Origin;
use super::reach::Reach;

/// Draws the tables of a pipeline and which of them reads which.
pub(crate) fn graph(lineage: &Lineage) -> String {
    let mut text = "flowchart LR\n".to_owned();
    // Ids have a prefix, since Mermaid takes words such as `end` for its own.
    for table in &lineage.tables {
        let name = &table.name;
        let _ = match table.kind {
            TableKind::Source => writeln!(text, "  t_{name}[({name})]"),
            TableKind::Identity => writeln!(text, "  t_{name}{{{{{name}}}}}"),
            TableKind::Constant => writeln!(text, "  t_{name}[/{name}/]"),
            TableKind::Stage => writeln!(text, "  t_{name}[{name}]"),
            TableKind::Mart => writeln!(text, "  t_{name}([{name}])"),
        };
    }
    for table in &lineage.tables {
        for read in &table.reads {
            let _ = writeln!(text, "  t_{read} --> t_{}", table.name);
        }
    }
    text
}

/// Draws the steps by which values reach a column; what only influences it is left out.
pub(crate) fn reach(reach: &Reach) -> String {
    let nodes: BTreeSet<&Origin> = reach.value.iter().chain([&reach.from]).collect();
    let numbers: BTreeMap<&Origin, usize> =
        nodes.iter().enumerate().map(|(number, origin)| (*origin, number)).collect();
    let mut by_table: BTreeMap<(String, String), Vec<&Origin>> = BTreeMap::new();
    for origin in nodes {
        by_table.entry(group(origin)).or_default().push(origin);
    }
    let mut text = "flowchart LR\n".to_owned();
    for ((group, title), origins) in by_table {
        let _ = writeln!(text, "  subgraph {group}[{title}]");
        for origin in origins {
            let part = quoted(origin.part());
            let _ = writeln!(text, "    n{}[{part}]", numbers[origin]);
        }
        text.push_str("  end\n");
    }
    for (used, user) in &reach.steps {
        let _ = writeln!(text, "  n{} --> n{}", numbers[used], numbers[user]);
    }
    text
}

/// Returns the id and the title of the box an origin stands in.
fn group(origin: &Origin) -> (String, String) {
    let table = origin.table();
    match origin {
        Origin::Field { .. } | Origin::Objects { .. } => {
            (format!("raw_{table}"), format!("raw {table}"))
        }
        Origin::Rows { .. } | Origin::Column { .. } => (format!("table_{table}"), table.to_owned()),
    }
}

/// Writes a text that comes from data in quotes, without what would end them.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | ' ' | '-' | '*' => safe.push(character),
            other => {
                let _ = write!(safe, "#{};", u32::from(other));
            }
        }
    }
    format!("\"{safe}\"")
}
