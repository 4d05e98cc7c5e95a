//! `markov_removal_effects(from_state, to_state, transitions)`: what a chain loses with each channel.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::chain::{Chain, RemovalEffect};
use super::lists::{integers, list_field, list_of, texts};

/// The removal effects of the channels of an absorbing Markov chain of order 1, as a list of
/// `{channel, removal_effect, conversion_probability}` sorted by channel.
///
/// Every path goes from `(start)` through channels to `(conversion)` or `(null)`; a row tells how often
/// one state followed another. `removal_effect` is `1 - P(conversion without the channel) /
/// P(conversion)`, where whoever would reach the removed channel is lost (Anderl, Becker, von
/// Wangenheim, Schumann: Mapping the customer journey, 2016). It is solved, not simulated. Rows with a
/// NULL and rows that count nothing do not matter; transitions of a channel to itself change nothing.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MarkovRemovalEffects {
    signature: Signature,
}

impl MarkovRemovalEffects {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Utf8, DataType::Utf8, DataType::Int64];
        Self { signature: Signature::exact(types, Volatility::Immutable) }
    }
}

fn effect_type() -> DataType {
    DataType::Struct(Fields::from(vec![
        Field::new("channel", DataType::Utf8, true),
        Field::new("removal_effect", DataType::Float64, true),
        Field::new("conversion_probability", DataType::Float64, true),
    ]))
}

impl AggregateUDFImpl for MarkovRemovalEffects {
    fn name(&self) -> &'static str {
        "markov_removal_effects"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(effect_type(), true))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Transitions::default()))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![
            list_field("from_states", DataType::Utf8),
            list_field("to_states", DataType::Utf8),
            list_field("transitions", DataType::Int64),
        ])
    }
}

/// How often one state followed another.
#[derive(Debug, Default)]
struct Transitions {
    counts: BTreeMap<(String, String), i64>,
}

impl Transitions {
    fn add(&mut self, from: &str, to: &str, count: i64) {
        *self.counts.entry((from.to_owned(), to.to_owned())).or_default() += count;
    }
}

impl Accumulator for Transitions {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (from, to) = (values[0].as_string::<i32>(), values[1].as_string::<i32>());
        let counts = values[2].as_primitive::<Int64Type>();
        for ((from, to), count) in from.iter().zip(to).zip(counts) {
            if let (Some(from), Some(to), Some(count @ 1..)) = (from, to, count) {
                self.add(from, to, count);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            let (from, to) = (texts(&states[0], row), texts(&states[1], row));
            for ((from, to), count) in from.iter().zip(&to).zip(integers(&states[2], row)) {
                self.add(from, to, count);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let texts = |part: fn(&(String, String)) -> &String| -> Vec<ScalarValue> {
            self.counts.keys().map(|states| ScalarValue::from(part(states).as_str())).collect()
        };
        let counts: Vec<ScalarValue> =
            self.counts.values().map(|count| ScalarValue::from(*count)).collect();
        Ok(vec![
            list_of(&texts(|(from, _)| from), &DataType::Utf8),
            list_of(&texts(|(_, to)| to), &DataType::Utf8),
            list_of(&counts, &DataType::Int64),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let effects = Chain::new(&self.counts)
            .removal_effects()
            .map_err(|reason| DataFusionError::Execution(reason.to_string()))?;
        let effects: Vec<ScalarValue> = effects.iter().map(structure).collect::<Result<_>>()?;
        Ok(list_of(&effects, &effect_type()))
    }

    fn size(&self) -> usize {
        let texts: usize = self.counts.keys().map(|(from, to)| from.len() + to.len()).sum();
        size_of::<Self>() + texts + self.counts.len() * size_of::<((String, String), i64)>()
    }
}

fn structure(effect: &RemovalEffect) -> Result<ScalarValue> {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    ScalarStructBuilder::new()
        .with_scalar(field("channel", DataType::Utf8), effect.channel.as_str().into())
        .with_scalar(field("removal_effect", DataType::Float64), effect.effect.into())
        .with_scalar(field("conversion_probability", DataType::Float64), effect.conversion.into())
        .build()
}
