//! Decoders against whole small objects, blocks of every size and the crates that define their formats.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{
    ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};
use chrono::NaiveDate;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;

use super::csv::CsvDecoder;
use super::json_array::JsonArrayDecoder;
use super::ndjson::NdjsonDecoder;
use super::open::{TextDecoder, TextReader};
use super::ranges::RangeReader;
use super::wanted::Wanted;
use super::{ExtractErrorKind, RawBatch, SourceObject, extract};
use crate::engine::{Context, Root, SpoolBudget};
use crate::plan;
use crate::report::{Event, Listener};

struct Deaf;

impl Listener for Deaf {
    fn on(&self, _: &Event<'_>) {}
}

fn context(store: Arc<dyn ObjectStore>) -> Context {
    let date = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
    Context {
        run_id: crate::names::RunId::new("test"),
        as_of: crate::zone::AsOf::midnight(date, chrono_tz::UTC),
        raw: Root { store, prefix: Path::from("raw"), url: "memory:///".parse().unwrap() },
        work: std::path::PathBuf::new(),
        threads: 1,
        memory: 1 << 30,
        spools: SpoolBudget::new(1 << 30),
        kept: SpoolBudget::new(1 << 30),
        listener: Arc::new(Deaf),
    }
}

fn source(pattern: &str, format: plan::Format, fields: &[&str]) -> plan::Source {
    let column = |field: &&str| plan::Column {
        name: field.replace('.', "_").parse().unwrap(),
        from: (*field).to_owned(),
        kind: plan::ColumnKind::String,
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
    };
    plan::Source {
        name: "events".parse().unwrap(),
        pattern: plan::PathPattern::parse(pattern).unwrap(),
        format,
        compression: plan::Compression::Auto,
        encoding: encoding_rs::UTF_8,
        load: plan::Load::Append,
        columns: fields.iter().map(column).collect(),
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
        business_timezone: chrono_tz::UTC,
    }
}

fn csv_format() -> plan::CsvFormat {
    plan::CsvFormat::default()
}

/// A record as a test sees it: number, byte, and its fields or the reason why it is broken with its raw text.
type Seen = (u64, Option<u64>, Result<Vec<Option<String>>, (String, String)>);

fn seen(batches: &[RawBatch], width: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    for batch in batches {
        let fields: Vec<Vec<_>> = (0..width).map(|field| batch.column(field).collect()).collect();
        for row in 0..batch.rows() {
            let texts = fields.iter().map(|texts| texts[row].map(str::to_owned));
            all.push((batch.record(row), batch.byte(row), Ok(texts.collect())));
        }
        for broken in batch.broken() {
            let why = (broken.reason.clone(), broken.raw.clone());
            all.push((broken.record, broken.byte, Err(why)));
        }
    }
    all.sort_by_key(|(record, ..)| *record);
    all
}

fn names(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}

fn decode(
    text: &[u8],
    block: usize,
    decoder: TextDecoder,
    fields: &[&str],
) -> Result<Vec<Seen>, ExtractErrorKind> {
    let stream: Box<dyn Read + Send> = Box::new(Cursor::new(text.to_vec()));
    let mut reader = TextReader::new(stream, block, decoder, &names(fields));
    let mut batches = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        batches.push(batch);
    }
    Ok(seen(&batches, fields.len()))
}

fn csv_limited(text: &[u8], block: usize, limit: usize) -> Result<Vec<Seen>, ExtractErrorKind> {
    let fields = ["a", "b"];
    let decoder =
        CsvDecoder::new(&csv_format(), &Wanted::each(&names(&fields)))?.with_max_record(limit);
    decode(text, block, TextDecoder::Csv(decoder), &fields)
}

fn csv(text: &[u8], block: usize) -> Vec<Seen> {
    csv_limited(text, block, 1 << 20).unwrap()
}

fn json_limited(text: &[u8], block: usize, fields: &[&str], limit: usize) -> Vec<Seen> {
    let decoder = NdjsonDecoder::new(&names(fields)).with_max_record(limit);
    decode(text, block, TextDecoder::Ndjson(decoder), fields).unwrap()
}

fn json(text: &[u8], fields: &[&str]) -> Vec<Seen> {
    json_limited(text, 1 << 12, fields, 1 << 20)
}

fn row(record: u64, byte: u64, fields: &[Option<&str>]) -> Seen {
    let fields = fields.iter().map(|field| field.map(str::to_owned));
    (record, Some(byte), Ok(fields.collect()))
}

fn broken(record: u64, byte: u64, reason: &str, raw: &str) -> Seen {
    (record, Some(byte), Err((reason.to_owned(), raw.to_owned())))
}

#[test]
fn csv_knows_quotes_line_ends_and_the_byte_order_mark() {
    let text = "\u{feff}b, a ,c\r\n1,2,3\n\n\"x\ny\",\"he said \"\"no\"\"\",\r,,\r\n\"p\"q,é,\"\"";
    assert_eq!(
        csv(text.as_bytes(), 1 << 12),
        [
            row(1, 12, &[Some("2"), Some("1")]),
            row(2, 19, &[Some("he said \"no\""), Some("x\ny")]),
            row(3, 43, &[Some(""), Some("")]),
            row(4, 47, &[Some("é"), Some("pq")]),
        ]
    );
}

