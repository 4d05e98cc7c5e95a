//! The rows that were expected and did not come, and those that came and were not expected.

use std::fmt::Write as _;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;

use crate::plan::Match;

/// How far two doubles may lie apart, as a part of the larger, and still be the same.
const TOLERANCE: f64 = 1e-9;
/// How many columns are shown whether they differ or not.
const MOST_COLUMNS: usize = 8;
/// How many lines are shown.
const MOST_LINES: usize = 40;
const NULL: &str = "NULL";

/// Rows as texts.
pub(super) struct Table {
    columns: Vec<String>,
    /// Whether the numbers of a column are only nearly exact.
    rough: Vec<bool>,
    rows: Vec<Vec<String>>,
}

/// How the rows that came differ from those that were expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) columns: Vec<String>,
    pub(crate) lines: Vec<Line>,
    /// The columns in which rows that belong together differ.
    pub(crate) differing: Vec<String>,
    /// How many rows are as expected.
    pub(crate) same: usize,
    /// How many lines are not shown.
    pub(crate) left_out: usize,
}

/// One row that is missing or too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sign: Sign,
    pub(crate) cells: Vec<String>,
}

/// Which side a row stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It was expected and did not come.
    Missing,
    /// It came and was not expected.
    Unexpected,
}

impl Table {
    /// Takes the columns of `schema` out of rows.
    pub(super) fn new(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self> {
        let columns: Vec<String> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        let is_rough = |data_type: &DataType| data_type.is_floating();
        let rough = schema.fields().iter().map(|field| is_rough(field.data_type())).collect();
        let mut rows = Vec::new();
        for batch in batches {
            rows.extend(texts(batch, &columns)?);
        }
        Ok(Self { columns, rough, rows })
    }

    fn are_equal(&self, column: usize, left: &str, right: &str) -> bool {
        if left == right || !self.rough[column] {
            return left == right;
        }
        match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => {
                (left - right).abs() <= TOLERANCE * left.abs().max(right.abs())
            }
            _ => false,
        }
    }

    /// Returns the columns in which two rows differ.
    fn differing(&self, left: &[String], right: &[String]) -> Vec<usize> {
        let columns = 0..self.columns.len();
        columns.filter(|&at| !self.are_equal(at, &left[at], &right[at])).collect()
    }
}

