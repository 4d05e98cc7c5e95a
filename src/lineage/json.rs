//! Lineage for machines; the version says which form it has.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::graph::{Column, Lineage, Table};
use super::origin::Origin;
use super::reach::Reach;

/// The version of both forms.
const VERSION: u32 = 1;

/// Tells every table and column of some pipelines with its direct origins.
pub(crate) fn to_json(pipelines: &[Lineage]) -> Value {
    let pipelines: Vec<Value> = pipelines.iter().map(pipeline).collect();
    json!({ "version": VERSION, "pipelines": pipelines })
}

/// Tells what a column reaches in each pipeline that has it.
pub(crate) fn reach_to_json<'a>(found: impl Iterator<Item = (&'a Lineage, Reach)>) -> Value {
    let of = |(lineage, reach): (&Lineage, Reach)| {
        let steps: Vec<Value> = reach
            .steps
            .iter()
            .map(|(used, user)| json!({ "from": origin(used), "to": origin(user) }))
            .collect();
        json!({
            "pipeline": lineage.pipeline,
            "of": origin(&reach.from),
            "direction": reach.direction,
            "value": origins(&reach.value),
            "influence": origins(&reach.influence),
            "steps": steps,
        })
    };
    json!({ "version": VERSION, "reaches": found.map(of).collect::<Vec<Value>>() })
}

fn pipeline(lineage: &Lineage) -> Value {
    let tables: Vec<Value> = lineage.tables.iter().map(table).collect();
    json!({ "pipeline": lineage.pipeline, "tables": tables })
}

fn table(table: &Table) -> Value {
    let columns: Vec<Value> = table.columns.iter().map(column).collect();
    json!({
        "name": table.name,
        "kind": table.kind,
        "reads": table.reads,
        "columns": columns,
        "rows_of": origins(&table.rows_of),
        "chosen_by": origins(&table.chosen_by),
    })
}

fn column(column: &Column) -> Value {
    json!({
        "name": column.name,
        "value": origins(&column.value),
        "influences": origins(&column.influences),
    })
}

fn origins(set: &BTreeSet<Origin>) -> Vec<Value> {
    set.iter().map(origin).collect()
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::Field { source, field } => json!({ "source": source, "field": field }),
        Origin::Objects { source } => json!({ "source": source, "objects": true }),
        Origin::Rows { table } => json!({ "table": table, "rows": true }),
        Origin::Column { table, column } => json!({ "table": table, "column": column }),
    }
}