#[test]
fn a_ragged_csv_row_is_broken_and_its_neighbours_are_not() {
    assert_eq!(
        csv(b"a,b\n1,2\n3\n4,5,6\n7,8", 1 << 20),
        [
            row(1, 4, &[Some("1"), Some("2")]),
            broken(2, 8, "expected 2 fields, found 1", "3"),
            broken(3, 10, "expected 2 fields, found 3", "4,5,6"),
            row(4, 16, &[Some("7"), Some("8")]),
        ]
    );
}

#[test]
fn bytes_that_are_no_utf8_break_their_row_only() {
    assert_eq!(
        csv(b"a,b\n1,2\n\xff,\"x\"\"\"\n3,\"y\"\"\"\n4\xc3", 1 << 20),
        [
            row(1, 4, &[Some("1"), Some("2")]),
            broken(2, 8, "no UTF-8 at byte 1 of the record", "\u{fffd},\"x\"\"\""),
            row(3, 16, &[Some("3"), Some("y\"")]),
            broken(4, 24, "expected 2 fields, found 1", "4\u{fffd}"),
        ]
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_one_line() {
    assert_eq!(
        csv(b"a,b\n1,\"2\n3,4\n5,6\n", 1 << 20),
        [
            broken(1, 4, "a quote is never closed", "1,\"2"),
            row(2, 9, &[Some("3"), Some("4")]),
            row(3, 13, &[Some("5"), Some("6")]),
        ]
    );
}

#[test]
fn lines_are_those_of_an_editor_whatever_the_block() {
    let text = b"a,b\r\n1,\"x\ny\"\r\n\r\n2,z\r3,q\n4\n";
    for block in 1..text.len() + 2 {
        let decoder = CsvDecoder::new(&csv_format(), &Wanted::each(&names(&["a", "b"]))).unwrap();
        let decoder = TextDecoder::Csv(decoder);
        let stream = Box::new(Cursor::new(text.to_vec()));
        let mut reader = TextReader::new(stream, block, decoder, &names(&["a", "b"]));
        let mut found = Vec::new();
        while let Some(batch) = reader.next_batch().unwrap() {
            let of_rows = (0..batch.rows()).map(|row| (batch.record(row), batch.byte(row)));
            let of_broken = batch.broken().iter().map(|broken| (broken.record, broken.byte));
            let mut places: Vec<_> = of_rows.chain(of_broken).collect();
            places.sort_unstable();
            let mut lines = batch.lines();
            found.extend(places.iter().map(|(_, byte)| lines.at(byte.unwrap()).unwrap()));
        }
        assert_eq!(found, [2, 5, 6, 7], "blocks of {block} bytes");
    }
}

#[test]
fn csv_headers_are_judged_by_name() {
    let error = |text: &[u8]| csv_limited(text, 1 << 20, 1 << 20).unwrap_err();
    match error(b"aa,c,b\n") {
        ExtractErrorKind::LacksColumn { column, nearest } => {
            assert_eq!((column.as_str(), nearest.as_deref()), ("a", Some("aa")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(error(b"a,b,a\n1,2,3"), ExtractErrorKind::RepeatsColumn { .. }));
    assert!(matches!(error(b"a,\"b\n1,2"), ExtractErrorKind::BadHeader { .. }));
    assert!(matches!(error(b"a,b,\xff\n1,2"), ExtractErrorKind::BadHeader { .. }));
    assert_eq!(csv(b"a,x,b,x\n1,2,3,4", 1 << 20), [row(1, 8, &[Some("1"), Some("3")])]);
    assert_eq!(csv(b"a,b\n", 1 << 20), []);
    assert_eq!(csv(b"", 1 << 20), []);
    assert_eq!(csv(b"\xEF\xBB\xBF", 1 << 20), []);
}

#[test]
fn csv_without_header_uses_the_names_given() {
    let format = plan::CsvFormat {
        delimiter: plan::Delimiter::Byte(b';'),
        quote: b'\'',
        header: Some(names(&["b", "a"])),
        ..csv_format()
    };
    let decoder = CsvDecoder::new(&format, &Wanted::each(&names(&["a"]))).unwrap();
    let found = decode(b"1;'2;'\n", 1 << 20, TextDecoder::Csv(decoder), &["a"]).unwrap();
    assert_eq!(found, [row(1, 0, &[Some("2;")])]);
}

/// Decodes in blocks of every size, which must not matter.
fn csv_written(format: &plan::CsvFormat, text: &[u8]) -> Vec<Seen> {
    let fields = ["a", "b"];
    let in_blocks = |block| {
        let decoder = CsvDecoder::new(format, &Wanted::each(&names(&fields))).unwrap();
        decode(text, block, TextDecoder::Csv(decoder), &fields).unwrap()
    };
    let whole = in_blocks(1 << 12);
    for block in 1..text.len() {
        assert_eq!(in_blocks(block), whole, "{block}");
    }
    whole
}

#[test]
fn csv_comments_are_lines_outside_quotes() {
    let format = plan::CsvFormat { comment: Some(b'#'), ..csv_format() };
    let text = b"# of \"today\r\na,b\n#1,2\n3,#4\n\n##\n\"5\n#6\",7\n \n#";
    assert_eq!(
        csv_written(&format, text),
        [
            row(1, 22, &[Some("3"), Some("#4")]),
            row(2, 31, &[Some("5\n#6"), Some("7")]),
            broken(3, 40, "expected 2 fields, found 1", " "),
        ]
    );
    assert_eq!(csv(b"a,b\n#1,2\n", 1 << 12), [row(1, 4, &[Some("#1"), Some("2")])]);
}

#[test]
fn a_csv_escape_makes_quotes_text_and_is_text_elsewhere() {
    let format = plan::CsvFormat { escape: Some(b'\\'), ..csv_format() };
    let text = br#"a,b
"1\"2","3""4"
"C:\new\\",\"5
"6\",7"#;
    assert_eq!(
        csv_written(&format, text),
        [
            row(1, 4, &[Some("1\"2"), Some("3\"4")]),
            row(2, 18, &[Some("C:\\new\\"), Some("\\\"5")]),
            broken(3, 33, "a quote is never closed", "\"6\\\",7"),
        ]
    );
}

#[test]
fn ragged_csv_is_padded_where_declared_but_never_cut() {
    let format = plan::CsvFormat { ragged: plan::Ragged::Pad, ..csv_format() };
    assert_eq!(
        csv_written(&format, b"a,b\n1\n2,\n3,4,5\n6,7\n"),
        [
            row(1, 4, &[Some("1"), None]),
            row(2, 6, &[Some("2"), Some("")]),
            broken(3, 9, "expected 2 fields, found 3", "3,4,5"),
            row(4, 15, &[Some("6"), Some("7")]),
        ]
    );
}

fn blanks() -> plan::CsvFormat {
    plan::CsvFormat { delimiter: plan::Delimiter::Blanks, ..csv_format() }
}

#[test]
fn blanks_part_fields_as_many_as_there_are() {
    let text = b"   a\t b \r\n 1  2\r\n \t \r\n3 \t4  \n\n\"5  6\"  7\n8\n 9 10 11 \n12 13  ";
    assert_eq!(
        csv_written(&blanks(), text),
        [
            row(1, 11, &[Some("1"), Some("2")]),
            row(2, 22, &[Some("3"), Some("4")]),
            row(3, 30, &[Some("5  6"), Some("7")]),
            broken(4, 40, "expected 2 fields, found 1", "8"),
            broken(5, 43, "expected 2 fields, found 3", "9 10 11 "),
            row(6, 52, &[Some("12"), Some("13")]),
        ]
    );
    let commented = plan::CsvFormat { comment: Some(b'#'), ..blanks() };
    assert_eq!(
        csv_written(&commented, b"a b\n  # 1 2\n3 #4\n"),
        [row(1, 12, &[Some("3"), Some("#4")])]
    );
}

#[test]
fn csv_with_too_many_columns_is_refused() {
    let header: Vec<String> = (0..4095).map(|number| number.to_string()).collect();
    let text = format!("a,b,{}", header.join(","));
    let error = csv_limited(text.as_bytes(), 1 << 12, 1 << 20).unwrap_err();
    assert!(error.to_string().contains("more than 4096 columns"), "{error}");
    let most = text.rsplit_once(',').unwrap().0;
    assert_eq!(csv(most.as_bytes(), 1 << 12), []);
}

fn json_array_limited(text: &[u8], block: usize, limit: usize) -> Result<Vec<Seen>, String> {
    let fields = ["a", "d.b"];
    let decoder = JsonArrayDecoder::new(&names(&fields)).with_max_record(limit);
    decode(text, block, TextDecoder::JsonArray(decoder), &fields).map_err(|kind| kind.to_string())
}

/// Decodes in blocks of every size, which must not matter.
fn json_array(text: &[u8], limit: usize) -> Result<Vec<Seen>, String> {
    let whole = json_array_limited(text, 1 << 12, limit);
    for block in 1..text.len() {
        assert_eq!(json_array_limited(text, block, limit), whole, "{block}");
    }
    whole
}

#[test]
fn elements_of_a_json_array_are_records() {
    let text = b"\xEF\xBB\xBF [\n{\"a\": \"x\\\",]\\\\\", \"d\": {\"b\": [1, 2]}},\r\n{\"a\":1},3,, {\"a\":1} {}, {\"a\":null}\n]\n";
    assert_eq!(
        json_array(text, 100).unwrap(),
        [
            row(1, 6, &[Some("x\",]\\"), Some("[1, 2]")]),
            row(2, 45, &[Some("1"), None]),
            broken(3, 53, "expected an object at byte 1, found `3`", "3"),
            broken(4, 55, "expected an object at byte 1, found the end of the element", ""),
            broken(5, 57, "expected nothing more at byte 9, found `{`", "{\"a\":1} {}"),
            row(6, 69, &[None, None]),
        ]
    );
    for empty in ["[]", " [ ] ", ""] {
        assert_eq!(json_array(empty.as_bytes(), 100).unwrap(), [], "{empty}");
    }
    assert_eq!(
        json_array(b"{\"a\":1}", 100).unwrap_err(),
        "the object is no JSON array: it begins with `{`"
    );
}

#[test]
fn the_rest_of_a_json_array_that_does_not_end_is_one_broken_record() {
    for (text, byte, reason, raw) in [
        ("[{\"a\":1}", 1, "the element is never closed", "{\"a\":1}"),
        ("[{\"a\":1},", 9, "the array is never closed", ""),
        ("[{\"a\":1}, ", 10, "the array is never closed", ""),
        ("[", 1, "the array is never closed", ""),
        ("[{\"a\":[1}, {}]", 1, "the element is never closed", "{\"a\":[1}, {}]"),
        ("[{\"a\":\"1}]\n", 1, "the element is never closed", "{\"a\":\"1}]"),
        ("[{\"a\":1}] []", 10, "expected nothing more behind the array", "[]"),
        ("[{\"a\":1},]", 9, "expected an object at byte 1, found the end of the element", ""),
    ] {
        let found = json_array(text.as_bytes(), 100).unwrap();
        let whole = row(1, 1, &[Some("1"), None]);
        let rest = broken(if byte > 1 && text.len() > 1 { 2 } else { 1 }, byte, reason, raw);
        let expected = if rest.0 == 2 { vec![whole, rest] } else { vec![rest] };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_long_json_element_is_broken_and_the_next_is_not() {
    let text = br#"[{"a":"\"]\\34567"},{"a":1},{"a":[[1,2,3,4]]}]"#;
    let reason = "the record is longer than 10 bytes";
    assert_eq!(
        json_array(text, 10).unwrap(),
        [
            broken(1, 1, reason, r#"{"a":"\"]\"#),
            row(2, 20, &[Some("1"), None]),
            broken(3, 28, reason, r#"{"a":[[1,2"#),
        ]
    );
    let behind = json_array(b"[]          123456789012", 10).unwrap();
    assert_eq!(behind, [broken(1, 12, "expected nothing more behind the array", "1234567890")]);
}

#[test]
fn a_record_beyond_the_limit_is_broken_whatever_the_block() {
    let text = b"a,b\n1,22222222222222\n3,4\n5,\"66\n77\n\"\n8,9\n";
    let expected = [
        broken(1, 4, "the record is longer than 8 bytes", "1,222222"),
        row(2, 21, &[Some("3"), Some("4")]),
        broken(3, 25, "a quote is not closed within 8 bytes", "5,\"66"),
        broken(4, 31, "expected 2 fields, found 1", "77"),
        broken(5, 34, "a quote is never closed", "\""),
        row(6, 36, &[Some("8"), Some("9")]),
    ];
    for block in 1..50 {
        assert_eq!(csv_limited(text, block, 8).unwrap(), expected, "{block}");
    }
}

#[test]
fn json_values_keep_their_text() {
    let line = br#" {"n": 19.90, "s":"a\n\u00e9\ud83d\ude00\"", "t":true, "z":null, "o":{"p":[1, "]"]}, "e":1e400} "#;
    let fields = ["n", "s", "t", "z", "o", "e", "absent"];
    let expected = [
        Some("19.90"),
        Some("a\né😀\""),
        Some("true"),
        None,
        Some(r#"{"p":[1, "]"]}"#),
        Some("1e400"),
        None,
    ];
    assert_eq!(json(line, &fields), [row(1, 0, &expected)]);
}

#[test]
fn json_paths_lead_into_objects_and_the_last_of_equal_keys_counts() {
    let text = br#"{"device":{"id":"x","os":{"name":"y"}},"id":1}
{"id":2,"device":null}

{"id":3,"device":"x"}
{"id":4,"device":{"id":5},"device":{"os":{"name":6}},"id":7}
{"\u0069d":8}
"#;
    let fields = ["id", "device.id", "device.os.name", "device"];
    let found: Vec<_> =
        json(text, &fields).into_iter().map(|(_, _, fields)| fields.unwrap()).collect();
    let expected: [[Option<&str>; 4]; 5] = [
        [Some("1"), Some("x"), Some("y"), Some(r#"{"id":"x","os":{"name":"y"}}"#)],
        [Some("2"), None, None, None],
        [Some("3"), None, None, Some("x")],
        [Some("7"), None, Some("6"), Some(r#"{"os":{"name":6}}"#)],
        [Some("8"), None, None, None],
    ];
    let expected = expected.map(|row| row.map(|field| field.map(str::to_owned)).to_vec());
    assert_eq!(found, expected);
}

#[test]
fn lines_that_are_no_single_object_are_broken() {
    for (line, reason) in [
        ("[1]", "expected an object at byte 1, found `[`"),
        ("1", "expected an object at byte 1, found `1`"),
        (r#"{"a":1}{"a":2}"#, "expected nothing more at byte 8, found `{`"),
        (r#"{"a":1} x"#, "expected nothing more at byte 9, found `x`"),
        (r#"{"a":1,}"#, "expected a key in quotes at byte 8, found `}`"),
        (r#"{"a":1 "b":2}"#, "expected `,` or `}` at byte 8, found `\"`"),
        (r#"{"a":01}"#, "expected `,` or `}` at byte 7, found `1`"),
        (r#"{"a":1."#, "expected a digit at byte 8, found the end of the line"),
        (r#"{"a":NaN}"#, "expected a value at byte 6, found `N`"),
        (r#"{"a":"x"#, "expected `\"` at byte 8, found the end of the line"),
        (r#"{"a":"\x"}"#, "expected an escape at byte 8, found `x`"),
        (r#"{"a":"\u12"}"#, "expected four hexadecimal digits at byte 8, found `u`"),
        (r#"{"a":"\ud800"}"#, "expected a pair of surrogates at byte 8, found `u`"),
        (r#"{"b":[1,{"c":}]}"#, "expected a value at byte 14, found `}`"),
        ("{'a':1}", "expected a key in quotes at byte 2, found `'`"),
    ] {
        assert_eq!(json(line.as_bytes(), &["a"]), [broken(1, 0, reason, line)], "{line}");
    }
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let found = json(deep.as_bytes(), &["a"]);
    assert!(matches!(&found[0].2, Err((reason, _)) if reason.contains("64 levels")), "{found:?}");
}

#[test]
fn a_long_line_is_broken_and_the_next_is_not() {
    let text = b"{\"a\":\"123456789\"}\n{\"a\":1}\n{\"a\":\"123456789\"}";
    let reason = "the record is longer than 10 bytes";
    for block in 1..50 {
        assert_eq!(
            json_limited(text, block, &["a"], 10),
            [
                broken(1, 0, reason, "{\"a\":\"1234"),
                row(2, 18, &[Some("1")]),
                broken(3, 26, reason, "{\"a\":\"1234"),
            ],
            "{block}"
        );
    }
}

fn csv_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "\"", "\"\"", ",", "\n", "\r\n", "\r", "é", "中文", " ", "x,y\n", "\"q\",", "1,2\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| format!("a,b\n{}", pieces.concat()))
}

fn json_text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "\\{\"a\":[0-9]{1,3},\"b\":\"[a-z中é]{0,5}\"\\}",
        1 => "\\{\"b\":\"\\\\\\\\u00e[0-9]x\"\\}",
        1 => "[\\[\\]{}\",:a1\\\\]{0,12}",
        1 => " {0,3}",
    ];
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    prop::collection::vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn csv_rows_do_not_depend_on_blocks(text in csv_text()) {
        let whole = csv(text.as_bytes(), 1 << 12);
        for block in [1, 2, 3, 5, 7, 16] {
            prop_assert_eq!(&csv(text.as_bytes(), block), &whole);
        }
    }

    #[test]
    fn csv_rows_are_those_of_the_csv_crate(text in csv_text()) {
        let found = csv(text.as_bytes(), 1 << 12);
        let unclosed = |seen: &Seen| matches!(&seen.2, Err((reason, _)) if reason.contains("closed"));
        prop_assume!(!found.iter().any(unclosed));
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(found.len(), records.len());
        for ((_, _, fields), record) in found.iter().zip(&records) {
            if let Ok(fields) = fields {
                let fields: Vec<&str> = fields.iter().flatten().map(String::as_str).collect();
                prop_assert_eq!(fields, record.iter().collect::<Vec<_>>());
            } else {
                prop_assert_ne!(record.len(), 2);
            }
        }
    }

    #[test]
    fn json_rows_do_not_depend_on_blocks(text in json_text()) {
        let fields = ["a", "b"];
        let whole = json(text.as_bytes(), &fields);
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        prop_assert_eq!(whole.len(), lines);
        for block in [1, 2, 3, 5, 7, 16] {
            prop_assert_eq!(&json_limited(text.as_bytes(), block, &fields, 1 << 20), &whole);
        }
    }

    #[test]
    fn json_is_accepted_and_read_as_serde_json_does(line in "[\\[\\]{}\",:a1.eE+\\-\\\\ntu]{0,16}") {
        for line in [line.clone(), format!("{{\"a\":{line}}}"), format!("{{{line}:1,\"a\":\"{line}\"}}")] {
            let expected: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&line);
            let found = json(line.as_bytes(), &["a"]);
            match (expected, found.as_slice()) {
                (Ok(object), [(_, _, Ok(fields))]) => {
                    match object.get("a") {
                        Some(serde_json::Value::String(text)) => prop_assert_eq!(fields[0].as_ref(), Some(text)),
                        None | Some(serde_json::Value::Null) => prop_assert_eq!(&fields[0], &None),
                        Some(_) => prop_assert!(fields[0].is_some()),
                    }
                }
                (Err(_), [] | [(_, _, Err(_))]) => {}
                // Numbers beyond what serde_json can hold are still texts here.
                (Err(error), _) if error.to_string().contains("out of range") => {}
                (expected, found) => prop_assert!(false, "{line}: {expected:?} {found:?}"),
            }
        }
    }

    #[test]
    fn no_bytes_make_decoders_panic_or_lose_a_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let lines = bytes.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace)).count();
        let begins_with_mark = bytes.starts_with(b"\xEF\xBB\xBF");
        if !begins_with_mark {
            prop_assert_eq!(json_limited(&bytes, 3, &["a"], 1 << 20).len(), lines);
        }
        let _ = csv(&[b"a,b\n", bytes.as_slice()].concat(), 3);
    }
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn stored(path: &str, bytes: Vec<u8>) -> Context {
    let store = InMemory::new();
    let location = Path::from(format!("raw/{path}"));
    store.put(&location, bytes.into()).await.unwrap();
    context(Arc::new(store))
}

/// Takes in what the source finds; fields of all objects, one after the other.
async fn taken_in(ctx: &Context, source: plan::Source) -> Result<Vec<Seen>, super::ExtractError> {
    let width = source.raw_fields().len();
    let extracted = extract(ctx, Arc::new(source)).await.unwrap();
    let ctx = ctx.clone();
    let runtime = tokio::runtime::Handle::current();
    let read = move || {
        let mut batches = Vec::new();
        for object in &extracted.objects {
            for batch in extracted.open(&ctx, &runtime, object)? {
                batches.push(batch?);
            }
        }
        Ok(seen(&batches, width))
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test]
async fn objects_before_as_of_are_listed_in_the_order_of_their_paths() {
    let store = InMemory::new();
    for path in [
        "raw/web/dt=2026-01-31/b.csv",
        "raw/web/dt=2026-01-31/a.csv",
        "raw/web/dt=2026-01-30/c.csv",
        "raw/web/dt=2026-02-01/a.csv",
        "raw/web/dt=2026-01-31/a.txt",
        "raw/website/dt=2026-01-31/a.csv",
        "other/web/dt=2026-01-31/a.csv",
    ] {
        store.put(&Path::from(path), "x".into()).await.unwrap();
    }
    let ctx = context(Arc::new(store));
    let format = plan::Format::Csv(csv_format());
    let found = extract(&ctx, Arc::new(source("web/dt={date}/*.csv", format.clone(), &["a"])));
    let objects = found.await.unwrap().objects;
    let paths: Vec<&str> = objects.iter().map(|object| &*object.path).collect();
    assert_eq!(
        paths,
        ["web/dt=2026-01-30/c.csv", "web/dt=2026-01-31/a.csv", "web/dt=2026-01-31/b.csv"]
    );
    assert_eq!(objects[0].location, Path::from("raw/web/dt=2026-01-30/c.csv"));
    assert_eq!(objects[0].date, NaiveDate::from_ymd_opt(2026, 1, 30));
    assert!(objects[0].etag.is_some());
    let none = extract(&ctx, Arc::new(source("nowhere/*.csv", format, &["a"])));
    assert!(none.await.unwrap().objects.is_empty());
}

#[tokio::test]
async fn a_local_folder_that_is_missing_holds_no_objects() {
    let folder = tempfile::tempdir().unwrap();
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let ctx = context(Arc::new(store));
    let source = source("nowhere/*.csv", plan::Format::Csv(csv_format()), &["a"]);
    assert!(extract(&ctx, Arc::new(source)).await.unwrap().objects.is_empty());
}

#[tokio::test]
async fn every_compression_gives_the_same_rows() {
    let text = b"a,b\n1,2\n3,4\n";
    let (head, tail) = text.split_at(7);
    let expected = [row(1, 4, &[Some("1"), Some("2")]), row(2, 8, &[Some("3"), Some("4")])];
    for (path, bytes) in [
        ("x.csv", text.to_vec()),
        ("x.csv.gz", gzip(text)),
        ("members.csv.gz", [gzip(head), gzip(tail)].concat()),
        ("x.csv.bz2", bzip2(text)),
        ("streams.csv.bz2", [bzip2(head), bzip2(tail)].concat()),
        ("x.csv.zst", zstd::encode_all(&text[..], 1).unwrap()),
        (
            "frames.csv.zst",
            [zstd::encode_all(head, 1).unwrap(), zstd::encode_all(tail, 1).unwrap()].concat(),
        ),
    ] {
        let ctx = stored(path, bytes).await;
        let source = source("*", plan::Format::Csv(csv_format()), &["a", "b"]);
        assert_eq!(taken_in(&ctx, source).await.unwrap(), expected, "{path}");
    }
}

#[tokio::test]
async fn texts_of_other_charsets_are_read_and_broken_bytes_break_their_record() {
    let ctx = stored("x.csv", b"a,b\n\xd6\xd0,1\n\xff,2\n\"\xce\xc4\"\"\",3\n".to_vec()).await;
    let format = plan::Format::Csv(csv_format());
    let source = plan::Source { encoding: encoding_rs::GBK, ..source("*", format, &["a", "b"]) };
    assert_eq!(
        taken_in(&ctx, source).await.unwrap(),
        [
            row(1, 4, &[Some("中"), Some("1")]),
            broken(2, 10, "no GBK at byte 1 of the record", "\u{fffd},2"),
            row(3, 14, &[Some("文\""), Some("3")]),
        ]
    );
}

#[tokio::test]
async fn an_object_without_bytes_has_no_records() {
    for (path, format) in [
        ("x.csv", plan::Format::Csv(csv_format())),
        ("x.csv.gz", plan::Format::Csv(csv_format())),
        ("x.ndjson.zst", plan::Format::Ndjson),
        ("x.json", plan::Format::Json),
        ("x.parquet", plan::Format::Parquet),
    ] {
        let ctx = stored(path, Vec::new()).await;
        let found = taken_in(&ctx, source("*", format, &["a"])).await;
        assert_eq!(found.unwrap(), [], "{path}");
    }
}

#[tokio::test]
async fn an_object_that_is_cut_off_or_spoilt_is_an_error_that_names_it() {
    let text = "{\"a\":1}\n".repeat(1000);
    let gzip = gzip(text.as_bytes());
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let bzip2 = bzip2(text.as_bytes());
    let garbage = [gzip.as_slice(), b"garbage after the last member"].concat();
    for (path, bytes, cut_off) in [
        ("half.gz", gzip[..gzip.len() / 2].to_vec(), true),
        ("no-checksum.gz", gzip[..gzip.len() - 4].to_vec(), true),
        ("half.zst", zstd[..zstd.len() - 3].to_vec(), true),
        ("half.bz2", bzip2[..bzip2.len() / 2].to_vec(), true),
        ("plain.bz2", text.clone().into_bytes(), false),
        ("garbage.bz2", [bzip2.as_slice(), b"garbage"].concat(), false),
        ("plain.gz", text.clone().into_bytes(), false),
        ("garbage.gz", garbage, false),
    ] {
        let ctx = stored(path, bytes).await;
        let error = taken_in(&ctx, source("*", plan::Format::Ndjson, &["a"])).await.unwrap_err();
        assert_eq!(error.object.as_deref(), Some(path));
        let as_expected = match error.kind {
            ExtractErrorKind::CutOff => cut_off,
            ExtractErrorKind::Decompress(_) => !cut_off,
            _ => false,
        };
        assert!(as_expected, "{path}: {:?}", error.kind);
    }
}

#[tokio::test]
async fn an_object_that_changes_while_it_is_read_is_an_error() {
    let ctx = stored("x.ndjson", b"{\"a\":1}".to_vec()).await;
    let source = Arc::new(source("*", plan::Format::Ndjson, &["a"]));
    let extracted = extract(&ctx, source).await.unwrap();
    let object = Arc::clone(&extracted.objects[0]);
    ctx.raw.store.put(&object.location, "{\"a\":2}".into()).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let read = move || {
        let opened = extracted.open(&ctx, &runtime, &object);
        opened.and_then(|mut reader| reader.next().unwrap()).unwrap_err()
    };
    let error = tokio::task::spawn_blocking(read).await.unwrap();
    assert!(matches!(error.kind, ExtractErrorKind::Changed), "{error:?}");
}

#[tokio::test]
async fn ranges_of_any_size_are_put_together_again() {
    let text: Vec<u8> = (0..1000u32).flat_map(u32::to_le_bytes).collect();
    let ctx = stored("x", text.clone()).await;
    let object = Arc::new(SourceObject {
        location: Path::from("raw/x"),
        path: "x".into(),
        etag: None,
        size: text.len() as u64,
        date: None,
    });
    for range in [1, 7, 1000, 4000, 1 << 20] {
        let store = Arc::clone(&ctx.raw.store);
        let runtime = tokio::runtime::Handle::current();
        let mut reader = RangeReader::new(store, Arc::clone(&object), runtime).with_range(range);
        let read = move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes)
        };
        let bytes = tokio::task::spawn_blocking(read).await.unwrap();
        assert_eq!(bytes.unwrap(), text, "{range}");
    }
}

fn parquet_file() -> Vec<u8> {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
    let field = Arc::new(Field::new("id", DataType::Utf8, true));
    let device = StructArray::new(
        vec![field].into(),
        vec![Arc::new(StringArray::from(vec![Some("x"), Some("y")]))],
        Some(vec![true, false].into()),
    );
    let price = Decimal128Array::from(vec![1990, -5]).with_precision_and_scale(9, 2).unwrap();
    let at = TimestampMicrosecondArray::from(vec![1_769_818_500_250_000, 0]);
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("id", ids, true),
        ("device", Arc::new(device) as ArrayRef, true),
        ("price", Arc::new(price) as ArrayRef, false),
        ("at", Arc::new(at.clone()) as ArrayRef, false),
        ("at_utc", Arc::new(at.with_timezone("UTC")) as ArrayRef, false),
    ])
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test]
async fn parquet_columns_become_text() {
    let ctx = stored("x.parquet", parquet_file()).await;
    let fields = ["price", "device.id", "id", "at", "at_utc"];
    let found = taken_in(&ctx, source("*", plan::Format::Parquet, &fields)).await.unwrap();
    let text = |fields: [Option<&str>; 5]| fields.map(|field| field.map(str::to_owned)).to_vec();
    assert_eq!(
        found,
        [
            (
                1,
                None,
                Ok(text([
                    Some("19.90"),
                    Some("x"),
                    Some("7"),
                    Some("2026-01-31T00:15:00.250"),
                    Some("2026-01-31T00:15:00.250Z"),
                ]))
            ),
            (
                2,
                None,
                Ok(text([
                    Some("-0.05"),
                    None,
                    None,
                    Some("1970-01-01T00:00:00"),
                    Some("1970-01-01T00:00:00Z"),
                ]))
            ),
        ]
    );
}

#[tokio::test]
async fn parquet_that_lacks_a_column_or_is_none_is_an_error() {
    let ctx = stored("x.parquet", parquet_file()).await;
    let error = taken_in(&ctx, source("*", plan::Format::Parquet, &["prize"])).await.unwrap_err();
    assert!(
        matches!(&error.kind, ExtractErrorKind::LacksColumn { nearest: Some(nearest), .. } if nearest == "price"),
        "{error:?}"
    );
    let bytes = parquet_file();
    let ctx = stored("x.parquet", bytes[..bytes.len() / 2].to_vec()).await;
    let error = taken_in(&ctx, source("*", plan::Format::Parquet, &["price"])).await.unwrap_err();
    assert!(matches!(error.kind, ExtractErrorKind::CutOff), "{error:?}");
    let mut bytes = bytes;
    let end = bytes.len() - 20;
    bytes[end..].iter_mut().take(12).for_each(|byte| *byte ^= 0xFF);
    let ctx = stored("x.parquet", bytes).await;
    let error = taken_in(&ctx, source("*", plan::Format::Parquet, &["price"])).await.unwrap_err();
    assert!(matches!(error.kind, ExtractErrorKind::Parquet(_)), "{error:?}");
}

/// Notes how much of a stream is asked for at a time.
struct Watched<R> {
    stream: R,
    most: Arc<AtomicUsize>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        self.most.fetch_max(target.len(), Ordering::Relaxed);
        self.stream.read(target)
    }
}

#[test]
fn a_line_of_100_mb_is_one_broken_record_and_never_in_memory() {
    let wanted = names(&["a", "b"]);
    let csv = CsvDecoder::new(&csv_format(), &Wanted::each(&wanted)).unwrap();
    for (decoder, head, tail) in [
        (TextDecoder::Csv(csv), "a,b\n1,2\n", "\n3,4\n"),
        (
            TextDecoder::Ndjson(NdjsonDecoder::new(&wanted)),
            "{\"a\":1,\"b\":2}\n{\"a\":\"",
            "\"}\n{\"a\":3,\"b\":4}\n",
        ),
        (
            TextDecoder::JsonArray(JsonArrayDecoder::new(&wanted)),
            "[{\"a\":1,\"b\":2},{\"a\":\"",
            "\"},{\"a\":3,\"b\":4}]",
        ),
    ] {
        let most = Arc::new(AtomicUsize::new(0));
        let line = std::io::repeat(b'x').take(100_000_000);
        let stream = Cursor::new(head).chain(line).chain(Cursor::new(tail));
        let stream = Box::new(Watched { stream, most: Arc::clone(&most) });
        let mut reader = TextReader::new(stream, 1 << 20, decoder, &wanted);
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().unwrap() {
            batches.push(batch);
        }
        let found = seen(&batches, 2);
        let [(1, _, Ok(first)), (2, _, Err((reason, raw))), (3, _, Ok(last))] = &found[..] else {
            panic!("{} records", found.len());
        };
        assert_eq!((first[0].as_deref(), last[0].as_deref()), (Some("1"), Some("3")));
        assert_eq!(reason, "the record is longer than 16777216 bytes");
        assert!(raw.len() < 70_000, "{}", raw.len());
        // A window is doubled until it holds more than a record may have.
        assert!(most.load(Ordering::Relaxed) <= 32 << 20, "{most:?}");
    }
}

/// What texts of records are made of.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\\",
    b"\\u00e9",
    b"\\ud83d",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"true",
    b"-1e9",
    b"\"a\":",
    b"\xEF\xBB\xBF",
    b"\xff",
    "中".as_bytes(),
    b"\0",
    b" ",
    b"aaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Decodes in blocks of several sizes, which must not matter; records are numbered without a gap.
fn hold_blocks(bytes: &[u8], decode: impl Fn(&[u8], usize) -> Result<Vec<Seen>, String>) {
    let whole = decode(bytes, 1 << 15);
    for block in [1, 7, 64] {
        assert_eq!(decode(bytes, block), whole, "blocks of {block} bytes");
    }
    for (number, (record, ..)) in (1..).zip(whole.iter().flatten()) {
        assert_eq!(*record, number);
    }
}

#[test]
fn fuzzed_csv_gives_the_same_records_in_every_block() {
    let seeds: [&[u8]; 4] = [
        b"a,b\n1,2\n3,4\n",
        b"\xEF\xBB\xBFa,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n3,\n",
        b"c,b,a\n1,2\n1,2,3\n\"never closed,1\n2,3,4\n",
        b"a,b\r1,2\r",
    ];
    let decode =
        |bytes: &[u8], block| csv_limited(bytes, block, 40).map_err(|kind| kind.to_string());
    crate::fuzz::feed(&seeds, WORDS, 1, |bytes| hold_blocks(bytes, decode));
}

#[test]
fn fuzzed_columns_of_text_give_the_same_records_in_every_block() {
    let seeds: [&[u8]; 3] = [
        b" a  b \n 1   2 \n\t3\t4\n",
        b"a b\r\n\"1  x\"  2\r\n   \r\n3\r\n",
        b"c b a\n1 2\n1 2 3 \n\"never closed 1\n2 3 4\n",
    ];
    let decode = |bytes: &[u8], block| {
        let fields = ["a", "b"];
        let decoder = CsvDecoder::new(&blanks(), &Wanted::each(&names(&fields)));
        let decoder =
            TextDecoder::Csv(decoder.map_err(|kind| kind.to_string())?.with_max_record(40));
        decode(bytes, block, decoder, &fields).map_err(|kind| kind.to_string())
    };
    crate::fuzz::feed(&seeds, WORDS, 1, |bytes| hold_blocks(bytes, decode));
}

#[test]
fn fuzzed_ndjson_gives_the_same_records_in_every_block() {
    let seeds: [&[u8]; 3] = [
        b"{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n",
        b"{\"d\":{\"b\":[1,{\"c\":null}]},\"a\":-1.5e3}\r\n\r\nbroken\n{\"a\":\"\\ud83d\\ude00\\n\"}",
        b"{\"e\":[[[[]]]],\"a\":true} x\n{}\n",
    ];
    let decode = |bytes: &[u8], block| Ok(json_limited(bytes, block, &["a", "d.b", "d"], 60));
    crate::fuzz::feed(&seeds, WORDS, 1, |bytes| hold_blocks(bytes, decode));
}

#[test]
fn fuzzed_json_arrays_give_the_same_records_in_every_block() {
    let seeds: [&[u8]; 3] = [
        b"[{\"a\":1},{\"d\":{\"b\":\"x\"}}]",
        b" [ {\"a\":\"],[\\\"\"} , 3, null ,{\"a\":[1,[2]]} ] ",
        b"[{\"a\":1},{\"a\":2",
    ];
    let decode = |bytes: &[u8], block| json_array_limited(bytes, block, 60);
    crate::fuzz::feed(&seeds, WORDS, 1, |bytes| hold_blocks(bytes, decode));
}
