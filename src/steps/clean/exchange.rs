//! Converts amounts of one currency into another by dated rates.
//!
//! An amount times a rate is exact; it is rounded once, to the last place of its column, half away from zero, as SQL's
//! `CAST` to a decimal rounds. The last rate at or before the local date of the row counts, unless it is too old.
//! A rate that is missing is never made up: its amount makes a reject.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Decimal128Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use chrono::{Days, NaiveDate};
use hashbrown::HashMap;

use super::faults::{Fault, Faults, rule, shown};
use super::number::TOO_LARGE;
use crate::names::SourceName;
use crate::plan::{self, Currency, RateColumns};

/// The rates of every source that has some.
pub(crate) type RateTables = BTreeMap<SourceName, Arc<Rates>>;

/// What one unit of each currency was worth on which days.
#[derive(Debug)]
pub(crate) struct Rates {
    columns: RateColumns,
    currencies: HashMap<String, BTreeMap<i32, Rate>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rate {
    /// In units of the last decimal place.
    Of(i128),
    /// Two rows of one day say different things.
    Disputed,
}

impl Rates {
    pub(crate) fn new(columns: RateColumns) -> Self {
        Self { columns, currencies: HashMap::new() }
    }

    /// Adds clean rows of the source of rates.
    pub(crate) fn add(&mut self, rows: &RecordBatch) {
        let RateColumns { date, currency, rate, .. } = self.columns;
        let dates = rows.column(date).as_primitive_opt::<Date32Type>();
        let rates = rows.column(rate).as_primitive_opt::<Decimal128Type>();
        let currencies = rows.column(currency).as_string_opt::<i32>();
        let (Some(dates), Some(rates), Some(currencies)) = (dates, rates, currencies) else {
            return;
        };
        for ((date, rate), currency) in dates.iter().zip(rates).zip(currencies) {
            if let (Some(date), Some(rate), Some(currency)) = (date, rate, currency) {
                self.note(currency, date, rate);
            }
        }
    }

    fn note(&mut self, currency: &str, date: i32, rate: i128) {
        let days = self.currencies.entry_ref(currency).or_default();
        let noted = days.entry(date).or_insert(Rate::Of(rate));
        if *noted != Rate::Of(rate) {
            *noted = Rate::Disputed;
        }
    }

    /// Returns the last rate at or before a day that is no older than it may be, or says why there is none.
    fn find(&self, currency: &str, day: i32, max_age: u32) -> Result<i128, String> {
        let days = self.currencies.get(currency);
        let last = days.and_then(|days| days.range(..=day).next_back());
        let Some((found, rate)) = last else {
            return Err(format!("no rate at or before {}: {}", date(day), shown(currency)));
        };
        let age = day.abs_diff(*found);
        if age > max_age {
            let found = date(*found);
            return Err(format!(
                "the last rate before {} is of {found}, {age} days older: {}",
                date(day),
                shown(currency)
            ));
        }
        match rate {
            Rate::Of(rate) if *rate > 0 => Ok(*rate),
            Rate::Of(_) => {
                Err(format!("the rate of {} is not above zero: {}", date(*found), shown(currency)))
            }
            Rate::Disputed => Err(format!(
                "two rows give different rates for {}: {}",
                date(*found),
                shown(currency)
            )),
        }
    }
}

fn date(day: i32) -> NaiveDate {
    let since = NaiveDate::default();
    let days = Days::new(day.unsigned_abs().into());
    let date = if day < 0 { since.checked_sub_days(days) } else { since.checked_add_days(days) };
    date.unwrap_or_default()
}

/// The rule of one column, ready to apply.
#[derive(Debug)]
pub(crate) struct Exchange {
    column: usize,
    rule: plan::Exchange,
    rates: Arc<Rates>,
    divisor: i128,
}

impl Exchange {
    /// Returns the rules of a source's columns.
    pub(crate) fn of(source: &plan::Source, tables: &RateTables) -> Vec<Self> {
        let columns = source.columns.iter().enumerate();
        let rule = |(column, of): (usize, &plan::Column)| {
            let rule = of.exchange.clone()?;
            let rates = Arc::clone(tables.get(&rule.rates)?);
            let divisor = 10i128.checked_pow(rates.columns.scale.unsigned_abs().into())?;
            Some(Self { column, rule, rates, divisor })
        };
        columns.filter_map(rule).collect()
    }

    /// Returns the index of the column whose date decides.
    pub(crate) fn date(&self) -> usize {
        self.rule.date
    }

