//! Customers by example, and properties that hold for any evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use proptest::collection::vec;
use proptest::prelude::*;

use super::findings::{Findings, History, read_file};
use super::{Before, Carried, CleanFile, IdentityError, Registry, Retraction, identify};
use crate::plan::{self, ColumnKind, added};
use crate::steps::clean::Cleaned;
use crate::steps::dedupe::{Deduped, Former, dedupe};
use crate::steps::fixtures::{cleaned, context, instants, part, source, texts, timestamp};
use crate::warehouse::{DECISION_VERSION, Decision, NamedIdentifier};

/// A row: user, e-mail, cookie, time.
type Row = (Option<String>, Option<String>, Option<String>, i64);

const KEY: &[u8] = b"a key for tests";

/// Writes a row; an empty text is a missing value.
fn row(user: &str, email: &str, cookie: &str, at: i64) -> Row {
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (present(user), present(email), present(cookie), at)
}

fn identifier(name: &str, priority: u32) -> plan::Identifier {
    plan::Identifier {
        name: name.parse().unwrap(),
        priority,
        unique: false,
        max_per_customer: None,
        max_customers: None,
        block_above: None,
        window: None,
        blocked: Vec::new(),
        blocked_patterns: Vec::new(),
    }
}

/// Says that the rows of `events` link all types of identifiers.
fn linked() -> plan::LinkedSource {
    let types = ["user_id", "email", "cookie"].map(|name| (name.parse().unwrap(), None));
    plan::LinkedSource { name: "events".parse().unwrap(), types: types.to_vec() }
}

/// Returns the rules of the example in the design: unique users, few e-mails, shared cookies.
fn rules() -> plan::Identity {
    plan::Identity {
        identifiers: vec![
            plan::Identifier { unique: true, ..identifier("user_id", 1) },
            plan::Identifier { max_per_customer: Some(2), ..identifier("email", 2) },
            plan::Identifier { max_customers: Some(2), ..identifier("cookie", 9) },
        ],
        sources: vec![linked()],
        guards: plan::Guards::default(),
    }
}

fn rules_without_guards() -> plan::Identity {
    plan::Identity {
        identifiers: vec![
            identifier("user_id", 1),
            identifier("email", 2),
            identifier("cookie", 9),
        ],
        sources: vec![linked()],
        guards: plan::Guards::default(),
    }
}

fn events() -> plan::Source {
    let columns = [
        ("user", ColumnKind::String),
        ("mail", ColumnKind::String),
        ("cookie", ColumnKind::String),
        ("at", timestamp()),
    ];
    let link = |(column, name): (usize, &str)| plan::Link {
        identifier: name.parse().unwrap(),
        column,
        when: None,
    };
    plan::Source {
        links: ["user_id", "email", "cookie"].into_iter().enumerate().map(link).collect(),
        event_time: Some(3),
        ..source("events", &columns)
    }
}

fn cleaned_events(
    source: plan::Source,
    objects: &[(String, Vec<Row>)],
    batch_rows: usize,
) -> Cleaned {
    let part = |(path, rows): &(String, Vec<Row>)| {
        let columns = vec![
            texts(rows.iter().map(|row| row.0.clone())),
            texts(rows.iter().map(|row| row.1.clone())),
            texts(rows.iter().map(|row| row.2.clone())),
            instants(rows.iter().map(|row| Some(row.3))),
        ];
        part(&source, path, columns, batch_rows)
    };
    let parts = objects.iter().map(part).collect();
    cleaned(&Arc::new(source), parts)
}

/// An identified night with its work folder.
struct Night {
    out: Findings,
    _work: tempfile::TempDir,
}

fn before(registry: &Registry) -> Before {
    Before { registry: registry.clone(), ..Before::nothing() }
}

fn try_identify(
    rules: &plan::Identity,
    cleaned: Cleaned,
    registry: &Registry,
    threads: usize,
) -> Result<Night, IdentityError> {
    let work = tempfile::tempdir().unwrap();
    let ctx = context(work.path(), threads);
    let deduped: Vec<Deduped> = vec![dedupe(&ctx, cleaned, Former::default()).unwrap()];
    let out = identify(&ctx, rules, &deduped, &before(registry), KEY)?;
    Ok(Night { out: Findings::read(out), _work: work })
}

/// Returns events of which one row of each user survives.
fn profiles() -> plan::Source {
    let rule =
        plan::Dedupe { key: vec![0], keep: plan::Keep::Last, order_by: vec![3], window_days: None };
    plan::Source { dedupe: Some(rule), ..events() }
}

/// Resolves objects after the night that `before` comes of, some of them new versions of objects read then.
fn night_after(before: &Findings, objects: &[(String, Vec<Row>)], retracted: &[&str]) -> Night {
    let work = tempfile::tempdir().unwrap();
    let ctx = context(work.path(), 2);
    let deduped = dedupe(&ctx, cleaned_events(events(), objects, 3), Former::default()).unwrap();
    let object = |path: &&str| ("events".parse().unwrap(), (*path).to_owned());
    let before = Before {
        registry: before.registry.clone(),
        retraction: Retraction {
            sources: Vec::new(),
            is_evidence_lost: false,
            objects: retracted.iter().map(object).collect(),
            evidence: vec![before.evidence.rows.clone()],
        },
        ..Before::nothing()
    };
    let out = Findings::read(identify(&ctx, &rules(), &[deduped], &before, KEY).unwrap());
    Night { out, _work: work }
}

fn night(rules: &plan::Identity, registry: &Registry, rows: &[Row]) -> Night {
    let objects = [("a".to_owned(), rows.to_vec())];
    try_identify(rules, cleaned_events(events(), &objects, 3), registry, 1).unwrap()
}

fn first_night(rows: &[Row]) -> Night {
    night(&rules(), &Registry::empty(), rows)
}

fn read(file: &CleanFile) -> RecordBatch {
    let CleanFile::Written { file, .. } = file else {
        panic!("a file of an earlier night: {file:?}");
    };
    read_file(file)
}

impl Night {
    /// Returns the rows of the first table.
    fn table(&self) -> RecordBatch {
        let batches: Vec<_> = self.out.tables[0].files.iter().map(read).collect();
        concat_batches(&batches[0].schema(), &batches).unwrap()
    }

    /// Returns the customer of each row of the first table.
    fn stamps(&self) -> Vec<Option<String>> {
        let table = self.table();
        let customers = self.out.registry.lookup().of(table[added::IDENTIFIERS].as_list()).unwrap();
        let customers = customers.as_string::<i32>().iter();
        customers.map(|customer| customer.map(str::to_owned)).collect()
    }

    /// Returns the customer of an identifier.
    fn customer(&self, value: &str) -> Option<String> {
        let map = self.out.registry.map();
        let values = column(map, "value");
        let row = values.iter().position(|other| other.as_deref() == Some(value)).unwrap();
        column(map, "customer_id")[row].clone()
    }

    /// Returns the values of each customer; values of different types differ in these tests.
    fn groups(&self) -> BTreeSet<BTreeSet<String>> {
        let map = self.out.registry.map();
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (customer, value) in column(map, "customer_id").into_iter().zip(column(map, "value")) {
            if let Some(customer) = customer {
                groups.entry(customer).or_default().extend(value);
            }
        }
        groups.into_values().collect()
    }

    /// Returns the changes as texts: what, how many identifiers.
    fn changes(&self) -> Vec<(String, i64)> {
        let changes = &self.out.changes;
        let identifiers = changes["identifiers"].as_primitive::<Int64Type>();
        let kinds = column(changes, "change").into_iter().flatten();
        kinds.zip(identifiers.values().iter().copied()).collect()
    }

