//! The tables that tell why records were matched.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use super::super::IdentityError;
use super::super::schemas::{batch, numbers, texts};
use super::apply::record_type;
use super::gather::{Gathered, Origin};
use super::model_tables::{ModelRow, RelationRow, model_row, models, relation_rows, relations};
use super::score::Outcome;
use super::select::Scored;
use crate::plan::{self, Comparison, ComparisonKind};

/// The matches of one source, and what they were judged by.
pub(super) struct Judged<'a> {
    pub(super) source: &'a plan::Source,
    pub(super) rules: &'a plan::Matching,
    pub(super) gathered: &'a Gathered,
    pub(super) outcome: &'a Outcome<'a>,
}

/// The rows of the tables.
#[derive(Default)]
pub(super) struct Tables {
    matches: Vec<MatchRow>,
    missed: Vec<MatchRow>,
    models: Vec<ModelRow>,
    relations: Vec<RelationRow>,
    levels: Vec<LevelRow>,
    blocks: Vec<BlockRow>,
}

struct MatchRow {
    source: String,
    ends: [End; 2],
    weight: f64,
    probability: f64,
    evidence: String,
}

struct End {
    source: String,
    kind: String,
    origin: Origin,
}

struct LevelRow {
    source: String,
    column: String,
    comparison: &'static str,
    level: String,
    matches: f64,
    others: f64,
    weight: f64,
}

struct BlockRow {
    source: String,
    block: String,
    pairs: u64,
    capped: u64,
    left_out: u64,
}

impl Tables {
    pub(super) fn add(&mut self, judged: &Judged<'_>) {
        let Outcome { chosen, missed, .. } = judged.outcome;
        self.matches.extend(chosen.iter().map(|scored| judged.match_row(scored)));
        self.missed.extend(missed.iter().map(|scored| judged.match_row(scored)));
        self.models.push(model_row(judged));
        self.relations.extend(relation_rows(judged));
        self.levels.extend(judged.level_rows());
        let blocks = judged.rules.blocks.iter().zip(&judged.outcome.blocks);
        self.blocks.extend(blocks.map(|(block, counts)| BlockRow {
            source: judged.source.name.to_string(),
            block: block.text.clone(),
            pairs: counts.pairs,
            capped: counts.capped,
            left_out: counts.left_out,
        }));
    }

    pub(super) fn finish(self) -> Result<Vec<(&'static str, RecordBatch)>, IdentityError> {
        Ok(vec![
            ("matches", matches(&self.matches)?),
            ("match_misses", matches(&self.missed)?),
            ("match_models", models(&self.models)?),
            ("match_relations", relations(&self.relations)?),
            ("match_levels", levels(&self.levels)?),
            ("match_blocks", blocks(&self.blocks)?),
        ])
    }
}

impl Judged<'_> {
    fn match_row(&self, scored: &Scored) -> MatchRow {
        let (left, right) = scored.pair;
        MatchRow {
            source: self.source.name.to_string(),
            ends: [left, right].map(|record| self.end(record)),
            weight: scored.weight,
            probability: scored.probability,
            evidence: self.evidence(scored),
        }
    }

    fn end(&self, record: u32) -> End {
        let origin = self.gathered.origins[record as usize].clone();
        let other = usize::from(origin.source).checked_sub(1);
        let other = other.and_then(|other| self.rules.others.get(other));
        let source = other.map_or(&self.source.name, |other| &other.source);
        let kind = record_type(self.rules, origin.source).to_string();
        End { source: source.to_string(), kind, origin }
    }

    /// Tells the level and the weight of each field, such as `surname exact +9.3, city missing`.
    fn evidence(&self, scored: &Scored) -> String {
        let parts = self.outcome.scorer.parts(scored.pair, scored.pattern);
        let mut told = String::new();
        for (comparison, part) in self.rules.comparisons.iter().zip(parts) {
            let separator = if told.is_empty() { "" } else { ", " };
            let column = &self.rules.fields[comparison.field].name;
            // Writing to a text cannot fail.
            let _ = match part {
                Some((level, weight)) => {
                    let level = level_name(comparison, level);
                    write!(told, "{separator}{column} {level} {weight:+.1}")
                }
                None => write!(told, "{separator}{column} missing"),
            };
        }
        told
    }

    fn level_rows(&self) -> impl Iterator<Item = LevelRow> {
        let rates = self.rules.comparisons.iter().zip(&self.outcome.scorer.model.rates);
        rates.flat_map(|(comparison, rates)| {
            rates.iter().enumerate().map(|(level, rates)| LevelRow {
                source: self.source.name.to_string(),
                column: self.rules.fields[comparison.field].name.to_string(),
                comparison: comparison.kind.as_str(),
                level: level_name(comparison, level),
                matches: rates.matches,
                others: rates.others,
                weight: rates.weight(),
            })
        })
    }
}

