//! Fuzzy matching of a source.

use super::match_key;
use super::place::{Place, with_nearest};
use super::source::column_index;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::Link;
use crate::plan::matching::{
    Block, Comparison, ComparisonKind, Folding, MatchField, Matching, Neighbours, OtherSource,
};
use crate::plan::source::{ColumnKind, Source};
use crate::spec;

/// How many comparisons a source has at least: what agrees in one column may do so by chance.
const MIN_COMPARISONS: usize = 2;
/// How many comparisons a source may have.
const MAX_COMPARISONS: usize = 16;
/// What stands where an author says nothing.
const THRESHOLD: f64 = 0.9;
const MAX_BLOCK: u64 = 500;
const WINDOW: u64 = 5;
const JARO_WINKLER: [f64; 2] = [0.92, 0.8];
const LEVENSHTEIN: [usize; 2] = [1, 2];
const NUMERIC: [f64; 2] = [0.01, 0.1];

/// Gives every source with a `match:` block its rules; the sources have their links already.
pub(super) fn resolve(
    written: &spec::Ordered<spec::Source>,
    sources: &mut [Source],
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    for (name, source) in written.iter() {
        let Some(rules) = &source.matching else { continue };
        let Some(at) = sources.iter().position(|source| source.name.as_str() == name) else {
            // The source has mistakes of its own.
            continue;
        };
        let place = place.child(name).child("match");
        let resolved = Reader { rules, source: &sources[at], sources, place }.matching(found);
        sources[at].matching = resolved;
    }
}

/// Reads the rules of one source.
struct Reader<'a> {
    rules: &'a spec::Matching,
    source: &'a Source,
    sources: &'a [Source],
    place: Place<'a>,
}

