//! Whole small objects through extract and clean.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;

use super::boolean::parse_boolean;
use super::email::normalise_email;
use super::notation::write_plain;
use super::number::{Decimal, parse_double, parse_integer};
use super::phone::PhoneParser;
use super::time::{DateParser, TimestampParser};
use super::unit::Converter;
use super::{CleanError, CleanErrorKind, Cleaned, RateTables, clean};
use crate::engine::{Context, Root, SpoolBudget};
use crate::plan::{self, ColumnKind, TimeFormat};
use crate::report::{Event, Listener};
use crate::steps::extract::extract;
use crate::steps::fixtures;

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Listener for Notes {
    fn on(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

/// A machine to run on: how many threads, and how many bytes in memory.
#[derive(Clone, Copy)]
struct Machine {
    threads: usize,
    spools: usize,
}

const SMALL: Machine = Machine { threads: 1, spools: 1 << 30 };

fn column(name: &str, kind: ColumnKind) -> plan::Column {
    plan::Column {
        name: name.parse().unwrap(),
        from: name.to_owned(),
        kind,
        required: false,
        pii: false,
        trim: true,
        null_if: Vec::new(),
        case: None,
        replace: None,
        accepted: Vec::new(),
        default: None,
        preparation: plan::Preparation::default(),
        conversion: None,
        exchange: None,
    }
}

fn moments() -> ColumnKind {
    ColumnKind::Timestamp {
        formats: vec![TimeFormat::Rfc3339, TimeFormat::Pattern("%d/%m/%Y %H:%M".to_owned())],
        timezone: chrono_tz::Asia::Shanghai,
        clock_changes: plan::ClockChanges::default(),
    }
}

fn price() -> ColumnKind {
    ColumnKind::Decimal { precision: 18, scale: 4 }
}

fn source(format: plan::Format, columns: Vec<plan::Column>) -> plan::Source {
    plan::Source {
        name: "orders".parse().unwrap(),
        pattern: plan::PathPattern::parse("*").unwrap(),
        format,
        compression: plan::Compression::Auto,
        encoding: encoding_rs::UTF_8,
        load: plan::Load::Append,
        columns,
        checks: Vec::new(),
        event_time: None,
        dedupe: None,
        rejects: plan::RejectLimits::default(),
        expect: plan::Expect::default(),
        on_error: plan::OnError::Fail,
        limits: plan::Limits::default(),
        drift: plan::Drift::Warn,
        links: Vec::new(),
        matching: None,
        business_timezone: chrono_tz::Asia::Shanghai,
    }
}

fn csv(columns: Vec<plan::Column>) -> plan::Source {
    source(plan::Format::Csv(plan::CsvFormat::default()), columns)
}

/// Cleans objects given as path and text.
async fn cleaned_on(
    machine: Machine,
    source: plan::Source,
    objects: &[(&str, &str)],
) -> (Result<Cleaned, CleanError>, Vec<String>, tempfile::TempDir) {
    let store = InMemory::new();
    for (path, text) in objects {
        let text = (*text).to_owned();
        store.put(&Path::from(*path), text.into()).await.unwrap();
    }
    let work = tempfile::tempdir().unwrap();
    let notes = Arc::new(Notes::default());
    let ctx = Context {
        run_id: crate::names::RunId::new("test"),
        as_of: crate::zone::AsOf::midnight(
            NaiveDate::from_ymd_opt(2026, 2, 1).unwrap(),
            chrono_tz::UTC,
        ),
        raw: Root {
            store: Arc::new(store),
            prefix: Path::default(),
            url: "memory:///".parse().unwrap(),
        },
        work: work.path().to_owned(),
        threads: machine.threads,
        memory: 1 << 30,
        spools: SpoolBudget::new(machine.spools),
        kept: SpoolBudget::new(machine.spools),
        listener: Arc::clone(&notes) as Arc<dyn Listener>,
    };
    let extracted = extract(&ctx, Arc::new(source)).await.unwrap();
    let cleaned = clean(&ctx, extracted, &RateTables::new()).await;
    let mut events = std::mem::take(&mut *notes.0.lock().unwrap());
    events.sort();
    (cleaned, events, work)
}

/// Cleans one object and returns its rows and rejects, one line each.
async fn lines_of(source: plan::Source, object: (&str, &str)) -> (Vec<String>, Vec<String>) {
    let (cleaned, _, _work) = cleaned_on(SMALL, source, &[object]).await;
    let cleaned = cleaned.unwrap();
    (rows(&cleaned), rejects(&cleaned))
}

fn rows(cleaned: &Cleaned) -> Vec<String> {
    let batches = cleaned.parts.iter().flat_map(|part| part.rows.batches().unwrap());
    batches.flat_map(|batch| batch_lines(&batch.unwrap())).collect()
}

fn batch_lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let line = |row: usize| {
        let values: Vec<String> =
            columns.iter().map(|column| column.value(row).to_string()).collect();
        values.join(" | ")
    };
    (0..batch.num_rows()).map(line).collect()
}

fn rejects(cleaned: &Cleaned) -> Vec<String> {
    let line = |reject: &super::Reject| {
        let column = reject.column.as_ref().map_or("-", |column| column.as_str());
        let byte = reject.byte.map_or("-".to_owned(), |byte| byte.to_string());
        let (path, rule, reason, raw) =
            (&reject.object.path, reject.rule, &reject.reason, &reject.raw);
        format!("{path} {}@{byte} {column} {rule}: {reason} <{raw}>", reject.record)
    };
    fixtures::rejects(cleaned).iter().map(line).collect()
}

fn order_columns() -> Vec<plan::Column> {
    vec![
        plan::Column { required: true, ..column("id", ColumnKind::Integer) },
        column("at", moments()),
        column("price", price()),
        plan::Column {
            accepted: vec!["paid".to_owned(), "open".to_owned()],
            case: Some(plan::Case::Lower),
            null_if: vec!["N/A".to_owned()],
            default: Some("open".to_owned()),
            ..column("state", ColumnKind::String)
        },
    ]
}

fn orders() -> plan::Source {
    let check = |column: Option<&str>, expression: &str| plan::RowCheck {
        column: column.map(|column| column.parse().unwrap()),
        expression: expression.to_owned(),
    };
    plan::Source {
        checks: vec![
            check(Some("price"), "price >= 0"),
            check(None, "state <> 'paid' or price is not null"),
        ],
        event_time: Some(1),
        ..csv(order_columns())
    }
}

#[tokio::test]
async fn rows_that_keep_the_rules_are_typed_and_know_where_they_come_from() {
    let text = "state,price,at,id\n PAID ,19.90,2026-01-31T23:30:00Z, 7 \nN/A,,31/01/2026 08:15,8\n,1e1,,9\n";
    let (rows, rejects) = lines_of(orders(), ("a.csv", text)).await;
    assert_eq!(
        rows,
        [
            "7 | 2026-01-31T23:30:00Z | 19.9000 | paid | 2026-02-01 | a.csv | 1",
            "8 | 2026-01-31T00:15:00Z | - | open | 2026-01-31 | a.csv | 2",
            "9 | - | 10.0000 | open | - | a.csv | 3",
        ]
    );
    assert_eq!(rejects, Vec::<String>::new());
}

#[tokio::test]
async fn the_first_broken_rule_makes_the_reject() {
    let text = "id,at,price,state\n1,,,\n,x,y,z\nx7,,,\n2,soon,,\n3,,1.23456,\n4,,,gone\n5,,-1,paid\n6,,,paid\n7\n8,,\"-0.0\",\"paid\"\n";
    let (rows, rejects) = lines_of(orders(), ("a.csv", text)).await;
    assert_eq!(
        rows,
        ["1 | - | - | open | - | a.csv | 1", "8 | - | 0.0000 | paid | - | a.csv | 10"]
    );
    assert_eq!(
        rejects,
        [
            "a.csv 2@23 id required: no value <,x,y,z>",
            "a.csv 3@30 id type: not an integer: `x7` <x7,,,>",
            "a.csv 4@36 at type: in none of the declared formats: `soon` <2,soon,,>",
            "a.csv 5@45 price type: more decimal places than the column keeps: `1.23456` <3,,1.23456,>",
            "a.csv 6@57 state accepted: not among the accepted values: `gone` <4,,,gone>",
            "a.csv 7@66 price check: `price >= 0` does not hold: `-1.0000` <5,,-1,paid>",
            "a.csv 8@77 - check: `state <> 'paid' or price is not null` does not hold <6,,,paid>",
            "a.csv 9@86 - decode: expected 4 fields, found 1 <7>",
        ]
    );
}

#[tokio::test]
async fn every_kind_of_column_has_its_parser() {
    let columns = vec![
        column("s", ColumnKind::String),
        column("e", ColumnKind::Email),
        column("p", ColumnKind::Phone { region: Some("CN".to_owned()) }),
        column("b", ColumnKind::Boolean),
        column("i", ColumnKind::Integer),
        column("f", ColumnKind::Double),
        column("d", ColumnKind::Date { formats: vec![TimeFormat::Pattern("%Y-%m-%d".to_owned())] }),
        column(
            "u",
            ColumnKind::Timestamp {
                formats: vec![TimeFormat::UnixMillis],
                timezone: chrono_tz::UTC,
                clock_changes: plan::ClockChanges::default(),
            },
        ),
    ];
    let good = r#"{"s":" x ","e":"Ann@X.org","p":"138 0013 8000","b":"Yes","i":-5,"f":1.5,"d":"2026-01-31","u":1769818500250}"#;
    let mut text = format!("{good}\n{{}}\n");
    for (key, value) in [
        ("e", "ann"),
        ("p", "12"),
        ("b", "2"),
        ("i", "1.0"),
        ("f", "1e400"),
        ("d", "2026-02-30"),
        ("u", "x"),
    ] {
        writeln!(text, "{{\"{key}\":\"{value}\"}}").unwrap();
    }
    let (rows, rejects) =
        lines_of(source(plan::Format::Ndjson, columns), ("a.ndjson", &text)).await;
    assert_eq!(
        rows,
        [
            "x | ann@x.org | +8613800138000 | true | -5 | 1.5 | 2026-01-31 | 2026-01-31T00:15:00.250Z | - | a.ndjson | 1",
            "- | - | - | - | - | - | - | - | - | a.ndjson | 2",
        ]
    );
    let reasons: Vec<&str> = rejects.iter().map(|line| line.split_once('@').unwrap().1).collect();
    let reasons: Vec<&str> = reasons.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        reasons,
        [
            r#"e type: not an e-mail address: `ann` <{"e":"ann"}>"#,
            r#"p type: not a telephone number: `12` <{"p":"12"}>"#,
            r#"b type: not a boolean: `2` <{"b":"2"}>"#,
            r#"i type: not an integer: `1.0` <{"i":"1.0"}>"#,
            r#"f type: too large for the column: `1e400` <{"f":"1e400"}>"#,
            r#"d type: in none of the declared formats: `2026-02-30` <{"d":"2026-02-30"}>"#,
            r#"u type: in none of the declared formats: `x` <{"u":"x"}>"#,
        ]
    );
}

