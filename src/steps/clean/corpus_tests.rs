//! Bad and odd small objects through extract and clean: what becomes of every record, and that none is lost.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use object_store::ObjectStoreExt;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{CleanErrorKind, Cleaned, RateTables, clean};
use crate::plan::{self, ColumnKind, CsvFormat, Delimiter, Format, Ragged, TimeFormat};
use crate::spreadsheet::write::{row, workbook};
use crate::spreadsheet::{SheetChoice, WorkbookError};
use crate::steps::extract::{ExtractErrorKind, extract};
use crate::steps::fixtures;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// Takes objects in, and sees that each of their records is kept or rejected.
fn taken_in(source: plan::Source, objects: &[(String, Vec<u8>)]) -> Result<Cleaned, String> {
    taken_in_by(2, source, objects)
}

fn taken_in_by(
    threads: usize,
    mut source: plan::Source,
    objects: &[(String, Vec<u8>)],
) -> Result<Cleaned, String> {
    source.pattern = plan::PathPattern::parse("*").unwrap();
    let cleaned = RUNTIME.block_on(async {
        let ctx = fixtures::context(Path::new("unused"), threads);
        for (path, bytes) in objects {
            let location = object_store::path::Path::from(path.as_str());
            ctx.raw.store.put(&location, bytes.clone().into()).await.unwrap();
        }
        let extracted = extract(&ctx, Arc::new(source)).await.unwrap();
        clean(&ctx, extracted, &RateTables::new()).await
    });
    let cleaned = cleaned.map_err(|error| match error.kind {
        CleanErrorKind::Extract(error) => kind(&error.kind).to_owned(),
        other => format!("{other:?}"),
    })?;
    for part in &cleaned.parts {
        let kept = part.rows.rows() as u64;
        assert_eq!(part.read, kept + part.rejected, "{}: the law", part.object.path);
    }
    let rejected: u64 = cleaned.parts.iter().map(|part| part.rejected).sum();
    assert_eq!(rejected, fixtures::rejects(&cleaned).len() as u64, "the law");
    Ok(cleaned)
}

fn kind(error: &ExtractErrorKind) -> &'static str {
    use ExtractErrorKind as E;
    match error {
        E::CutOff | E::Workbook(WorkbookError::CutOff) => "cut off",
        E::Decompress(_) => "not decompressed",
        E::Inflated(_) => "inflated",
        E::LacksColumn { .. } => "lacks a column",
        E::RepeatsColumn { .. } => "repeats a column",
        E::BadHeader { .. } => "bad header",
        E::NoArray { .. } => "no array",
        E::Parquet(_) => "no parquet",
        E::TooLong { .. } => "too long",
        E::Workbook(WorkbookError::NoWorkbook) => "no workbook",
        E::Workbook(WorkbookError::Password) => "password",
        E::Workbook(WorkbookError::TooLarge { .. }) => "too large",
        E::Workbook(WorkbookError::LacksSheet { .. }) => "lacks a sheet",
        E::Workbook(WorkbookError::Damaged { .. }) => "damaged",
        _ => "unexpected",
    }
}

/// Says what became of an object: `2 kept`, or with the rejects behind it: `2 kept, 3 decode`.
fn outcome(source: plan::Source, path: &str, bytes: &[u8]) -> String {
    match taken_in(source, &[(path.to_owned(), bytes.to_vec())]) {
        Err(error) => format!("error: {error}"),
        Ok(cleaned) => {
            let kept: usize = cleaned.parts.iter().map(|part| part.rows.rows()).sum();
            let mut text = format!("{kept} kept");
            for reject in fixtures::rejects(&cleaned) {
                write!(text, ", {} {}", reject.record, reject.rule).unwrap();
            }
            text
        }
    }
}

fn at() -> ColumnKind {
    let formats = vec![TimeFormat::Rfc3339, TimeFormat::Pattern("%Y-%m-%d".to_owned())];
    let clock_changes = plan::ClockChanges::default();
    ColumnKind::Timestamp { formats, timezone: chrono_tz::UTC, clock_changes }
}

/// Makes a source of a whole number `a` and a text `b`.
fn source(format: Format) -> plan::Source {
    let columns = [("a", ColumnKind::Integer), ("b", ColumnKind::String)];
    plan::Source { format, ..fixtures::source("rows", &columns) }
}

fn csv() -> plan::Source {
    csv_as(CsvFormat::default())
}

fn csv_as(format: CsvFormat) -> plan::Source {
    source(Format::Csv(format))
}

/// Makes a source of one column `a`.
fn single(kind: ColumnKind) -> plan::Source {
    let format =
        Format::Csv(CsvFormat { header: Some(vec!["a".to_owned()]), ..CsvFormat::default() });
    plan::Source { format, ..fixtures::source("rows", &[("a", kind)]) }
}

fn in_charset(label: &str, source: plan::Source) -> plan::Source {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    plan::Source { encoding, ..source }
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

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn without_end(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - length);
    bytes
}

