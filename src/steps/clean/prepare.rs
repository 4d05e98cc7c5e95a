//! Prepares the raw texts of columns that ask for more than most do, in a pass of its own.

use std::borrow::Cow;

use arrow::array::{Array, StringArray, StringBuilder};
use hashbrown::HashMap;
use unicode_normalization::UnicodeNormalization;

use super::column::Texts;
use super::faults::{Fault, Faults, rule, shown};
use super::notation::write_plain;
use super::text::TextRules;
use crate::plan;
use crate::steps::extract::RawBatch;

/// The rules that prepare a column's texts.
#[derive(Debug)]
pub(crate) struct Preparer {
    /// The places of the raw fields, in the order in which they are asked.
    fields: Vec<usize>,
    form: plan::Form,
    split: Option<plan::Split>,
    text: TextRules,
    mapping: Option<Mapping>,
    notation: Option<plan::Notation>,
    default: Option<String>,
}

/// Values that stand in place of others.
#[derive(Debug)]
struct Mapping {
    values: HashMap<String, String>,
    other: plan::Unmapped,
}

/// Says why a text is refused.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    rule: &'static str,
    reason: String,
}

/// Texts that have gone through all rules of their column but its type.
#[derive(Debug)]
pub(crate) struct Prepared(StringArray);

impl Texts for Prepared {
    fn rows(&self) -> usize {
        self.0.len()
    }

    fn bytes(&self) -> usize {
        self.0.values().len()
    }

    fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter()
    }
}

impl Preparer {
    /// Returns nothing where the texts need no preparation. `fields` are the raw fields of the source.
    pub(crate) fn new(column: &plan::Column, fields: &[String], text: &TextRules) -> Option<Self> {
        if column.preparation == plan::Preparation::default() {
            return None;
        }
        let place = |field: &String| fields.iter().position(|other| other == field);
        Some(Self {
            fields: column.raw_fields().filter_map(place).collect(),
            form: column.preparation.form,
            split: column.preparation.split.clone(),
            text: text.without_default(),
            mapping: column.preparation.mapping.as_ref().map(Mapping::new),
            notation: column.preparation.notation,
            default: column.default.clone(),
        })
    }

    /// Prepares the texts of a batch; one that is refused becomes no value and a fault of the column `index`.
    pub(crate) fn prepare(&self, raw: &RawBatch, index: usize, faults: &mut Faults) -> Prepared {
        let bytes = self.fields.first().map_or(0, |field| raw.column_bytes(*field));
        let mut prepared = StringBuilder::with_capacity(raw.rows(), bytes);
        let mut fields: Vec<_> = self.fields.iter().map(|field| raw.column(*field)).collect();
        let mut scratch = String::new();
        for row in 0..raw.rows() {
            let raws = fields.iter_mut().map(|field| field.next().flatten());
            if let Err(Refused { rule, reason }) = self.append(raws, &mut scratch, &mut prepared) {
                prepared.append_null();
                faults.note(Fault { row, column: Some(index), rule, reason });
            }
        }
        Prepared(prepared.finish())
    }