impl Reader<'_> {
    fn matching(&self, found: &mut Diagnostics) -> Option<Matching> {
        let before = found.len();
        let mut fields = Vec::new();
        let record = record(&self.rules.record, self.source, &self.place.child("record"), found);
        let comparisons = self.comparisons(&mut fields, found);
        let household = self.household(found);
        let blocks = self.blocks(&mut fields, found);
        let neighbours = self.neighbours(&mut fields, found);
        let threshold = self.threshold(found);
        let max_block = self.at_least_two(self.rules.max_block, "max_block", MAX_BLOCK, found);
        let others = self.others(&fields, found);
        if self.rules.blocks.is_empty() && self.rules.neighbours.is_empty() {
            let message = "no rule says which records are compared";
            let help = "every record is never compared with every other: write `blocks`";
            found.push(self.place.key_error(Code::BadMatch, message).help(help));
        }
        let within = self.rules.within.unwrap_or(others.is_empty());
        if !within && others.is_empty() {
            let message = "the records are compared neither with each other nor with others";
            found.push(self.place.child("within").error(Code::BadMatch, message));
        }
        let record = record.filter(|_| found.len() == before)?;
        Some(Matching {
            record,
            fields,
            blocks,
            neighbours,
            comparisons,
            household,
            threshold,
            max_block,
            within,
            others,
        })
    }

    /// Returns the index of a field, which is added if it is new.
    fn field(
        &self,
        name: &str,
        fields: &mut Vec<MatchField>,
        place: &Place<'_>,
        found: &mut Diagnostics,
    ) -> Option<usize> {
        let columns = &self.source.columns;
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let column = column_index(name, &names, place, found)?;
        let known = fields.iter().position(|field| field.column == column);
        Some(known.unwrap_or_else(|| {
            let folding = folding(&columns[column].kind);
            fields.push(MatchField { name: columns[column].name.clone(), column, folding });
            fields.len() - 1
        }))
    }

    fn comparisons(
        &self,
        fields: &mut Vec<MatchField>,
        found: &mut Diagnostics,
    ) -> Vec<Comparison> {
        let place = self.place.child("compare");
        let count = self.rules.compare.iter().count();
        if !(MIN_COMPARISONS..=MAX_COMPARISONS).contains(&count) {
            let message = format!(
                "a source has {MIN_COMPARISONS} to {MAX_COMPARISONS} comparisons, not {count}"
            );
            let help = "what agrees in one column may do so by chance; where a single value names a person, \
                        make it an identifier";
            found.push(place.key_error(Code::BadMatch, message).help(help));
        }
        let mut comparisons = Vec::with_capacity(count);
        for (name, written) in self.rules.compare.iter() {
            let place = place.child(name);
            let field = self.field(name, fields, &place, found);
            let kind = kind(written, &place, found);
            let swaps_with = self.swaps_with(written, &place, found);
            if let (Some(field), Some(kind)) = (field, kind) {
                match kind {
                    ComparisonKind::Numeric(_) => fields[field].folding = Folding::Number,
                    ComparisonKind::Date => fields[field].folding = Folding::Date,
                    _ => {}
                }
                let frequencies = written.frequencies.unwrap_or(has_frequencies(&kind));
                comparisons.push(Comparison { field, kind, swaps_with, frequencies });
            }
        }
        comparisons
    }

    /// Returns the index of the comparison with which one may be swapped.
    fn swaps_with(
        &self,
        written: &spec::Comparison,
        place: &Place<'_>,
        found: &mut Diagnostics,
    ) -> Option<usize> {
        let name = written.swaps_with.as_deref()?;
        let place = place.child("swaps_with");
        let index = self.compared(name, &place, found)?;
        let (_, other) = self.rules.compare.iter().nth(index)?;
        if std::ptr::eq(other, written) || other.kind != written.kind {
            let message = format!("values cannot be swapped with those of `{name}`");
            let help = "swapped columns are two that are compared in the same way";
            found.push(place.error(Code::BadMatch, message).help(help));
        }
        Some(index)
    }

    /// Returns the index of the comparison of a column.
    fn compared(&self, name: &str, place: &Place<'_>, found: &mut Diagnostics) -> Option<usize> {
        let names = || self.rules.compare.iter().map(|(name, _)| name);
        let index = names().position(|other| other == name);
        if index.is_none() {
            let message = format!("the column `{name}` is not compared");
            found.push(with_nearest(place.error(Code::BadMatch, message), name, names()));
        }
        index
    }

    /// Returns the comparisons in which persons of one household agree.
    fn household(&self, found: &mut Diagnostics) -> Vec<usize> {
        let place = self.place.child("household");
        let named = self.rules.household.iter().enumerate();
        let mut household: Vec<usize> = named
            .filter_map(|(number, name)| self.compared(name, &place.child(number), found))
            .collect();
        household.sort_unstable();
        household.dedup();
        if !household.is_empty() && household.len() == self.rules.compare.iter().count() {
            let message = "no compared column tells the persons of a household apart";
            let help =
                "leave out what is a person's own, such as the given name and the date of birth";
            found.push(place.error(Code::BadMatch, message).help(help));
        }
        household
    }

    fn blocks(&self, fields: &mut Vec<MatchField>, found: &mut Diagnostics) -> Vec<Block> {
        let place = self.place.child("blocks");
        let mut blocks = Vec::with_capacity(self.rules.blocks.len());
        for (number, written) in self.rules.blocks.iter().enumerate() {
            let place = place.child(number);
            if written.is_empty() {
                found.push(place.error(Code::BadMatch, "a block has at least one key"));
            }
            let mut keys = Vec::with_capacity(written.len());
            for (number, text) in written.iter().enumerate() {
                let place = place.child(number);
                let field =
                    |name: &str, found: &mut Diagnostics| self.field(name, fields, &place, found);
                keys.extend(match_key::resolve(text, field, &place, found));
            }
            blocks.push(Block { text: written.join(", "), keys });
        }
        blocks
    }

    fn neighbours(&self, fields: &mut Vec<MatchField>, found: &mut Diagnostics) -> Vec<Neighbours> {
        let place = self.place.child("neighbours");
        let mut all = Vec::with_capacity(self.rules.neighbours.len());
        for (number, written) in self.rules.neighbours.iter().enumerate() {
            let place = place.child(number);
            let columns = written.by.iter().enumerate();
            let by: Vec<usize> = columns
                .filter_map(|(number, name)| {
                    self.field(name, fields, &place.child("by").child(number), found)
                })
                .collect();
            let window = written.window.unwrap_or(WINDOW);
            if written.by.is_empty() || window == 0 {
                let message = "neighbours have an order and a window of at least 1";
                found.push(place.error(Code::BadMatch, message));
            }
            all.push(Neighbours { by, window: window as usize });
        }
        all
    }

    fn threshold(&self, found: &mut Diagnostics) -> f64 {
        let threshold = self.rules.threshold.unwrap_or(THRESHOLD);
        if !(0.5..1.0).contains(&threshold) {
            let message = format!("`{threshold}` is no threshold");
            let help = "a threshold is a probability, at least 0.5 and below 1";
            let place = self.place.child("threshold");
            found.push(place.error(Code::BadMatch, message).help(help));
        }
        threshold
    }

    fn at_least_two(
        &self,
        written: Option<u64>,
        key: &str,
        default: u64,
        found: &mut Diagnostics,
    ) -> usize {
        let value = written.unwrap_or(default);
        if !(2..=1_000_000).contains(&value) {
            let message = format!("`{key}` is at least 2 and at most 1000000");
            found.push(self.place.child(key).error(Code::BadMatch, message));
        }
        value as usize
    }

    fn others(&self, fields: &[MatchField], found: &mut Diagnostics) -> Vec<OtherSource> {
        let place = self.place.child("with");
        let mut others = Vec::new();
        for (name, written) in self.rules.with.iter() {
            let place = place.child(name);
            let names = || self.sources.iter().map(|source| source.name.as_str());
            let Some(at) = names().position(|other| other == name) else {
                let message = format!("the pipeline has no source `{name}`");
                let unknown = place.key_error(Code::UnknownSource, message);
                found.push(with_nearest(unknown, name, names()));
                continue;
            };
            if self.sources[at].name == self.source.name {
                let message = "a source is compared with itself by `within: true`";
                found.push(place.key_error(Code::BadMatch, message));
                continue;
            }
            others.extend(other(written, &self.sources[at], fields, &place, found));
        }
        others
    }
}