#[tokio::test]
async fn several_columns_may_come_from_one_field() {
    let day = plan::Column {
        from: "at".to_owned(),
        replace: Some(plan::Replace { pattern: "T.*".to_owned(), with: String::new() }),
        ..column("day", ColumnKind::Date { formats: vec![TimeFormat::Pattern("%F".to_owned())] })
    };
    let source = csv(vec![column("at", moments()), day]);
    let (rows, _) = lines_of(source, ("a.csv", "at\n2026-01-31T23:30:00Z\n")).await;
    assert_eq!(rows, ["2026-01-31T23:30:00Z | 2026-01-31 | - | a.csv | 1"]);
}

#[tokio::test]
async fn a_column_may_come_from_several_fields() {
    let mail = plan::Column {
        from: "email".to_owned(),
        required: true,
        preparation: plan::Preparation {
            further_fields: vec!["contact.mail".to_owned()],
            ..plan::Preparation::default()
        },
        ..column("mail", ColumnKind::Email)
    };
    let source = source(plan::Format::Ndjson, vec![mail]);
    let text = r#"{"email":"A@x.org","contact":{"mail":"b@x.org"}}
{"email":" ","contact":{"mail":"B@x.org"}}
{"email":"c","contact":{"mail":"b@x.org"}}
{"contact":{}}
"#;
    let (rows, rejects) = lines_of(source, ("a.ndjson", text)).await;
    assert_eq!(rows, ["a@x.org | - | a.ndjson | 1", "b@x.org | - | a.ndjson | 2"]);
    let begin = [
        "a.ndjson 3@92 mail type: not an e-mail address: `c` <",
        "a.ndjson 4@135 mail required: no value <",
    ];
    assert!(rejects.iter().zip(begin).all(|(line, begin)| line.starts_with(begin)), "{rejects:?}");
    assert_eq!(rejects.len(), 2);
}

