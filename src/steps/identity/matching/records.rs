//! The records that are compared, in an order of their own.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use siphasher::sip::SipHasher13;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::plan::Folding;

/// The number of a record; records are numbered by source, then by name.
pub(super) type RecordNumber = u32;

/// The number of a value among those of its field.
pub(super) type Value = u32;

/// Stands for a value that is not there.
pub(super) const MISSING: Value = Value::MAX;

/// A hasher that is the same in every run.
type Stable = BuildHasherDefault<SipHasher13>;

/// The records of all sources that take part, column by column.
pub(super) struct Records {
    /// For each record, the place of its source: 0 is the source that has the rules.
    pub(super) sources: Vec<u8>,
    pub(super) fields: Vec<Field>,
}

/// One field of all records.
pub(super) struct Field {
    /// For each record.
    pub(super) values: Vec<Value>,
    /// For each value.
    pub(super) texts: Vec<Box<str>>,
}

impl Records {
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Returns how many records a source has.
    pub(super) fn of_source(&self, source: u8) -> usize {
        self.sources.iter().map(|other| usize::from(*other == source)).sum()
    }

    pub(super) fn value(&self, field: usize, record: RecordNumber) -> Value {
        self.fields[field].values[record as usize]
    }

    pub(super) fn text(&self, field: usize, record: RecordNumber) -> Option<&str> {
        self.fields[field].text(self.value(field, record))
    }
}

impl Field {
    /// Makes a field of values that are numbered in any way; afterwards they are numbered by their texts.
    pub(super) fn new(values: &[Value], texts: &[Box<str>]) -> Self {
        let mut order: Vec<Value> = values.to_vec();
        order.sort_unstable_by_key(|value| (*value == MISSING, texts.get(*value as usize)));
        order.dedup();
        order.retain(|value| *value != MISSING);
        let mut numbers = vec![MISSING; texts.len()];
        for (number, value) in (0..).zip(&order) {
            numbers[*value as usize] = number;
        }
        let number = |value: &Value| numbers.get(*value as usize).copied().unwrap_or(MISSING);
        Self {
            values: values.iter().map(number).collect(),
            texts: order.iter().map(|value| texts[*value as usize].clone()).collect(),
        }
    }

    pub(super) fn text(&self, value: Value) -> Option<&str> {
        self.texts.get(value as usize).map(AsRef::as_ref)
    }
}

/// Numbers the texts of a field in the order in which they come.
#[derive(Default)]
pub(super) struct Interner {
    numbers: HashMap<Box<str>, Value, Stable>,
    pub(super) texts: Vec<Box<str>>,
}

impl Interner {
    /// Returns the number of a folded text; an empty one is no value.
    pub(super) fn number(&mut self, text: &str) -> Value {
        if text.is_empty() {
            return MISSING;
        }
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as Value;
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }
}

/// Returns the digits of a text that begins with a year, a month and a day, which need not have two digits each: 1949-1-12
/// and 1949-11-2 are no more alike than other days.
fn date(text: &str) -> Option<String> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let is_date = year.len() == 4 && [month, day].iter().all(|part| (1..=2).contains(&part.len()));
    is_date.then(|| format!("{year}{month:0>2}{day:0>2}"))
}

/// Returns what of a value counts in comparisons.
pub(super) fn fold(text: &str, folding: Folding) -> String {
    match folding {
        Folding::Number => text.trim().to_owned(),
        Folding::Date => date(text).unwrap_or_else(|| fold(text, Folding::Text)),
        Folding::Text if text.is_ascii() => {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect()
        }
        Folding::Text => {
            let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
            letters.flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Folding, fold};

    #[test]
    fn days_are_told_apart_however_they_are_written() {
        let folded = |text: &str| fold(text, Folding::Date);
        assert_eq!(folded("1949-1-12"), "19490112");
        assert_eq!(folded("1949/11/2 "), "19491102");
        assert_eq!(folded("1949-11-02T00:00:00Z"), "19491102");
        assert_eq!(folded("19491102"), "19491102");
        assert_eq!(folded("Nov 2, 1949"), "nov21949");
        assert_eq!(folded(""), "");
    }
}
