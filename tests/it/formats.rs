//! The same rows in every format and compression give the same tables.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::harness::Project;
use crate::workbook::{row, workbook};

const PIPELINE: &str = r#"
version: 1
name: shop
timezone: Asia/Shanghai
currency: CNY
stages: [sql]
sources:
  rows:
    path: "{path}"
    format: {format}
    columns:
      id: { from: Id, type: integer, required: true }
      name: { from: "The Name", type: string }
      amount: { type: "decimal(9,2)" }
      at: { type: timestamp, formats: [rfc3339] }
publish: [fact_rows]
"#;

const CSV: &str = "\
Id,The Name,amount,at,unused
1,Ann,1.50,2026-01-01T08:00:00+08:00,x
2,\"Bob, the \"\"2nd\"\"\",-0.05,2026-01-01T00:00:00.250Z,
3,东方,,,x
";

const SEMICOLONS: &str = "\
Id;The Name;amount;at;unused
1;Ann;1.50;2026-01-01T08:00:00+08:00;x
2;'Bob, the \"2nd\"';-0.05;2026-01-01T00:00:00.250Z;'a;b'
3;东方;;;x
";

const NDJSON: &str = r#"{"Id": 1, "The Name": "Ann", "amount": 1.50, "at": "2026-01-01T08:00:00+08:00"}
{"Id": "2", "unused": [1], "amount": "-0.05", "The Name": "Bob, the \"2nd\"", "at": "2026-01-01T00:00:00.250Z"}
{"Id": 3, "The Name": "\u4e1c方", "amount": null}
"#;

const TABLE: &str = "\
id,name,amount,at
1,Ann,1.50,2026-01-01T00:00:00Z
2,\"Bob, the \"\"2nd\"\"\",-0.05,2026-01-01T00:00:00.250Z
3,东方,,
";

/// Publishes the rows of one object and compares them with what every format must give.
#[track_caller]
fn check(format: &str, path: &str, content: &[u8]) {
    let project = project(format, path);
    project.write(&format!("data/raw/{path}"), content);
    check_table(&project, path);
}

fn project(format: &str, path: &str) -> Project {
    let project = Project::empty();
    project.write("sql/fact_rows.sql", "SELECT id, name, amount, at FROM rows");
    let pipeline = PIPELINE.replace("{path}", path).replace("{format}", format);
    project.write(&project.pipeline_path(), pipeline);
    project
}