#[tokio::test]
async fn a_long_value_is_shortened_in_the_reason_and_whole_in_the_raw_text() {
    let value = "é".repeat(100);
    let (_, rejects) = lines_of(
        csv(vec![column("id", ColumnKind::Integer)]),
        ("a.csv", &format!("id\n{value}\n")),
    )
    .await;
    let shown = "é".repeat(80);
    assert_eq!(rejects, [format!("a.csv 1@3 id type: not an integer: `{shown}…` <{value}>")]);
}

#[tokio::test]
async fn the_first_object_that_fails_is_reported_whatever_the_threads() {
    let objects =
        [("a.csv", "id,at,price,state\n1,,,\n"), ("b.csv", "id\n1\n"), ("c.csv", "at\n1\n")];
    for threads in [1, 2, 8] {
        let machine = Machine { threads, ..SMALL };
        let (cleaned, ..) = cleaned_on(machine, orders(), &objects).await;
        let error = cleaned.unwrap_err();
        let CleanErrorKind::Extract(error) = error.kind else {
            panic!("{error:?}");
        };
        assert_eq!(error.object.as_deref(), Some("b.csv"));
    }
}

#[tokio::test]
async fn a_rule_that_means_nothing_is_an_error() {
    let region = column("p", ColumnKind::Phone { region: Some("XX".to_owned()) });
    let check = plan::RowCheck { column: None, expression: "nothing > 1".to_owned() };
    let checked = plan::Source { checks: vec![check], ..orders() };
    for source in [csv(vec![region]), checked] {
        let (cleaned, ..) = cleaned_on(SMALL, source, &[("a.csv", "p\n1\n")]).await;
        let kind = cleaned.unwrap_err().kind;
        assert!(matches!(kind, CleanErrorKind::Rule { .. } | CleanErrorKind::Check(_)), "{kind:?}");
    }
}

