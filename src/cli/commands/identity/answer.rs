//! Answers of several tables, for people and for machines.

use arrow::array::RecordBatch;
use serde_json::{Map, Value, json};

use crate::cli::args::{ReportFormat, TableFormat};
use crate::cli::commands::query::{NoAnswer, written};

/// The version of what is written for machines.
const VERSION: u32 = 1;

/// What is told.
#[derive(Default)]
pub(super) struct Answer {
    /// Lines for people only.
    notes: Vec<String>,
    /// Single values, for machines only.
    facts: Map<String, Value>,
    tables: Vec<(&'static str, Vec<RecordBatch>)>,
}

impl Answer {
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn table(mut self, name: &'static str, rows: Vec<RecordBatch>) -> Self {
        self.tables.push((name, rows));
        self
    }

    /// Returns what goes to stderr and what goes to stdout.
    pub(super) fn written(self, format: ReportFormat) -> Result<(Vec<String>, String), NoAnswer> {
        match format {
            ReportFormat::Text => Ok((self.notes, text(&self.tables)?)),
            ReportFormat::Json => Ok((Vec::new(), machine(self.facts, &self.tables)?)),
        }
    }
}

fn text(tables: &[(&'static str, Vec<RecordBatch>)]) -> Result<String, NoAnswer> {
    let mut parts = Vec::with_capacity(tables.len());
    for (name, rows) in tables.iter().filter(|(_, rows)| count(rows) > 0) {
        parts.push(format!("{}\n{}", name.replace('_', " "), written(rows, TableFormat::Table)?));
    }
    Ok(parts.join("\n"))
}

fn machine(
    facts: Map<String, Value>,
    tables: &[(&'static str, Vec<RecordBatch>)],
) -> Result<String, NoAnswer> {
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(VERSION));
    document.extend(facts);
    for (name, rows) in tables {
        let lines = written(rows, TableFormat::Json)?;
        let rows = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        document.insert((*name).to_owned(), rows.collect());
    }
    Ok(format!("{:#}\n", Value::Object(document)))
}

pub(super) fn count(rows: &[RecordBatch]) -> usize {
    rows.iter().map(RecordBatch::num_rows).sum()
}