    /// Converts the amounts of a batch; `days` are the local dates that decide.
    pub(crate) fn apply(&self, columns: &mut [ArrayRef], days: &ArrayRef, faults: &mut Faults) {
        let amounts = columns[self.column].as_primitive_opt::<Decimal128Type>();
        let days = days.as_primitive_opt::<Date32Type>();
        let (Some(amounts), Some(days)) = (amounts, days) else {
            return;
        };
        let limit = match amounts.data_type() {
            DataType::Decimal128(precision, _) => 10i128.pow((*precision).into()),
            _ => i128::MAX,
        };
        let convert = |row: usize| {
            if amounts.is_null(row) || faults.is_faulty(row) {
                return None;
            }
            let converted = self.converted(columns, amounts.value(row), row, days);
            match converted.and_then(|amount| within(amount, limit)) {
                Ok(amount) => Some(amount),
                Err(reason) => {
                    let column = Some(self.column);
                    faults.note(Fault { row, column, rule: rule::RATE, reason });
                    None
                }
            }
        };
        let converted: Decimal128Array = (0..amounts.len()).map(convert).collect();
        let kind = amounts.data_type().clone();
        columns[self.column] = Arc::new(converted.with_data_type(kind));
    }

    fn converted(
        &self,
        columns: &[ArrayRef],
        amount: i128,
        row: usize,
        days: &Date32Array,
    ) -> Result<i128, String> {
        let currency = match &self.rule.from {
            Currency::Code(code) => Some(code.as_str()),
            Currency::Column(column) => {
                let texts = columns[*column].as_string_opt::<i32>();
                texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
            }
        };
        let currency = currency.ok_or("the row names no currency")?;
        if currency == self.rule.to {
            return Ok(amount);
        }
        if days.is_null(row) {
            return Err("the row has no date for a rate".to_owned());
        }
        let rate = self.rates.find(currency, days.value(row), self.rule.max_age)?;
        let product = amount.checked_mul(rate).ok_or(TOO_LARGE)?;
        Ok(divide(product, self.divisor))
    }
}

fn within(amount: i128, limit: i128) -> Result<i128, String> {
    if amount.abs() < limit { Ok(amount) } else { Err(TOO_LARGE.to_owned()) }
}

/// Divides and rounds half away from zero.
fn divide(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    // What is left to the next whole number cannot overflow, as twice the rest could.
    if rest.abs() >= denominator - rest.abs() { quotient + numerator.signum() } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::{Rates, divide};
    use crate::plan::RateColumns;

    fn rates() -> Rates {
        let mut rates = Rates::new(RateColumns { date: 0, currency: 1, rate: 2, scale: 2 });
        for (currency, day, rate) in [
            ("USD", 10, 711),
            ("USD", 12, 712),
            ("USD", 12, 712),
            ("EUR", 10, 780),
            ("EUR", 10, 781),
            ("JPY", 10, 0),
        ] {
            rates.note(currency, day, rate);
        }
        rates
    }

    #[test]
    fn the_last_rate_that_is_not_too_old_counts() {
        let rates = rates();
        for (currency, day, max_age, expected) in [
            ("USD", 10, 0, Ok(711)),
            ("USD", 11, 1, Ok(711)),
            ("USD", 12, 9, Ok(712)),
            ("USD", 19, 7, Ok(712)),
            (
                "USD",
                20,
                7,
                Err("the last rate before 1970-01-21 is of 1970-01-13, 8 days older: `USD`"),
            ),
            (
                "USD",
                11,
                0,
                Err("the last rate before 1970-01-12 is of 1970-01-11, 1 days older: `USD`"),
            ),
            ("USD", 9, 7, Err("no rate at or before 1970-01-10: `USD`")),
            ("usd", 10, 7, Err("no rate at or before 1970-01-11: `usd`")),
            ("EUR", 10, 7, Err("two rows give different rates for 1970-01-11: `EUR`")),
            ("JPY", 10, 7, Err("the rate of 1970-01-11 is not above zero: `JPY`")),
        ] {
            let found = rates.find(currency, day, max_age);
            assert_eq!(found, expected.map_err(str::to_owned), "{currency} {day} {max_age}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (numerator, expected) in [
            (14, 1),
            (15, 2),
            (16, 2),
            (25, 3),
            (-14, -1),
            (-15, -2),
            (-25, -3),
            (0, 0),
            (4, 0),
            (5, 1),
        ] {
            assert_eq!(divide(numerator, 10), expected, "{numerator}");
        }
        assert_eq!(divide(7, 1), 7);
        assert_eq!(divide(i128::MAX, i128::MAX), 1);
    }
}
