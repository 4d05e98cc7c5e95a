//! Reads the first records of local files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arrow::array::{Array, StructArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;

use super::definition::Draft;
use super::guess::Field;
use crate::spreadsheet::{Cell, Limits, Row, SheetChoice, WorkbookError, read_rows};

/// How long a line may be.
const MAX_LINE: u64 = 16 << 20;
/// How much of an array is looked at.
const MAX_ARRAY: u64 = 64 << 20;
/// The mark with which a text in UTF-8 may begin.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// How long a workbook may be once it is decompressed, and one of its rows.
const WORKBOOK: Limits = Limits { workbook: 512 << 20, row: MAX_LINE as usize };
/// How many fields are told apart.
const MAX_FIELDS: usize = 4096;

/// Says why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file `{}` cannot be read", path.display())]
pub(crate) struct InferError {
    path: PathBuf,
    #[source]
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    #[error(transparent)]
    Workbook(#[from] WorkbookError),
    #[error(
        "its name ends neither in `.csv`, `.tsv` or `.txt` nor `.ndjson`, `.jsonl` or `.json` nor `.parquet` nor `.xlsx`, plain, `.gz`, `.zst` or `.bz2`"
    )]
    Format,
    #[error("it is of another format than the file before")]
    Mixed,
}

/// Reads up to `limit` records of the files, as many of each.
pub(crate) fn read(files: &[PathBuf], limit: usize) -> Result<Draft, InferError> {
    let mut draft = Draft {
        format: "",
        delimiter: None,
        paths: files.iter().map(|file| file.display().to_string()).collect(),
        fields: Vec::new(),
        records: 0,
    };
    let share = limit.div_ceil(files.len().max(1)).max(1);
    for file in files {
        read_file(file, share, &mut draft)
            .map_err(|cause| InferError { path: file.clone(), cause })?;
    }
    Ok(draft)
}

fn read_file(path: &Path, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let mut format = format(path).ok_or(Cause::Format)?;
    if format == "parquet" {
        return same_format(draft, format).and_then(|()| read_parquet(path, limit, draft));
    }
    let mut text = decompressed(path)?;
    if format == "ndjson" && is_array(text.fill_buf()?) {
        format = "json";
    }
    same_format(draft, format)?;
    match format {
        "csv" => read_csv(text, limit, draft),
        "json" => read_json(text, limit, draft),
        "ndjson" => read_ndjson(text, limit, draft),
        _ => read_xlsx(text, limit, draft),
    }
}

/// Refuses a file that is written in another way than those before it.
fn same_format(draft: &mut Draft, format: &'static str) -> Result<(), Cause> {
    if !draft.format.is_empty() && draft.format != format {
        return Err(Cause::Mixed);
    }
    draft.format = format;
    Ok(())
}

/// Says whether a text begins as an array does.
fn is_array(head: &[u8]) -> bool {
    let head = head.strip_prefix(MARK).unwrap_or(head);
    head.trim_ascii_start().first() == Some(&b'[')
}

fn format(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let packed = [".gz", ".zst", ".bz2"].iter().find_map(|ending| name.strip_suffix(ending));
    let name = packed.unwrap_or(name);
    match name.rsplit_once('.')?.1 {
        "csv" | "tsv" | "txt" => Some("csv"),
        "ndjson" | "jsonl" | "json" => Some("ndjson"),
        "parquet" => Some("parquet"),
        "xlsx" => Some("xlsx"),
        _ => None,
    }
}

fn decompressed(path: &Path) -> Result<Box<dyn BufRead>, std::io::Error> {
    let file = BufReader::new(File::open(path)?);
    let ending = path.extension().and_then(|ending| ending.to_str());
    Ok(match ending {
        Some("gz") => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        Some("bz2") => Box::new(BufReader::new(MultiBzDecoder::new(file))),
        Some("zst") => Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)),
        _ => Box::new(file),
    })
}

impl Draft {
    /// Notes a value of the present record.
    fn note(&mut self, name: &str, value: Option<String>) {
        let place = match self.fields.iter().position(|field| field.name == name) {
            Some(place) => place,
            None if self.fields.len() >= MAX_FIELDS => return,
            None => {
                self.fields.push(Field { name: name.to_owned(), values: Vec::new() });
                self.fields.len() - 1
            }
        };
        let values = &mut self.fields[place].values;
        values.resize(self.records, None);
        values.push(value);
    }

    /// Ends the present record: fields it lacks have no value in it.
    fn end_record(&mut self) {
        self.records += 1;
        for field in &mut self.fields {
            field.values.resize(self.records, None);
        }
    }
}

