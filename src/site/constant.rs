//! The part of the page about a table whose rows stand in the pipeline.

use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::html::Html;
use super::page::{Input, article};
use crate::plan::ConstantTable;

/// Writes the columns and the rows of the table.
pub(super) fn constant(html: &mut Html, input: &Input<'_>, table: &ConstantTable) {
    let schema = table.rows.schema();
    let titles: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let words: Vec<String> =
        [table.name].iter().chain(&titles).map(|&word| word.to_owned()).collect();
    let options = FormatOptions::default();
    // Every type such a table may have can be shown.
    let shown: Vec<ArrayFormatter<'_>> = table
        .rows
        .columns()
        .iter()
        .filter_map(|column| ArrayFormatter::try_new(column, &options).ok())
        .collect();
    article(html, input, table.name, "constant", &words, |html| {
        html.table(&titles, |html| {
            for row in 0..table.rows.num_rows() {
                let texts: Vec<String> =
                    shown.iter().map(|column| column.value(row).to_string()).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                html.row("td", &texts);
            }
        });
    });
}
