//! `kaplan_meier_quantile(duration, is_observed, probability) -> integer`: when so large a share has ended.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::lists::{integers, list_field, list_of};

/// The least duration `t` with `F(t) >= probability`, where `F = 1 - S` and `S` is the product-limit
/// estimate of Kaplan and Meier (1958, Journal of the American Statistical Association 53):
/// `S(t) = product over durations t_i <= t of (1 - d_i / n_i)`, with `d_i` ended at `t_i` and `n_i`
/// that lasted at least as long, unended ones included.
///
/// An unended duration (`is_observed` false) counts for as long as it is known to have lasted, so what
/// has not ended yet does not make durations look shorter. NULL where `F` never gets so far. Rows with
/// a NULL do not count.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KaplanMeierQuantile {
    signature: Signature,
}

/// Products of fractions miss a bound by less than this where they should meet it.
const ROUNDING: f64 = 1e-12;

impl KaplanMeierQuantile {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Int64, DataType::Boolean, DataType::Float64];
        Self { signature: Signature::exact(types, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for KaplanMeierQuantile {
    fn name(&self) -> &'static str {
        "kaplan_meier_quantile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Durations::default()))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let integers = |name: &str| list_field(name, DataType::Int64);
        Ok(vec![
            integers("durations"),
            integers("ended"),
            integers("unended"),
            Field::new("probability", DataType::Float64, true).into(),
        ])
    }
}

/// How many durations of each length there are, (ended, unended).
#[derive(Debug, Default)]
struct Durations {
    counts: BTreeMap<i64, (i64, i64)>,
    probability: Option<f64>,
}

impl Durations {
    fn add(&mut self, duration: i64, ended: i64, unended: i64) {
        let counts = self.counts.entry(duration).or_default();
        counts.0 += ended;
        counts.1 += unended;
    }

    fn quantile(&self, probability: f64) -> Option<i64> {
        let mut lasting: i64 = self.counts.values().map(|(ended, unended)| ended + unended).sum();
        let mut survival = 1.0;
        for (duration, (ended, unended)) in &self.counts {
            survival *= 1.0 - ratio(*ended, lasting);
            if 1.0 - survival >= probability - ROUNDING {
                return Some(*duration);
            }
            lasting -= ended + unended;
        }
        None
    }
}

impl Accumulator for Durations {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let durations = values[0].as_primitive::<Int64Type>();
        let observed = values[1].as_boolean();
        let probabilities = values[2].as_primitive::<Float64Type>();
        for row in 0..durations.len() {
            if durations.is_null(row) || observed.is_null(row) || probabilities.is_null(row) {
                continue;
            }
            let is_observed = i64::from(observed.value(row));
            self.add(durations.value(row), is_observed, 1 - is_observed);
            self.probability = Some(probabilities.value(row));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            let [durations, ended, unended] = [0, 1, 2].map(|state| integers(&states[state], row));
            for ((duration, ended), unended) in durations.iter().zip(&ended).zip(&unended) {
                self.add(*duration, *ended, *unended);
            }
            let probabilities = states[3].as_primitive::<Float64Type>();
            if probabilities.is_valid(row) {
                self.probability = Some(probabilities.value(row));
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let integers = |part: fn((&i64, &(i64, i64))) -> i64| {
            let values: Vec<ScalarValue> =
                self.counts.iter().map(part).map(ScalarValue::from).collect();
            list_of(&values, &DataType::Int64)
        };
        Ok(vec![
            integers(|(duration, _)| *duration),
            integers(|(_, (ended, _))| *ended),
            integers(|(_, (_, unended))| *unended),
            ScalarValue::Float64(self.probability),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.probability {
            Some(probability) if !(0.0..=1.0).contains(&probability) => {
                let message = format!("a probability lies between 0 and 1, not at {probability}");
                Err(DataFusionError::Execution(message))
            }
            probability => {
                Ok(ScalarValue::Int64(probability.and_then(|share| self.quantile(share))))
            }
        }
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.len() * size_of::<(i64, (i64, i64))>()
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::Durations;

    fn durations(rows: &[(i64, bool)]) -> Durations {
        let mut durations = Durations::default();
        for (duration, observed) in rows {
            durations.add(*duration, i64::from(*observed), i64::from(!*observed));
        }
        durations
    }

    #[test]
    fn without_unended_durations_it_is_the_plain_quantile() {
        let five = durations(&[(10, true), (20, true), (30, true), (40, true), (50, true)]);
        assert_eq!(five.quantile(0.2), Some(10));
        assert_eq!(five.quantile(0.4), Some(20));
        assert_eq!(five.quantile(0.8), Some(40));
        assert_eq!(five.quantile(1.0), Some(50));
    }

    /// Freireich's 6-MP arm (remission in weeks), as in every textbook: S(10) = 0.753, S(23) = 0.448.
    #[test]
    fn it_equals_the_textbook_example() {
        let observed = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|week| (week, true));
        let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|week| (week, false));
        let rows: Vec<(i64, bool)> = observed.into_iter().chain(censored).collect();
        let weeks = durations(&rows);
        assert_eq!(weeks.quantile(1.0 - 0.754), Some(10));
        assert_eq!(weeks.quantile(1.0 - 0.752), Some(13));
        assert_eq!(weeks.quantile(0.5), Some(23));
        assert_eq!(weeks.quantile(0.8), None);
    }
}
