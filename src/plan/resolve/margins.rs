//! Margins by category, as a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
use datafusion::common::ScalarValue;
use serde_yaml::Value;

use super::place::Place;
use super::variables::scalar;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::stage::ConstantTable;
use crate::spec;

/// The table of margins: `category`, `margin_rate`, one row for each category that is written.
const CATEGORY_MARGINS: &str = "category_margins";

const PRECISION: u8 = 9;
const SCALE: i8 = 6;
/// All of the money remains.
const WHOLE: i128 = 10_i128.pow(6);

/// Makes the table that the marts on campaigns read; it is there without rows where none are written.
pub(super) fn table(
    margins: &[spec::Margin],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<ConstantTable> {
    let mut rates = BTreeMap::new();
    for (index, margin) in margins.iter().enumerate() {
        let place = place.child(index);
        let Some(rate) = millionths(&margin.rate) else {
            let message = "a rate is a number of at most 1 with at most six decimal places";
            found.push(place.child("rate").error(Code::BadValue, message));
            continue;
        };
        if rates.insert(margin.category.as_str(), rate).is_some() {
            let message = format!("`{}` has a margin already", margin.category);
            found.push(place.child("category").error(Code::DuplicateName, message));
        }
    }
    let categories: StringArray = rates.keys().map(|category| Some(*category)).collect();
    let values: Decimal128Array = rates.values().map(|rate| Some(*rate)).collect();
    let values = values.with_precision_and_scale(PRECISION, SCALE).ok()?;
    let columns: [(&str, ArrayRef); 2] =
        [("category", Arc::new(categories)), ("margin_rate", Arc::new(values))];
    let rows = RecordBatch::try_from_iter(columns).ok()?;
    Some(ConstantTable { name: CATEGORY_MARGINS, rows })
}

/// Returns a written rate in millionths. A rate below 0 is a loss, which there may be.
fn millionths(value: &Value) -> Option<i128> {
    let rate = match scalar(value)? {
        ScalarValue::Int64(Some(value)) => i128::from(value) * WHOLE,
        ScalarValue::Decimal128(Some(value), _, scale @ 0..=SCALE) => {
            value * 10_i128.pow(u32::from(SCALE.abs_diff(scale)))
        }
        _ => return None,
    };
    (-999 * WHOLE..=WHOLE).contains(&rate).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn a_rate_is_at_most_the_whole() {
        let read = |text: &str| millionths(&serde_yaml::from_str(text).unwrap());
        assert_eq!(read("0.35"), Some(350_000));
        assert_eq!(read("1"), Some(1_000_000));
        assert_eq!(read("-0.05"), Some(-50_000));
        assert_eq!(read("1.000001"), None);
        assert_eq!(read("35"), None);
        assert_eq!(read("0.3500001"), None);
        assert_eq!(read("a third"), None);
    }
}