    /// Appends the text that a row's raw texts make, one of each field, unless it is refused.
    fn append<'a>(
        &self,
        raws: impl Iterator<Item = Option<&'a str>>,
        scratch: &mut String,
        into: &mut StringBuilder,
    ) -> Result<(), Refused> {
        // Every field has to move on to the next row, also those that are not asked.
        let first = raws.fold(None, |first, raw| first.or_else(|| self.value(raw?)));
        let text = first.as_deref().and_then(|text| self.text.rewrite(text, scratch));
        match text.map_or(Ok(Meant::Nothing), |text| self.meant(text))? {
            Meant::Nothing => into.append_option(self.default.as_deref()),
            Meant::Value(value) => into.append_value(value),
            Meant::Number(notation, text) => {
                let mut plain = String::new();
                write_plain(notation, text, &mut plain).map_err(|reason| Refused {
                    rule: rule::TYPE,
                    reason: format!("{reason}: {}", shown(text)),
                })?;
                into.append_value(plain);
            }
        }
        Ok(())
    }

    /// Returns the value in a raw text, or nothing where it means "no value".
    fn value<'a>(&self, raw: &'a str) -> Option<Cow<'a, str>> {
        if self.form == plan::Form::Nfkc && !raw.is_ascii() {
            let normal: String = raw.nfkc().collect();
            return self.part(&normal).map(|part| Cow::Owned(part.to_owned()));
        }
        self.part(raw).map(Cow::Borrowed)
    }

    fn part<'a>(&self, text: &'a str) -> Option<&'a str> {
        let part = match &self.split {
            None => text,
            Some(plan::Split { by, take: plan::Take::Nth(place) }) => {
                text.split(by.as_str()).nth(*place)?
            }
            Some(plan::Split { by, take: plan::Take::Last }) => text.rsplit(by.as_str()).next()?,
        };
        self.text.value(part)
    }

    fn meant<'a>(&'a self, text: &'a str) -> Result<Meant<'a>, Refused> {
        let as_written = match self.notation {
            Some(notation) => Meant::Number(notation, text),
            None => Meant::Value(text),
        };
        let Some(mapping) = &self.mapping else {
            return Ok(as_written);
        };
        match (mapping.values.get(text), mapping.other) {
            (Some(value), _) => Ok(Meant::Value(value)),
            (None, plan::Unmapped::Keep) => Ok(as_written),
            (None, plan::Unmapped::Null) => Ok(Meant::Nothing),
            (None, plan::Unmapped::Reject) => Err(Refused {
                rule: rule::MAP,
                reason: format!("not among the mapped values: {}", shown(text)),
            }),
        }
    }
}