/// A case: what it shows, and what becomes of it.
type Case = (&'static str, plan::Source, Vec<u8>, &'static str);

#[track_caller]
fn check(ending: &str, cases: Vec<Case>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, source, bytes, expected)| {
            let found = outcome(source, &format!("x{ending}"), &bytes);
            (found != expected).then(|| format!("{name}: expected {expected:?}, found {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! cases {
    ($source:expr; $($name:literal, $bytes:expr => $expected:literal;)*) => {
        vec![$(($name, $source, $bytes.to_vec(), $expected)),*]
    };
}

#[test]
fn csv_objects() {
    check(
        ".csv",
        cases! { csv();
            "empty", b"" => "0 kept";
            "only line ends", b"\n\r\n\n" => "0 kept";
            "header only", b"a,b" => "0 kept";
            "header and line end", b"a,b\r\n" => "0 kept";
            "byte order mark only", b"\xEF\xBB\xBF" => "0 kept";
            "byte order mark", b"\xEF\xBB\xBFa,b\n1,x\n" => "1 kept";
            "byte order mark twice", b"\xEF\xBB\xBF\xEF\xBB\xBFa,b\n1,x\n" => "error: lacks a column";
            "byte order mark in the middle", "a,b\n\u{feff}1,x\n2,y\n".as_bytes() => "1 kept, 1 type";
            "no line end at the end", b"a,b\n1,x" => "1 kept";
            "CR LF", b"a,b\r\n1,x\r\n2,y\r\n" => "2 kept";
            "CR alone", b"a,b\r1,x\r2,y\r" => "2 kept";
            "mixed line ends", b"a,b\r\n1,x\n2,y\r3,z\n\r4,w" => "4 kept";
            "blank lines between", b"a,b\n\n\n1,x\n\n2,y\n\n" => "2 kept";
            "a line of blanks", b"a,b\n  \n1,x\n" => "1 kept, 1 decode";
            "NUL in a text", b"a,b\n1,x\0y\n" => "1 kept";
            "NUL in a number", b"a,b\n1\0,x\n2,y\n" => "1 kept, 1 type";
            "NUL bytes only", b"a,b\n\0\0\0\n1,x\n" => "1 kept, 1 decode";
            "no UTF-8", b"a,b\n1,\xff\n2,y\n" => "1 kept, 1 decode";
            "overlong UTF-8", b"a,b\n1,\xc0\xaf\n2,y\n" => "1 kept, 1 decode";
            "surrogate in UTF-8", b"a,b\n1,\xed\xa0\x80\n2,y\n" => "1 kept, 1 decode";
            "cut-off character at the end", b"a,b\n1,x\n2,\xe4\xb8" => "1 kept, 2 decode";
            "Latin-1 undeclared", b"a,b\n1,Andr\xe9\n2,y\n" => "1 kept, 1 decode";
            "no UTF-8 in the header", b"a,b,\xff\n1,x,y\n" => "error: bad header";
            "UTF-16 undeclared, with mark", utf16("\u{feff}a,b\n1,x\n") => "1 kept";
            "UTF-16 undeclared, without mark", utf16("a,b\n1,x\n") => "error: lacks a column";
            "duplicate wanted header", b"a,b,a\n1,x,2\n" => "error: repeats a column";
            "duplicate unwanted header", b"a,c,b,c\n1,x,y,z\n" => "1 kept";
            "header lacks a column", b"a,c\n1,x\n" => "error: lacks a column";
            "header in another case", b"A,B\n1,x\n" => "error: lacks a column";
            "blanks around header names", b" a , b \n1,x\n" => "1 kept";
            "header repeated in the middle", b"a,b\n1,x\na,b\n2,y\n" => "2 kept, 2 type";
            "other delimiter", b"a;b\n1;x\n" => "error: lacks a column";
            "too few fields", b"a,b\n1\n2,y\n" => "1 kept, 1 decode";
            "too many fields", b"a,b\n1,x,z\n2,y\n" => "1 kept, 1 decode";
            "trailing delimiter", b"a,b\n1,x,\n2,y\n" => "1 kept, 1 decode";
            "quoted line end", b"a,b\n1,\"x\ny\"\n2,z\n" => "2 kept";
            "quoted delimiter", b"a,b\n1,\"x,y\"\n" => "1 kept";
            "doubled quotes", b"a,b\n1,\"say \"\"x\"\"\"\n" => "1 kept";
            "quote within a text", b"a,b\n1,5\" disk\n" => "1 kept";
            "text behind a quote", b"a,b\n1,\"x\"y\n" => "1 kept";
            "unterminated quote at the end", b"a,b\n1,x\n2,\"y\n" => "1 kept, 2 decode";
            "unterminated quote in the middle", b"a,b\n1,\"x\n2,y\n3,z\n" => "2 kept, 1 decode";
            "unterminated quote in the header", b"a,\"b\n1,x\n" => "error: bad header";
            "lone quote at the end", b"a,b\n1,x\n\"" => "1 kept, 2 decode";
            "comment undeclared", b"a,b\n# x\n1,y\n" => "1 kept, 1 decode";
            "JSON instead", b"{\"a\":1}\n" => "error: lacks a column";
            "gzip without its ending", gzip(b"a,b\n1,x\n") => "error: bad header";
            "control characters", b"a,b\n1,\x01\x02\x7f\n" => "1 kept";
            "full-width digit", "a,b\n１,x\n".as_bytes() => "0 kept, 1 type";
            "one character a line", b"a,b\nx\ny\nz\n" => "0 kept, 1 decode, 2 decode, 3 decode";
        },
    );
}

#[test]
fn csv_dialects() {
    let commented = || csv_as(CsvFormat { comment: Some(b'#'), ..CsvFormat::default() });
    check(
        ".csv",
        cases! { commented();
            "comments only", b"# x\n# y" => "0 kept";
            "comment before the header", b"# x\na,b\n1,y\n" => "1 kept";
            "unterminated quote in a comment", b"a,b\n# \"x\n1,y\n" => "1 kept";
            "no UTF-8 in a comment", b"a,b\n# \xff\n1,y\n" => "1 kept";
            "comment sign inside a row", b"a,b\n1,#y\n" => "1 kept";
        },
    );
    let padded = || csv_as(CsvFormat { ragged: Ragged::Pad, ..CsvFormat::default() });
    check(
        ".csv",
        cases! { padded();
            "short row padded", b"a,b\n1\n2,y\n" => "2 kept";
            "long row not cut", b"a,b\n1,x,y\n" => "0 kept, 1 decode";
        },
    );
    let set_in_columns =
        || csv_as(CsvFormat { delimiter: Delimiter::Blanks, ..CsvFormat::default() });
    check(
        ".txt",
        cases! { set_in_columns();
            "columns of text", b" a  b\r\n 1   x\r\n10   y \r\n" => "2 kept";
            "lines of blanks only", b"  \n\t\na b\n \n1 x\n   " => "1 kept";
            "a column left empty", b"a b\n1 x\n2  \n" => "1 kept, 2 decode";
            "a text with a blank", b"a b\n1 x y\n2 \"x y\"\n" => "1 kept, 1 decode";
            "commas instead of blanks", b"a,b\n1,x\n" => "error: lacks a column";
        },
    );
    let escaped = || csv_as(CsvFormat { escape: Some(b'\\'), ..CsvFormat::default() });
    check(
        ".csv",
        cases! { escaped();
            "escaped quote", b"a,b\n1,\"x\\\"y\"\n" => "1 kept";
            "escape before the closing quote", b"a,b\n1,\"x\\\"\n2,y\n" => "1 kept, 1 decode";
            "escape outside quotes", b"a,b\n1,x\\\n" => "1 kept";
            "escape at the very end", b"a,b\n1,\"x\\" => "0 kept, 1 decode";
        },
    );
}

#[test]
fn charsets() {
    check(
        ".csv",
        cases! { in_charset("gbk", csv());
            "GBK", b"a,b\n1,\xd6\xd0\n" => "1 kept";
            "UTF-8 with mark, declared GBK", "\u{feff}a,b\n1,中\n".as_bytes() => "1 kept";
            "a byte that GBK lacks", b"a,b\n1,\xff\n2,y\n" => "1 kept, 1 decode";
            "half a GBK character before a line end", b"a,b\n1,\xd6\n2,y\n" => "1 kept, 1 decode";
            "half a GBK character at the end", b"a,b\n1,x\n2,\xd6" => "1 kept, 2 decode";
        },
    );
    check(
        ".csv",
        cases! { in_charset("utf-16", csv());
            "UTF-16 without mark", utf16("a,b\n1,中\n") => "1 kept";
            "UTF-16 with the other mark", b"\xFE\xFF\0a\0,\0b\0\n\x001\0,\0x" => "1 kept";
            "UTF-16 with a lone surrogate", [utf16("a,b\n1,"), vec![0, 0xd8], utf16("\n2,y\n")].concat() => "1 kept, 1 decode";
            "UTF-16 with an odd byte", without_end(utf16("a,b\n1,x\n2,y"), 1) => "1 kept, 2 decode";
            "UTF-8 declared UTF-16", b"a,b\n1,x\n" => "error: lacks a column";
        },
    );
    check(
        ".ndjson",
        cases! { in_charset("shift_jis", source(Format::Ndjson));
            "Shift JIS with a backslash as second byte", b"{\"a\":1,\"b\":\"\x95\x5c\"}\n" => "1 kept";
        },
    );
}

#[test]
fn ndjson_objects() {
    let deep = |levels: usize| {
        format!("{{\"c\":{}{}}}\n{{\"a\":1}}\n", "[".repeat(levels), "]".repeat(levels))
            .into_bytes()
    };
    check(
        ".ndjson",
        cases! { source(Format::Ndjson);
            "empty", b"" => "0 kept";
            "blank lines", b"\n \n\t\r\n" => "0 kept";
            "empty object", b"{}\n" => "1 kept";
            "byte order mark", b"\xEF\xBB\xBF{\"a\":1}\n" => "1 kept";
            "CR LF", b"{\"a\":1}\r\n{\"a\":2}\r\n" => "2 kept";
            "CR alone", b"{\"a\":1}\r{\"a\":2}\r" => "0 kept, 1 decode";
            "trailing garbage", b"{\"a\":1} x\n{\"a\":2}\n" => "1 kept, 1 decode";
            "concatenated objects", b"{\"a\":1}{\"a\":2}\n{\"a\":3}\n" => "1 kept, 1 decode";
            "trailing comma", b"{\"a\":1},\n{\"a\":2}\n" => "1 kept, 1 decode";
            "an array", b"[{\"a\":1}]\n" => "0 kept, 1 decode";
            "pretty-printed", b"{\n\"a\": 1\n}\n" => "0 kept, 1 decode, 2 decode, 3 decode";
            "cut off", b"{\"a\":1}\n{\"a\":2,\"b\":\"x" => "1 kept, 2 decode";
            "NaN", b"{\"a\":NaN}\n{\"a\":1}\n" => "1 kept, 1 decode";
            "Infinity", b"{\"a\":-Infinity}\n" => "0 kept, 1 decode";
            "1e400", b"{\"a\":1e400}\n" => "0 kept, 1 type";
            "too large a number", b"{\"a\":9223372036854775808}\n" => "0 kept, 1 type";
            "largest number", b"{\"a\":9223372036854775807}\n" => "1 kept";
            "a number of 1000 digits", format!("{{\"a\":{}}}\n", "9".repeat(1000)).as_bytes() => "0 kept, 1 type";
            "leading zero", b"{\"a\":01}\n" => "0 kept, 1 decode";
            "plus sign", b"{\"a\":+1}\n" => "0 kept, 1 decode";
            "single quotes", b"{'a':1}\n" => "0 kept, 1 decode";
            "comment", b"// x\n{\"a\":1}\n" => "1 kept, 1 decode";
            "key without quotes", b"{a:1}\n" => "0 kept, 1 decode";
            "equal keys", b"{\"a\":1,\"a\":2}\n" => "1 kept";
            "object for a number", b"{\"a\":{\"x\":1}}\n" => "0 kept, 1 type";
            "lone surrogate", b"{\"b\":\"\\ud800\"}\n" => "0 kept, 1 decode";
            "escaped NUL", b"{\"b\":\"\\u0000\"}\n" => "1 kept";
            "raw control character", b"{\"b\":\"x\ty\"}\n" => "1 kept";
            "NUL bytes", b"\0\0\n{\"a\":1}\n" => "1 kept, 1 decode";
            "no UTF-8", b"{\"b\":\"\xff\"}\n{\"a\":1}\n" => "1 kept, 1 decode";
            "62 levels", deep(62) => "2 kept";
            "65 levels", deep(65) => "1 kept, 1 decode";
            "100,000 levels", deep(100_000) => "1 kept, 1 decode";
            "record longer than 16 MiB", [b"{\"b\":\"".as_slice(), &vec![b'x'; 17 << 20], b"\"}\n{\"a\":1}\n"].concat() => "1 kept, 1 decode";
        },
    );
}

#[test]
fn json_arrays() {
    check(
        ".json",
        cases! { source(Format::Json);
            "empty", b"" => "0 kept";
            "blank", b" \n" => "0 kept";
            "empty array", b"[]" => "0 kept";
            "two elements", b"[{\"a\":1},\n {\"a\":2}]\n" => "2 kept";
            "NDJSON instead", b"{\"a\":1}\n{\"a\":2}\n" => "error: no array";
            "no object among them", b"[{\"a\":1},3,null,{\"a\":2}]" => "2 kept, 2 decode, 3 decode";
            "trailing comma", b"[{\"a\":1},]" => "1 kept, 2 decode";
            "missing comma", b"[{\"a\":1}{\"a\":2},{\"a\":3}]" => "1 kept, 1 decode";
            "cut off in an element", b"[{\"a\":1},{\"a\":2" => "1 kept, 2 decode";
            "cut off behind an element", b"[{\"a\":1},{\"a\":2}" => "1 kept, 2 decode";
            "cut off behind a comma", b"[{\"a\":1}," => "1 kept, 2 decode";
            "two arrays", b"[{\"a\":1}][{\"a\":2}]" => "1 kept, 2 decode";
            "trailing garbage", b"[{\"a\":1}] x\ny" => "1 kept, 2 decode";
            "brackets in a text", b"[{\"b\":\"]},[\"},{\"a\":1}]" => "2 kept";
            "bracket missing", b"[{\"a\":[1},{\"a\":2}]" => "0 kept, 1 decode";
            "no UTF-8", b"[{\"b\":\"\xff\"},{\"a\":1}]" => "1 kept, 1 decode";
        },
    );
}

#[test]
fn compressed_objects() {
    let text = b"a,b\n1,x\n2,y\n".as_slice();
    let bomb = || [b"a,b\n".as_slice(), &vec![b'\n'; 66 << 20]].concat();
    check(
        ".csv.gz",
        cases! { csv();
            "gzip", gzip(text) => "2 kept";
            "gzip of two members", [gzip(&text[..7]), gzip(&text[7..])].concat() => "2 kept";
            "gzip of nothing", gzip(b"") => "0 kept";
            "gzip without its checksum", without_end(gzip(text), 6) => "error: cut off";
            "gzip cut off in its data", without_end(gzip(text), 12) => "error: cut off";
            "gzip header only", b"\x1f\x8b\x08" => "error: cut off";
            "gzip with garbage behind", [gzip(text), b"garbage behind".to_vec()].concat() => "error: not decompressed";
            "gzip with less than a header behind", [gzip(text), b"garbage".to_vec()].concat() => "error: cut off";
            "plain named gzip", text => "error: not decompressed";
            "gzip that grows out of proportion", gzip(&bomb()) => "error: inflated";
        },
    );
    check(
        ".csv.bz2",
        cases! { csv();
            "bzip2", bzip2(text) => "2 kept";
            "bzip2 cut off", without_end(bzip2(text), 5) => "error: cut off";
            "bzip2 with garbage behind", [bzip2(text), b"garbage".to_vec()].concat() => "error: not decompressed";
        },
    );
    check(
        ".csv.zst",
        cases! { csv();
            "zstd", zstd(text) => "2 kept";
            "zstd cut off", without_end(zstd(text), 3) => "error: cut off";
            "plain named zstd", text => "error: not decompressed";
        },
    );
    check(
        ".parquet",
        cases! { source(Format::Parquet);
            "Parquet of nothing", b"" => "0 kept";
            "Parquet that is none", b"PAR1 and nothing more PAR1" => "error: no parquet";
            "Parquet cut off", b"PAR1 and nothing more" => "error: cut off";
            "Parquet cut off in its mark", b"PAR" => "error: no parquet";
            "Parquet with its mark only", b"PAR1PAR1" => "error: cut off";
            "CSV instead of Parquet", b"a,b\n1,x\n" => "error: no parquet";
        },
    );
}

fn xlsx() -> plan::Source {
    let sheet = SheetChoice::Number(1);
    source(Format::Xlsx(plan::XlsxFormat { sheet, header_row: None }))
}

#[test]
fn workbooks() {
    let sheet = |rows: &[&str]| workbook(&[("S", &rows.concat())], &["x"]);
    let head = row(1, &["a", "b"]);
    let sound = sheet(&[&head, &row(2, &["1", "x"])]);
    let encrypted: Vec<u8> = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
        .iter()
        .copied()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let flipped = |place: usize| {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x40;
        bytes
    };
    let many: Vec<String> = (0..5000).map(|n| format!("<c><v>{n}</v></c>")).collect();
    check(
        ".xlsx",
        cases! { xlsx();
            "workbook", sound => "1 kept";
            "nothing at all", b"" => "0 kept";
            "sheet without rows", sheet(&[]) => "0 kept";
            "header row only", sheet(&[&head]) => "0 kept";
            "rows without cells", sheet(&[&head, "<row r=\"2\"/><row r=\"3\"><c r=\"A3\"/></row>"]) => "0 kept";
            "rows without numbers", sheet(&["<row><c t=\"str\"><v>a</v></c><c t=\"str\"><v>b</v></c></row><row><c><v>1</v></c></row>"]) => "1 kept";
            "header twice the same", sheet(&[&row(1, &["a", "b", "a"]), &row(2, &["1", "x", "2"])]) => "error: repeats a column";
            "cells backwards", sheet(&["<row r=\"1\"><c r=\"B1\" t=\"str\"><v>b</v></c><c r=\"A1\" t=\"str\"><v>a</v></c></row>", "<row r=\"2\"><c r=\"B2\" t=\"str\"><v>x</v></c><c r=\"A2\"><v>1</v></c></row>"]) => "1 kept";
            "header lacks a column", sheet(&[&row(1, &["a", "c"]), &row(2, &["1", "x"])]) => "error: lacks a column";
            "header with an error", sheet(&["<row r=\"1\"><c r=\"A1\" t=\"e\"><v>#REF!</v></c></row>"]) => "error: bad header";
            "5,000 columns", sheet(&[&format!("<row>{}</row>", many.concat())]) => "error: bad header";
            "cell behind the header's columns", sheet(&[&head, &row(2, &["1", "x", "y"]), &row(3, &["", "", "z"])]) => "1 kept";
            "error in a wanted cell", sheet(&[&head, "<row r=\"2\"><c r=\"A2\" t=\"e\"><v>#DIV/0!</v></c></row>", &row(3, &["2"])]) => "1 kept, 1 decode";
            "error of an unknown kind", sheet(&[&head, "<row r=\"2\"><c r=\"A2\" t=\"e\"><v>#OOPS!</v></c></row>"]) => "error: damaged";
            "formula that was computed", sheet(&[&head, "<row r=\"2\"><c r=\"A2\"><f>1+1</f><v>2</v></c></row>"]) => "1 kept";
            "formula that was not", sheet(&[&head, "<row r=\"2\"><c r=\"A2\"><f>1+1</f></c></row>"]) => "0 kept, 1 decode";
            "fraction for a whole number", sheet(&[&head, &row(2, &["1.5"])]) => "0 kept, 1 type";
            "date for a whole number", sheet(&[&head, "<row r=\"2\"><c r=\"A2\" s=\"1\"><v>46053</v></c></row>"]) => "0 kept, 1 type";
            "number beyond all", sheet(&[&head, &row(2, &["1e400"])]) => "0 kept, 1 type";
            "text that no list holds", sheet(&[&head, "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>9</v></c></row>"]) => "error: damaged";
            "cell at no place", sheet(&[&head, "<row r=\"2\"><c r=\"?\"><v>1</v></c></row>"]) => "error: damaged";
            "rows backwards", sheet(&[&row(2, &["a", "b"]), &row(1, &["1", "x"])]) => "error: damaged";
            "XML cut off", sheet(&[&head, "<row r=\"2\"><c r=\"A2\"><v>1"]) => "error: damaged";
            "not a workbook", b"a,b\n1,x\n" => "error: no workbook";
            "old workbook", encrypted[..8] => "error: no workbook";
            "workbook with a password", encrypted => "error: password";
            "archive cut off", without_end(sound.clone(), 10) => "error: cut off";
            "archive cut off in the middle", sound[..sound.len() / 2] => "error: cut off";
            "archive with a flipped bit", flipped(60) => "error: damaged";
        },
    );
    let named =
        |sheet: SheetChoice| source(Format::Xlsx(plan::XlsxFormat { sheet, header_row: Some(1) }));
    check(
        ".xlsx",
        cases! { named(SheetChoice::Name("T".to_owned()));
            "sheet that is not there", sound => "error: lacks a sheet";
        },
    );
    let limits = plan::Limits { object: Some(100_000), ..plan::Limits::default() };
    let bomb = workbook(&[("S", &head)], &[&" ".repeat(200_000)]);
    check(
        ".xlsx",
        cases! { plan::Source { limits, ..xlsx() };
            "small workbook", sound => "1 kept";
            "bomb", bomb => "error: too large";
        },
    );
}

#[test]
fn objects_beyond_the_limits_of_their_source() {
    let limits = plan::Limits { object: Some(20), record: 10, ..plan::Limits::default() };
    let limited = |source: plan::Source| plan::Source { limits, ..source };
    check(
        ".csv",
        cases! { limited(csv());
            "as long as it may be", b"a,b\n1,x\n2,y\n3,z\n4,w" => "4 kept";
            "too long", b"a,b\n1,x\n2,y\n3,z\n4,w\n5" => "error: too long";
            "a record that is too long", b"a,b\n1,123456789\n2,y\n" => "1 kept, 1 decode";
        },
    );
    check(
        ".csv.gz",
        cases! { limited(csv());
            "compressed and too long", gzip(b"a,b\n1,x\n2,y\n3,z\n4,w\n5") => "error: too long";
        },
    );
    check(
        ".ndjson",
        cases! { limited(source(Format::Ndjson));
            "a line that is too long", b"{\"b\":\"xyz\"}\n{}\n" => "1 kept, 1 decode";
        },
    );
    let header = |columns: usize| {
        let names: Vec<String> = (2..columns).map(|n| format!("c{n}")).collect();
        format!("a,b,{}\n", names.join(",")).into_bytes()
    };
    check(
        ".csv",
        cases! { csv();
            "4,096 columns", header(4096) => "0 kept";
            "4,097 columns", header(4097) => "error: bad header";
        },
    );
}

#[test]
fn fields_that_an_object_may_lack() {
    let from_any = |drift: plan::Drift| {
        let mut source = plan::Source { drift, ..csv() };
        source.columns[1].preparation.further_fields = vec!["c".to_owned()];
        source
    };
    check(
        ".csv",
        cases! { from_any(plan::Drift::Warn);
            "both", b"a,b,c\n1,x,y\n" => "1 kept";
            "the first only", b"a,b\n1,x\n" => "1 kept";
            "the second only", b"a,c\n1,x\n" => "1 kept";
            "neither", b"a,d\n1,x\n" => "error: lacks a column";
        },
    );
    check(
        ".csv",
        cases! { from_any(plan::Drift::Fail);
            "the first only, where all are insisted on", b"a,b\n1,x\n" => "error: lacks a column";
        },
    );
}

#[test]
fn values_at_the_bounds() {
    check(
        ".csv",
        cases! { single(ColumnKind::Double);
            "numbers of every kind", b"NaN\ninf\n1e400\n-1e400\n1e308\n-0\n1e-400\n" => "3 kept, 1 type, 2 type, 3 type, 4 type";
        },
    );
    check(
        ".csv",
        cases! { single(ColumnKind::Decimal { precision: 9, scale: 2 });
            "decimals", b"1.00\n1.005\n9999999.99\n10000000\n1e3\n1e400\n--1\n1,5\n" => "3 kept, 2 type, 4 type, 6 type, 7 type, 8 decode";
        },
    );
    check(
        ".csv",
        cases! { single(at());
            "moments", b"0000-01-01\n0001-01-01\n9999-12-31\n10000-01-01\n2016-12-31T23:59:60Z\n2026-02-29\n2024-02-29\n2026-01-01T24:00:00Z\n2026-01-01T00:00:00+25:00\n" => "4 kept, 1 type, 4 type, 6 type, 8 type, 9 type";
        },
    );
}

/// A record as written for a generated object, and the rule it breaks.
type Planted = (&'static [u8], Option<&'static str>);

const CSV_RECORDS: &[Planted] = &[
    (b"1,x", None),
    (b"2,\"x\ny, \"\"z\"\"\"", None),
    (b"-3,\xe4\xb8\xad", None),
    (b",", None),
    (b"4", Some("decode")),
    (b"5,x,y", Some("decode")),
    (b"6,\xff", Some("decode")),
    (b"seven,x", Some("type")),
    (b"1e400,x", Some("type")),
];

const JSON_RECORDS: &[Planted] = &[
    (b"{\"a\":1,\"b\":\"x\"}", None),
    (b"{\"b\":\"]},\\\"[{\\u4e2d\",\"a\":null}", None),
    (b"{}", None),
    (b"{\"c\":[[],{\"d\":[1,2]}],\"a\":\"-3\"}", None),
    (b"3", Some("decode")),
    (b"{\"a\":01}", Some("decode")),
    (b"{\"a\":1} x", Some("decode")),
    (b"{\"b\":\"\xff\"}", Some("decode")),
    (b"{\"a\":\"seven\"}", Some("type")),
    (b"{\"a\":1e400}", Some("type")),
];

/// Rows of a sheet, whose cells go by their order.
const SHEET_RECORDS: &[Planted] = &[
    (b"<row><c><v>1</v></c><c t=\"s\"><v>0</v></c></row>", None),
    (b"<row><c t=\"str\"><f>A1</f><v>2</v></c><c s=\"1\"><v>46053</v></c></row>", None),
    (b"<row><c/><c t=\"inlineStr\"><is><t>a &lt; b</t></is></c></row>", None),
    (b"<row><c><v>3</v></c><c/><c t=\"e\"><v>#N/A</v></c></row>", None),
    (b"<row><c t=\"e\"><v>#DIV/0!</v></c></row>", Some("decode")),
    (b"<row><c><f>1+1</f></c></row>", Some("decode")),
    (b"<row><c t=\"str\"><v>seven</v></c></row>", Some("type")),
    (b"<row><c><v>1.5</v></c></row>", Some("type")),
];

#[derive(Debug, Clone, Copy)]
enum Written {
    Csv,
    Ndjson,
    Json,
    Sheet,
}

impl Written {
    fn source(self) -> plan::Source {
        match self {
            Self::Csv => csv(),
            Self::Ndjson => source(Format::Ndjson),
            Self::Json => source(Format::Json),
            Self::Sheet => xlsx(),
        }
    }

    fn records(self, chosen: &[usize]) -> Vec<Planted> {
        let all = match self {
            Self::Csv => CSV_RECORDS,
            Self::Ndjson | Self::Json => JSON_RECORDS,
            Self::Sheet => SHEET_RECORDS,
        };
        chosen.iter().map(|index| all[index % all.len()]).collect()
    }

    fn sheet(records: &[Planted]) -> Vec<u8> {
        let rows: Vec<&[u8]> = records.iter().map(|(record, _)| *record).collect();
        let head = "<row><c t=\"str\"><v>a</v></c><c t=\"str\"><v>b</v></c></row>";
        workbook(
            &[("S", &(head.to_owned() + std::str::from_utf8(&rows.concat()).unwrap()))],
            &["x"],
        )
    }

    fn text(self, records: &[Planted], line_end: &str) -> Vec<u8> {
        let (head, between, tail) = match self {
            Self::Csv => (format!("a,b{line_end}"), line_end.to_owned(), ""),
            Self::Ndjson => (String::new(), line_end.to_owned(), ""),
            Self::Json => (format!("[{line_end}"), format!(",{line_end}"), "]"),
            Self::Sheet => return Self::sheet(records),
        };
        let records: Vec<&[u8]> = records.iter().map(|(record, _)| *record).collect();
        [head.as_bytes(), &records.join(between.as_bytes()), tail.as_bytes()].concat()
    }
}

/// What one generated object is made of.
#[derive(Debug, Clone)]
struct Generated {
    chosen: Vec<usize>,
    line_end: &'static str,
    compression: usize,
}

impl Generated {
    fn object(&self, written: Written, number: usize) -> (String, Vec<u8>) {
        let text = written.text(&written.records(&self.chosen), self.line_end);
        match self.compression {
            0 => (format!("{number:03}"), text),
            1 => (format!("{number:03}.gz"), gzip(&text)),
            2 => (format!("{number:03}.bz2"), bzip2(&text)),
            _ => (format!("{number:03}.zst"), zstd(&text)),
        }
    }
}

fn generated() -> impl Strategy<Value = Generated> {
    let chosen = prop::collection::vec(0..90_usize, 0..60);
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\n\n"]);
    (chosen, line_end, 0..4_usize).prop_map(|(chosen, line_end, compression)| Generated {
        chosen,
        line_end,
        compression,
    })
}

/// How many files are generated for a case: a night of several shows what goes to which.
const FILES_A_CASE: usize = 25;

/// Holds the law on as many files as `MARTLET_LAW_CASES` says, the same ones every time.
fn law_config() -> ProptestConfig {
    let files = crate::fuzz::count_from("MARTLET_LAW_CASES", 1000);
    ProptestConfig {
        cases: files.div_ceil(FILES_A_CASE) as u32,
        rng_seed: RngSeed::Fixed(20_260_131),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Objects by their paths.
type Objects = Vec<(String, Vec<u8>)>;

/// Returns everything that extract and clean make of the objects: rows and rejects, object by object.
fn content(cleaned: &Cleaned) -> String {
    let mut text = String::new();
    for part in &cleaned.parts {
        let batches: Result<Vec<_>, _> = part.rows.batches().unwrap().collect();
        let rows =
            arrow::compute::concat_batches(&cleaned.source.cleaned_schema(), &batches.unwrap());
        let rows = arrow::util::pretty::pretty_format_batches(&[rows.unwrap()]).unwrap();
        writeln!(text, "{} {}\n{rows}", part.object.path, part.read).unwrap();
    }
    for reject in fixtures::rejects(cleaned) {
        let clean = Format::Ndjson;
        let place = (reject.record, reject.line, reject.byte, reject.code(&clean));
        writeln!(text, "{} {place:?} {} {}", reject.object.path, reject.reason, reject.raw)
            .unwrap();
    }
    text
}

#[test]
fn neither_threads_nor_batches_change_what_is_taken_in() {
    let records = |of: usize| (0..60).map(|n| (n * 7 + of) % 90).collect::<Vec<_>>();
    let one = |of| Generated { chosen: records(of), line_end: "\n", compression: of % 4 };
    let rows: String =
        (2..60).map(|n| row(n, &[if n % 9 == 0 { "x" } else { "1" }, "y"])).collect();
    let sheet = workbook(&[("S", &(row(1, &["a", "b"]) + &rows))], &[]);
    let mut nights: Vec<(plan::Source, Objects)> = [Written::Csv, Written::Ndjson, Written::Json]
        .map(|written| (written.source(), (0..5).map(|n| one(n).object(written, n)).collect()))
        .into();
    nights.push((xlsx(), vec![("0".to_owned(), sheet.clone()), ("1".to_owned(), sheet)]));
    for (source, objects) in nights {
        let expected = content(&taken_in_by(1, source.clone(), &objects).unwrap());
        assert!(expected.contains("clean/type"), "{expected}");
        for threads in [1, 2, 8] {
            for batch_rows in [1, 7, 8192] {
                let limits = plan::Limits { batch_rows, ..plan::Limits::default() };
                let source = plan::Source { limits, ..source.clone() };
                let found = content(&taken_in_by(threads, source, &objects).unwrap());
                assert!(found == expected, "{threads} threads, batches of {batch_rows}");
            }
        }
    }
}

proptest! {
    #![proptest_config(law_config())]

    #[test]
    fn the_defects_found_are_those_planted(
        written in prop::sample::select(vec![Written::Csv, Written::Ndjson, Written::Json, Written::Sheet]),
        generated in prop::collection::vec(generated(), FILES_A_CASE),
    ) {
        let objects: Vec<_> = (0..).zip(&generated).map(|(number, one)| one.object(written, number)).collect();
        let cleaned = taken_in(written.source(), &objects).unwrap();
        let mut planted = Vec::new();
        for ((path, _), one) in objects.iter().zip(&generated) {
            for (record, (_, rule)) in (1_u64..).zip(written.records(&one.chosen)) {
                planted.extend(rule.map(|rule| (path.as_str(), record, rule)));
            }
        }
        let rejects = fixtures::rejects(&cleaned);
        let found: Vec<_> =
            rejects.iter().map(|reject| (&*reject.object.path, reject.record, reject.rule)).collect();
        prop_assert_eq!(found, planted);
        for (part, one) in cleaned.parts.iter().zip(&generated) {
            prop_assert_eq!(part.read, one.chosen.len() as u64);
        }
    }
}
