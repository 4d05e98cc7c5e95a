//! Survivors by example, and against a reference that looks at everything.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Former, dedupe};
use crate::plan::{self, ColumnKind, Keep};
use crate::steps::clean::Cleaned;
use crate::steps::fixtures::{
    cleaned, context, instants, integers, part, source, texts, timestamp,
};

/// A row of a source with the columns `key`, `version` and `at`.
type Row = (Option<&'static str>, Option<i64>, Option<i64>);

const KEY: usize = 0;
const VERSION: usize = 1;
const AT: usize = 2;

fn rule(key: &[usize], keep: Keep, order_by: &[usize]) -> plan::Dedupe {
    plan::Dedupe { key: key.to_vec(), keep, order_by: order_by.to_vec(), window_days: None }
}

fn cleaned_rows(rule: &plan::Dedupe, objects: &[(String, Vec<Row>)], batch_rows: usize) -> Cleaned {
    let columns =
        [("key", ColumnKind::String), ("version", ColumnKind::Integer), ("at", timestamp())];
    let source = plan::Source { dedupe: Some(rule.clone()), ..source("orders", &columns) };
    let part = |(path, rows): &(String, Vec<Row>)| {
        let columns = vec![
            texts(rows.iter().map(|row| row.0.map(str::to_owned))),
            integers(rows.iter().map(|row| row.1)),
            instants(rows.iter().map(|row| row.2)),
        ];
        part(&source, path, columns, batch_rows)
    };
    let parts = objects.iter().map(part).collect();
    cleaned(&Arc::new(source), parts)
}

/// Returns path and row of every survivor.
fn survivors(cleaned: Cleaned, threads: usize) -> BTreeSet<(String, usize)> {
    survivors_within(1 << 30, cleaned, threads)
}

/// Leaves so many bytes to the contest.
fn survivors_within(memory: usize, cleaned: Cleaned, threads: usize) -> BTreeSet<(String, usize)> {
    let work = tempfile::tempdir().unwrap();
    let ctx = crate::engine::Context { memory, ..context(work.path(), threads) };
    let deduped = dedupe(&ctx, cleaned, Former::default()).unwrap();
    assert_eq!(work.path().read_dir().unwrap().count(), 0, "a work file is left");
    assert!(deduped.accounts().iter().all(|object| object.account.balances()));
    let parts = deduped.cleaned.parts.iter().zip(&deduped.survivors);
    parts
        .flat_map(|(part, mask)| {
            let path = part.object.path.to_string();
            mask.set_indices().map(move |row| (path.clone(), row))
        })
        .collect()
}

fn check(rule: &plan::Dedupe, rows: &[Row], expected: &[usize]) {
    let objects = [("a".to_owned(), rows.to_vec())];
    let found = survivors(cleaned_rows(rule, &objects, 2), 1);
    let expected = expected.iter().map(|row| ("a".to_owned(), *row)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_latest_row_of_a_key_survives() {
    let rows = [
        (Some("e1"), None, Some(10)),
        (Some("e1"), None, Some(30)),
        (Some("e2"), None, Some(20)),
        (Some("e1"), None, Some(20)),
    ];
    check(&rule(&[KEY], Keep::Last, &[AT]), &rows, &[1, 2]);
}

#[test]
fn the_earliest_row_of_a_key_survives_where_the_first_is_kept() {
    let rows =
        [(Some("e1"), None, Some(30)), (Some("e1"), None, Some(10)), (Some("e1"), None, Some(20))];
    check(&rule(&[KEY], Keep::First, &[AT]), &rows, &[1]);
}

#[test]
fn a_missing_order_is_below_every_value() {
    let rows = [(Some("e1"), Some(i64::MIN), Some(-5)), (Some("e1"), None, None)];
    check(&rule(&[KEY], Keep::Last, &[AT]), &rows, &[0]);
    check(&rule(&[KEY], Keep::First, &[AT]), &rows, &[1]);
    check(&rule(&[KEY], Keep::Last, &[VERSION]), &rows, &[0]);
}

#[test]
fn rows_of_equal_order_go_by_their_record() {
    let rows =
        [(Some("e1"), None, Some(10)), (Some("e1"), None, Some(10)), (Some("e1"), None, Some(10))];
    check(&rule(&[KEY], Keep::Last, &[AT]), &rows, &[2]);
    check(&rule(&[KEY], Keep::First, &[]), &rows, &[0]);
}

#[test]
fn order_columns_count_from_the_first() {
    let rows = [
        (Some("e1"), Some(2), Some(10)),
        (Some("e1"), Some(1), Some(90)),
        (Some("e1"), Some(2), Some(20)),
    ];
    check(&rule(&[KEY], Keep::Last, &[VERSION, AT]), &rows, &[2]);
}

#[test]
fn rows_without_a_key_all_survive() {
    let rows = [(None, None, Some(10)), (None, None, Some(10))];
    check(&rule(&[KEY], Keep::Last, &[AT]), &rows, &[0, 1]);
    let rows = [(Some("e1"), None, Some(10)), (Some("e1"), None, Some(10))];
    check(&rule(&[KEY, VERSION], Keep::Last, &[AT]), &rows, &[0, 1]);
}

#[test]
fn a_key_of_all_columns_compares_whole_rows() {
    let rows = [
        (Some("e1"), None, Some(10)),
        (Some("e1"), None, Some(10)),
        (Some("e1"), Some(0), Some(10)),
        (None, None, None),
        (None, None, None),
    ];
    let all = rule(&[KEY, VERSION, AT], Keep::Last, &[]);
    check(&all, &rows, &[1, 2, 4]);
}

#[test]
fn without_a_rule_equal_rows_all_survive() {
    let objects = [("a".to_owned(), vec![(Some("e1"), None, None); 3])];
    let mut cleaned = cleaned_rows(&rule(&[KEY], Keep::Last, &[]), &objects, 2);
    let mut source = plan::Source::clone(&cleaned.source);
    source.dedupe = None;
    cleaned.source = Arc::new(source);
    assert_eq!(survivors(cleaned, 2).len(), 3);
}

#[test]
fn every_record_of_an_object_is_accounted_for() {
    let objects = [
        ("a".to_owned(), vec![(Some("e1"), None, Some(1)); 3]),
        ("b".to_owned(), vec![(Some("e1"), None, Some(0)); 2]),
    ];
    let cleaned = cleaned_rows(&rule(&[KEY], Keep::Last, &[AT]), &objects, 2);
    let deduped = dedupe(&context(Path::new("unused"), 1), cleaned, Former::default()).unwrap();
    let duplicates: Vec<u64> =
        deduped.accounts().iter().map(|account| account.account.duplicate).collect();
    assert_eq!(duplicates, [2, 2]);
    assert_eq!(deduped.kept(), 1);
    let accounts = deduped.accounts();
    let counts = accounts.iter().map(|account| {
        let object = account.object.as_str();
        (object, account.account.read, account.account.kept, account.account.duplicate)
    });
    assert_eq!(counts.collect::<Vec<_>>(), [("a", 3, 1, 2), ("b", 2, 0, 2)]);
    assert_eq!(accounts[0].etag.as_deref(), Some("etag of a"));
}

#[test]
fn many_keys_spread_over_partitions_keep_one_row_each() {
    let keys = (0..80_000_i64).map(|row| Some((row % 50_000).to_string()));
    let columns = [("key", ColumnKind::String), ("other", ColumnKind::Integer)];
    let source =
        plan::Source { dedupe: Some(rule(&[KEY], Keep::Last, &[])), ..source("orders", &columns) };
    let rows = vec![texts(keys), integers((0..80_000).map(Some))];
    let rows = cleaned(&Arc::new(source.clone()), vec![part(&source, "a", rows, 8192)]);
    let expected = (30_000..80_000).map(|row| ("a".to_owned(), row)).collect();
    // Some of the rows, and all of them, beside those in a file.
    for memory in [1 << 30, 8 << 20, 0] {
        assert!(survivors_within(memory, rows.clone(), 2) == expected, "{memory} bytes");
    }
}

/// Says whether `challenger` is better than `holder` by looking at everything.
fn is_better(rule: &plan::Dedupe, challenger: &Ranked, holder: &Ranked) -> bool {
    match rule.keep {
        Keep::Last => challenger > holder,
        Keep::First => challenger < holder,
    }
}

/// Order columns, path, row.
type Ranked = (Vec<Option<i64>>, String, usize);

fn key_of(rule: &plan::Dedupe, row: &Row) -> Option<Vec<Option<String>>> {
    let part = |column: &usize| match *column {
        KEY => row.0.map(str::to_owned),
        VERSION => row.1.map(|version| version.to_string()),
        _ => row.2.map(|at| at.to_string()),
    };
    let key: Vec<_> = rule.key.iter().map(part).collect();
    (key.len() == 3 || key.iter().all(Option::is_some)).then_some(key)
}

fn rank_of(rule: &plan::Dedupe, path: &str, number: usize, row: &Row) -> Ranked {
    let value = |column: &usize| if *column == AT { row.2 } else { row.1 };
    let order = rule.order_by.iter().map(value).collect();
    (order, path.to_owned(), number)
}

fn reference(rule: &plan::Dedupe, objects: &[(String, Vec<Row>)]) -> BTreeSet<(String, usize)> {
    let mut all = Vec::new();
    for (path, rows) in objects {
        for (number, row) in rows.iter().enumerate() {
            all.push((key_of(rule, row), rank_of(rule, path, number, row)));
        }
    }
    let loses = |key: &Option<Vec<Option<String>>>, rank: &Ranked| {
        let mut rivals = all.iter().filter(|(other, _)| other == key);
        key.is_some() && rivals.any(|(_, rival)| is_better(rule, rival, rank))
    };
    all.iter()
        .filter(|(key, rank)| !loses(key, rank))
        .map(|(_, (_, path, number))| (path.clone(), *number))
        .collect()
}

fn any_row() -> impl Strategy<Value = Row> {
    let key = prop::option::weighted(0.9, prop::sample::select(vec!["", "a", "b", "ab", "c"]));
    let version = prop::option::weighted(0.8, prop::sample::select(vec![i64::MIN, 0, 1, i64::MAX]));
    (key, version, prop::option::weighted(0.8, -2_i64..3))
}

fn any_rule() -> impl Strategy<Value = plan::Dedupe> {
    let keys = vec![vec![KEY], vec![VERSION], vec![KEY, VERSION], vec![KEY, VERSION, AT]];
    let orders = vec![vec![], vec![AT], vec![VERSION], vec![VERSION, AT], vec![AT, VERSION]];
    let keeps = prop::sample::select(vec![Keep::First, Keep::Last]);
    (prop::sample::select(keys), keeps, prop::sample::select(orders))
        .prop_map(|(key, keep, order_by)| rule(&key, keep, &order_by))
}

fn any_objects() -> impl Strategy<Value = Vec<(String, Vec<Row>)>> {
    let objects = vec(vec(any_row(), 0..20), 1..6).prop_map(|objects| {
        let named = |(number, rows)| (format!("dt={number}/export"), rows);
        objects.into_iter().enumerate().map(named).collect::<Vec<_>>()
    });
    objects.prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn survivors_equal_those_of_the_reference_for_any_order_batch_size_and_threads(
        rule in any_rule(),
        objects in any_objects(),
        batch_rows in prop::sample::select(vec![1_usize, 7, 8192]),
        threads in prop::sample::select(vec![1_usize, 2, 8]),
    ) {
        // With no memory at all everything is judged from files.
        for memory in [1 << 30, 0] {
            let cleaned = cleaned_rows(&rule, &objects, batch_rows);
            let found = survivors_within(memory, cleaned, threads);
            prop_assert_eq!(found, reference(&rule, &objects), "{} bytes", memory);
        }
    }
}
