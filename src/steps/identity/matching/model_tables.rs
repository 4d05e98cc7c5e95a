//! The tables that tell how records were judged as a whole.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use super::super::IdentityError;
use super::super::schemas::{batch, numbers, texts};
use super::tables::{Judged, doubles};

/// The estimate for one source.
pub(super) struct ModelRow {
    source: String,
    records: u64,
    compared: u64,
    /// The share of matches among all pairs, compared or not.
    share: f64,
    matches: f64,
    rounds: u64,
    has_settled: bool,
}

/// How often the persons of a relation agree in a column.
pub(super) struct RelationRow {
    source: String,
    relation: u64,
    pairs: f64,
    column: String,
    alike: f64,
}

pub(super) fn model_row(judged: &Judged<'_>) -> ModelRow {
    let (outcome, scorer) = (judged.outcome, &judged.outcome.scorer);
    ModelRow {
        source: judged.source.name.to_string(),
        records: judged.gathered.records.len() as u64,
        compared: outcome.pairs,
        share: scorer.model.share,
        matches: scorer.model.share * outcome.all,
        rounds: scorer.rounds as u64,
        has_settled: scorer.has_settled,
    }
}

pub(super) fn relation_rows(judged: &Judged<'_>) -> Vec<RelationRow> {
    let mut rows = Vec::new();
    for (number, relation) in (1..).zip(&judged.outcome.scorer.model.relations) {
        let compared = judged.rules.comparisons.iter().zip(&relation.alike);
        rows.extend(compared.map(|(comparison, alike)| RelationRow {
            source: judged.source.name.to_string(),
            relation: number,
            pairs: relation.share * judged.outcome.all,
            column: judged.rules.fields[comparison.field].name.to_string(),
            alike: *alike,
        }));
    }
    rows
}

pub(super) fn models(rows: &[ModelRow]) -> Result<RecordBatch, IdentityError> {
    let fields = vec![
        Field::new("source", DataType::Utf8, false),
        Field::new("records", DataType::Int64, false),
        Field::new("pairs_compared", DataType::Int64, false),
        // How often a pair of any two records is a match, and how many pairs that makes.
        Field::new("lambda", DataType::Float64, false),
        Field::new("expected_matches", DataType::Float64, false),
        Field::new("rounds", DataType::Int64, false),
        Field::new("has_settled", DataType::Boolean, false),
    ];
    let settled: BooleanArray = rows.iter().map(|row| Some(row.has_settled)).collect();
    let columns = vec![
        texts(rows.iter().map(|row| Some(&row.source))),
        numbers(rows.iter().map(|row| Some(row.records as i64))),
        numbers(rows.iter().map(|row| Some(row.compared as i64))),
        doubles(rows.iter().map(|row| row.share)),
        doubles(rows.iter().map(|row| row.matches)),
        numbers(rows.iter().map(|row| Some(row.rounds as i64))),
        Arc::new(settled),
    ];
    batch(Arc::new(Schema::new(fields)), columns)
}

pub(super) fn relations(rows: &[RelationRow]) -> Result<RecordBatch, IdentityError> {
    let fields = vec![
        Field::new("source", DataType::Utf8, false),
        Field::new("relation", DataType::Int64, false),
        Field::new("expected_pairs", DataType::Float64, false),
        Field::new("column", DataType::Utf8, false),
        // How often they agree in it as one person would, rather than by chance.
        Field::new("alike", DataType::Float64, false),
    ];
    let columns = vec![
        texts(rows.iter().map(|row| Some(&row.source))),
        numbers(rows.iter().map(|row| Some(row.relation as i64))),
        doubles(rows.iter().map(|row| row.pairs)),
        texts(rows.iter().map(|row| Some(&row.column))),
        doubles(rows.iter().map(|row| row.alike)),
    ];
    batch(Arc::new(Schema::new(fields)), columns)
}
