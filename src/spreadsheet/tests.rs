//! Workbooks, sound and unsound.

use std::ops::ControlFlow;

use super::write::{archive, row, workbook};
use super::{Cell, Limits, Row, SheetChoice, read_rows};

const LIMITS: Limits = Limits { workbook: 1 << 20, row: 1 << 16 };

fn first() -> SheetChoice {
    SheetChoice::Number(1)
}

/// Returns the rows as texts: `1: A=id B=7`, errors with a `!` in front.
fn shown(bytes: &[u8], sheet: &SheetChoice, limits: Limits) -> Result<Vec<String>, String> {
    let mut rows = Vec::new();
    let on_row = |row: Row| {
        let cells = row.cells.iter().map(|(column, cell)| {
            let text = match cell {
                Cell::Text(text) => text.clone(),
                Cell::Error(error) => format!("!{error}"),
                Cell::NotComputed => "!?".to_owned(),
            };
            format!(" {}={text}", char::from(b'A' + (*column % 26) as u8))
        });
        let cells: String = cells.collect();
        let mark = if row.is_too_long { " too long" } else { "" };
        rows.push(format!("{}:{cells}{mark}", row.number));
        ControlFlow::Continue(())
    };
    read_rows(bytes, sheet, limits, on_row).map_err(|error| error.to_string())?;
    Ok(rows)
}

#[test]
fn cells_of_every_kind_are_texts() {
    let rows = r#"
        <row r="2"><c r="A2" t="s"><v>1</v></c><c r="C2" s="1"><v>46053</v></c><c r="D2" s="2"><v>46053.34375</v></c></row>
        <row r="3"/>
        <row r="5"><c r="A5" t="b"><v>1</v></c><c r="B5" t="e"><v>#DIV/0!</v></c><c r="C5"><f>A1+1</f><v>2.5000000000000004</v></c>
            <c r="D5"><f>A1+1</f></c><c r="E5" t="str"><f>A1</f><v>a &amp; b</v></c><c r="F5" s="3"><v>1.5</v></c><c r="G5"/></row>"#;
    let bytes = workbook(&[("S", rows)], &["x", "y"]);
    let expected = [
        "2: A=y C=2026-01-31 D=2026-01-31T08:15:00",
        "5: A=true B=!#DIV/0! C=2.5 D=!? E=a & b F=36:00:00",
    ];
    assert_eq!(shown(&bytes, &first(), LIMITS).unwrap(), expected);
}

#[test]
fn a_sheet_is_chosen_by_name_or_place() {
    let sheets = [("One", row(1, &["a"])), ("Two", row(1, &["b"]))];
    let sheets: Vec<(&str, &str)> = sheets.iter().map(|(name, rows)| (*name, &**rows)).collect();
    let bytes = workbook(&sheets, &[]);
    let name = |name: &str| SheetChoice::Name(name.to_owned());
    assert_eq!(shown(&bytes, &name("Two"), LIMITS).unwrap(), ["1: A=b"]);
    assert_eq!(shown(&bytes, &SheetChoice::Number(2), LIMITS).unwrap(), ["1: A=b"]);
    for (sheet, error) in [
        (name("two"), "the workbook has no sheet `two`"),
        (SheetChoice::Number(3), "the workbook has no sheet 3"),
        (SheetChoice::Number(0), "the workbook has no sheet 0"),
    ] {
        assert_eq!(shown(&bytes, &sheet, LIMITS).unwrap_err(), error);
    }
}