/// Finds the columns of another source.
fn other(
    written: &spec::OtherSource,
    source: &Source,
    fields: &[MatchField],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<OtherSource> {
    let record = record(&written.record, source, &place.child("record"), found);
    let names: Vec<&str> = source.columns.iter().map(|column| column.name.as_str()).collect();
    let renamed = place.child("columns");
    for (name, _) in written.columns.iter() {
        let own: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        column_index(name, &own, &renamed.child(name), found);
    }
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        let own = field.name.as_str();
        let there = written.columns.iter().find(|(name, _)| *name == own);
        let place = if there.is_some() { renamed.child(own) } else { place.clone() };
        let name = there.map_or(own, |(_, name)| name.as_str());
        columns.extend(column_index(name, &names, &place, found));
    }
    let is_whole = columns.len() == fields.len();
    Some(OtherSource { source: source.name.clone(), record: record?, columns }).filter(|_| is_whole)
}

/// Finds the column that names a record.
fn record(text: &str, source: &Source, place: &Place<'_>, found: &mut Diagnostics) -> Option<Link> {
    let link = source.links.iter().find(|link| link.identifier.as_str() == text);
    if link.is_none() {
        let message = format!("the source `{}` has no identifier `{text}`", source.name);
        let unknown = place.error(Code::UnknownIdentifier, message);
        let names = source.links.iter().map(|link| link.identifier.as_str());
        let unknown = with_nearest(unknown, text, names);
        found.push(unknown.help("`record` is a type that `identity.links` gives this source"));
    }
    link.cloned()
}

fn folding(kind: &ColumnKind) -> Folding {
    match kind {
        ColumnKind::Integer | ColumnKind::Double | ColumnKind::Decimal { .. } => Folding::Number,
        _ => Folding::Text,
    }
}

/// Says whether agreement in a rare value of a kind tells more unless an author says otherwise.
const fn has_frequencies(kind: &ComparisonKind) -> bool {
    !matches!(kind, ComparisonKind::Numeric(_))
}

/// Reads how two values are compared, and checks the levels.
fn kind(
    written: &spec::Comparison,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<ComparisonKind> {
    let levels = written.levels.as_deref();
    if let Some(fault) = levels.and_then(|levels| fault(written.kind, levels)) {
        found.push(place.child("levels").error(Code::BadMatch, fault));
        return None;
    }
    let or = |default: &[f64]| levels.unwrap_or(default).to_vec();
    let edits = |levels: &[f64]| levels.iter().map(|level| *level as usize).collect();
    Some(match written.kind {
        spec::ComparisonKind::Exact => ComparisonKind::Exact,
        spec::ComparisonKind::JaroWinkler => ComparisonKind::JaroWinkler(or(&JARO_WINKLER)),
        spec::ComparisonKind::Levenshtein => {
            ComparisonKind::Levenshtein(levels.map_or_else(|| LEVENSHTEIN.to_vec(), edits))
        }
        spec::ComparisonKind::Date => ComparisonKind::Date,
        spec::ComparisonKind::Phone => ComparisonKind::Phone,
        spec::ComparisonKind::Numeric => ComparisonKind::Numeric(or(&NUMERIC)),
    })
}

/// Says what is wrong with the levels of a comparison.
fn fault(kind: spec::ComparisonKind, levels: &[f64]) -> Option<&'static str> {
    let is_rising = levels.windows(2).all(|pair| pair[0] < pair[1]);
    let is_falling = levels.windows(2).all(|pair| pair[0] > pair[1]);
    let are = |is_sound: &dyn Fn(f64) -> bool| {
        (1..=8).contains(&levels.len()) && levels.iter().all(|level| is_sound(*level))
    };
    let is_edits = |level: f64| (1.0..=20.0).contains(&level) && level.fract() == 0.0;
    match kind {
        spec::ComparisonKind::JaroWinkler => {
            let is_sound = is_falling && are(&|level| level > 0.0 && level < 1.0);
            (!is_sound).then_some("the levels are 1 to 8 similarities between 0 and 1, falling")
        }
        spec::ComparisonKind::Levenshtein => {
            let is_sound = is_rising && are(&is_edits);
            (!is_sound).then_some("the levels are 1 to 8 numbers of edits from 1 to 20, rising")
        }
        spec::ComparisonKind::Numeric => {
            let is_sound = is_rising && are(&|level| level > 0.0 && level < 1.0);
            (!is_sound).then_some("the levels are 1 to 8 shares between 0 and 1, rising")
        }
        _ => Some("this comparison has levels of its own"),
    }
}
