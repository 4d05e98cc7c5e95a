//! How the objects of a source are written.

use encoding_rs::{Encoding, UTF_8};

use super::intake;
use super::place::{Place, with_nearest};
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::source::{CsvFormat, Delimiter, Format, Ragged};
use crate::spec;

/// Reads the format of a source, or reports what is wrong with it.
pub(super) fn resolve(
    source: &spec::Source,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Format> {
    let idle = [
        ("csv", source.csv.is_some() && source.format != spec::Format::Csv),
        ("xlsx", source.xlsx.is_some() && source.format != spec::Format::Xlsx),
    ];
    for (key, _) in idle.into_iter().filter(|(_, is_idle)| *is_idle) {
        let message = format!("`{key}` means nothing where the format is not `{key}`");
        found.push(place.child(key).key_error(Code::BadValue, message));
    }
    match source.format {
        spec::Format::Csv => {
            csv_format(source.csv.as_ref(), &place.child("csv"), found).map(Format::Csv)
        }
        spec::Format::Ndjson => Some(Format::Ndjson),
        spec::Format::Json => Some(Format::Json),
        spec::Format::Parquet => Some(Format::Parquet),
        spec::Format::Xlsx => {
            intake::xlsx(source.xlsx.as_ref(), &place.child("xlsx"), found).map(Format::Xlsx)
        }
    }
}

/// The charsets that are proposed where a name means nothing.
const CHARSETS: &[&str] = &[
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "windows-1251",
    "windows-1252",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "koi8-r",
];

/// Finds the charset of a source's texts, UTF-8 where none is declared, or reports that it means nothing.
pub(super) fn encoding(
    source: &spec::Source,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<&'static Encoding> {
    let Some(name) = source.encoding.as_deref() else {
        return Some(UTF_8);
    };
    let place = place.child("encoding");
    let binary = match source.format {
        spec::Format::Parquet => Some("parquet"),
        spec::Format::Xlsx => Some("xlsx"),
        _ => None,
    };
    if let Some(format) = binary {
        let message = format!("`encoding` means nothing where the format is `{format}`");
        found.push(place.key_error(Code::BadValue, message));
    }
    let encoding = Encoding::for_label_no_replacement(name.as_bytes());
    if encoding.is_none() {
        let unknown = place.error(Code::BadValue, format!("there is no charset `{name}`"));
        found.push(with_nearest(unknown, name, CHARSETS.iter().copied()));
    }
    encoding
}

/// Stands for the delimiter that is any number of spaces and tabs.
const BLANKS: &str = "blanks";

fn csv_format(
    csv: Option<&spec::CsvOptions>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<CsvFormat> {
    let before = found.len();
    let plain = CsvFormat::default();
    let Some(csv) = csv else {
        return Some(plain);
    };
    let blanks = csv.delimiter.as_deref() == Some(BLANKS);
    let mut taken = if blanks { vec![b' ', b'\t'] } else { Vec::new() };
    let mut mark = |key: &str, text: Option<&str>, fallback: Option<u8>| {
        let byte = one_byte(text, &place.child(key), found).or(fallback)?;
        if taken.contains(&byte) {
            let message = "this character has another meaning in these objects already";
            found.push(place.child(key).error(Code::BadValue, message));
        }
        taken.push(byte);
        Some(byte)
    };
    let format = CsvFormat {
        delimiter: match csv.delimiter.as_deref() {
            Some(BLANKS) => Delimiter::Blanks,
            written => Delimiter::Byte(mark("delimiter", written, Some(b','))?),
        },
        quote: mark("quote", csv.quote.as_deref(), Some(plain.quote))?,
        comment: mark("comment", csv.comment.as_deref(), None),
        escape: mark("escape", csv.escape.as_deref(), None),
        header: csv.header.clone(),
        ragged: match csv.ragged {
            None | Some(spec::Ragged::Reject) => Ragged::Reject,
            Some(spec::Ragged::Pad) => Ragged::Pad,
        },
    };
    (found.len() == before).then_some(format)
}

fn one_byte(text: Option<&str>, place: &Place<'_>, found: &mut Diagnostics) -> Option<u8> {
    match text?.as_bytes() {
        &[byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Some(byte),
        _ => {
            let message = "this must be a single ASCII character, no line break";
            found.push(place.error(Code::BadValue, message));
            None
        }
    }
}
