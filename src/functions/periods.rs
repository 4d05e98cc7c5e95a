//! `period_start`, `period_end` and `periods_between`: calendar periods of days.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::period::Period;

/// What is asked of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Start,
    End,
    Between,
}

/// A function of a kind of period and of days.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Periods {
    question: Question,
    signature: Signature,
}

impl Periods {
    pub(super) fn new(question: Question) -> Self {
        let arguments = 1 + days_of(question);
        Self { question, signature: Signature::any(arguments, Volatility::Immutable) }
    }

    /// Returns the period that the first argument names; it is the same for all rows.
    fn period(&self, unit: Option<&ScalarValue>) -> Result<Period> {
        let words = Period::WORDS.map(|(word, _)| format!("`{word}`")).join(", ");
        let unit = unit.and_then(ScalarValue::try_as_str).flatten();
        unit.and_then(Period::of_word)
            .ok_or_else(|| plan_error(format!("{} takes one of {words} first", self.name())))
    }
}

/// Says whether an argument stands for a value that a query is given, such as `$cohort_period`.
fn is_parameter(argument: &Field) -> bool {
    argument.name().starts_with('$')
}

/// Returns how many days a question is about.
const fn days_of(question: Question) -> usize {
    match question {
        Question::Start | Question::End => 1,
        Question::Between => 2,
    }
}

impl ScalarUDFImpl for Periods {
    fn name(&self) -> &'static str {
        match self.question {
            Question::Start => "period_start",
            Question::End => "period_end",
            Question::Between => "periods_between",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.question {
            Question::Start | Question::End => DataType::Date32,
            Question::Between => DataType::Int64,
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // Where a stage is checked the value of a parameter is not known yet.
        let is_parameter = arguments.arg_fields.first().is_some_and(|unit| is_parameter(unit));
        if !is_parameter {
            self.period(arguments.scalar_arguments.first().copied().flatten())?;
        }
        for field in &arguments.arg_fields[1..] {
            if !matches!(field.data_type(), DataType::Date32 | DataType::Null) {
                // A cast would count the day in UTC, silently.
                let name = self.name();
                let message = format!(
                    "{name} takes dates, such as `local_date(occurred_at)` or a date column"
                );
                return Err(plan_error(message));
            }
        }
        Ok(Arc::new(Field::new(self.name(), self.return_type(&[])?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = match arguments.args.first() {
            Some(ColumnarValue::Scalar(unit)) => Some(unit),
            _ => None,
        };
        let period = self.period(unit)?;
        let are_scalars =
            arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if are_scalars { 1 } else { arguments.number_rows };
        let days: Result<Vec<ArrayRef>> =
            arguments.args[1..].iter().map(|value| days(value, rows)).collect();
        let answers = self.answers(period, &days?);
        if are_scalars {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?));
        }
        Ok(ColumnarValue::Array(answers))
    }
}

impl Periods {
    fn answers(&self, period: Period, days: &[ArrayRef]) -> ArrayRef {
        let first = days[0].as_primitive::<Date32Type>();
        let bound = |next: i32| -> ArrayRef {
            let bound = |day: i32| period.first_day(period.number(day)?.checked_add(next)?);
            Arc::new(first.iter().map(|day| day.and_then(bound)).collect::<Date32Array>())
        };
        match self.question {
            Question::Start => bound(0),
            Question::End => bound(1),
            Question::Between => {
                let until = days[1].as_primitive::<Date32Type>();
                let number = |day: i32| period.number(day).map(i64::from);
                let between = |(from, until): (Option<i32>, Option<i32>)| {
                    Some(number(until?)? - number(from?)?)
                };
                Arc::new(first.iter().zip(until).map(between).collect::<Int64Array>())
            }
        }
    }
}

/// Returns days as an array; a bare NULL has no type of its own.
fn days(value: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    let array = value.to_array(rows)?;
    match array.data_type() {
        DataType::Null => Ok(Arc::new(Date32Array::new_null(array.len()))),
        _ => Ok(array),
    }
}

fn plan_error(message: String) -> DataFusionError {
    DataFusionError::Plan(message)
}