#[tokio::test]
async fn no_objects_make_no_parts() {
    let (cleaned, ..) = cleaned_on(SMALL, orders(), &[]).await;
    let cleaned = cleaned.unwrap();
    assert!(cleaned.parts.is_empty() && cleaned.rejects.is_empty());
}

fn line() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec!["7", "", "x"]);
    let at = prop::sample::select(vec!["2026-01-31T08:15:00Z", "31/01/2026 08:15", "", "soon"]);
    let price = prop::sample::select(vec!["1.5", "-1", "", "1e-9"]);
    let state = prop::sample::select(vec!["paid", "OPEN", "gone", "\"", "a,b", ""]);
    (id, at, price, state).prop_map(|(id, at, price, state)| format!("{id},{at},{price},{state}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn nothing_vanishes_and_threads_and_memory_change_nothing(
        objects in prop::collection::vec(prop::collection::vec(line(), 0..30), 1..6),
    ) {
        let texts: Vec<(String, String)> = objects
            .iter()
            .enumerate()
            .map(|(index, lines)| (format!("{index}.csv"), format!("id,at,price,state\n{}", lines.concat())))
            .collect();
        let objects: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let run = |machine| runtime.block_on(cleaned_on(machine, orders(), &objects));
        let (first, first_events, _work) = run(SMALL);
        let first = first.unwrap();
        prop_assert_eq!(first.parts.len(), objects.len());
        prop_assert_eq!(first_events.len(), objects.len());
        for part in &first.parts {
            prop_assert_eq!(part.read, part.rows.rows() as u64 + part.rejected);
        }
        for (threads, spools) in [(2, 1 << 30), (8, 4_000), (2, 0)] {
            let (again, events, _work) = run(Machine { threads, spools });
            let again = again.unwrap();
            prop_assert_eq!(rows(&again), rows(&first));
            prop_assert_eq!(fixtures::rejects(&again), fixtures::rejects(&first));
            prop_assert_eq!(&events, &first_events);
            let counts = |cleaned: &Cleaned| cleaned.parts.iter().map(|part| (part.read, part.rejected)).collect::<Vec<_>>();
            prop_assert_eq!(counts(&again), counts(&first));
        }
    }
}

