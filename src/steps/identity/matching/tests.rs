//! Records of invented persons, matched from the columns of a source to the links of a night.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::records::{Field, Interner, Records, fold};
use crate::plan::{
    self, Block, ColumnKind, Comparison, ComparisonKind, Folding, Key, KeyFunction, MatchField,
    Matching,
};
use crate::steps::dedupe::{Deduped, Former, dedupe};
use crate::steps::fixtures::{cleaned, context, part, source, texts};
use crate::steps::identity::Before;
use crate::steps::identity::findings::Findings;
use crate::steps::identity::identify;

/// Makes records of folded texts, one row each; an empty text is a missing value.
pub(super) fn records(sources: &[u8], rows: &[&[&str]]) -> Records {
    let fields = (0..rows.first().map_or(0, |row| row.len())).map(|at| {
        let mut interner = Interner::default();
        let number = |row: &&[&str]| interner.number(&fold(row[at], Folding::Text));
        let values: Vec<_> = rows.iter().map(number).collect();
        Field::new(&values, &interner.texts)
    });
    Records { fields: fields.collect(), sources: sources.to_vec() }
}

pub(super) fn compare(field: usize, kind: ComparisonKind) -> Comparison {
    Comparison { field, kind, swaps_with: None, frequencies: true }
}

pub(super) fn key(function: KeyFunction, fields: &[usize]) -> Key {
    Key { function, fields: fields.to_vec() }
}

pub(super) fn block(keys: Vec<Key>) -> Block {
    Block { text: String::new(), keys }
}

/// Makes rules for fields that stand in the columns after the first, which names a record.
pub(super) fn rules(fields: &[&str], blocks: Vec<Block>, comparisons: Vec<Comparison>) -> Matching {
    let field = |(at, name): (usize, &&str)| MatchField {
        name: name.parse().unwrap(),
        column: at + 1,
        folding: Folding::Text,
    };
    Matching {
        record: plan::Link { identifier: "record".parse().unwrap(), column: 0, when: None },
        fields: fields.iter().enumerate().map(field).collect(),
        blocks,
        neighbours: Vec::new(),
        comparisons,
        household: Vec::new(),
        threshold: 0.9,
        max_block: 500,
        within: true,
        others: Vec::new(),
    }
}

const FIELDS: [&str; 6] = ["given_name", "surname", "street", "city", "phone", "born"];
const GIVEN: usize = 0;
const SURNAME: usize = 1;
const STREET: usize = 2;
const CITY: usize = 3;
const PHONE: usize = 4;
const BORN: usize = 5;

fn people_rules() -> Matching {
    let similar = || ComparisonKind::JaroWinkler(vec![0.92, 0.8]);
    let whole = |field: usize| key(KeyFunction::Whole, &[field]);
    let names = key(KeyFunction::Soundex, &[GIVEN, SURNAME]);
    let blocks = vec![
        block(vec![whole(PHONE)]),
        block(vec![whole(BORN)]),
        block(vec![whole(GIVEN), whole(SURNAME)]),
        block(vec![names, whole(CITY)]),
    ];
    let comparisons = vec![
        Comparison { swaps_with: Some(1), ..compare(GIVEN, similar()) },
        compare(SURNAME, similar()),
        compare(STREET, similar()),
        compare(CITY, ComparisonKind::Exact),
        compare(PHONE, ComparisonKind::Phone),
        compare(BORN, ComparisonKind::Date),
    ];
    rules(&FIELDS, blocks, comparisons)
}

/// A record: its name, the person it is of, and its fields.
type Record = (String, usize, Vec<String>);

/// Invents persons, and records of them with mistakes.
struct Inventor(ChaCha8Rng);

