//! Rows of a test, each value in the type of its column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;
use serde_yaml::Value;

use super::place::{Place, with_nearest};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::engine::{Parameters, Select, Tables, plan_select, schema_of};
use crate::plan::data_type::written;
use crate::plan::typed_text;
use crate::plan::unit_test::Fixture;
use crate::spec;

/// The table that rows belong to.
pub(super) struct Target<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Schema,
    pub(super) wanted: Wanted,
}

/// Which columns of a table are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All; those that are not written are NULL, or the nothing of their type.
    Whole,
    /// Those that are written for some row.
    Written,
}

/// Reads rows wherever they are kept, or reports what is wrong with them.
pub(super) fn fixture(
    rows: &spec::Rows,
    target: &Target<'_>,
    place: &Place<'_>,
    files: &BTreeMap<String, SourceFile>,
    state: &SessionState,
    found: &mut Diagnostics,
) -> Option<Fixture> {
    let rows = match rows {
        spec::Rows::None => Vec::new(),
        spec::Rows::Inline(rows) => inline(rows, place),
        spec::Rows::Elsewhere(elsewhere) => {
            let given = [&elsewhere.csv, &elsewhere.ndjson, &elsewhere.sql];
            if given.into_iter().flatten().count() != 1 {
                let message = "rows are kept in one of `csv`, `ndjson` and `sql`";
                found.push(place.error(Code::BadTest, message));
                return None;
            }
            if let Some(sql) = &elsewhere.sql {
                return of_sql(sql, target, &place.child("sql"), state, found);
            }
            let kind = if elsewhere.csv.is_some() { "csv" } else { "ndjson" };
            of_file(elsewhere.file()?, kind, files, &place.child(kind), found)?
        }
    };
    typed(&rows, target, found).map(Fixture::Rows)
}

/// A value as it is written, with its place.
struct Cell {
    column: String,
    /// None for NULL.
    text: Option<String>,
    file: SourceFile,
    /// Where the name of the column stands, or what comes nearest to it.
    key: Range<usize>,
    span: Range<usize>,
}

type Cells = Vec<Cell>;

fn inline(rows: &[spec::Row], place: &Place<'_>) -> Vec<Cells> {
    let row = |(index, row): (usize, &spec::Row)| {
        let place = place.child(index);
        row.iter().map(|(column, value)| inline_cell(column, value, &place.child(column))).collect()
    };
    rows.iter().enumerate().map(row).collect()
}

fn inline_cell(column: &str, value: &Value, place: &Place<'_>) -> Cell {
    let span = place.value();
    // A number is taken as it is written: as a float it might have lost digits.
    let written = || place.file.text.get(span.clone()).unwrap_or_default().to_owned();
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        _ => Some(written()),
    };
    Cell { column: column.to_owned(), text, file: place.file.clone(), key: place.key(), span }
}

fn of_file(
    name: &str,
    kind: &str,
    files: &BTreeMap<String, SourceFile>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Vec<Cells>> {
    let Some(file) = files.get(name) else {
        let message = format!("the file `{name}` does not exist");
        let help = format!("put it beside or below the sidecar, with the ending `.{kind}`");
        found.push(place.error(Code::BadTest, message).help(help));
        return None;
    };
    let read = if kind == "csv" { of_csv(file) } else { of_ndjson(file) };
    read.map_err(|broken| found.push(broken)).ok()
}

/// Reads CSV with a header line; an empty field is NULL.
fn of_csv(file: &SourceFile) -> Result<Vec<Cells>, Diagnostic> {
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let broken = |error: &csv::Error| {
        let at = error.position().map_or(0, |position| position.byte() as usize);
        Diagnostic::error(Code::BadTest, "the record is no CSV with the fields of the header")
            .at(file, line_at(&file.text, at))
    };
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error))?;
        let at = record.position().map_or(0, |position| position.byte() as usize);
        let cell = |(column, field): (&str, &str)| Cell {
            column: column.trim().to_owned(),
            text: (!field.is_empty()).then(|| field.to_owned()),
            file: file.clone(),
            key: line_at(&file.text, 0),
            span: line_at(&file.text, at),
        };
        rows.push(header.iter().zip(&record).map(cell).collect());
    }
    Ok(rows)
}

/// Reads one JSON object a line.
fn of_ndjson(file: &SourceFile) -> Result<Vec<Cells>, Diagnostic> {
    let mut at = 0;
    let mut rows = Vec::new();
    for line in file.text.split_inclusive('\n') {
        let span = line_at(&file.text, at);
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)
            .map_err(|_| {
                Diagnostic::error(Code::BadTest, "the line is no JSON object")
                    .at(file, span.clone())
            })?;
        let cell = |(column, value): (String, serde_json::Value)| Cell {
            column,
            text: match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text),
                other => Some(other.to_string()),
            },
            file: file.clone(),
            key: span.clone(),
            span: span.clone(),
        };
        rows.push(object.into_iter().map(cell).collect());
    }
    Ok(rows)
}

/// Returns the line that begins at a byte or holds it.
fn line_at(text: &str, byte: usize) -> Range<usize> {
    let byte = byte.min(text.len());
    let end = text[byte..].find('\n').map_or(text.len(), |end| byte + end);
    byte..end
}

