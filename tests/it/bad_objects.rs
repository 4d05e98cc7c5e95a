//! A night of nothing but bad and odd objects: each is accounted for, record by record, and none stops the others.
//!
//! `tests/bad_input/objects.txt` tells of every object how many of its records are kept and why the others are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::ArrowWriter;

use crate::harness::{Project, expect_file, repository};
use crate::workbook::{row, workbook};

/// Sources by name, and how their objects are written.
const SOURCES: [(&str, &str); 8] = [
    ("csv", "format: csv"),
    ("packed", "format: csv"),
    ("gbk", "format: csv, encoding: gbk"),
    ("utf16", "format: csv, encoding: utf-16le"),
    ("ndjson", "format: ndjson"),
    ("json", "format: json"),
    ("parquet", "format: parquet"),
    ("xlsx", "format: xlsx"),
];
const COLUMNS: &str = "      id: { type: integer, required: true }
      name: { type: string }
      at: { type: timestamp, formats: [rfc3339, \"%Y-%m-%d\"] }
      amount: { type: \"decimal(18,2)\" }
      share: { type: double }
";
const HEAD: &str = "id,name,at,amount,share\n";
const ROW: &str = "1,x,2026-01-01,1.50,0.5\n";

/// Objects by their names.
type Objects = Vec<(&'static str, Vec<u8>)>;

/// Returns a header and these rows.
fn rows(rows: &[&[u8]]) -> Vec<u8> {
    [HEAD.as_bytes(), &rows.concat()].concat()
}

/// Returns a header, a row that is right, these rows, and another that is right.
fn between(bad: &[u8]) -> Vec<u8> {
    rows(&[ROW.as_bytes(), bad, b"\n9,y,2026-01-02,2,1\n"])
}

fn without_end(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - length);
    bytes
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

fn flipped(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
    bytes[place] ^= 0x10;
    bytes
}

/// Lines between two that are right.
const LINES: [(&str, &[u8]); 52] = [
    ("mark_in_the_middle", b"\xEF\xBB\xBF2,z,,,"),
    ("header_repeated", b"id,name,at,amount,share"),
    ("nul_in_a_text", b"2,z\0z,,,"),
    ("nul_in_a_number", b"2\0,z,,,"),
    ("not_utf_8", b"2,\xff\xfe,,,"),
    ("latin_1", b"2,Andr\xe9,,,"),
    ("gbk_undeclared", b"2,\xd6\xd0\xb9\xfa,,,"),
    ("utf_8_overlong", b"2,\xc0\xaf,,,"),
    ("utf_8_surrogate", b"2,\xed\xa0\x80,,,"),
    ("utf_8_beyond_unicode", b"2,\xf4\x90\x80\x80,,,"),
    ("control_characters", b"2,\x01\x02\x08\x1b[31m\x7f,,,"),
    ("too_few_fields", b"2,z"),
    ("too_many_fields", b"2,z,,,,,"),
    ("a_delimiter_too_many", b"2,z,,,,"),
    ("only_delimiters", b",,,,"),
    ("a_line_of_blanks", b"   "),
    ("a_comment_nobody_declared", b"# export of 2026-01-01"),
    ("quoted_line_end", b"2,\"z\nz\",,,"),
    ("quoted_cr_lf", b"2,\"z\r\nz\",,,"),
    ("quoted_delimiters_and_quotes", b"2,\"z, \"\"z\"\"\",,,"),
    ("a_quote_never_closed_in_the_middle", b"2,\"z,,,"),
    ("a_quote_within_a_text", b"2,5\" disk,,,"),
    ("text_behind_a_quote", b"2,\"z\"z,,,"),
    ("single_quotes", b"2,'z,z',,,"),
    ("a_formula", b"2,=cmd|'/C calc'!A0,,,"),
    ("right_to_left_override", b"2,\xe2\x80\xaegpj.exe,,,"),
    ("no_id", b",z,,,"),
    ("a_word_for_a_number", b"two,z,,,"),
    ("a_fraction_for_a_whole_number", b"2.5,z,,,"),
    ("a_number_beyond_64_bits", b"9223372036854775808,z,,,"),
    ("a_number_of_1000_digits", &[b'9'; 1000]),
    ("full_width_digits", b"\xef\xbc\x92,z,,,"),
    ("thousands_nobody_declared", b"2,z,,\"1,234.50\","),
    ("decimal_comma", b"2,z,,\"1,5\","),
    ("a_third_decimal", b"2,z,,1.005,"),
    ("a_decimal_too_large", b"2,z,,10000000000000000000,"),
    ("a_decimal_with_an_exponent", b"2,z,,1e400,"),
    ("two_signs", b"2,z,,--1,"),
    ("not_a_number", b"2,z,,,NaN"),
    ("infinity", b"2,z,,,-inf"),
    ("1e400", b"2,z,,,1e400"),
    ("1e-400", b"2,z,,,1e-400"),
    ("hexadecimal", b"2,z,,,0x10"),
    ("year_0", b"2,z,0000-01-01,,"),
    ("year_9999", b"2,z,9999-12-31,,"),
    ("year_10000", b"2,z,10000-01-01,,"),
    ("leap_second", b"2,z,2016-12-31T23:59:60Z,,"),
    ("a_29th_of_february_that_is_none", b"2,z,2026-02-29,,"),
    ("24_o_clock", b"2,z,2026-01-01T24:00:00Z,,"),
    ("an_offset_of_25_hours", b"2,z,2026-01-01T00:00:00+25:00,,"),
    ("day_and_month_swapped", b"2,z,31/01/2026,,"),
    ("seconds_since_1970", b"2,z,1767225600,,"),
];

fn csv() -> Objects {
    let columns: Vec<String> = (0..5000).map(|number| format!(",c{number}")).collect();
    let columns = columns.concat();
    let mut objects: Objects = vec![
        ("empty", Vec::new()),
        ("line_ends_only", b"\n\r\n\n\r".to_vec()),
        ("header_only", HEAD.into()),
        ("header_without_its_line_end", HEAD.trim_end().into()),
        ("mark", [b"\xEF\xBB\xBF".as_slice(), &rows(&[ROW.as_bytes()])].concat()),
        ("mark_only", b"\xEF\xBB\xBF".to_vec()),
        ("mark_twice", [b"\xEF\xBB\xBF\xEF\xBB\xBF".as_slice(), &rows(&[])].concat()),
        ("cr_lf", between(b"2,z,,,").replace("\n", "\r\n")),
        ("cr_alone", between(b"2,z,,,").replace("\n", "\r")),
        (
            "line_ends_mixed",
            b"id,name,at,amount,share\r1,x,,,\r\n2,y,,,\n\r\n3,z,,,\r\r4,w,,,".to_vec(),
        ),
        ("blank_lines", between(b"\n\n\r\n")),
        ("utf_16_with_its_mark", utf16(&format!("\u{feff}{HEAD}{ROW}"))),
        ("utf_16_without_its_mark", utf16(&format!("{HEAD}{ROW}"))),
        ("header_not_utf_8", b"id,name,at,amount,share,\xe9t\xe9\n1,x,,,,\n".to_vec()),
        ("header_twice_the_same", b"id,name,at,amount,share,id\n1,x,,,,2\n".to_vec()),
        ("header_twice_the_same_unwanted", b"id,z,name,at,amount,share,z\n1,,x,,,,2\n".to_vec()),
        ("header_lacks_a_column", b"id,name,at,amount\n1,x,,\n".to_vec()),
        ("header_in_another_case", b"ID,Name,At,Amount,Share\n1,x,,,\n".to_vec()),
        ("header_never_closed", b"id,\"name,at,amount,share\n1,x,,,\n".to_vec()),
        ("header_of_5000_columns", format!("id,name,at,amount,share{columns}\n").into()),
        ("semicolons", rows(&[ROW.as_bytes()]).replace(",", ";")),
        ("tabs", rows(&[ROW.as_bytes()]).replace(",", "\t")),
        ("a_page_of_html", b"<html><body>503 Service Unavailable</body></html>\n".to_vec()),
        (
            "an_error_in_xml",
            b"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code></Error>\n".to_vec(),
        ),
        ("json_instead", b"{\"id\": 1}\n".to_vec()),
        ("gzip_without_its_ending", gzip(&rows(&[ROW.as_bytes()]))),
        ("a_workbook_instead", workbook(&[("S", &row(1, &["id"]))], &[])),
        ("nul_bytes_only", vec![0; 4096]),
        ("cut_off_in_a_character", rows(&[ROW.as_bytes(), b"2,\xe4\xb8"])),
        ("a_quote_never_closed_at_the_end", rows(&[ROW.as_bytes(), b"2,\"y,,,\n"])),
        ("a_lone_quote_at_the_end", rows(&[ROW.as_bytes(), b"\""])),
        ("one_letter_a_line", rows(&[&b"x\n".repeat(1000)])),
    ];
    objects.extend(LINES.map(|(name, line)| (name, between(line))));
    objects
}

trait Replaced {
    fn replace(&self, from: &str, to: &str) -> Vec<u8>;
}

impl Replaced for Vec<u8> {
    fn replace(&self, from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(self.clone()).unwrap().replace(from, to).into_bytes()
    }
}

fn packed() -> Objects {
    let text = between(b"2,z,,,");
    let (head, tail) = text.split_at(40);
    let bomb = [HEAD.as_bytes(), &vec![b'\n'; 66 << 20]].concat();
    let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    vec![
        ("whole.gz", gzip(&text)),
        ("two_members.gz", [gzip(head), gzip(tail)].concat()),
        ("nothing.gz", gzip(b"")),
        ("no_byte.gz", Vec::new()),
        ("cut_off.gz", without_end(gzip(&text), 20)),
        ("cut_off_in_its_trailer.gz", without_end(gzip(&text), 3)),
        ("header_only.gz", b"\x1f\x8b\x08\x00\x00".to_vec()),
        ("second_member_cut_off.gz", [gzip(head), without_end(gzip(tail), 9)].concat()),
        ("garbage_behind.gz", [gzip(&text), b"garbage behind it".to_vec()].concat()),
        ("zeros_behind.gz", [gzip(&text), vec![0; 512]].concat()),
        ("flipped_bit.gz", flipped(gzip(&text), 30)),
        ("wrong_checksum.gz", {
            let packed = gzip(&text);
            let place = packed.len() - 6;
            flipped(packed, place)
        }),
        ("plain.gz", text.clone()),
        ("twice.gz", gzip(&gzip(&text))),
        ("bomb.gz", gzip(&bomb)),
        ("zstd_inside.gz", zstd(&text)),
        ("whole.zst", zstd(&text)),
        ("two_frames.zst", [zstd(head), zstd(tail)].concat()),
        ("a_frame_to_skip.zst", [skippable, zstd(&text)].concat()),
        ("cut_off.zst", without_end(zstd(&text), 9)),
        ("garbage_behind.zst", [zstd(&text), b"garbage".to_vec()].concat()),
        ("plain.zst", text.clone()),
        ("whole.bz2", bzip2(&text)),
        ("two_streams.bz2", [bzip2(head), bzip2(tail)].concat()),
        ("cut_off.bz2", without_end(bzip2(&text), 9)),
        ("garbage_behind.bz2", [bzip2(&text), b"garbage".to_vec()].concat()),
        ("flipped_bit.bz2", flipped(bzip2(&text), 60)),
        ("plain.bz2", text),
    ]
}

fn charsets() -> [(&'static str, Objects); 2] {
    let gbk = vec![
        ("right", between(b"2,\xd6\xd0\xb9\xfa,,,")),
        ("utf_8_with_its_mark", [b"\xEF\xBB\xBF".to_vec(), between(b"2,\xe4\xb8\xad,,,")].concat()),
        ("a_byte_it_lacks", between(b"2,\xff,,,")),
        ("half_a_character", between(b"2,\xd6")),
        ("half_a_character_at_the_end", rows(&[ROW.as_bytes(), b"2,\xd6"])),
    ];
    let text = format!("{HEAD}{ROW}2,中国,,,\n");
    let swapped: Vec<u8> =
        utf16(&format!("\u{feff}{text}")).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    let utf16_objects = vec![
        ("right", utf16(&text)),
        ("the_other_mark", swapped),
        ("an_odd_byte", without_end(utf16(&text), 1)),
        (
            "a_lone_surrogate",
            [utf16(HEAD), utf16("1,"), vec![0, 0xd8], utf16(",,,\n2,y,,,\n")].concat(),
        ),
        ("utf_8", text.into_bytes()),
    ];
    [("gbk", gbk), ("utf16", utf16_objects)]
}

fn ndjson() -> Objects {
    let deep = |levels: usize| {
        format!("{{\"id\":2,\"c\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).into_bytes()
    };
    let long = [b"{\"name\":\"".as_slice(), &vec![b'x'; 100_000_000], b"\"}"].concat();
    let lines: Vec<(&'static str, Vec<u8>)> = vec![
        ("trailing_garbage", b"{\"id\":2} x".into()),
        ("trailing_comma", b"{\"id\":2},".into()),
        ("concatenated", b"{\"id\":2}{\"id\":3}".into()),
        ("an_array", b"[{\"id\":2}]".into()),
        ("pretty_printed", b"{\n  \"id\": 2\n}".into()),
        ("nan", b"{\"id\":2,\"share\":NaN}".into()),
        ("infinity", b"{\"id\":2,\"share\":-Infinity}".into()),
        ("1e400", b"{\"id\":2,\"share\":1e400}".into()),
        ("a_number_beyond_64_bits", b"{\"id\":18446744073709551616}".into()),
        ("leading_zero", b"{\"id\":02}".into()),
        ("plus_sign", b"{\"id\":+2}".into()),
        ("single_quotes", b"{'id':2}".into()),
        ("a_comment", b"// {\"id\":2}".into()),
        ("a_key_without_quotes", b"{id:2}".into()),
        ("equal_keys", b"{\"id\":2,\"id\":3}".into()),
        ("an_object_for_a_number", b"{\"id\":{\"x\":2}}".into()),
        ("an_array_for_a_text", b"{\"id\":2,\"name\":[1,2]}".into()),
        ("lone_surrogate", b"{\"id\":2,\"name\":\"\\ud800\"}".into()),
        ("escaped_nul", b"{\"id\":2,\"name\":\"\\u0000\"}".into()),
        ("unknown_escape", b"{\"id\":2,\"name\":\"\\x41\"}".into()),
        ("raw_control_character", b"{\"id\":2,\"name\":\"x\ty\"}".into()),
        ("nul_bytes", b"\0\0\0".into()),
        ("not_utf_8", b"{\"id\":2,\"name\":\"\xff\"}".into()),
        ("a_scalar", b"2".into()),
        ("null", b"null".into()),
        ("no_line", b" \t ".into()),
        ("cr_between", b"{\"id\":2}\r{\"id\":3}".into()),
        ("mark_in_the_middle", b"\xEF\xBB\xBF{\"id\":2}".into()),
        ("deep_64", deep(62)),
        ("deep_65", deep(65)),
        ("deep_100000", deep(100_000)),
        ("a_line_of_100_mb", long),
    ];
    let mut objects: Objects = lines
        .into_iter()
        .map(|(name, line)| (name, [b"{\"id\":1}\n".as_slice(), &line, b"\n{\"id\":9}\n"].concat()))
        .collect();
    objects.push(("cut_off", b"{\"id\":1}\n{\"id\":2,\"name\":\"x".to_vec()));
    objects.push(("csv_instead", rows(&[ROW.as_bytes()])));
    objects
}

fn json() -> Objects {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("right", text("[{\"id\":1},\n{\"id\":2}]\n")),
        ("empty_array", text("[]")),
        ("ndjson_instead", text("{\"id\":1}\n{\"id\":2}\n")),
        ("an_object_instead", text("{\"data\":[{\"id\":1}]}")),
        ("no_objects_among_them", text("[{\"id\":1},3,null,\"x\",{\"id\":2}]")),
        ("trailing_comma", text("[{\"id\":1},]")),
        ("missing_comma", text("[{\"id\":1}{\"id\":2},{\"id\":3}]")),
        ("cut_off_in_an_element", text("[{\"id\":1},{\"id\":2")),
        ("cut_off_behind_an_element", text("[{\"id\":1}")),
        ("cut_off_behind_a_comma", text("[{\"id\":1},")),
        ("two_arrays", text("[{\"id\":1}][{\"id\":2}]")),
        ("garbage_behind", text("[{\"id\":1}] and more")),
        ("a_bracket_missing", text("[{\"id\":1,\"c\":[1},{\"id\":2}]")),
        ("not_utf_8", b"[{\"id\":1,\"name\":\"\xff\"},{\"id\":2}]".to_vec()),
    ]
}

fn table(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn parquet() -> Objects {
    let texts = |texts: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from_iter_values(texts)) };
    let numbers = || -> ArrayRef { Arc::new(Int64Array::from(vec![1, 2, 3])) };
    let nested = || -> ArrayRef {
        let one = || Some(vec![Some(1_i64)]);
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([one(), one(), one()]))
    };
    let whole = |id: ArrayRef, name: ArrayRef| {
        let at = texts(["2026-01-01", "never", "2026-01-03"]);
        table(vec![
            ("id", id),
            ("name", name),
            ("at", at),
            ("amount", numbers()),
            ("share", numbers()),
        ])
    };
    let right = whole(numbers(), texts(["x", "y", "z"]));
    let place = right.len() / 3;
    vec![
        ("a_value_of_no_type", right.clone()),
        ("texts_for_numbers", whole(texts(["1", "two", "3"]), texts(["x", "y", "z"]))),
        ("a_list_for_a_text", whole(numbers(), nested())),
        ("lacks_a_column", table(vec![("id", numbers())])),
        ("nothing", Vec::new()),
        ("cut_off", without_end(right.clone(), 10)),
        ("cut_off_in_its_mark", without_end(right.clone(), 1)),
        ("cut_off_at_its_start", right[4..].to_vec()),
        ("flipped_bit", flipped(right, place)),
        ("mark_only", b"PAR1PAR1".to_vec()),
        ("csv_instead", rows(&[ROW.as_bytes()])),
    ]
}

fn xlsx() -> Objects {
    let sheet = |rows: &[&str]| workbook(&[("S", &rows.concat())], &["x"]);
    let head = row(1, &["id", "name", "at", "amount", "share"]);
    let sound = sheet(&[&head, &row(2, &["1", "x", "2026-01-01", "1", "1"])]);
    let password: Vec<u8> = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
        .iter()
        .copied()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    vec![
        ("right", sound.clone()),
        ("no_rows", sheet(&[])),
        ("lacks_a_column", sheet(&[&row(1, &["id", "name"])])),
        (
            "an_error_in_a_cell",
            sheet(&[
                &head,
                "<row r=\"2\"><c r=\"A2\" t=\"e\"><v>#DIV/0!</v></c></row>",
                &row(3, &["3"]),
            ]),
        ),
        (
            "a_formula_never_computed",
            sheet(&[&head, "<row r=\"2\"><c r=\"A2\"><f>1+1</f></c></row>"]),
        ),
        (
            "a_text_no_list_holds",
            sheet(&[&head, "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>9</v></c></row>"]),
        ),
        ("xml_cut_off", sheet(&[&head, "<row r=\"2\"><c r=\"A2\"><v>1"])),
        ("cut_off", without_end(sound.clone(), 10)),
        ("flipped_bit", flipped(sound, 60)),
        ("password", password),
        ("csv_instead", rows(&[ROW.as_bytes()])),
    ]
}

fn all() -> Vec<(&'static str, Objects)> {
    let [gbk, utf16] = charsets();
    vec![
        ("csv", csv()),
        ("packed", packed()),
        gbk,
        utf16,
        ("ndjson", ndjson()),
        ("json", json()),
        ("parquet", parquet()),
        ("xlsx", xlsx()),
    ]
}

/// Makes a project of these objects.
fn project(objects: &[(&str, Objects)]) -> Project {
    let project = Project::empty();
    let mut pipeline =
        "version: 1\nname: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\nstages: [sql]\nsources:\n"
            .to_owned();
    for (source, format) in SOURCES {
        let keys = format.replace(", ", "\n    ");
        write!(
            pipeline,
            "  {source}:\n    path: {source}/*\n    {keys}\n    on_error: skip\n    rejects: {{ max_rows: 1000000 }}\n    columns:\n{COLUMNS}"
        )
        .unwrap();
    }
    project.write("pipelines/shop.yaml", pipeline + "publish: [fact_records]\n");
    let counts = SOURCES.map(|(source, _)| format!("(SELECT COUNT(*) FROM {source})"));
    project.write("sql/fact_records.sql", format!("SELECT {} AS records\n", counts.join(" + ")));
    for (source, objects) in objects {
        for (name, bytes) in objects {
            project.write(&format!("data/raw/{source}/{name}"), bytes);
        }
    }
    project
}

/// Tells what became of every object, one line for it and one for each kind of reject.
fn told(project: &Project) -> String {
    let report = project.report();
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for source in report["sources"].as_array().unwrap() {
        for object in source["objects"].as_array().unwrap() {
            let count = |name: &str| object[name].as_u64().unwrap();
            let (read, kept) = (count("read"), count("kept"));
            assert_eq!(read, kept + count("rejected") + count("duplicate"), "{object}");
            let name = object["object"].as_str().unwrap();
            lines.insert(name.to_owned(), format!("{name}: {kept} of {read} kept\n"));
        }
    }
    for (source, _) in SOURCES {
        let sql = format!(
            "SELECT object, code, COUNT(*) AS rejects, MIN(record) AS record, MIN(left(message, 100)) AS message \
             FROM rejects.{source} GROUP BY object, code ORDER BY object, record, code"
        );
        for reject in csv_rows(&project.query(&sql)) {
            let [object, code, rejects, record, message] = &reject[..] else {
                panic!("{reject:?}")
            };
            let line = lines.get_mut(object).unwrap();
            writeln!(line, "    {rejects} {code} from record {record}: {}", message.escape_debug())
                .unwrap();
        }
    }
    lines.into_values().collect()
}

/// Parts an answer into its fields; no field of these has a line end.
fn csv_rows(answer: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.next_if_eq(&'"').is_some() => {
                    fields.last_mut().unwrap().push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                letter => fields.last_mut().unwrap().push(letter),
            }
        }
        fields
    };
    answer.lines().skip(1).map(fields).collect()
}

#[test]
fn bad_objects_are_accounted_for_record_by_record() {
    let objects = all();
    let count: usize = objects.iter().map(|(_, objects)| objects.len()).sum();
    assert!(count >= 150, "{count}");
    let mut found = Vec::new();
    for threads in ["1", "3"] {
        let project = project(&objects);
        let night = project.run_with("2026-01-03", &["--threads", threads]);
        assert_eq!(night.status, Some(0), "{night:?}");
        assert!(!night.stderr.contains("panic"), "{}", night.stderr);
        found.push(told(&project));
    }
    assert!(found[0] == found[1], "the number of threads changes what becomes of records");
    expect_file(&repository().join("tests/bad_input/objects.txt"), &found[0]);
}
