//! Conversions of currency, once all sources are known.

use super::place::{Place, with_nearest};
use super::source::column_index;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::source::{ColumnKind, Source};
use crate::plan::{Currency, Exchange};
use crate::spec;

/// Gives every column that is converted its rule, or reports what is wrong with it.
pub(super) fn resolve(
    pipeline: &spec::Pipeline,
    sources: &mut [Source],
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let mut rules = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let written = pipeline.sources.iter().find(|(name, _)| *name == source.name.as_str());
        let Some((name, written)) = written else { continue };
        let place = place.child(name).child("columns");
        for (column, (name, written)) in written.columns.iter().enumerate() {
            if let Some(convert) = &written.convert {
                let place = place.child(name).child("convert");
                let scope = Scope { pipeline, sources, source };
                let rule = scope.exchange(convert, &place, found);
                rules.push((at, column, rule));
            }
        }
    }
    for (source, column, rule) in rules {
        sources[source].columns[column].exchange = rule;
    }
}

/// What a rule may refer to.
struct Scope<'a> {
    pipeline: &'a spec::Pipeline,
    sources: &'a [Source],
    source: &'a Source,
}

impl Scope<'_> {
    fn exchange(
        &self,
        convert: &spec::Convert,
        place: &Place<'_>,
        found: &mut Diagnostics,
    ) -> Option<Exchange> {
        let before = found.len();
        self.check_target(&convert.to, place, found);
        let from = self.currency(&convert.currency, place, found);
        let date = self.date(&convert.date, &place.child("date"), found);
        self.check_rates(&convert.rates, &place.child("rates"), found);
        let max_age = max_age(convert.max_age.as_deref(), &place.child("max_age"), found);
        if found.len() > before {
            return None;
        }
        Some(Exchange {
            from: from?,
            to: convert.to.clone(),
            rates: convert.rates.parse().ok()?,
            date: date?,
            max_age: max_age?,
        })
    }

    fn names(&self) -> Vec<&str> {
        self.source.columns.iter().map(|column| column.name.as_str()).collect()
    }

    fn check_target(&self, to: &str, place: &Place<'_>, found: &mut Diagnostics) {
        if to != self.pipeline.currency {
            let currency = &self.pipeline.currency;
            let message =
                format!("rates are given in the pipeline's currency, which is not `{to}`");
            let help = format!("write `to: {currency}`");
            found.push(place.child("to").error(Code::BadValue, message).help(help));
        }
    }

    /// Reads a currency: a code, or the column that holds one.
    fn currency(&self, text: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<Currency> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(Currency::Code(text.to_owned()));
        }
        let place = place.child("currency");
        let index = column_index(text, &self.names(), &place, found)?;
        if self.source.columns[index].kind != ColumnKind::String {
            let message = "a currency is a column of type `string`, or a code such as `USD`";
            found.push(place.error(Code::BadValue, message));
        }
        Some(Currency::Column(index))
    }

    fn date(&self, text: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<usize> {
        let index = column_index(text, &self.names(), place, found)?;
        let kind = &self.source.columns[index].kind;
        if !matches!(kind, ColumnKind::Date { .. } | ColumnKind::Timestamp { .. }) {
            let message = "the date of a rate is a column of type `date` or `timestamp`";
            found.push(place.error(Code::BadValue, message));
        }
        Some(index)
    }

    fn check_rates(&self, name: &str, place: &Place<'_>, found: &mut Diagnostics) {
        let declared = || self.pipeline.sources.iter();
        let Some((_, written)) = declared().find(|(other, _)| *other == name) else {
            let message = format!("the pipeline has no source `{name}`");
            let unknown = place.error(Code::UnknownSource, message);
            found.push(with_nearest(unknown, name, declared().map(|(name, _)| name)));
            return;
        };
        if written.columns.iter().any(|(_, column)| column.convert.is_some()) {
            let message = "a source of rates cannot have amounts that are converted themselves";
            found.push(place.error(Code::BadValue, message));
        }
        // A source that is not among the resolved ones has mistakes of its own.
        let source = self.sources.iter().find(|source| source.name.as_str() == name);
        if source.is_some_and(|source| source.rate_columns().is_none()) {
            let message = format!("the source `{name}` is no table of rates");
            let help = "a table of rates has one column of type `date`, `currency` of type `string` and `rate` of type `decimal(p,s)`, all of them required";
            found.push(place.error(Code::BadValue, message).help(help));
        }
    }
}

fn max_age(text: Option<&str>, place: &Place<'_>, found: &mut Diagnostics) -> Option<u32> {
    let Some(text) = text else {
        return Some(0);
    };
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    if days.is_none() {
        let message = format!("`{text}` is no number of days");
        found.push(place.error(Code::BadValue, message).help("write `7d` for seven days"));
    }
    days
}
