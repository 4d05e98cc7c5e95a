//! Writes small workbooks, sound and unsound ones, for tests.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
/// Style 1 shows a date, 2 a date and time, 3 a length of time.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs></styleSheet>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// Writes a workbook; a sheet is its name and the XML of its rows.
pub(crate) fn workbook(sheets: &[(&str, &str)], shared: &[&str]) -> Vec<u8> {
    let numbered = || sheets.iter().enumerate().map(|(place, sheet)| (place + 1, sheet));
    let list: Vec<String> = numbered()
        .map(|(n, (name, _))| format!(r#"<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>"#))
        .collect();
    let relations: Vec<String> = numbered()
        .map(|(n, _)| {
            format!(r#"<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>"#)
        })
        .collect();
    let texts: Vec<String> = shared.iter().map(|text| format!("<si><t>{text}</t></si>")).collect();
    let (list, relations, texts) = (list.concat(), relations.concat(), texts.concat());
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), CONTENT_TYPES.to_owned()),
        ("_rels/.rels".to_owned(), ROOT.to_owned()),
        (
            "xl/workbook.xml".to_owned(),
            format!(
                r#"<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{list}</sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!(
                r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}<Relationship Id="rId98" Type="{RELATIONS}/styles" Target="styles.xml"/><Relationship Id="rId99" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
            ),
        ),
        ("xl/styles.xml".to_owned(), STYLES.to_owned()),
        (
            "xl/sharedStrings.xml".to_owned(),
            format!(r#"<?xml version="1.0"?><sst xmlns="{MAIN}">{texts}</sst>"#),
        ),
    ];
    parts.extend(numbered().map(|(n, (_, rows))| {
        let sheet = format!(
            r#"<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#
        );
        (format!("xl/worksheets/sheet{n}.xml"), sheet)
    }));
    archive(&parts)
}

/// Puts parts into an archive.
pub(crate) fn archive(parts: &[(String, String)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Writes the XML of a row of texts and numbers; what is empty makes no cell.
pub(crate) fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(column, text): (usize, &&str)| {
        let place = format!("{}{number}", char::from(b'A' + column as u8));
        match text.parse::<f64>() {
            _ if text.is_empty() => String::new(),
            Ok(_) => format!(r#"<c r="{place}"><v>{text}</v></c>"#),
            Err(_) => format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#),
        }
    };
    let cells: String = cells.iter().enumerate().map(cell).collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}