impl Inventor {
    fn below(&mut self, limit: usize) -> usize {
        (self.0.next_u64() % limit as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn word(number: usize) -> String {
        let syllables = ["ba", "ko", "mi", "tar", "lu", "sen", "ri", "do", "ve", "ha", "nu", "pel"];
        let mut rest = number * 7 + 5;
        let mut word = String::new();
        for _ in 0..3 {
            word.push_str(syllables[rest % syllables.len()]);
            rest /= syllables.len();
        }
        word
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    fn born(&mut self) -> String {
        let (year, month, day) = (1930 + self.below(75), 1 + self.below(12), 1 + self.below(28));
        format!("{year}{month:02}{day:02}")
    }

    /// Invents so many households, and one person or more in each.
    fn persons(&mut self, households: usize) -> Vec<Vec<String>> {
        let mut persons = Vec::new();
        for _ in 0..households {
            let (surname, street, city) = (self.below(300), self.below(400), self.below(15));
            let (surname, street) = (Self::word(surname), Self::word(street));
            let (city, phone) = (Self::word(city), self.digits(9));
            for _ in 0..=self.below(3) {
                let given = self.below(60);
                let mut person = vec![Self::word(given), surname.clone(), street.clone()];
                person.extend([city.clone(), phone.clone(), self.born()]);
                persons.push(person);
            }
        }
        persons
    }

    fn mistyped(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let at = self.below(letters.len() - 1);
        if self.chance(50) {
            letters.swap(at, at + 1);
        } else {
            letters.remove(at);
        }
        letters.into_iter().collect()
    }

    fn record(&mut self, person: &[String]) -> Vec<String> {
        let mut fields = person.to_vec();
        for field in &mut fields {
            if self.chance(8) {
                field.clear();
            } else if self.chance(12) {
                *field = self.mistyped(field);
            }
        }
        if self.chance(5) {
            fields.swap(GIVEN, SURNAME);
        }
        fields
    }

    /// Writes one to three records of each person.
    fn records(&mut self, persons: &[Vec<String>], most: usize) -> Vec<Record> {
        let mut records = Vec::new();
        for (number, person) in persons.iter().enumerate() {
            for _ in 0..=self.below(most) {
                let name = format!("r{:016x}", self.0.next_u64());
                records.push((name, number, self.record(person)));
            }
        }
        records
    }
}

fn people(seed: u64, households: usize, most: usize) -> Vec<Record> {
    let mut inventor = Inventor(ChaCha8Rng::seed_from_u64(seed));
    let persons = inventor.persons(households);
    inventor.records(&persons, most)
}

fn identity(unique: bool) -> plan::Identity {
    let identifier = plan::Identifier {
        name: "record".parse().unwrap(),
        priority: 1,
        unique,
        max_per_customer: None,
        max_customers: None,
        blocked: Vec::new(),
        blocked_patterns: Vec::new(),
        block_above: None,
        window: None,
    };
    plan::Identity { identifiers: vec![identifier], ..plan::Identity::default() }
}

fn source_of(name: &str, matching: Option<Matching>) -> Arc<plan::Source> {
    let columns: Vec<(&str, ColumnKind)> =
        std::iter::once("id").chain(FIELDS).map(|name| (name, ColumnKind::String)).collect();
    let link = plan::Link { identifier: "record".parse().unwrap(), column: 0, when: None };
    Arc::new(plan::Source { links: vec![link], matching, ..source(name, &columns) })
}

/// Makes the objects of a source of so many records each.
fn export(
    source: &Arc<plan::Source>,
    work: &std::path::Path,
    records: &[Record],
    rows_each: usize,
) -> Deduped {
    let parts = records.chunks(rows_each).enumerate().map(|(number, records)| {
        let present = |text: &String| (!text.is_empty()).then(|| text.clone());
        let mut columns = vec![texts(records.iter().map(|record| Some(record.0.clone())))];
        for field in 0..FIELDS.len() {
            columns.push(texts(records.iter().map(|record| present(&record.2[field]))));
        }
        part(source, &format!("{number:04}"), columns, 100)
    });
    dedupe(&context(work, 1), cleaned(source, parts.collect()), Former::default()).unwrap()
}

fn night(identity: &plan::Identity, deduped: &[Deduped], threads: usize) -> Findings {
    let work = tempfile::tempdir().unwrap();
    let ctx = context(work.path(), threads);
    let before = Before::nothing();
    Findings::read(identify(&ctx, identity, deduped, &before, b"a key for tests").unwrap())
}

fn matched(matching: Matching, records: &[Record], rows_each: usize, threads: usize) -> Findings {
    let work = tempfile::tempdir().unwrap();
    let source = source_of("people", Some(matching));
    night(&identity(false), &[export(&source, work.path(), records, rows_each)], threads)
}

fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let texts = batch[name].as_string::<i32>();
    texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

fn table<'a>(night: &'a Findings, name: &str) -> &'a RecordBatch {
    &night.matches.iter().find(|(other, _)| *other == name).unwrap().1
}

/// Returns the customer of each record, by its name.
fn customers(night: &Findings) -> BTreeMap<String, String> {
    let map = night.registry.map();
    column(map, "value").into_iter().zip(column(map, "customer_id")).collect()
}

/// Returns the share of found pairs that are true, and of true pairs that are found.
fn precision_and_recall(night: &Findings, records: &[Record]) -> (f64, f64) {
    let customers = customers(night);
    let (mut both, mut found, mut real) = (0.0, 0.0, 0.0);
    for (at, left) in records.iter().enumerate() {
        for right in &records[at + 1..] {
            let is_found = customers[&left.0] == customers[&right.0];
            let is_real = left.1 == right.1;
            both += f64::from(u8::from(is_found && is_real));
            found += f64::from(u8::from(is_found));
            real += f64::from(u8::from(is_real));
        }
    }
    (both / found, both / real)
}

#[test]
fn records_of_one_person_are_found_and_those_of_one_household_kept_apart() {
    let records = people(1, 120, 3);
    let night = matched(people_rules(), &records, 1000, 2);
    let (precision, recall) = precision_and_recall(&night, &records);
    assert!(precision >= 0.97, "precision {precision}, recall {recall}");
    assert!(recall >= 0.9, "precision {precision}, recall {recall}");
}

#[test]
fn what_a_pair_is_worth_does_not_depend_on_the_threshold() {
    let records = people(5, 80, 3);
    let worth = |threshold: f64, least: f64| {
        let night = matched(Matching { threshold, ..people_rules() }, &records, 1000, 2);
        let matches = table(&night, "matches");
        let probabilities = matches["probability"].as_primitive::<Float64Type>().values().to_vec();
        let pairs = column(matches, "left_value").into_iter().zip(column(matches, "right_value"));
        let sure = pairs.zip(probabilities).filter(|(_, probability)| *probability >= least);
        sure.map(|(pair, _)| pair).collect::<BTreeSet<_>>()
    };
    let all = worth(0.5, 0.5);
    for threshold in [0.8, 0.95, 0.999] {
        let sure = worth(threshold, threshold);
        assert!(!sure.is_empty() && sure.len() < all.len(), "{threshold}: {}", sure.len());
        assert_eq!(sure, worth(0.5, threshold), "{threshold}");
    }
}

#[test]
fn where_nobody_has_two_records_next_to_nothing_is_matched() {
    let records = people(2, 150, 1);
    let night = matched(people_rules(), &records, 1000, 2);
    let matches = table(&night, "matches").num_rows();
    assert!(matches <= 2, "{matches} of {}", records.len());
}

#[test]
fn the_result_does_not_depend_on_threads_objects_or_the_order_of_rows() {
    let mut records = people(3, 60, 3);
    let expected = matched(people_rules(), &records, 1000, 1);
    assert!(table(&expected, "matches").num_rows() > 20);
    for (threads, rows_each) in [(2, 1000), (8, 7), (1, 13)] {
        records.sort_by_key(|record| {
            blake3::hash(format!("{threads}{}", record.0).as_bytes()).to_hex()
        });
        let found = matched(people_rules(), &records, rows_each, threads);
        assert_eq!(customers(&found), customers(&expected));
        for name in ["left_value", "right_value", "evidence"] {
            let [found, expected] =
                [&found, &expected].map(|night| column(table(night, "matches"), name));
            assert_eq!(found, expected);
        }
        assert_eq!(table(&found, "match_levels"), table(&expected, "match_levels"));
        assert_eq!(table(&found, "match_blocks"), table(&expected, "match_blocks"));
    }
}

#[test]
fn a_match_is_refused_where_a_rule_of_identity_forbids_it() {
    let records = people(1, 40, 3);
    let source = source_of("people", Some(people_rules()));
    let work = tempfile::tempdir().unwrap();
    let deduped = [export(&source, work.path(), &records, 1000)];
    let night = night(&identity(true), &deduped, 1);
    let matches = table(&night, "matches").num_rows();
    assert!(matches > 10);
    assert_eq!(night.counts.customers, records.len() as u64);
    assert_eq!(night.conflicts.num_rows(), matches);
    assert_eq!(column(&night.conflicts, "rule"), vec!["unique"; matches]);
}

#[test]
fn between_two_sources_every_record_has_one_match_at_most() {
    let mut inventor = Inventor(ChaCha8Rng::seed_from_u64(4));
    let persons = inventor.persons(80);
    let [left, right] = [0, 1].map(|_| inventor.records(&persons, 2));
    let other = plan::OtherSource {
        source: "members".parse().unwrap(),
        record: plan::Link { identifier: "record".parse().unwrap(), column: 0, when: None },
        columns: (1..=FIELDS.len()).collect(),
    };
    let matching = Matching { within: false, others: vec![other], ..people_rules() };
    let work = tempfile::tempdir().unwrap();
    let [people, members] =
        [("people", Some(matching)), ("members", None)].map(|(name, rules)| source_of(name, rules));
    let deduped =
        [export(&members, work.path(), &right, 50), export(&people, work.path(), &left, 50)];
    let night = night(&identity(false), &deduped, 2);
    let persons: BTreeMap<&str, usize> =
        left.iter().chain(&right).map(|record| (record.0.as_str(), record.1)).collect();
    let matches = table(&night, "matches");
    let [lefts, rights] = ["left_value", "right_value"].map(|name| column(matches, name));
    assert!(lefts.len() > 60, "{}", lefts.len());
    for ends in [&lefts, &rights] {
        assert_eq!(ends.iter().collect::<BTreeSet<_>>().len(), ends.len());
    }
    let is_true =
        |(left, right): &(&String, &String)| persons[left.as_str()] == persons[right.as_str()];
    let right = lefts.iter().zip(&rights).filter(is_true).count();
    assert!(right * 100 >= lefts.len() * 97, "{right} of {}", lefts.len());
    assert!(column(matches, "left_source").iter().all(|source| source == "people"));
    assert!(column(matches, "right_source").iter().all(|source| source == "members"));
}

#[test]
fn a_source_without_records_or_values_has_no_matches() {
    let empty = (1..=3).map(|number| (format!("r{number}"), number, vec![String::new(); 6]));
    for records in [Vec::new(), people(1, 1, 1)[..1].to_vec(), empty.collect::<Vec<Record>>()] {
        let night = matched(people_rules(), &records, 10, 2);
        assert_eq!(table(&night, "matches").num_rows(), 0);
        assert_eq!(night.counts.customers, records.len() as u64);
    }
}

#[test]
fn a_match_tells_what_each_field_adds() {
    let records = people(1, 60, 3);
    let night = matched(people_rules(), &records, 1000, 2);
    let evidence = column(table(&night, "matches"), "evidence");
    assert!(evidence.iter().any(|evidence| evidence.contains("given_name swapped +")));
    assert!(evidence.iter().any(|evidence| evidence.contains("born mistyped +")));
    assert!(evidence.iter().any(|evidence| evidence.contains("city missing")));
    let levels = table(&night, "match_levels");
    let names = column(levels, "level");
    let first = ["exact", "similarity 0.92", "similarity 0.8", "other", "swapped"];
    assert_eq!(names[..5], first);
    assert_eq!(table(&night, "match_blocks").num_rows(), 4);
}

#[test]
fn pairs_that_were_not_taken_are_told_the_best_first() {
    let records = people(1, 150, 2);
    let night = matched(Matching { threshold: 0.9999, ..people_rules() }, &records, 1000, 2);
    let pairs = |name: &str| {
        let [left, right] =
            ["left_value", "right_value"].map(|end| column(table(&night, name), end));
        left.into_iter().zip(right).collect::<Vec<_>>()
    };
    let missed = table(&night, "match_misses");
    let probabilities = missed["probability"].as_primitive::<Float64Type>().values().to_vec();
    assert!(!probabilities.is_empty() && probabilities.is_sorted_by(|left, right| left >= right));
    assert!(probabilities.iter().all(|probability| (0.01..0.9999).contains(probability)));
    let taken = pairs("matches");
    assert!(pairs("match_misses").iter().all(|pair| !taken.contains(pair)));
}

#[test]
fn the_estimate_tells_how_it_came_about() {
    let night = matched(people_rules(), &people(1, 150, 2), 1000, 2);
    let models = table(&night, "match_models");
    assert!(models["has_settled"].as_boolean().value(0));
    let expected = models["expected_matches"].as_primitive::<Float64Type>().value(0);
    let matches = table(&night, "matches").num_rows() as f64;
    assert!((matches / expected - 1.0).abs() < 0.2, "{matches} of {expected}");
}