#[track_caller]
fn check_table(project: &Project, what: &str) {
    project.publish("2026-01-02");
    assert_eq!(project.query("SELECT * FROM fact_rows ORDER BY id"), TABLE, "{what}");
    let records = "SELECT id - _record AS difference FROM clean.rows GROUP BY id - _record";
    assert_eq!(project.query(records), "difference\n0\n", "{what}");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn csv_plain_and_compressed() {
    check("csv", "rows.csv", CSV.as_bytes());
    check("csv", "rows.csv.gz", &gzip(CSV.as_bytes()));
    check("csv", "rows.csv.zst", &zstandard(CSV.as_bytes()));
    check("csv", "rows.csv.bz2", &bzip2(CSV.as_bytes()));
}

#[test]
fn a_json_array() {
    let array = format!("[{}]\n", NDJSON.trim_end().replace('\n', ",\n"));
    check("json", "rows.json", array.as_bytes());
}

/// Writes the rows as a spreadsheet would: shared texts, dates as numbers of days, noise behind the last place.
fn sheet() -> String {
    let header = row(3, &["Id", "The Name", "amount", "at", "unused"]);
    let rows = r#"
        <row r="4"><c r="A4"><v>1</v></c><c r="B4" t="s"><v>0</v></c><c r="C4"><f>3/2</f><v>1.5</v></c>
            <c r="D4" s="2"><v>46023.333333333336</v></c><c r="E4" t="e"><v>#N/A</v></c></row>
        <row r="5"><c r="A5" t="str"><v>2</v></c><c r="B5" t="s"><v>1</v></c><c r="C5"><v>-5.000000000000001E-2</v></c>
            <c r="D5" s="2"><v>46023.333336226852</v></c></row>
        <row r="6"><c r="G6"><v>7</v></c></row>
        <row r="8"><c r="A8"><v>3</v></c><c r="B8" t="inlineStr"><is><t>东方</t></is></c><c r="C8" s="1"/></row>"#;
    format!("{header}{rows}")
}

const SHARED: &[&str] = &["Ann", "Bob, the &quot;2nd&quot;"];

#[test]
fn a_spreadsheet_plain_and_compressed() {
    let bytes = workbook(&[("Orders", &sheet())], SHARED);
    check("xlsx", "rows.xlsx", &bytes);
    check("xlsx", "rows.xlsx.gz", &gzip(&bytes));
}

#[test]
fn a_sheet_by_its_name_with_a_title_above_the_header() {
    let titled = row(1, &["Orders of January"]) + &sheet();
    let other = row(1, &["Notes"]);
    let bytes = workbook(&[("Notes", &other), ("Orders", &titled)], SHARED);
    for sheet in ["Orders", "2"] {
        let project = project("xlsx", "rows.xlsx");
        project.write("data/raw/rows.xlsx", &bytes);
        let options = format!("    format: xlsx\n    xlsx: {{ sheet: {sheet}, header_row: 3 }}\n");
        project.replace_in_pipeline("    format: xlsx\n", &options);
        check_table(&project, sheet);
    }
}

#[test]
fn text_in_utf16() {
    let text = format!("\u{feff}{CSV}");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("csv", "rows.csv", &bytes);
}

#[test]
fn ndjson_plain_and_compressed() {
    check("ndjson", "rows.ndjson", NDJSON.as_bytes());
    check("ndjson", "rows.ndjson.gz", &gzip(NDJSON.as_bytes()));
    check("ndjson", "rows.ndjson.zst", &zstandard(NDJSON.as_bytes()));
}

#[test]
fn text_as_other_programs_write_it() {
    check("csv", "rows.csv", CSV.replace('\n', "\r\n").as_bytes());
    check("csv", "rows.csv", format!("\u{feff}{}", CSV.trim_end()).as_bytes());
    check("ndjson", "rows.ndjson", NDJSON.replace('\n', "\r\n").as_bytes());
    check("ndjson", "rows.ndjson", NDJSON.trim_end().as_bytes());
    // Exports that were put together from several are several gzip members or zstd frames.
    let (head, tail) = CSV.split_at(40);
    check("csv", "rows.csv.gz", &[gzip(head.as_bytes()), gzip(tail.as_bytes())].concat());
    check(
        "csv",
        "rows.csv.zst",
        &[zstandard(head.as_bytes()), zstandard(tail.as_bytes())].concat(),
    );
}

#[test]
fn parquet_with_every_codec() {
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::GZIP(parquet::basic::GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::SNAPPY,
    ] {
        let project = project("parquet", "rows.parquet");
        project.write("data/raw/README", "rows lie beside this file\n");
        write_parquet(&project, codec);
        check_table(&project, &codec.to_string());
    }
}

fn write_parquet(project: &Project, codec: Compression) {
    let at = TimestampMillisecondArray::from(vec![
        Some(1_767_225_600_000),
        Some(1_767_225_600_250),
        None,
    ]);
    let columns: [(&str, ArrayRef); 5] = [
        ("Id", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("unused", Arc::new(Int32Array::from(vec![None, Some(1), None]))),
        ("The Name", Arc::new(StringArray::from(vec!["Ann", "Bob, the \"2nd\"", "东方"]))),
        (
            "amount",
            Arc::new(
                Decimal128Array::from(vec![Some(150), Some(-5), None])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
        ),
        ("at", Arc::new(at.with_timezone("UTC"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(project.at("data/raw/rows.parquet")).unwrap();
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    // Two row groups, so that records are counted across them.
    writer.write(&batch.slice(0, 2)).unwrap();
    writer.flush().unwrap();
    writer.write(&batch.slice(2, 1)).unwrap();
    writer.close().unwrap();
}

#[test]
fn csv_with_another_delimiter_and_quote() {
    let project = project("csv", "rows.txt");
    project.write("data/raw/rows.txt", SEMICOLONS);
    project.replace_in_pipeline(
        "    format: csv\n",
        "    format: csv\n    csv: { delimiter: \";\", quote: \"'\" }\n",
    );
    check_table(&project, "delimiter and quote");
}

#[test]
fn csv_without_a_header_line() {
    let (_, rows) = CSV.split_once('\n').unwrap();
    let project = project("csv", "rows.csv");
    project.write("data/raw/rows.csv", rows);
    project.replace_in_pipeline(
        "    format: csv\n",
        "    format: csv\n    csv: { header: [Id, The Name, amount, at, unused] }\n",
    );
    check_table(&project, "header");
}

#[test]
fn compression_that_the_name_does_not_tell() {
    for (compression, content) in [
        ("gzip", gzip(CSV.as_bytes())),
        ("zstd", zstandard(CSV.as_bytes())),
        ("none", CSV.as_bytes().to_owned()),
    ] {
        let project = project("csv", "rows.gz");
        project.write("data/raw/rows.gz", content);
        let declared = format!("    format: csv\n    compression: {compression}\n");
        project.replace_in_pipeline("    format: csv\n", &declared);
        check_table(&project, compression);
    }
}