#[test]
fn what_is_no_sound_workbook_is_refused_with_its_reason() {
    let sound = workbook(&[("S", &row(1, &["a", "b"]))], &[]);
    let mut encrypted = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    let old = encrypted.clone();
    encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xFF;
    let no_sheet = archive(&[("hello.txt".to_owned(), "x".to_owned())]);
    let cut_xml = workbook(&[("S", "<row r=\"1\"><c r=\"A1\"><v>1")], &[]);
    let backwards = workbook(&[("S", &(row(2, &["a"]) + &row(1, &["b"])))], &[]);
    for (name, bytes, reason) in [
        ("text", b"id,name\n1,x\n".to_vec(), "it does not begin as"),
        ("nothing", Vec::new(), "it does not begin as"),
        ("old workbook", old, "it does not begin as"),
        ("encrypted", encrypted, "protected by a password"),
        ("half", sound[..sound.len() / 2].to_vec(), "cut off"),
        ("without its last byte", sound[..sound.len() - 1].to_vec(), "cut off"),
        ("flipped", flipped, "damaged"),
        ("archive of something else", no_sheet, "damaged"),
        ("cut-off XML", cut_xml, "damaged"),
        ("backwards", backwards, "damaged: row 1 stands behind row 2"),
    ] {
        let error = shown(&bytes, &first(), LIMITS).unwrap_err();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_read() {
    let bomb = workbook(&[("S", &row(1, &["a"]))], &[&"0".repeat(2 << 20)]);
    assert!(bomb.len() < 1 << 14, "{}", bomb.len());
    let error = shown(&bomb, &first(), LIMITS).unwrap_err();
    assert_eq!(error, "the workbook is longer than 1048576 bytes once it is decompressed");
    assert!(shown(&bomb, &first(), Limits { workbook: 3 << 20, ..LIMITS }).is_ok());
}

#[test]
fn a_row_that_repeats_a_long_text_is_cut() {
    let cell = |column| format!(r#"<c r="{}1" t="s"><v>0</v></c>"#, char::from(column));
    let cells = (b'A'..=b'Z').map(cell).collect::<Vec<_>>().concat();
    let rows = format!(r#"<row r="1">{cells}</row>{}"#, row(2, &["b"]));
    let bytes = workbook(&[("S", &rows)], &[&"0".repeat(60_000)]);
    let rows = shown(&bytes, &first(), LIMITS).unwrap();
    assert!(rows[0].ends_with(" too long") && rows[0].len() < 1 << 16, "{}", rows[0].len());
    assert_eq!(rows[1], "2: A=b");
}

#[test]
fn reading_stops_where_nobody_wants_more() {
    let rows = row(1, &["a"]) + &row(2, &["b"]) + "<broken";
    let bytes = workbook(&[("S", &rows)], &[]);
    let mut seen = Vec::new();
    let read = read_rows(&bytes, &first(), LIMITS, |row| {
        seen.push(row.number);
        ControlFlow::Break(())
    });
    assert!(read.is_ok() && seen == [1], "{seen:?}");
}

#[test]
fn fuzzed_workbooks_are_read_or_refused() {
    let rows = row(1, &["a", "b"])
        + r#"<row r="2"><c r="A2" s="2"><v>46053.5</v></c><c r="B2" t="s"><v>0</v></c><c r="C2" t="e"><v>#N/A</v></c></row>"#;
    let sound = workbook(&[("S", &rows)], &["x"]);
    let words: [&[u8]; 4] = [b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\xff\xff\xff\xff"];
    crate::fuzz::feed(&[&sound], &words, 1, |bytes| drop(shown(bytes, &first(), LIMITS)));
    // The XML itself, in an archive that is sound.
    let words: [&[u8]; 12] = [
        b"<c>",
        b"</c>",
        b"<v>",
        b"</v>",
        b"<row r=\"4294967295\">",
        b"</row>",
        b"t=\"s\"",
        b"s=\"9\"",
        b"<f>",
        b"&#0;",
        b"r=\"ZZZZZZ9\"",
        b"1e308",
    ];
    crate::fuzz::feed(&[rows.as_bytes()], &words, 1, |bytes| {
        let rows = String::from_utf8_lossy(bytes);
        let _ = shown(&workbook(&[("S", &rows)], &["x"]), &first(), LIMITS);
    });
}
