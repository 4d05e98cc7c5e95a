//! Makes one typed column of a batch from its raw texts, in a single pass.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int64Type,
    TimestampMicrosecondType,
};

use super::boolean::parse_boolean;
use super::email::normalise_email;
use super::faults::{Fault, Faults, rule, shown};
use super::number::{parse_double, parse_integer};
use super::phone::PhoneParser;
use super::rules::{ColumnRules, Parser, Scratch};
use super::unit::convert_double;
use crate::steps::extract::RawBatch;

/// Makes the array of a column; a row that breaks a rule gets NULL and a fault.
pub(crate) fn clean_column(
    rules: &ColumnRules,
    parser: &mut Parser,
    scratch: &mut Scratch,
    raw: &RawBatch,
    faults: &mut Faults,
) -> ArrayRef {
    match &rules.preparer {
        None => {
            let texts = Field { raw, field: rules.field };
            Pass { rules, texts: &texts, scratch, faults }.typed(parser)
        }
        Some(preparer) => {
            let texts = preparer.prepare(raw, rules.index, faults);
            Pass { rules, texts: &texts, scratch, faults }.typed(parser)
        }
    }
}

/// The texts of a column, one for each row.
pub(crate) trait Texts {
    fn rows(&self) -> usize;
    /// How many bytes the texts have together.
    fn bytes(&self) -> usize;
    fn iter(&self) -> impl Iterator<Item = Option<&str>>;
}

/// A raw field.
struct Field<'a> {
    raw: &'a RawBatch,
    field: usize,
}

impl Texts for Field<'_> {
    fn rows(&self) -> usize {
        self.raw.rows()
    }

    fn bytes(&self) -> usize {
        self.raw.column_bytes(self.field)
    }

    fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.raw.column(self.field)
    }
}

/// Turns a text into a text; the outcome may lie in `scratch`.
trait Normalise {
    fn normalise<'a>(
        &'a mut self,
        text: &'a str,
        scratch: &'a mut String,
    ) -> Result<&'a str, &'static str>;
}

struct AsItIs;

impl Normalise for AsItIs {
    #[inline]
    fn normalise<'a>(
        &'a mut self,
        text: &'a str,
        _: &'a mut String,
    ) -> Result<&'a str, &'static str> {
        Ok(text)
    }
}

struct Email;

impl Normalise for Email {
    #[inline]
    fn normalise<'a>(
        &'a mut self,
        text: &'a str,
        scratch: &'a mut String,
    ) -> Result<&'a str, &'static str> {
        normalise_email(text, scratch)
    }
}

impl Normalise for PhoneParser {
    #[inline]
    fn normalise<'a>(
        &'a mut self,
        text: &'a str,
        scratch: &'a mut String,
    ) -> Result<&'a str, &'static str> {
        self.e164(text, scratch)
    }
}

/// One pass over the texts of a column.
struct Pass<'a, T> {
    rules: &'a ColumnRules,
    texts: &'a T,
    scratch: &'a mut Scratch,
    faults: &'a mut Faults,
}

impl<T: Texts> Pass<'_, T> {
    fn typed(mut self, parser: &mut Parser) -> ArrayRef {
        let kind = &self.rules.data_type;
        match parser {
            Parser::String => self.strings(&mut AsItIs),
            Parser::Email => self.strings(&mut Email),
            Parser::Phone(phones) => self.strings(phones),
            Parser::Boolean => self.booleans(),
            Parser::Integer => self.primitives::<Int64Type>(kind, parse_integer),
            Parser::Double => self.primitives::<Float64Type>(kind, parse_double),
            Parser::Decimal(decimal) => {
                self.primitives::<Decimal128Type>(kind, |text| decimal.parse(text))
            }
            Parser::ConvertedInteger(converter) => {
                self.primitives::<Int64Type>(kind, |text| converter.parse_integer(text))
            }
            Parser::ConvertedDouble(conversion) => {
                self.primitives::<Float64Type>(kind, |text| convert_double(*conversion, text))
            }
            Parser::ConvertedDecimal(converter) => {
                self.primitives::<Decimal128Type>(kind, |text| converter.parse(text))
            }
            Parser::Date(dates) => self.primitives::<Date32Type>(kind, |text| dates.parse(text)),
            Parser::Timestamp(moments) => {
                self.primitives::<TimestampMicrosecondType>(kind, |text| moments.parse(text))
            }
        }
    }

    fn strings(&mut self, normaliser: &mut impl Normalise) -> ArrayRef {
        let bytes = self.texts.bytes();
        let mut builder = StringBuilder::with_capacity(self.texts.rows(), bytes);
        let Scratch { text, value } = &mut *self.scratch;
        for (row, raw) in self.texts.iter().enumerate() {
            let Some(text) = self.rules.text.apply(raw, text) else {
                note_missing(self.rules, row, self.faults);
                builder.append_null();
                continue;
            };
            match normaliser.normalise(text, value) {
                Ok(value) if self.rules.accepts(value) => builder.append_value(value),
                outcome => {
                    note_refused(self.rules, row, text, outcome.err(), self.faults);
                    builder.append_null();
                }
            }
        }
        Arc::new(builder.finish())
    }

    fn booleans(&mut self) -> ArrayRef {
        let mut builder = BooleanBuilder::with_capacity(self.texts.rows());
        self.parsed(parse_boolean, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn primitives<P: ArrowPrimitiveType>(
        &mut self,
        kind: &DataType,
        parse: impl FnMut(&str) -> Result<P::Native, &'static str>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<P>::with_capacity(self.texts.rows());
        self.parsed(parse, |value| builder.append_option(value));
        Arc::new(builder.finish().with_data_type(kind.clone()))
    }

    fn parsed<V>(
        &mut self,
        mut parse: impl FnMut(&str) -> Result<V, &'static str>,
        mut push: impl FnMut(Option<V>),
    ) {
        let scratch = &mut self.scratch.text;
        for (row, raw) in self.texts.iter().enumerate() {
            let Some(text) = self.rules.text.apply(raw, scratch) else {
                note_missing(self.rules, row, self.faults);
                push(None);
                continue;
            };
            match parse(text) {
                Ok(value) if self.rules.accepts(text) => push(Some(value)),
                outcome => {
                    note_refused(self.rules, row, text, outcome.err(), self.faults);
                    push(None);
                }
            }
        }
    }
}

fn note_missing(rules: &ColumnRules, row: usize, faults: &mut Faults) {
    if rules.required {
        faults.note(Fault {
            row,
            column: Some(rules.index),
            rule: rule::REQUIRED,
            reason: "no value".to_owned(),
        });
    }
}

/// Notes why a text is refused: for its type, or else because it is not among the accepted values.
#[cold]
fn note_refused(
    rules: &ColumnRules,
    row: usize,
    text: &str,
    type_error: Option<&'static str>,
    faults: &mut Faults,
) {
    let (rule, reason) = match type_error {
        Some(reason) => (rule::TYPE, reason),
        None => (rule::ACCEPTED, "not among the accepted values"),
    };
    faults.note(Fault {
        row,
        column: Some(rules.index),
        rule,
        reason: format!("{reason}: {}", shown(text)),
    });
}