fn texts(batch: &RecordBatch, columns: &[String]) -> Result<Vec<Vec<String>>> {
    let options = FormatOptions::default().with_null(NULL).with_timestamp_tz_format(None);
    let arrays = columns.iter().filter_map(|name| batch.column_by_name(name));
    let formatters = arrays
        .map(|array| Ok((array, ArrayFormatter::try_new(array.as_ref(), &options)?)))
        .collect::<Result<Vec<(_, ArrayFormatter<'_>)>>>()?;
    let cell = |row: usize, (array, formatter): &(&arrow::array::ArrayRef, ArrayFormatter<'_>)| {
        // A text that reads NULL is told from a value that is missing.
        let text = formatter.value(row).to_string();
        if text == NULL && !array.is_null(row) { format!("'{text}'") } else { text }
    };
    let row = |row: usize| formatters.iter().map(|column| cell(row, column)).collect();
    Ok((0..batch.num_rows()).map(row).collect())
}

/// Compares rows without regard to their order; nothing is returned where they are as expected.
pub(super) fn difference(expected: &Table, found: &Table, matching: Match) -> Option<Difference> {
    let total = expected.rows.len();
    let mut unexpected: Vec<Vec<String>> = found.rows.clone();
    let mut missing = Vec::new();
    for row in &expected.rows {
        let same = unexpected.iter().position(|other| found.differing(row, other).is_empty());
        match same {
            Some(at) => drop(unexpected.swap_remove(at)),
            None => missing.push(row.clone()),
        }
    }
    let is_fulfilled = missing.is_empty() && (matching == Match::Some || unexpected.is_empty());
    if is_fulfilled {
        return None;
    }
    let same = total - missing.len();
    unexpected.sort();
    Some(shown(found, missing, unexpected, same, matching))
}

/// Puts each missing row beside the row that came in its place.
fn shown(
    table: &Table,
    missing: Vec<Vec<String>>,
    mut unexpected: Vec<Vec<String>>,
    same: usize,
    matching: Match,
) -> Difference {
    let mut lines = Vec::new();
    let mut differing = vec![false; table.columns.len()];
    for row in missing {
        let nearest = (0..unexpected.len())
            .map(|at| (table.differing(&row, &unexpected[at]), at))
            .filter(|(columns, _)| columns.len() < table.columns.len())
            .min_by_key(|(columns, at)| (columns.len(), *at));
        lines.push(Line { sign: Sign::Missing, cells: row });
        if let Some((columns, at)) = nearest {
            for column in columns {
                differing[column] = true;
            }
            lines.push(Line { sign: Sign::Unexpected, cells: unexpected.remove(at) });
        }
    }
    if matching == Match::All {
        let rest = unexpected.into_iter();
        lines.extend(rest.map(|cells| Line { sign: Sign::Unexpected, cells }));
    }
    let left_out = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    narrowed(table, lines, &differing, same, left_out)
}

/// Leaves out columns that do not differ where there are too many to read.
fn narrowed(
    table: &Table,
    mut lines: Vec<Line>,
    differing: &[bool],
    same: usize,
    left_out: usize,
) -> Difference {
    let few = table.columns.len() <= MOST_COLUMNS || !differing.contains(&true);
    let keep: Vec<usize> =
        (0..table.columns.len()).filter(|&at| few || at == 0 || differing[at]).collect();
    for line in &mut lines {
        line.cells = keep.iter().map(|&at| line.cells[at].clone()).collect();
    }
    let named = |at: &usize| table.columns[*at].clone();
    Difference {
        columns: keep.iter().map(named).collect(),
        lines,
        differing: (0..differing.len()).filter(|&at| differing[at]).map(|at| named(&at)).collect(),
        same,
        left_out,
    }
}

impl Difference {
    /// Returns the rows as a table: `-` before what is missing, `+` before what came instead.
    pub(crate) fn text(&self) -> String {
        let header = [("  ", &self.columns)];
        let signed = self.lines.iter().map(|line| match line.sign {
            Sign::Missing => ("- ", &line.cells),
            Sign::Unexpected => ("+ ", &line.cells),
        });
        let rows: Vec<(&str, &Vec<String>)> = header.into_iter().chain(signed).collect();
        let width = |column: usize| {
            rows.iter().map(|(_, cells)| cells[column].chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let row = |(sign, cells): &(&str, &Vec<String>)| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("{sign}{}", cells.collect::<Vec<_>>().join(" | ")).trim_end().to_owned() + "\n"
        };
        rows.iter().map(row).collect::<String>() + &self.remarks()
    }

    fn remarks(&self) -> String {
        let mut remarks = String::new();
        if self.left_out > 0 {
            let _ = writeln!(remarks, "  and {} more", self.left_out);
        }
        if !self.differing.is_empty() {
            let _ = writeln!(remarks, "  differs in `{}`", self.differing.join("`, `"));
        }
        if self.same > 0 {
            let rows = if self.same == 1 { "row is" } else { "rows are" };
            let _ = writeln!(remarks, "  {} {rows} as expected", self.same);
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    use super::{Match, Table, difference};

    fn table(rows: &[[&str; 3]]) -> Table {
        Table {
            columns: ["customer", "orders", "share"].map(str::to_owned).to_vec(),
            rough: vec![false, false, true],
            rows: rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect(),
        }
    }

    fn told(expected: &[[&str; 3]], found: &[[&str; 3]], matching: Match) -> String {
        let difference = difference(&table(expected), &table(found), matching);
        difference.map(|difference| difference.text()).unwrap_or_default()
    }

    #[test]
    fn order_does_not_matter_and_repeated_rows_do() {
        let rows = [["a", "1", "0.5"], ["b", "2", "0.5"]];
        assert_eq!(told(&rows, &[rows[1], rows[0]], Match::All), "");
        assert_ne!(told(&rows, &[rows[0], rows[0]], Match::All), "");
        assert_ne!(told(&rows, &[rows[0], rows[1], rows[1]], Match::All), "");
    }

    #[test]
    fn only_doubles_may_differ_in_their_last_digits() {
        let near = ["a", "1", "0.30000000000000004"];
        assert_eq!(told(&[["a", "1", "0.3"]], &[near], Match::All), "");
        assert_ne!(told(&[["a", "1", "0.3001"]], &[near], Match::All), "");
        assert_ne!(told(&[["a", "1.0", "0.3"]], &[near], Match::All), "");
    }

    #[test]
    fn some_rows_may_be_expected_among_others() {
        let rows = [["a", "1", "0.5"], ["b", "2", "0.5"]];
        assert_eq!(told(&rows[..1], &rows, Match::Some), "");
        assert_ne!(told(&[["c", "1", "0.5"]], &rows, Match::Some), "");
    }

    #[test]
    fn a_missing_row_stands_beside_the_one_that_came_in_its_place() {
        let expected = [["a", "1", "0.5"], ["b", "2", "0.5"]];
        let found = [["b", "3", "0.5"], ["a", "1", "0.5"], ["zoe", "9", "NULL"]];
        insta::assert_snapshot!(told(&expected, &found, Match::All), @"
          customer | orders | share
        - b        | 2      | 0.5
        + b        | 3      | 0.5
        + zoe      | 9      | NULL
          differs in `orders`
          1 row is as expected
        ");
    }
}