/// What a text turns out to mean.
enum Meant<'a> {
    Nothing,
    Value(&'a str),
    /// A number that is yet to be brought to plain notation.
    Number(plan::Notation, &'a str),
}

impl Mapping {
    fn new(mapping: &plan::Mapping) -> Self {
        Self { values: mapping.values.iter().cloned().collect(), other: mapping.other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Column, ColumnKind, Preparation};

    /// A column of the fields `a`, `b` and `c`.
    fn column(preparation: Preparation) -> Column {
        Column {
            name: "a".parse().unwrap(),
            from: "a".to_owned(),
            kind: ColumnKind::String,
            required: false,
            pii: false,
            trim: true,
            null_if: vec!["N/A".to_owned()],
            case: None,
            replace: None,
            accepted: Vec::new(),
            default: None,
            preparation,
            conversion: None,
            exchange: None,
        }
    }

    /// Prepares the text of one row; a refused one is told by its reason.
    fn prepared(column: &Column, raws: &[Option<&str>]) -> Result<Option<String>, String> {
        let text = TextRules::new(column).unwrap();
        let fields = ["a", "b", "c"].map(str::to_owned);
        let preparer = Preparer::new(column, &fields, &text).unwrap();
        let mut prepared = StringBuilder::new();
        let outcome = preparer.append(raws.iter().copied(), &mut String::new(), &mut prepared);
        outcome.map_err(|refused| format!("{}: {}", refused.rule, refused.reason))?;
        Ok(Prepared(prepared.finish()).iter().next().unwrap().map(str::to_owned))
    }

    /// Holds what a column makes of raw texts against what it should; `-` is no value.
    fn check(column: &Column, cases: &[(&str, &str)]) {
        for (raw, expected) in cases {
            let found = match prepared(column, &[Some(raw)]) {
                Ok(text) => text.unwrap_or_else(|| "-".to_owned()),
                Err(reason) => reason,
            };
            assert_eq!(found, *expected, "{raw:?}");
        }
    }

    #[test]
    fn a_column_that_asks_for_nothing_more_needs_no_preparation() {
        let column = column(Preparation::default());
        let text = TextRules::new(&column).unwrap();
        assert!(Preparer::new(&column, &["a".to_owned()], &text).is_none());
    }

    #[test]
    fn the_first_field_with_a_value_counts() {
        let further_fields = vec!["b".to_owned(), "c".to_owned()];
        let column = Column {
            case: Some(plan::Case::Lower),
            default: Some("None".to_owned()),
            ..column(Preparation { further_fields, ..Preparation::default() })
        };
        for (raws, expected) in [
            ([Some("A"), Some("B"), Some("C")], "a"),
            ([None, Some(" B "), Some("C")], "b"),
            ([Some("  "), Some("N/A"), Some("C")], "c"),
            ([Some(" N/A "), None, None], "None"),
            ([None, None, None], "None"),
        ] {
            assert_eq!(prepared(&column, &raws), Ok(Some(expected.to_owned())), "{raws:?}");
        }
    }

    #[test]
    fn texts_are_normalised_before_all_other_rules() {
        let nfkc = Preparation { form: plan::Form::Nfkc, ..Preparation::default() };
        let cases = [
            ("１２３", "123"),
            ("Ａｎｎ　Ｌｅｅ", "Ann Lee"),
            ("ﬁne", "fine"),
            ("e\u{301}", "é"),
            ("\u{a0}a\u{3000}", "a"),
            ("Ｎ／Ａ", "-"),
            ("plain", "plain"),
            ("张三", "张三"),
        ];
        check(&column(nfkc), &cases);
    }

    #[test]
    fn a_part_is_a_value_of_its_own() {
        let split = |by: &str, take| {
            let split = Some(plan::Split { by: by.to_owned(), take });
            column(Preparation { split, ..Preparation::default() })
        };
        let first = [("a; b", "a"), ("a", "a"), (" ;b", "-"), ("N/A;b", "-"), ("N/A", "-")];
        check(&split(";", plan::Take::Nth(0)), &first);
        check(&split(";", plan::Take::Nth(1)), &[("a; b ;c", "b"), ("a", "-"), ("a;", "-")]);
        check(&split(";", plan::Take::Last), &[("a; b ;c", "c"), ("a", "a"), ("a;", "-")]);
        check(&split(" - ", plan::Take::Last), &[("a-b - c-d", "c-d")]);
    }

    #[test]
    fn values_are_mapped_after_replace_and_case() {
        let mapped = |other| {
            let values = [("m", "male"), ("f", "female")];
            let values = values.map(|(from, to)| (from.to_owned(), to.to_owned())).to_vec();
            let mapping = Some(plan::Mapping { values, other });
            Column {
                case: Some(plan::Case::Lower),
                replace: Some(plan::Replace { pattern: r"\.$".to_owned(), with: String::new() }),
                ..column(Preparation { mapping, ..Preparation::default() })
            }
        };
        let known = [("M.", "male"), (" f ", "female"), ("", "-"), (".", "-")];
        for other in [plan::Unmapped::Reject, plan::Unmapped::Keep, plan::Unmapped::Null] {
            check(&mapped(other), &known);
        }
        let reason = "map: not among the mapped values: `x`";
        check(&mapped(plan::Unmapped::Reject), &[("X", reason)]);
        check(&mapped(plan::Unmapped::Keep), &[("X", "x")]);
        check(&mapped(plan::Unmapped::Null), &[("X", "-")]);
        let with_default = Column { default: Some("M".to_owned()), ..mapped(plan::Unmapped::Null) };
        check(&with_default, &[("X", "M"), ("", "M")]);
    }

    #[test]
    fn numbers_become_plain_and_mapped_or_default_ones_are() {
        let mapping = plan::Mapping {
            values: vec![("none".to_owned(), "0.5".to_owned())],
            other: plan::Unmapped::Keep,
        };
        let notation = plan::Notation { thousands: Some('.'), decimal_point: ',' };
        let column = Column {
            default: Some("1.5".to_owned()),
            ..column(Preparation {
                form: plan::Form::Nfkc,
                mapping: Some(mapping),
                notation: Some(notation),
                ..Preparation::default()
            })
        };
        let no_groups = "type: thousands separators that do not part groups of three: `1.5`";
        let cases = [
            ("1.234,50", "1234.50"),
            ("１．２３４，５", "1234.5"),
            ("none", "0.5"),
            ("", "1.5"),
            ("1.5", no_groups),
        ];
        check(&column, &cases);
    }
}