/// Returns what a level is called.
fn level_name(comparison: &Comparison, level: usize) -> String {
    let between = comparison.kind.between();
    match level.checked_sub(1) {
        None => "exact".to_owned(),
        Some(place) if place < between => between_name(&comparison.kind, place),
        Some(place) if place == between => "other".to_owned(),
        Some(_) => "swapped".to_owned(),
    }
}

fn between_name(kind: &ComparisonKind, place: usize) -> String {
    match kind {
        ComparisonKind::Exact => String::new(),
        ComparisonKind::JaroWinkler(levels) => format!("similarity {}", levels[place]),
        ComparisonKind::Levenshtein(levels) => format!("edits {}", levels[place]),
        ComparisonKind::Numeric(levels) => format!("difference {}", levels[place]),
        ComparisonKind::Date => ["mistyped", "two parts"][place].to_owned(),
        ComparisonKind::Phone => ["same ending", "mistyped"][place].to_owned(),
    }
}

fn matches(rows: &[MatchRow]) -> Result<RecordBatch, IdentityError> {
    let mut fields = vec![Field::new("source", DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> = vec![texts(rows.iter().map(|row| Some(&row.source)))];
    for (side, name) in ["left", "right"].into_iter().enumerate() {
        let end = || rows.iter().map(move |row| &row.ends[side]);
        for column in ["source", "type", "value", "object"] {
            fields.push(Field::new(format!("{name}_{column}"), DataType::Utf8, false));
        }
        fields.push(Field::new(format!("{name}_record"), DataType::Int64, false));
        columns.push(texts(end().map(|end| Some(&end.source))));
        columns.push(texts(end().map(|end| Some(&end.kind))));
        columns.push(texts(end().map(|end| Some(&end.origin.name))));
        columns.push(texts(end().map(|end| Some(&end.origin.object))));
        columns.push(numbers(end().map(|end| Some(end.origin.record))));
    }
    for name in ["weight", "probability"] {
        fields.push(Field::new(name, DataType::Float64, false));
    }
    fields.push(Field::new("evidence", DataType::Utf8, false));
    columns.push(doubles(rows.iter().map(|row| row.weight)));
    columns.push(doubles(rows.iter().map(|row| row.probability)));
    columns.push(texts(rows.iter().map(|row| Some(&row.evidence))));
    batch(Arc::new(Schema::new(fields)), columns)
}

fn levels(rows: &[LevelRow]) -> Result<RecordBatch, IdentityError> {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let double = |name| Field::new(name, DataType::Float64, false);
    let fields = vec![
        text("source"),
        text("column"),
        text("comparison"),
        text("level"),
        // How often the level occurs among matches.
        double("m"),
        // How often it occurs among pairs of different persons.
        double("u"),
        double("weight"),
    ];
    let columns = vec![
        texts(rows.iter().map(|row| Some(&row.source))),
        texts(rows.iter().map(|row| Some(&row.column))),
        texts(rows.iter().map(|row| Some(row.comparison))),
        texts(rows.iter().map(|row| Some(&row.level))),
        doubles(rows.iter().map(|row| row.matches)),
        doubles(rows.iter().map(|row| row.others)),
        doubles(rows.iter().map(|row| row.weight)),
    ];
    batch(Arc::new(Schema::new(fields)), columns)
}

fn blocks(rows: &[BlockRow]) -> Result<RecordBatch, IdentityError> {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let number = |name| Field::new(name, DataType::Int64, false);
    let fields = vec![
        text("source"),
        text("block"),
        number("pairs"),
        number("blocks_capped"),
        number("pairs_left_out"),
    ];
    let columns = vec![
        texts(rows.iter().map(|row| Some(&row.source))),
        texts(rows.iter().map(|row| Some(&row.block))),
        numbers(rows.iter().map(|row| Some(row.pairs as i64))),
        numbers(rows.iter().map(|row| Some(row.capped as i64))),
        numbers(rows.iter().map(|row| Some(row.left_out as i64))),
    ];
    batch(Arc::new(Schema::new(fields)), columns)
}

pub(super) fn doubles(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}
