//! `bootstrap_interval(value, is_treated, level)`: how far the means of two groups may lie apart.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::lists::{doubles, integers, list_field, list_of};
use super::resample::{Group, interval};

/// The percentile interval of the difference of two means, treated less control, by the bootstrap
/// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993): both groups are drawn anew 2,000
/// times, each as large as it is and with replacement, and `low` and `high` hold the share `level` of the
/// differences between them.
///
/// The draws come from a generator with a fixed seed and the values are sorted first, so the answer
/// depends on the values alone. NULL where a group is empty. Rows with a NULL or with what is no
/// number do not count.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BootstrapInterval {
    signature: Signature,
}

impl BootstrapInterval {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Float64, DataType::Boolean, DataType::Float64];
        Self { signature: Signature::exact(types, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for BootstrapInterval {
    fn name(&self) -> &'static str {
        "bootstrap_interval"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        let field = |name| Field::new(name, DataType::Float64, true);
        Ok(DataType::Struct(Fields::from(vec![field("low"), field("high")])))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Groups::default()))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![
            list_field("values", DataType::Float64),
            list_field("treated", DataType::Int64),
            list_field("controls", DataType::Int64),
            Field::new("level", DataType::Float64, true).into(),
        ])
    }
}

#[derive(Debug, Default)]
struct Groups {
    treated: Group,
    control: Group,
    level: Option<f64>,
}

impl Accumulator for Groups {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let amounts = values[0].as_primitive::<Float64Type>();
        let treated = values[1].as_boolean();
        let levels = values[2].as_primitive::<Float64Type>();
        for ((amount, is_treated), level) in amounts.iter().zip(treated).zip(levels) {
            if let (Some(amount), Some(is_treated), Some(_)) = (amount, is_treated, level)
                && amount.is_finite()
            {
                let group = if is_treated { &mut self.treated } else { &mut self.control };
                group.add(amount, 1);
                self.level = level;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let levels = states[3].as_primitive::<Float64Type>();
        for row in 0..states[0].len() {
            let values = doubles(&states[0], row);
            let counts = [1, 2].map(|state| integers(&states[state], row));
            for ((value, treated), control) in values.iter().zip(&counts[0]).zip(&counts[1]) {
                self.treated.add(*value, *treated);
                self.control.add(*value, *control);
            }
            if levels.is_valid(row) {
                self.level = Some(levels.value(row));
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut rows = Vec::new();
        for (amount, count) in &self.treated.amounts {
            rows.push((amount.0, *count, 0));
        }
        for (amount, count) in &self.control.amounts {
            rows.push((amount.0, 0, *count));
        }
        let zeros = |group: &Group| group.size - group.amounts.values().sum::<i64>();
        rows.push((0.0, zeros(&self.treated), zeros(&self.control)));
        let list = |part: fn(&(f64, i64, i64)) -> ScalarValue, items: DataType| {
            list_of(&rows.iter().map(part).collect::<Vec<_>>(), &items)
        };
        Ok(vec![
            list(|row| row.0.into(), DataType::Float64),
            list(|row| row.1.into(), DataType::Int64),
            list(|row| row.2.into(), DataType::Int64),
            ScalarValue::Float64(self.level),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let found = match self.level {
            None => None,
            Some(level) if level > 0.0 && level < 1.0 => {
                interval(&self.treated, &self.control, level)
            }
            Some(level) => {
                let message = format!("a level lies between 0 and 1, not at {level}");
                return Err(DataFusionError::Execution(message));
            }
        };
        let end = |value: Option<f64>| ScalarValue::Float64(value);
        let field = |name| Field::new(name, DataType::Float64, true);
        ScalarStructBuilder::new()
            .with_scalar(field("low"), end(found.map(|(low, _)| low)))
            .with_scalar(field("high"), end(found.map(|(_, high)| high)))
            .build()
    }

    fn size(&self) -> usize {
        let amounts = self.treated.amounts.len() + self.control.amounts.len();
        size_of::<Self>() + amounts * size_of::<(f64, i64)>()
    }
}