/// Reads a `SELECT` that reads no table.
fn of_sql(
    sql: &str,
    target: &Target<'_>,
    place: &Place<'_>,
    state: &SessionState,
    found: &mut Diagnostics,
) -> Option<Fixture> {
    let refused = |message: String| place.error(Code::BadTest, message);
    let Ok(select) = Select::parse(sql.trim_end().trim_end_matches(';')) else {
        found.push(refused("the text is not a single well-formed `SELECT`".to_owned()));
        return None;
    };
    let planned = plan_select(state, &Tables::new(), &Parameters::default(), &select);
    let Ok(plan) = planned else {
        let message = "the `SELECT` cannot be planned".to_owned();
        let help = "it reads no table and no parameter; `VALUES` and functions are enough";
        found.push(refused(message).help(help));
        return None;
    };
    let yielded = schema_of(&plan);
    let mut fits = true;
    for field in yielded.fields() {
        if target.schema.field_with_name(field.name()).is_err() {
            found.push(unknown_column(refused, field.name(), target));
            fits = false;
        }
    }
    let columns = target.schema.fields().iter();
    let wanted = columns.filter(|field| {
        target.wanted == Wanted::Whole || yielded.field_with_name(field.name()).is_ok()
    });
    let schema: SchemaRef = Arc::new(Schema::new(wanted.cloned().collect::<Vec<_>>()));
    fits.then(|| Fixture::Sql(Box::new(select), schema))
}

fn unknown_column(
    refused: impl Fn(String) -> Diagnostic,
    name: &str,
    target: &Target<'_>,
) -> Diagnostic {
    let mut unknown = refused(format!("`{}` has no column `{name}`", target.name));
    unknown.code = Code::TestUnknownColumn;
    let names = target.schema.fields().iter().map(|field| field.name().as_str());
    with_nearest(unknown, name, names)
}

/// Gives every value the type of its column.
fn typed(rows: &[Cells], target: &Target<'_>, found: &mut Diagnostics) -> Option<RecordBatch> {
    let before = found.len();
    for cell in rows.iter().flatten() {
        if target.schema.field_with_name(&cell.column).is_err() {
            let refused = |message: String| {
                Diagnostic::error(Code::TestUnknownColumn, message).at(&cell.file, cell.key.clone())
            };
            let unknown = unknown_column(refused, &cell.column, target);
            if !found.iter().any(|told| told.message == unknown.message) {
                found.push(unknown);
            }
        }
    }
    let is_written = |field: &&FieldRef| {
        target.wanted == Wanted::Whole
            || rows.iter().flatten().any(|cell| cell.column == *field.name())
    };
    let fields: Vec<FieldRef> = target.schema.fields().iter().filter(is_written).cloned().collect();
    let columns: Vec<ArrayRef> =
        fields.iter().filter_map(|field| column(field, rows, target.wanted, found)).collect();
    if found.len() > before {
        return None;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).ok()
}

fn column(
    field: &FieldRef,
    rows: &[Cells],
    wanted: Wanted,
    found: &mut Diagnostics,
) -> Option<ArrayRef> {
    let nothing = typed_text::nothing(field).ok()?;
    let mut values = vec![nothing.clone()];
    for row in rows {
        let Some(cell) = row.iter().find(|cell| cell.column == *field.name()) else {
            if wanted == Wanted::Written {
                found.extend(row.first().map(|cell| unwritten(cell, field)));
            }
            values.push(nothing.clone());
            continue;
        };
        let Some(text) = &cell.text else {
            if !field.is_nullable() {
                let message = format!("`{}` must not be NULL", field.name());
                let help = "leave it out where its value does not matter";
                let at = (&cell.file, cell.span.clone());
                let bad = Diagnostic::error(Code::TestBadValue, message).at(at.0, at.1).help(help);
                found.push(bad);
            }
            values.push(ScalarValue::try_from(field.data_type()).ok()?);
            continue;
        };
        match typed_text::value(text, field.data_type()) {
            Ok(value) => values.push(value),
            Err(reason) => found.push(bad_value(cell, text, field, reason)),
        }
    }
    // The first value is there so that a column without rows has its type.
    let all = ScalarValue::iter_to_array(values).ok()?;
    Some(all.slice(1, all.len() - 1))
}

/// Reports a row that says nothing of a column which is compared, because other rows name it.
fn unwritten(cell: &Cell, field: &FieldRef) -> Diagnostic {
    let message = format!("the row does not say `{}`, as other rows do", field.name());
    Diagnostic::error(Code::BadTest, message)
        .at(&cell.file, cell.key.clone())
        .help("write it in every row, as `null` where it is NULL, or in none")
}

fn bad_value(cell: &Cell, text: &str, field: &FieldRef, reason: Option<&str>) -> Diagnostic {
    let data_type = written(field.data_type());
    let message = format!("`{text}` is no `{data_type}`, which `{}` is", field.name());
    let bad = Diagnostic::error(Code::TestBadValue, message).at(&cell.file, cell.span.clone());
    match reason {
        Some(reason) => bad.help(reason),
        None => bad,
    }
}