    fn conflicts(&self) -> Vec<(String, String, Option<String>)> {
        let conflicts = &self.out.conflicts;
        let columns = ["rule", "left_value", "right_value"].map(|name| column(conflicts, name));
        let row = |row: usize| {
            let [rule, left, right] = [0, 1, 2].map(|place| columns[place][row].clone());
            (rule.unwrap(), left.unwrap(), right)
        };
        (0..conflicts.num_rows()).map(row).collect()
    }
}

fn column(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let texts = batch[name].as_string::<i32>();
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

fn groups(expected: &[&[&str]]) -> BTreeSet<BTreeSet<String>> {
    let group = |values: &&[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    expected.iter().map(group).collect()
}

fn conflict(rule: &str, left: &str, right: Option<&str>) -> (String, String, Option<String>) {
    (rule.to_owned(), left.to_owned(), right.map(str::to_owned))
}

#[test]
fn identifiers_seen_on_one_row_belong_to_one_customer() {
    let night = first_night(&[
        row("", "", "c1", 1),
        row("u1", "", "c1", 2),
        row("u1", "ann@x.org", "", 3),
        row("u2", "", "c2", 4),
    ]);
    assert_eq!(night.groups(), groups(&[&["u1", "c1", "ann@x.org"], &["u2", "c2"]]));
    let stamps = night.stamps();
    assert_eq!(
        stamps,
        [night.customer("u1"), night.customer("u1"), night.customer("u1"), night.customer("u2"),]
    );
    assert!(stamps[0].as_ref().unwrap().len() == 32 && stamps[0] != stamps[3]);
    let counts = night.out.counts;
    assert_eq!((counts.customers, counts.identifiers, counts.links), (2, 5, 3));
}

#[test]
fn two_values_of_a_unique_type_never_share_a_customer() {
    let night = first_night(&[row("u2", "", "c1", 20), row("u1", "", "c1", 10)]);
    // The earlier link wins, wherever it stands.
    assert_eq!(night.groups(), groups(&[&["u1", "c1"], &["u2"]]));
    assert_eq!(night.conflicts(), [conflict("unique", "u2", Some("c1"))]);
    assert_eq!(night.stamps(), [night.customer("u2"), night.customer("u1")]);
}

#[test]
fn links_of_strong_types_are_taken_before_links_of_weak_ones() {
    let night = first_night(&[
        row("", "ann@x.org", "c1", 1),
        row("u1", "", "c1", 2),
        row("u2", "ann@x.org", "", 3),
    ]);
    // The e-mail goes to `u2` first, so the cookie finds two owners, and keeps to the earlier.
    assert_eq!(night.groups(), groups(&[&["u2", "ann@x.org", "c1"], &["u1"]]));
}

#[test]
fn a_shared_address_takes_nothing_from_the_login_it_stands_beside() {
    // Whichever hash comes first: of a hundred couples none has the other's cookie.
    for number in 0..100 {
        let [ann, ben, mail] = ["ann", "ben", "mail"].map(|name| format!("{name}{number}@x.org"));
        let [of_ann, of_ben] = ["a", "b"].map(|name| format!("{name}{number}"));
        let night = first_night(&[row(&ann, &mail, &of_ann, 1), row(&ben, &mail, &of_ben, 1)]);
        let customers = |values: [&str; 2]| values.map(|value| night.customer(value).unwrap());
        let [one, same] = customers([&ann, &of_ann]);
        let [other, as_well] = customers([&ben, &of_ben]);
        assert!(one == same && other == as_well && one != other, "{number}");
    }
}

#[test]
fn an_address_refused_to_a_login_does_not_vouch_for_what_stands_beside_both() {
    let mut rules = rules();
    rules.identifiers[2].max_customers = Some(1);
    let first_night = |rows: &[Row]| night(&rules, &Registry::empty(), rows);
    let shared = [row("u1", "home@x.org", "", 1), row("u2", "home@x.org", "c1", 3)];
    let refused = [conflict("unique", "u2", Some("home@x.org"))];
    let apart = groups(&[&["u1", "home@x.org"], &["u2", "c1"]]);
    let night = first_night(&shared);
    assert_eq!(night.groups(), apart);
    assert_eq!(night.conflicts(), refused);
    // Nor where it was seen with the address alone before.
    let earlier = [row("", "home@x.org", "c1", 2)];
    let night = first_night(&[&shared[..], &earlier[..]].concat());
    assert_eq!(night.groups(), apart);
    assert_eq!(night.conflicts(), refused);
    // On the other's own word it is shared all the same.
    let both = [row("u1", "", "c1", 4)];
    let night = first_night(&[&shared[..], &both[..]].concat());
    assert_eq!(night.conflicts().len(), 2);
    assert_eq!(night.groups(), groups(&[&["u1", "home@x.org"], &["u2"], &["c1"]]));
}

#[test]
fn a_customer_has_no_more_values_of_a_type_than_allowed() {
    let night = first_night(&[
        row("u1", "a@x.org", "", 1),
        row("u1", "b@x.org", "", 2),
        row("u1", "c@x.org", "", 3),
    ]);
    assert_eq!(night.groups(), groups(&[&["u1", "a@x.org", "b@x.org"], &["c@x.org"]]));
    assert_eq!(night.conflicts(), [conflict("max_per_customer", "u1", Some("c@x.org"))]);
}

#[test]
fn a_value_shared_by_too_many_customers_links_nobody_and_is_a_customer_of_its_own() {
    let night = first_night(&[
        row("u1", "", "kiosk", 1),
        row("u2", "", "kiosk", 2),
        row("u3", "", "kiosk", 3),
        row("", "", "kiosk", 4),
    ]);
    assert_eq!(night.groups(), groups(&[&["u1"], &["u2"], &["u3"], &["kiosk"]]));
    assert_eq!(night.stamps(), ["u1", "u2", "u3", "kiosk"].map(|value| night.customer(value)));
    assert_eq!(night.conflicts(), [conflict("max_customers", "kiosk", None)]);
}

#[test]
fn owners_known_to_be_one_customer_count_once() {
    let night = first_night(&[
        row("u1", "a@x.org", "", 1),
        row("u1", "b@x.org", "", 1),
        row("u1", "", "c1", 2),
        row("", "a@x.org", "c1", 3),
        row("", "b@x.org", "c1", 4),
    ]);
    assert_eq!(night.groups(), groups(&[&["u1", "a@x.org", "b@x.org", "c1"]]));
}

#[test]
fn owners_without_a_unique_value_are_counted_among_themselves() {
    let shared = |emails: usize| {
        let email = |number| row("", &format!("m{number}@x.org"), "c1", 2);
        let rows: Vec<Row> = (0..emails).map(email).chain([row("u1", "", "c1", 1)]).collect();
        first_night(&rows).out.counts.ambiguous
    };
    assert_eq!([shared(1), shared(2), shared(3)], [0, 0, 1]);
}

#[test]
fn values_that_identify_nobody_make_no_customer() {
    let mut rules = rules();
    rules.identifiers[2].blocked.push("shop-pc".to_owned());
    let rows = [
        row("u1", "test@x.org", "shop-pc", 1),
        row("u2", "", "shop-pc", 2),
        row("anonymous", "", "shop-pc", 3),
        row("", "", "", 4),
    ];
    let night = night(&rules, &Registry::empty(), &rows);
    assert_eq!(night.groups(), groups(&[&["u1"], &["u2"]]));
    assert_eq!(night.stamps(), [night.customer("u1"), night.customer("u2"), None, None]);
}

#[test]
fn a_row_that_lost_in_dedupe_is_evidence_all_the_same() {
    let rows = [row("u1", "old@x.org", "c1", 1), row("u1", "new@x.org", "", 2)];
    let cleaned = cleaned_events(profiles(), &[("a".to_owned(), rows.to_vec())], 1);
    let at_once = try_identify(&rules(), cleaned, &Registry::empty(), 1).unwrap();
    assert_eq!(at_once.groups(), groups(&[&["u1", "old@x.org", "c1", "new@x.org"]]));
    assert_eq!(at_once.stamps(), [at_once.customer("u1")]);
}

#[test]
fn evidence_tells_the_object_and_the_times_of_each_sighting() {
    let objects = [
        (
            "b".to_owned(),
            vec![row("u1", "", "c1", 5), row("u1", "", "c1", 2), row("", "", "c2", 4)],
        ),
        ("a".to_owned(), vec![row("u1", "", "c1", 7)]),
    ];
    let cleaned = cleaned_events(events(), &objects, 1);
    let night = try_identify(&rules(), cleaned, &Registry::empty(), 2).unwrap();
    let evidence = &night.out.evidence.rows;
    let times = |name: &str| {
        let times = evidence[name].as_primitive::<TimestampMicrosecondType>();
        times.values().to_vec()
    };
    let object = cast(&evidence["object"], &DataType::Utf8).unwrap();
    let object: Vec<_> = object.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(object, ["a", "b", "b"]);
    assert_eq!((times("first_seen"), times("last_seen")), (vec![7, 2, 4], vec![7, 5, 4]));
    let right = evidence["right_number"].as_primitive::<Int64Type>();
    assert_eq!(
        right.iter().map(|number| number.is_some()).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[test]
fn what_a_replaced_object_said_is_taken_back() {
    let object = |path: &str, rows: &[Row]| (path.to_owned(), rows.to_vec());
    let wrong = object("a", &[row("u1", "", "c1", 1), row("u1", "gone@x.org", "", 1)]);
    let other = object("b", &[row("u1", "", "", 2), row("", "", "c1", 3)]);
    let cleaned = cleaned_events(events(), &[wrong, other], 3);
    let first = try_identify(&rules(), cleaned, &Registry::empty(), 1).unwrap();
    assert_eq!(first.groups(), groups(&[&["u1", "c1", "gone@x.org"]]));

    let right = object("a", &[row("u2", "", "c1", 1)]);
    let second = night_after(&first.out, &[right], &["a"]);
    assert_eq!(second.groups(), groups(&[&["u1"], &["u2", "c1"]]));
    assert_eq!(second.customer("gone@x.org"), None);
    assert!(second.out.evidence.replaces_former);
    let map = second.out.registry.map();
    let place =
        column(map, "value").iter().position(|value| value.as_deref() == Some("gone@x.org"));
    assert_eq!(column(map, "state")[place.unwrap()].as_deref(), Some("retracted"));

    // It stays so on nights that take nothing back, until it is seen again.
    let third = night_after(&second.out, &[object("c", &[row("u3", "", "", 9)])], &[]);
    assert_eq!(third.customer("gone@x.org"), None);
    assert!(!third.out.evidence.replaces_former);
    let fourth = night_after(&third.out, &[object("d", &[row("", "gone@x.org", "", 9)])], &[]);
    assert!(fourth.customer("gone@x.org").is_some());
    assert_eq!(numbers(&fourth)["gone@x.org"], numbers(&first)["gone@x.org"]);
}

/// Returns the number of each value.
fn numbers(night: &Night) -> BTreeMap<String, i64> {
    let map = night.out.registry.map();
    let numbers = map["number"].as_primitive::<Int64Type>().values().iter().copied();
    column(map, "value").into_iter().flatten().zip(numbers).collect()
}

#[test]
fn a_row_belongs_to_a_value_that_cannot_be_shared_before_one_that_can() {
    let mut rules = rules_without_guards();
    rules.identifiers[1].max_customers = Some(1);
    let rows = [
        row("u1", "team@x.org", "", 1),
        row("u2", "team@x.org", "", 2),
        row("", "team@x.org", "c3", 3),
        row("", "team@x.org", "", 4),
    ];
    let night = night(&rules, &Registry::empty(), &rows);
    assert_eq!(night.stamps(), ["u1", "u2", "c3", "team@x.org"].map(|value| night.customer(value)));
}

/// Returns the rules without limits, with another rule for e-mails.
fn with_email(change: impl FnOnce(&mut plan::Identifier)) -> plan::Identity {
    let mut rules = rules_without_guards();
    change(&mut rules.identifiers[1]);
    rules
}

#[test]
fn a_row_says_nothing_of_an_identifier_where_the_condition_does_not_hold() {
    let mut source = events();
    source.links[2].when = Some("mail LIKE '%@x.org'".to_owned());
    let rows = [
        row("u1", "ann@x.org", "c1", 1),
        row("u2", "bob@shop.org", "c1", 2),
        // Where it cannot be told, it does not hold.
        row("u3", "", "c1", 3),
        row("", "", "c4", 4),
    ];
    let cleaned = cleaned_events(source, &[("a".to_owned(), rows.to_vec())], 2);
    let night = try_identify(&rules(), cleaned, &Registry::empty(), 1).unwrap();
    let expected: [&[&str]; 3] = [&["u1", "ann@x.org", "c1"], &["u2", "bob@shop.org"], &["u3"]];
    assert_eq!(night.groups(), groups(&expected));
    let stamps = ["u1", "u2", "u3"].map(|value| night.customer(value));
    assert_eq!(night.stamps()[..3], stamps);
    assert_eq!(night.stamps()[3], None);
}

#[test]
fn a_link_not_seen_within_its_window_no_longer_links() {
    // The night ends at the midnight of 31 January in Shanghai.
    let end = "2026-01-30T16:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let days_ago = |days: i64| (end - chrono::Duration::days(days)).timestamp_micros();
    let rows = [
        row("u1", "", "c1", days_ago(31)),
        row("u2", "", "c2", days_ago(30)),
        row("u3", "", "c3", days_ago(300)),
        row("u3", "", "c3", days_ago(1)),
        row("u4", "d@x.org", "", days_ago(300)),
    ];
    let expected = groups(&[&["u1"], &["c1"], &["u2", "c2"], &["u3", "c3"], &["u4", "d@x.org"]]);
    let window = Some(plan::Window { days: 30 });
    let mut of_type = rules_without_guards();
    of_type.identifiers[2].window = window;
    let mut of_source = rules_without_guards();
    of_source.sources[0].types[2].1 = window;
    for rules in [of_type, of_source] {
        let first = night(&rules, &Registry::empty(), &rows);
        assert_eq!(first.groups(), expected);
        // A link that is forgotten is not lost: a wider window brings it back.
        let wider = night(&rules_without_guards(), &first.out.registry, &[]);
        assert_eq!(wider.customer("c1"), wider.customer("u1"));
    }
}

#[test]
fn the_narrower_window_of_type_and_source_counts() {
    let days = |days| Some(plan::Window { days });
    let linked = |of_type, of_source| {
        let mut rules = rules_without_guards();
        rules.identifiers[2].window = days(of_type);
        rules.sources[0].types[2].1 = days(of_source);
        // The row is about 20,000 days old.
        night(&rules, &Registry::empty(), &[row("u1", "", "c1", 1)]).out.counts.customers == 1
    };
    assert_eq!(
        [linked(30_000, 30_000), linked(30, 30_000), linked(30_000, 30)],
        [true, false, false]
    );
}

#[test]
fn a_pattern_blocks_values_that_match_it_as_a_whole() {
    let pattern = plan::Pattern::parse("info@.*|office@.*").unwrap();
    let rules = with_email(|email| email.blocked_patterns.push(pattern));
    let rows = [
        row("u1", "info@x.org", "", 1),
        row("u2", "info@x.org", "", 2),
        row("u3", "my-info@x.org", "", 3),
    ];
    let night = night(&rules, &Registry::empty(), &rows);
    assert_eq!(night.groups(), groups(&[&["u1"], &["u2"], &["u3", "my-info@x.org"]]));
}

#[test]
fn a_value_seen_with_too_many_others_points_at_nobody() {
    let rules = with_email(|email| email.block_above = Some(2));
    let shared = |others: usize| {
        let cookie = |number| row("", "info@x.org", &format!("c{number}"), 1);
        let rows: Vec<Row> = (0..others).chain([0, 0]).map(cookie).collect();
        night(&rules, &Registry::empty(), &rows)
    };
    assert_eq!(shared(2).groups(), groups(&[&["info@x.org", "c0", "c1"]]));
    let blocked = shared(3);
    assert_eq!(blocked.groups(), groups(&[&["c0"], &["c1"], &["c2"]]));
    assert_eq!(blocked.conflicts(), [conflict("block_above", "info@x.org", None)]);
    assert_eq!(blocked.stamps()[0], blocked.customer("c0"));
    let others = blocked.out.conflicts["others"].as_primitive::<Int64Type>().value(0);
    assert_eq!(others, 3);
}

#[test]
fn a_value_shared_by_a_hundred_thousand_rows_makes_no_customer_of_them() {
    let rules = with_email(|email| email.block_above = Some(100));
    let junk = ["", "null", "anonymous", "0", "test@x.org"];
    let row = |number: usize| {
        let user = if number.is_multiple_of(2) {
            format!("u{number}")
        } else {
            junk[number % 5].to_owned()
        };
        row(&user, "info@x.org", &format!("c{number}"), 1)
    };
    let rows: Vec<Row> = (0..100_000).map(row).collect();
    let night = night(&rules, &Registry::empty(), &rows);
    assert_eq!(night.groups().iter().map(BTreeSet::len).max(), Some(2));
    assert_eq!(night.customer("info@x.org"), None);
}

#[test]
fn changed_rules_hold_for_all_that_was_ever_seen() {
    let rows = [row("u1", "a@x.org", "c1", 1), row("u2", "a@x.org", "c2", 2)];
    let blocked = with_email(|email| email.blocked.push("a@x.org".to_owned()));
    let first = night(&blocked, &Registry::empty(), &rows);
    assert_eq!(first.groups(), groups(&[&["u1", "c1"], &["u2", "c2"]]));
    // What was blocked from the first night on is linked as soon as it no longer is.
    let unblocked = night(&rules_without_guards(), &first.out.registry, &[]);
    assert_eq!(unblocked.groups(), groups(&[&["u1", "a@x.org", "c1", "u2", "c2"]]));
    let mut unlinked = rules_without_guards();
    unlinked.sources.clear();
    let alone = night(&unlinked, &unblocked.out.registry, &[]);
    assert_eq!(alone.groups().len(), 5);
    let again = night(&rules(), &alone.out.registry, &[]);
    assert_eq!(again.groups(), groups(&[&["u1", "a@x.org", "c1"], &["u2", "c2"]]));
}

#[test]
fn the_same_night_again_changes_nothing() {
    let rows = [row("u1", "", "c1", 1), row("u2", "", "c1", 2), row("u3", "", "c3", 3)];
    let first = first_night(&rows);
    let second = night(&rules(), &first.out.registry, &rows);
    assert_eq!(second.out.registry, first.out.registry);
    assert_eq!(second.changes(), []);
    assert_eq!(second.stamps(), first.stamps());
}

#[test]
fn the_first_id_of_a_customer_comes_of_its_oldest_strong_identifier() {
    let first = first_night(&[row("u1", "", "c1", 1)]);
    assert_eq!(first.changes(), [("created".to_owned(), 2)]);
    let other = first_night(&[row("u1", "", "c9", 7), row("u2", "", "", 8)]);
    assert_eq!(other.customer("u1"), first.customer("u1"));
}

#[test]
fn ids_differ_with_the_key() {
    let id = |key| {
        let work = tempfile::tempdir().unwrap();
        let ctx = context(work.path(), 1);
        let objects = [("a".to_owned(), vec![row("u1", "", "", 1)])];
        let deduped =
            dedupe(&ctx, cleaned_events(events(), &objects, 1), Former::default()).unwrap();
        let out = Findings::read(
            identify(&ctx, &rules(), &[deduped], &before(&Registry::empty()), key).unwrap(),
        );
        column(out.registry.map(), "customer_id")
    };
    assert_eq!(id(b"one"), id(b"one"));
    assert_ne!(id(b"one"), id(b"two"));
}

#[test]
fn an_id_that_is_taken_is_not_given_again() {
    // Most identifiers stay behind under the id that once came of `u1`.
    let rows =
        [row("u1", "info@x.org", "", 1), row("u2", "info@x.org", "c2", 2), row("u2", "", "c3", 3)];
    let (first, second) = split_by_blocking(&rows, "info@x.org");
    let alone = night(&rules_without_guards(), &Registry::empty(), &[row("u1", "", "", 1)]);
    assert_eq!(first.customer("u1"), alone.customer("u1"));
    assert_eq!(second.customer("u2"), alone.customer("u1"));
    assert_ne!(second.customer("u1"), alone.customer("u1"));
}

#[test]
fn rows_without_a_time_happened_on_the_day_of_their_export() {
    let source = plan::Source { event_time: None, ..events() };
    let objects = ["a", "b"].map(|path| (path.to_owned(), vec![row(path, "", "", 5)]));
    let mut cleaned = cleaned_events(source, &objects, 1);
    let object = Arc::make_mut(&mut cleaned.parts[0].object);
    object.date = Some("2026-01-02".parse().unwrap());
    let night = try_identify(&rules(), cleaned, &Registry::empty(), 1).unwrap();
    let map = night.out.registry.map();
    let seen = map["first_seen"].as_primitive::<TimestampMicrosecondType>();
    let seen = [0, 1].map(|row| seen.value_as_datetime(row).unwrap().to_string());
    // The midnights of the export and, where its day is not known, of the run, in Shanghai.
    assert_eq!(seen, ["2026-01-01 16:00:00", "2026-01-30 16:00:00"]);
}

#[test]
fn an_id_stays_when_stronger_or_older_identifiers_come_later() {
    let first = first_night(&[row("", "", "c1", 10)]);
    let second = night(&rules(), &first.out.registry, &[row("u1", "", "c1", 5)]);
    assert_eq!(second.customer("u1"), first.customer("c1"));
    assert_eq!(second.changes(), []);
}

#[test]
fn what_was_linked_on_another_night_stays_linked() {
    let first = first_night(&[row("u1", "", "c1", 1), row("u2", "", "c2", 1)]);
    let second = night(&rules(), &first.out.registry, &[row("", "a@x.org", "c1", 2)]);
    assert_eq!(second.groups(), groups(&[&["u1", "c1", "a@x.org"], &["u2", "c2"]]));
    assert_eq!(second.customer("a@x.org"), first.customer("u1"));
    assert_eq!(second.customer("u2"), first.customer("u2"));
}

#[test]
fn when_customers_merge_the_older_id_survives() {
    let first = first_night(&[row("", "", "c1", 20), row("", "", "c2", 10), row("", "", "c3", 30)]);
    let bridges = [row("", "a@x.org", "c1", 40), row("", "a@x.org", "c2", 41)];
    let second = night(&rules(), &first.out.registry, &bridges);
    assert_eq!(second.customer("c1"), first.customer("c2"));
    assert_eq!(second.customer("a@x.org"), first.customer("c2"));
    assert_eq!(second.customer("c3"), first.customer("c3"));
    assert_eq!(second.changes(), [("merged".to_owned(), 1)]);
    let changes = &second.out.changes;
    assert_eq!(column(changes, "from_customer_id"), [first.customer("c1")]);
    assert_eq!(column(changes, "customer_id"), [first.customer("c2")]);
}

#[test]
fn an_id_given_on_an_earlier_night_is_older_whatever_was_seen_first() {
    let first = first_night(&[row("", "", "c1", 20)]);
    let later = |registry: &Registry, rows: Vec<Row>| {
        let work = tempfile::tempdir().unwrap();
        let mut ctx = context(work.path(), 1);
        ctx.as_of.instant += chrono::Duration::days(1);
        let cleaned = cleaned_events(events(), &[("a".to_owned(), rows)], 1);
        let deduped = dedupe(&ctx, cleaned, Former::default()).unwrap();
        Findings::read(identify(&ctx, &rules(), &[deduped], &before(registry), KEY).unwrap())
            .registry
    };
    let second = later(&first.out.registry, vec![row("", "", "c2", 10)]);
    let third = later(&second, vec![row("u1", "", "c1", 30), row("u1", "", "c2", 31)]);
    let ids: BTreeSet<_> = column(third.map(), "customer_id").into_iter().collect();
    assert_eq!(ids, BTreeSet::from([first.customer("c1")]));
}

/// Resolves rows twice; the second time with `blocked` as one more e-mail that identifies nobody.
fn split_by_blocking(rows: &[Row], blocked: &str) -> (Night, Night) {
    let first = night(&rules_without_guards(), &Registry::empty(), rows);
    let mut rules = rules_without_guards();
    rules.identifiers[1].blocked.push(blocked.to_owned());
    let second = night(&rules, &first.out.registry, &[]);
    (first, second)
}

#[test]
fn when_a_customer_splits_the_id_goes_with_the_larger_share() {
    let rows =
        [row("u1", "info@x.org", "", 1), row("u2", "info@x.org", "c2", 2), row("u2", "", "c3", 3)];
    let (first, second) = split_by_blocking(&rows, "info@x.org");
    assert_eq!(second.groups(), groups(&[&["u1"], &["u2", "c2", "c3"]]));
    assert_eq!(second.customer("c3"), first.customer("u1"));
    assert_ne!(second.customer("u1"), first.customer("u1"));
    assert_eq!(second.customer("info@x.org"), None);
    assert_eq!(second.changes(), [("split".to_owned(), 1)]);
    assert_eq!(column(&second.out.changes, "customer_id"), [second.customer("u1")]);
    assert_eq!(column(&second.out.changes, "from_customer_id"), [first.customer("u1")]);
}

#[test]
fn when_a_customer_splits_evenly_the_id_goes_with_the_oldest_strong_identifier() {
    let rows = [
        row("", "info@x.org", "c0", 0),
        row("u1", "info@x.org", "", 2),
        row("u2", "info@x.org", "", 1),
    ];
    let (first, second) = split_by_blocking(&rows, "info@x.org");
    assert_eq!(second.customer("u2"), first.customer("u1"));
}

#[test]
fn a_customer_of_whom_nothing_is_left_is_retired() {
    let (_, second) = split_by_blocking(&[row("", "a@x.org", "", 1)], "a@x.org");
    assert_eq!(second.changes(), [("retired".to_owned(), 0)]);
    assert_eq!(second.out.counts.customers, 0);
}

#[test]
fn what_was_blocked_for_a_night_is_linked_again_afterwards() {
    let rows = [row("u1", "info@x.org", "", 1), row("", "info@x.org", "c1", 2)];
    let (first, second) = split_by_blocking(&rows, "info@x.org");
    let third = night(&rules_without_guards(), &second.out.registry, &[]);
    assert_eq!(third.groups(), first.groups());
    assert_eq!(third.customer("u1"), first.customer("u1"));
}

#[test]
fn a_full_rebuild_with_the_registry_keeps_every_id() {
    let nights = [row("", "", "c1", 1), row("u1", "", "c1", 2), row("u1", "", "c2", 3)];
    let mut registry = Registry::empty();
    for row in &nights {
        registry = night(&rules(), &registry, std::slice::from_ref(row)).out.registry;
    }
    let rebuilt = night(&rules(), &registry, &nights);
    assert_eq!(rebuilt.out.registry, registry);
}

#[test]
fn only_survivors_are_written_in_their_order_and_each_is_counted() {
    let source = plan::Source {
        dedupe: Some(plan::Dedupe {
            key: vec![0],
            keep: plan::Keep::First,
            order_by: Vec::new(),
            window_days: None,
        }),
        ..events()
    };
    let rows = |first: i64| {
        let user = |number| row(&format!("u{}", number % 130_000), "", "", number);
        (first..first + 110_000).map(user).collect::<Vec<Row>>()
    };
    let objects = [("b".to_owned(), rows(110_000)), ("a".to_owned(), rows(0))];
    let cleaned = cleaned_events(source, &objects, 8192);
    let night = try_identify(&rules(), cleaned, &Registry::empty(), 2).unwrap();
    assert_eq!(night.out.tables[0].files.len(), 2);
    assert_eq!(night.out.tables[0].rows(), 130_000);
    let users: Vec<_> = column(&night.table(), "user").into_iter().flatten().collect();
    let expected: Vec<_> = (0..130_000).map(|number| format!("u{number}")).collect();
    assert!(users == expected);
}

#[test]
fn a_source_without_links_passes_without_customers() {
    let source = plan::Source { links: Vec::new(), ..events() };
    let schema = source.table_schema();
    let objects = [("a".to_owned(), vec![row("u1", "", "", 1)])];
    let cleaned = cleaned_events(source, &objects, 1);
    let night = try_identify(&rules(), cleaned, &Registry::empty(), 2).unwrap();
    assert_eq!(night.table().schema().fields(), schema.fields());
    assert!(night.table().column_by_name(added::CUSTOMER_ID).is_none());
    assert_eq!(night.groups(), groups(&[]));
}

#[test]
fn without_rules_the_registry_stays_as_it_is() {
    let first = first_night(&[row("u1", "", "c1", 1)]);
    let none = plan::Identity::default();
    let second = night(&none, &first.out.registry, &[row("u1", "", "", 2)]);
    assert_eq!(second.out.registry, first.out.registry);
    assert_eq!(second.changes(), []);
    assert_eq!(second.stamps(), [None]);
}

#[test]
fn a_source_without_rows_has_a_table_without_rows() {
    let night = first_night(&[]);
    assert_eq!(night.table().num_rows(), 0);
    assert_eq!(night.table().schema().fields(), events().stored_schema().fields());
}

#[test]
fn a_registry_is_put_together_from_its_rows_in_any_order() {
    let registry = first_night(&[row("u1", "", "c1", 1), row("u2", "", "c2", 2)]).out.registry;
    let backwards = Int64Array::from_iter_values((0..registry.map().num_rows() as i64).rev());
    let map = take_record_batch(registry.map(), &backwards).unwrap();
    let parts = [map.slice(0, 1), map.slice(1, map.num_rows() - 1)];
    let again = Registry::from_batches(&parts, &[registry.links().clone()]).unwrap();
    assert_eq!(again, registry);
    assert_eq!(Registry::from_batches(&[], &[]).unwrap(), Registry::empty());
}

#[test]
fn a_damaged_registry_is_refused() {
    let registry = first_night(&[row("u1", "", "c1", 1)]).out.registry;
    let (map, links) = (registry.map(), registry.links());
    let gap = Registry::from_batches(&[map.slice(1, 1)], &[]).unwrap_err();
    assert_eq!(
        gap.to_string(),
        "the identity registry is damaged: the numbers of identifiers have gaps"
    );
    let dangling = Registry::from_batches(&[map.slice(0, 1)], std::slice::from_ref(links)).unwrap();
    let cleaned = cleaned_events(events(), &[], 1);
    let error = try_identify(&rules(), cleaned, &dangling, 1).err().unwrap();
    assert!(error.to_string().ends_with("a link leads to an identifier that is not there"));
    let no_columns = Registry::from_batches(std::slice::from_ref(links), &[]).unwrap_err();
    assert!(matches!(no_columns, IdentityError::RegistryRead(_)));
}

#[test]
fn customers_are_listed_with_their_age_and_size() {
    let night = first_night(&[row("u1", "", "c1", 7), row("u1", "", "", 5), row("u2", "", "", 6)]);
    let customers = night.out.registry.customers().unwrap();
    let ids = column(&customers, "customer_id");
    let mut expected = vec![night.customer("u1"), night.customer("u2")];
    expected.sort();
    assert_eq!(ids, expected);
    let place = ids.iter().position(|id| *id == night.customer("u1")).unwrap();
    let sizes = customers["identifiers"].as_primitive::<Int64Type>();
    assert_eq!((sizes.value(place), sizes.value(1 - place)), (2, 1));
    let seen = cast(&customers["first_seen"], &DataType::Int64);
    assert_eq!(seen.unwrap().as_primitive::<Int64Type>().value(place), 5);
}

/// Resolves rows some days after the usual night.
fn night_later(days: i64, rules: &plan::Identity, before: &Before, rows: &[Row]) -> Night {
    let work = tempfile::tempdir().unwrap();
    let mut ctx = context(work.path(), 1);
    ctx.as_of.instant += chrono::Duration::days(days);
    let cleaned = cleaned_events(events(), &[("later".to_owned(), rows.to_vec())], 2);
    let deduped = dedupe(&ctx, cleaned, Former::default()).unwrap();
    let out = Findings::read(identify(&ctx, rules, &[deduped], before, KEY).unwrap());
    Night { out, _work: work }
}

/// Returns a column of instants as days since the usual night.
fn days(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let usual = "2026-01-30T16:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let times = batch[name].as_primitive::<TimestampMicrosecondType>();
    let day = |time: i64| (time - usual.timestamp_micros()) / 86_400_000_000;
    times.iter().map(|time| time.map(day)).collect()
}

#[test]
fn history_tells_when_an_identifier_belonged_to_whom() {
    let first = first_night(&[row("", "", "c1", 20), row("", "", "c2", 10)]);
    assert_eq!(first.out.history.past.num_rows(), 0);
    assert_eq!(days(&first.out.history.present, "valid_from"), [Some(0), Some(0)]);
    let bridges = [row("", "a@x.org", "c1", 40), row("", "a@x.org", "c2", 41)];
    let second = night_later(1, &rules(), &before(&first.out.registry), &bridges);
    let History { past, present } = &second.out.history;
    assert_eq!(column(past, "value"), [Some("c1".to_owned())]);
    assert_eq!(column(past, "customer_id"), [first.customer("c1")]);
    assert_eq!((days(past, "valid_from"), days(past, "valid_to")), (vec![Some(0)], vec![Some(1)]));
    let values = ["c1", "c2", "a@x.org"].map(|value| Some(value.to_owned()));
    assert_eq!(column(present, "value"), values);
    assert_eq!(days(present, "valid_from"), [Some(1), Some(0), Some(1)]);
    assert_eq!(days(present, "valid_to"), [None, None, None]);
    // A night on which nothing happens ends nothing.
    let third = night_later(2, &rules(), &before(&second.out.registry), &[]);
    assert_eq!(third.out.history.past.num_rows(), 0);
    assert_eq!(third.out.history.present, *present);
}

/// Returns of each change: what, why, the left value, the right value, the source.
fn causes(night: &Night) -> Vec<[String; 5]> {
    let names = ["change", "reason", "left_value", "right_value", "source"];
    let columns = names.map(|name| column(&night.out.changes, name));
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let row = |row: usize| columns.each_ref().map(|column| text(&column[row]));
    (0..night.out.changes.num_rows()).map(row).collect()
}

#[test]
fn changes_name_the_evidence_that_caused_them() {
    let texts = |row: [&str; 5]| row.map(str::to_owned);
    let first = first_night(&[row("", "b@x.org", "c1", 20), row("", "", "c2", 10)]);
    let mut found = causes(&first);
    found.sort();
    assert_eq!(
        found,
        [
            texts(["created", "seen", "b@x.org", "-", "-"]),
            texts(["created", "seen", "c2", "-", "-"])
        ]
    );
    let link = [row("", "b@x.org", "c2", 40)];
    let second = night(&rules(), &first.out.registry, &link);
    assert_eq!(causes(&second), [texts(["merged", "link", "c2", "b@x.org", "events"])]);
    let blocked = {
        let mut rules = rules();
        rules.identifiers[1].blocked.push("b@x.org".to_owned());
        night(&rules, &second.out.registry, &[])
    };
    assert_eq!(causes(&blocked), [texts(["split", "blocked", "c1", "b@x.org", "events"])]);
    let narrow = {
        let mut rules = rules();
        rules.identifiers[2].window = Some(plan::Window { days: 1 });
        night(&rules, &second.out.registry, &[])
    };
    let windows = causes(&narrow);
    assert!(
        windows.contains(&texts(["split", "window", "c1", "b@x.org", "events"])),
        "{windows:?}"
    );
    let retracted = night_after(&second.out, &[], &["a"]);
    assert_eq!(causes(&retracted)[0][0], "retired");
}

#[test]
fn a_split_by_a_replaced_object_names_the_link_it_took_back() {
    let object = |path: &str, rows: &[Row]| (path.to_owned(), rows.to_vec());
    let both = [
        object("a", &[row("u1", "", "c1", 1)]),
        object("b", &[row("u1", "", "", 1), row("", "", "c1", 2)]),
    ];
    let cleaned = cleaned_events(events(), &both, 3);
    let first = try_identify(&rules(), cleaned, &Registry::empty(), 1).unwrap();
    let second = night_after(&first.out, &[], &["a"]);
    let expected = ["split", "retracted", "c1", "u1", "events"].map(str::to_owned);
    assert_eq!(causes(&second), [expected]);
}

#[test]
fn clusters_tell_size_types_links_and_bridges() {
    let night = first_night(&[
        row("u1", "a@x.org", "c1", 1),
        row("u1", "a@x.org", "c1", 2),
        row("", "a@x.org", "c2", 3),
        row("u2", "", "", 4),
    ]);
    let clusters = &night.out.clusters;
    let numbers = |name: &str, row: usize| clusters[name].as_primitive::<Int64Type>().value(row);
    let ids = column(clusters, "customer_id");
    let large = ids.iter().position(|id| *id == night.customer("u1")).unwrap();
    let names = [
        "identifiers",
        "links",
        "bridges",
        "user_id_identifiers",
        "email_identifiers",
        "cookie_identifiers",
    ];
    assert_eq!(names.map(|name| numbers(name, large)), [4, 4, 1, 1, 1, 2]);
    assert_eq!(names.map(|name| numbers(name, 1 - large)), [1, 0, 0, 1, 0, 0]);
}

fn named(identifier_type: &str, value: &str) -> NamedIdentifier {
    NamedIdentifier { identifier_type: identifier_type.to_owned(), value: value.to_owned() }
}

fn decision(
    customer_id: Option<String>,
    keep: Vec<NamedIdentifier>,
    apart: Vec<NamedIdentifier>,
) -> Decision {
    Decision {
        version: DECISION_VERSION,
        made_by: "split".to_owned(),
        made_at: chrono::DateTime::UNIX_EPOCH,
        customer_id,
        keep,
        apart,
    }
}

#[test]
fn what_was_decided_apart_stays_apart_whatever_comes() {
    let rows = [row("", "a@x.org", "c1", 1), row("", "a@x.org", "c2", 2), row("", "", "c1", 3)];
    let first = night(&rules_without_guards(), &Registry::empty(), &rows);
    let decisions = vec![decision(None, vec![named("cookie", "c1")], vec![named("cookie", "c2")])];
    let with = |registry: &Registry| Before { decisions: decisions.clone(), ..before(registry) };
    let second = night_later(1, &rules_without_guards(), &with(&first.out.registry), &[]);
    assert_eq!(second.groups(), groups(&[&["a@x.org", "c1"], &["c2"]]));
    assert_eq!(second.conflicts(), [conflict("decision", "a@x.org", Some("c2"))]);
    let more = [row("u1", "", "c1", 5), row("u1", "", "c2", 6)];
    let third = night_later(2, &rules_without_guards(), &with(&second.out.registry), &more);
    assert_ne!(third.customer("c1"), third.customer("c2"));
    assert_eq!(third.customer("c1"), first.customer("c1"));
    // A warehouse built anew from everything keeps to it too.
    let all = [&rows[..], &more].concat();
    let anew = night_later(2, &rules_without_guards(), &with(&Registry::empty()), &all);
    assert_eq!(anew.groups(), third.groups());
}

#[test]
fn what_was_decided_to_stay_is_one_customer_whatever_linked_it() {
    let rows = [row("", "a@x.org", "c1", 1), row("", "a@x.org", "c2", 2)];
    let first = night(&rules_without_guards(), &Registry::empty(), &rows);
    let keep = vec![named("cookie", "c1"), named("cookie", "c2")];
    let decisions = vec![decision(first.customer("c1"), keep, vec![named("email", "a@x.org")])];
    let with = Before { decisions, ..before(&first.out.registry) };
    let second = night_later(1, &rules_without_guards(), &with, &[]);
    assert_eq!(second.groups(), groups(&[&["c1", "c2"], &["a@x.org"]]));
    assert_eq!(second.customer("c1"), first.customer("c1"));
}

#[test]
fn the_id_stays_with_those_for_whom_it_was_decided() {
    let rows = [row("", "a@x.org", "c1", 1), row("", "a@x.org", "c2", 2), row("", "", "c1", 3)];
    let first = night(&rules_without_guards(), &Registry::empty(), &rows);
    let id = first.customer("c2");
    let apart = vec![named("cookie", "c1"), named("email", "a@x.org"), named("cookie", "unknown")];
    let decisions = vec![decision(id.clone(), vec![named("cookie", "c2")], apart)];
    let with = Before { decisions, ..before(&first.out.registry) };
    let second = night_later(1, &rules_without_guards(), &with, &[]);
    // Without the decision the larger share would have kept it.
    assert_eq!(second.customer("c2"), id);
    assert_ne!(second.customer("c1"), id);
    assert_eq!(second.groups(), groups(&[&["a@x.org", "c1"], &["c2"]]));
}

/// Joins rows that share a value until nothing changes.
fn components(rows: &[Row]) -> BTreeSet<BTreeSet<String>> {
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for (user, email, cookie, _) in rows {
        let mut group: BTreeSet<String> =
            [user, email, cookie].into_iter().flatten().cloned().collect();
        let (touched, rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|other| !other.is_disjoint(&group));
        group.extend(touched.into_iter().flatten());
        groups = rest;
        groups.push(group);
    }
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

fn any_row() -> impl Strategy<Value = Row> {
    let user = prop::option::weighted(0.4, (0..6).prop_map(|number| format!("u{number}")));
    let email = prop::option::weighted(0.4, (0..8).prop_map(|number| format!("m{number}@x.org")));
    let cookie = prop::option::weighted(0.7, (0..12).prop_map(|number| format!("c{number}")));
    (user, email, cookie, 0_i64..10)
}

/// Rules of many kinds; a window leaves out what was seen on the first days.
fn any_rules() -> impl Strategy<Value = plan::Identity> {
    let guards = prop::sample::select(vec![rules(), rules_without_guards()]);
    let window = prop::option::of(Just(plan::Window { days: 20_480 }));
    let limits = (prop::option::of(2_u64..4), prop::option::of(1_u64..3));
    (guards, window, limits).prop_map(|(mut rules, window, (block_above, max_customers))| {
        rules.identifiers[1].block_above = block_above;
        rules.identifiers[2].window = window;
        rules.identifiers[2].max_customers = max_customers;
        rules
    })
}

/// Lets a row happen so many days after 1970 began as it did microseconds.
fn on_a_day((user, email, cookie, at): &Row) -> Row {
    (user.clone(), email.clone(), cookie.clone(), at * 86_400_000_000)
}

/// Returns what a night leaves that was some days after the usual one.
fn carrying(night: &Findings, days: i64) -> Before {
    let usual = "2026-01-30T16:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let carried = Carried {
        as_of: (usual + chrono::Duration::days(days)).timestamp_micros(),
        clusters: vec![night.clusters.clone()],
        conflicts: vec![night.conflicts.clone()],
    };
    Before { carried: Some(carried), ..before(&night.registry) }
}

/// Cuts rows into objects.
fn objects_of(rows: &[Row], rows_each: usize) -> Vec<(String, Vec<Row>)> {
    let chunks = rows.chunks(rows_each).enumerate();
    chunks.map(|(number, rows)| (format!("dt={number}"), rows.to_vec())).collect()
}

/// Returns which values a customer has by their first letter: `u`, `m` or `c`.
fn count(group: &BTreeSet<String>, letter: char) -> usize {
    group.iter().filter(|value| value.starts_with(letter)).count()
}

/// What `map` tells of an identifier.
struct Told {
    customer: Option<String>,
    priority: usize,
    first_seen: i64,
    created: Option<i64>,
}

/// Returns what `map` tells of each value.
fn known(night: &Night) -> BTreeMap<String, Told> {
    let map = night.out.registry.map();
    let kinds = column(map, "identifier_type").into_iter().flatten();
    let times = |name: &str| map[name].as_primitive::<TimestampMicrosecondType>().iter();
    let told = kinds.zip(column(map, "customer_id"));
    let told = told.zip(times("first_seen")).zip(times("id_created_at"));
    let told = told.map(|(((kind, customer), first_seen), created)| Told {
        customer,
        priority: ["user_id", "email", "cookie"].iter().position(|name| *name == kind).unwrap(),
        first_seen: first_seen.unwrap(),
        created,
    });
    column(map, "value").into_iter().flatten().zip(told).collect()
}

fn by_customer(known: &BTreeMap<String, Told>) -> BTreeMap<String, BTreeSet<&String>> {
    let mut groups: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for (value, told) in known {
        if let Some(customer) = &told.customer {
            groups.entry(customer.clone()).or_default().insert(value);
        }
    }
    groups
}

/// Returns for each former customer the present one with most of its identifiers; in a tie, with the strongest and then
/// oldest of them. Where that does not tell, the answer is the present customer that has its id.
fn heirs(was: &BTreeMap<String, Told>, is: &BTreeMap<String, Told>) -> BTreeMap<String, String> {
    let mut heirs = BTreeMap::new();
    for (id, members) in by_customer(was) {
        let mut shares: BTreeMap<&String, Vec<(usize, i64)>> = BTreeMap::new();
        for told in members.iter().map(|value| &is[*value]) {
            if let Some(customer) = &told.customer {
                shares.entry(customer).or_default().push((told.priority, told.first_seen));
            }
        }
        let rank = |members: &Vec<(usize, i64)>| {
            (std::cmp::Reverse(members.len()), members.iter().min().copied())
        };
        let best = shares.values().map(rank).min();
        let mut best = shares.into_iter().filter(|(_, members)| Some(rank(members)) == best);
        let (Some((heir, _)), tied) = (best.next(), best.next()) else { continue };
        let tied = tied.filter(|(other, _)| **other == id).map(|(other, _)| other);
        heirs.insert(id, tied.unwrap_or(heir).clone());
    }
    heirs
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn without_guards_customers_are_the_connected_components(rows in vec(any_row(), 0..40)) {
        let night = night(&rules_without_guards(), &Registry::empty(), &rows);
        prop_assert_eq!(night.groups(), components(&rows));
    }

    #[test]
    fn the_result_does_not_depend_on_order_batches_or_threads(
        (rows, shuffled) in vec(any_row(), 0..40)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        rows_each in 1_usize..20,
        batch_rows in prop::sample::select(vec![1_usize, 7, 8192]),
        threads in prop::sample::select(vec![1_usize, 2, 8]),
    ) {
        let expected = night(&rules(), &Registry::empty(), &rows);
        let cleaned = cleaned_events(events(), &objects_of(&shuffled, rows_each), batch_rows);
        let found = try_identify(&rules(), cleaned, &Registry::empty(), threads).unwrap();
        prop_assert_eq!(&found.out.registry, &expected.out.registry);
        prop_assert_eq!(&found.out.conflicts, &expected.out.conflicts);
        prop_assert_eq!(&found.out.changes, &expected.out.changes);
    }

    #[test]
    fn no_customer_breaks_a_guard(rows in vec(any_row(), 0..60)) {
        let night = first_night(&rows);
        for group in night.groups() {
            prop_assert!(count(&group, 'u') <= 1, "{:?}", group);
            prop_assert!(count(&group, 'm') <= 2, "{:?}", group);
        }
    }

    #[test]
    fn every_row_with_an_identifier_has_the_customer_of_one(rows in vec(any_row(), 0..40)) {
        let night = first_night(&rows);
        for ((user, email, cookie, _), stamp) in rows.iter().zip(night.stamps()) {
            let own = [user, email, cookie].into_iter().flatten();
            let own: Vec<_> = own.map(|value| night.customer(value)).collect();
            prop_assert_eq!(stamp.is_some(), !own.is_empty());
            prop_assert!(own.is_empty() || own.contains(&stamp));
        }
    }

    #[test]
    fn nights_one_by_one_group_like_all_nights_at_once(
        rows in vec(any_row(), 1..40),
        nights in 1_usize..10,
    ) {
        let mut last = first_night(&[]);
        for rows in rows.chunks(nights) {
            last = night(&rules(), &last.out.registry, rows);
        }
        let at_once = first_night(&rows);
        prop_assert_eq!(last.groups(), at_once.groups());
        let again = night(&rules(), &last.out.registry, &rows);
        prop_assert_eq!(&again.out.registry, &last.out.registry);
        prop_assert_eq!(again.changes(), vec![]);
    }

    #[test]
    fn objects_taken_back_leave_no_trace(
        kept in vec(any_row(), 1..20),
        gone in vec(any_row(), 1..20),
    ) {
        let object = |path: &str, rows: &[Row]| (path.to_owned(), rows.to_vec());
        let both = [object("gone", &gone), object("kept", &kept)];
        let cleaned = cleaned_events(events(), &both, 5);
        let first = try_identify(&rules(), cleaned, &Registry::empty(), 2).unwrap();
        let second = night_after(&first.out, &[], &["gone"]);
        let expected = first_night(&kept);
        prop_assert_eq!(second.groups(), expected.groups());
        prop_assert_eq!(second.out.counts.links, expected.out.counts.links);
        // It is as if the object had come later.
        let third = night_after(&second.out, &[object("gone", &gone)], &[]);
        prop_assert_eq!(third.groups(), first.groups());
    }

    #[test]
    fn every_id_that_vanished_is_recorded(rows in vec(any_row(), 1..30), more in vec(any_row(), 1..30)) {
        let first = first_night(&rows);
        let second = night(&rules(), &first.out.registry, &more);
        let ids = |night: &Night| column(night.out.registry.map(), "customer_id").into_iter().flatten().collect::<BTreeSet<_>>();
        let recorded = |name| column(&second.out.changes, name).into_iter().flatten().collect::<BTreeSet<_>>();
        let (before, after) = (ids(&first), ids(&second));
        prop_assert!(before.difference(&after).all(|id| recorded("from_customer_id").contains(id)));
        prop_assert!(after.difference(&before).all(|id| recorded("customer_id").contains(id)));
    }

    #[test]
    fn ids_go_with_the_larger_share_and_the_older_one_survives(
        rows in vec(any_row(), 1..30),
        more in vec(any_row(), 0..20),
        blocked in 0_usize..8,
    ) {
        let first = night(&rules_without_guards(), &Registry::empty(), &rows);
        // Half of what is new comes a night earlier, so that some customers are older than others.
        let (early, late) = more.split_at(more.len() / 2);
        let second = night_later(1, &rules_without_guards(), &before(&first.out.registry), early);
        let mut rules = rules_without_guards();
        rules.identifiers[1].blocked.push(format!("m{blocked}@x.org"));
        let third = night_later(2, &rules, &before(&second.out.registry), late);
        let (was, is) = (known(&second), known(&third));
        let heirs = heirs(&was, &is);
        for (leader, group) in by_customer(&is) {
            let heirs: Vec<&String> =
                heirs.iter().filter(|(_, heir)| **heir == leader).map(|(id, _)| id).collect();
            let age = |id: &String| {
                let members = was.iter().filter(|(_, told)| told.customer.as_ref() == Some(id));
                let seen = members.filter_map(|(value, told)| {
                    is[value].customer.as_ref().map(|_| (told.created, is[value].first_seen))
                });
                (seen.clone().map(|seen| seen.0).min(), seen.map(|seen| seen.1).min(), id.clone())
            };
            match heirs.iter().map(|id| age(id)).min() {
                Some((.., oldest)) => prop_assert_eq!(&leader, &oldest, "{:?}", group),
                None => prop_assert!(was.values().all(|told| told.customer.as_ref() != Some(&leader))),
            }
        }
    }

    #[test]
    fn a_rebuild_from_all_objects_gives_every_identifier_its_id_back(
        rows in vec(any_row(), 1..40),
        rows_each in 1_usize..10,
    ) {
        let objects = objects_of(&rows, rows_each);
        let mut last = first_night(&[]);
        for object in &objects {
            last = night_after(&last.out, std::slice::from_ref(object), &[]);
        }
        let paths: Vec<&str> = objects.iter().map(|(path, _)| path.as_str()).collect();
        let rebuilt = night_after(&last.out, &objects, &paths);
        prop_assert_eq!(&rebuilt.out.registry, &last.out.registry);
        prop_assert_eq!(rebuilt.changes(), vec![]);
    }

    #[test]
    fn a_night_that_resolves_only_what_is_near_tells_what_one_that_resolves_all_tells(
        nights in vec(vec(any_row(), 0..8), 2..6),
        rules in any_rules(),
        is_decided in any::<bool>(),
    ) {
        let one = |value: &str| {
            named(if value.starts_with('m') { "email" } else { "cookie" }, value)
        };
        let decided = decision(None, vec![one("m1@x.org")], vec![one("c1")]);
        let decisions = if is_decided { vec![decided] } else { Vec::new() };
        let mut whole: Option<Night> = None;
        for (day, rows) in (0..).zip(&nights) {
            let rows: Vec<Row> = rows.iter().map(on_a_day).collect();
            let former = whole.as_ref().map_or_else(Before::nothing, |night| carrying(&night.out, day - 1));
            let former = Before { decisions: decisions.clone(), ..former };
            let near = night_later(day, &rules, &former, &rows);
            let all = night_later(day, &rules, &Before { carried: None, ..former }, &rows);
            prop_assert_eq!(&near.out.registry, &all.out.registry);
            prop_assert_eq!(&near.out.clusters, &all.out.clusters);
            prop_assert_eq!(&near.out.conflicts, &all.out.conflicts);
            prop_assert_eq!(&near.out.changes, &all.out.changes);
            prop_assert_eq!(&near.out.history.past, &all.out.history.past);
            prop_assert_eq!(&near.out.history.present, &all.out.history.present);
            prop_assert_eq!(&near.out.evidence.rows, &all.out.evidence.rows);
            prop_assert_eq!(near.out.counts, all.out.counts);
            prop_assert_eq!(&near.out.guards, &all.out.guards);
            prop_assert_eq!(near.stamps(), all.stamps());
            whole = Some(all);
        }
    }
}
