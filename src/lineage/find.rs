//! Finds the column that a person names.

use super::graph::{Lineage, Table};
use super::origin::Origin;
use crate::diagnostics::{Code, Diagnostic, SourceFile, nearest};

/// A column as a person names it: `table.column`.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// The text, under the name of the flag that says it.
    pub(crate) file: SourceFile,
}

/// Returns the pipelines that have what is named, and what it is in each.
///
/// A raw field may be named as a column of its source, where no column bears the name.
pub(crate) fn find<'a>(
    pipelines: &'a [Lineage],
    sought: &Sought,
) -> Result<Vec<(&'a Lineage, Origin)>, Diagnostic> {
    let text = sought.file.text.as_ref();
    let Some((table, column)) = text.split_once('.') else {
        let message = format!("`{text}` names no column");
        let help = "a column is named with its table, such as `fact_orders.order_id`";
        return Err(Diagnostic::error(Code::BadValue, message)
            .at(&sought.file, 0..text.len())
            .help(help));
    };
    let found = pipelines
        .iter()
        .filter_map(|lineage| Some((lineage, named(lineage.table(table)?, column)?)));
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err(unknown(pipelines, sought, table, column)) } else { Ok(found) }
}

fn named(table: &Table, column: &str) -> Option<Origin> {
    if table.column(column).is_some() {
        return Some(Origin::column(&table.name, column));
    }
    if column == "*" {
        return Some(Origin::rows(&table.name));
    }
    let mut fields = table.columns.iter().flat_map(|column| &column.value);
    let is_sought =
        |origin: &&Origin| matches!(origin, Origin::Field { field, .. } if field == column);
    fields.find(is_sought).cloned()
}

fn unknown(pipelines: &[Lineage], sought: &Sought, table: &str, column: &str) -> Diagnostic {
    let tables: Vec<&Table> = pipelines.iter().flat_map(|lineage| &lineage.tables).collect();
    let of_name: Vec<&&Table> = tables.iter().filter(|known| known.name == table).collect();
    if of_name.is_empty() {
        let message = format!("no source or stage is named `{table}`");
        let diagnostic =
            Diagnostic::error(Code::UnknownStage, message).at(&sought.file, 0..table.len());
        let names = tables.iter().map(|table| table.name.as_str());
        return with_nearest(diagnostic, table, names);
    }
    let message = format!("the table `{table}` has no column `{column}`");
    let span = table.len() + 1..sought.file.text.len();
    let diagnostic = Diagnostic::error(Code::UnknownColumn, message).at(&sought.file, span);
    let columns = of_name.iter().flat_map(|table| &table.columns);
    with_nearest(diagnostic, column, columns.map(|column| column.name.as_str()))
}

fn with_nearest<'a>(
    diagnostic: Diagnostic,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let names: Vec<&str> = names.collect();
    match nearest(name, names.iter().copied()) {
        Some(right) => diagnostic.help(format!("did you mean `{right}`?")),
        None => diagnostic.help(format!("there are `{}`", names.join("`, `"))),
    }
}