fn read_csv(mut text: Box<dyn BufRead>, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let head = text.fill_buf()?;
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |delimiter: &u8| memchr::memchr_iter(*delimiter, line).count();
    // The last of equals wins, which is the comma.
    let delimiter = *b"|\t;,".iter().max_by_key(|delimiter| count(delimiter)).unwrap_or(&b',');
    if count(&delimiter) == 0
        && line.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty()).count() > 1
    {
        draft.delimiter = Some("blanks".to_owned());
        return read_blanks(text, limit, draft);
    }
    draft.delimiter = (delimiter != b',').then(|| char::from(delimiter).to_string());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
    let lossy = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let names: Vec<String> = reader.byte_headers()?.iter().map(lossy).collect();
    let names: Vec<&str> =
        names.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    for record in reader.byte_records().take(limit) {
        let record = record?;
        if record.len() != names.len() {
            continue;
        }
        for (name, field) in names.iter().zip(&record) {
            draft.note(name, Some(lossy(field)));
        }
        draft.end_record();
    }
    Ok(())
}

/// Reads text that is set in columns.
fn read_blanks(text: Box<dyn BufRead>, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let mut names: Option<Vec<String>> = None;
    let lines = text.take(MAX_LINE).split(b'\n');
    for line in lines.take(limit.saturating_add(1)) {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let fields: Vec<&str> =
            line.trim_start_matches('\u{feff}').split_ascii_whitespace().collect();
        let Some(names) = &names else {
            names = Some(fields.into_iter().map(str::to_owned).collect());
            continue;
        };
        if fields.len() != names.len() {
            continue;
        }
        for (name, field) in names.iter().zip(fields) {
            draft.note(name, Some(field.to_owned()));
        }
        draft.end_record();
    }
    Ok(())
}

/// Reads the first elements of an array; what is no object makes a reject in a run, and tells nothing here.
fn read_json(text: Box<dyn BufRead>, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let mut text = text.take(MAX_ARRAY);
    if text.fill_buf()?.starts_with(MARK) {
        text.consume(MARK.len());
    }
    let mut elements = Vec::new();
    // The rest of the array is not read, which the parser takes for an error; what was read counts.
    let _ = serde_json::Deserializer::from_reader(text)
        .deserialize_seq(First { limit, elements: &mut elements });
    for record in elements {
        note_object(draft, "", record);
        draft.end_record();
    }
    Ok(())
}

/// Gathers the first objects of an array.
struct First<'a> {
    limit: usize,
    elements: &'a mut Vec<serde_json::Map<String, Value>>,
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();

    fn expecting(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        text.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        for _ in 0..self.limit {
            match array.next_element()? {
                Some(Value::Object(record)) => self.elements.push(record),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }
}

fn read_ndjson(mut text: Box<dyn BufRead>, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let mut line = Vec::new();
    for _ in 0..limit {
        line.clear();
        if text.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let line = line.strip_prefix(MARK).unwrap_or(&line);
        // A line that is no object becomes a reject in a run, and tells nothing here.
        if let Ok(Value::Object(record)) = serde_json::from_slice(line) {
            note_object(draft, "", record);
            draft.end_record();
        }
    }
    Ok(())
}

/// Reads the first sheet; its first row that holds anything names the fields.
fn read_xlsx(bytes: Box<dyn BufRead>, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let mut workbook = Vec::new();
    bytes.take(WORKBOOK.workbook).read_to_end(&mut workbook)?;
    let mut names: Option<Vec<(u32, String)>> = None;
    let mut left = limit;
    read_rows(&workbook, &SheetChoice::Number(1), WORKBOOK, |row| {
        let Some(names) = &names else {
            names = Some(texts(row).collect());
            return ControlFlow::Continue(());
        };
        let mut cells: HashMap<u32, String> = texts(row).collect();
        for (column, name) in names {
            draft.note(name, cells.remove(column));
        }
        draft.end_record();
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(())
}

/// Returns the cells with a value; one that holds an error makes a reject in a run, and tells nothing here.
fn texts(row: Row) -> impl Iterator<Item = (u32, String)> {
    row.cells.into_iter().filter_map(|(column, cell)| match cell {
        Cell::Text(text) => Some((column, text.trim().to_owned())),
        Cell::Error(_) | Cell::NotComputed => None,
    })
}

fn note_object(draft: &mut Draft, prefix: &str, object: serde_json::Map<String, Value>) {
    for (key, value) in object {
        let name = format!("{prefix}{key}");
        match value {
            Value::Object(inner) => note_object(draft, &format!("{name}."), inner),
            Value::Null => draft.note(&name, None),
            Value::String(text) => draft.note(&name, Some(text)),
            other => draft.note(&name, Some(other.to_string())),
        }
    }
}

fn read_parquet(path: &Path, limit: usize, draft: &mut Draft) -> Result<(), Cause> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    for batch in builder.with_limit(limit).build()? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            note_row(draft, "", &batch.clone().into(), row)?;
            draft.end_record();
        }
    }
    Ok(())
}

fn note_row(
    draft: &mut Draft,
    prefix: &str,
    object: &StructArray,
    row: usize,
) -> Result<(), Cause> {
    for (field, column) in object.fields().iter().zip(object.columns()) {
        let name = format!("{prefix}{}", field.name());
        if let Some(inner) = column.as_any().downcast_ref::<StructArray>() {
            note_row(draft, &format!("{name}."), inner, row)?;
            continue;
        }
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column, &options)?;
        let value = column.is_valid(row).then(|| formatter.value(row).to_string());
        draft.note(&name, value);
    }
    Ok(())
}
