//! Conditions on whole rows, evaluated on the rows whose columns are all right.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::CleanErrorKind;
use super::faults::{Fault, Faults, rule, shown};
use crate::engine::RowExpression;
use crate::plan;

/// A condition, ready to evaluate.
#[derive(Debug)]
pub(crate) struct Check {
    column: Option<usize>,
    text: String,
    expression: RowExpression,
}

impl Check {
    pub(crate) fn compile(
        source: &plan::Source,
        schema: &SchemaRef,
        check: &plan::RowCheck,
    ) -> Result<Self, CleanErrorKind> {
        let column = check.column.as_ref().and_then(|name| {
            let mut columns = source.columns.iter();
            columns.position(|column| column.name == *name)
        });
        Ok(Self {
            column,
            text: check.expression.clone(),
            expression: RowExpression::compile(schema, &check.expression)?,
        })
    }

    /// Notes a fault for every row that does not fulfil the condition; NULL does. `rows` gives their places in the raw batch.
    pub(crate) fn judge(
        &self,
        batch: &RecordBatch,
        rows: &[usize],
        faults: &mut Faults,
    ) -> Result<(), CleanErrorKind> {
        let answers = self.expression.evaluate(batch)?;
        if answers.null_count() == 0 && answers.false_count() == 0 {
            return Ok(());
        }
        for (place, row) in rows.iter().enumerate() {
            if answers.is_valid(place) && !answers.value(place) {
                faults.note(Fault {
                    row: *row,
                    column: self.column,
                    rule: rule::CHECK,
                    reason: self.reason(batch, place),
                });
            }
        }
        Ok(())
    }

    fn reason(&self, batch: &RecordBatch, place: usize) -> String {
        let value = self.column.and_then(|column| {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(batch.column(column), &options).ok()?;
            formatter.value(place).try_to_string().ok()
        });
        match value {
            Some(value) => format!("`{}` does not hold: {}", self.text, shown(&value)),
            None => format!("`{}` does not hold", self.text),
        }
    }
}