#[test]
fn fuzzed_values_are_parsed_or_refused() {
    let formats =
        ["%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S%.f %z", "%s", "%j %Y", "%A, %d %B %y", "%I:%M %p"];
    let formats = formats.map(|pattern| TimeFormat::Pattern(pattern.to_owned()));
    let own = [TimeFormat::Rfc3339, TimeFormat::UnixSeconds, TimeFormat::UnixMillis];
    let formats: Vec<TimeFormat> = own.into_iter().chain(formats).collect();
    let changes = plan::ClockChanges { gap: plan::Gap::Shift, overlap: plan::Overlap::Later };
    let seeds: [&[u8]; 9] = [
        b"2026-01-31T08:15:00.123456+08:00",
        b"1767225600.5",
        b"-62135596800000",
        b"31/10/2021 02:30",
        b"+86 133 2618 1173",
        b"-1,234.50",
        b"1.5e-3",
        b"9999-12-31T23:59:60Z",
        "１２３ Ann.Lee+x@例え.jp".as_bytes(),
    ];
    let words: [&[u8]; 13] = [
        b"9",
        b"0",
        b"-",
        b"+",
        b".",
        b",",
        b":",
        b"T",
        b"Z",
        b"e",
        b"99999999999999999999",
        "９".as_bytes(),
        b"@",
    ];
    let parsers = std::cell::RefCell::new((
        TimestampParser::new(&formats, chrono_tz::America::New_York, changes),
        DateParser::new(&formats),
        PhoneParser::new("CN".parse().ok()),
    ));
    crate::fuzz::feed(&seeds, &words, 1, |bytes| {
        let text = &*String::from_utf8_lossy(bytes);
        let (timestamps, dates, phones) = &mut *parsers.borrow_mut();
        let again = timestamps.parse(text);
        assert_eq!(timestamps.parse(text), again, "what was seen before changes nothing");
        let _ = dates.parse(text);
        let number = phones.e164(text, &mut String::new()).map(str::to_owned);
        if let Ok(number) = number {
            let digits = number.strip_prefix('+').unwrap();
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
            let again = phones.e164(&number, &mut String::new()).map(str::to_owned);
            assert_eq!(again.as_ref(), Ok(&number), "a number is its own normal form");
        }
        let _ = normalise_email(text, &mut String::new());
        if let Ok(value) = Decimal::new(18, 4).parse(text) {
            assert!(value.abs() < 10i128.pow(18), "{value}");
        }
        for (from, to) in [("lb", "kg"), ("t", "mg"), ("s", "h")] {
            let conversion = plan::Unit::named(from).unwrap().to(plan::Unit::named(to).unwrap());
            let _ = Converter::to_decimal(conversion, 38, 10).parse(text);
            let _ = Converter::to_integer(conversion).parse_integer(text);
        }
        let notation = plan::Notation { thousands: Some(','), decimal_point: '.' };
        let _ = write_plain(notation, text, &mut String::new());
        let _ = (parse_double(text), parse_integer(text), parse_boolean(text));
    });
}
