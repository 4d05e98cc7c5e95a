//! Walks the rows of one sheet.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;

use calamine::{Reader, Xlsx};
use memchr::memmem;
use zip::ZipArchive;

use super::{Cell, WorkbookError};

/// What every archive begins with.
const ARCHIVE: &[u8] = b"PK\x03\x04";
/// What encrypted workbooks, and those of before 2007, begin with.
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0";

/// Which sheet of a workbook is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SheetChoice {
    Name(String),
    /// The place of the sheet, from 1.
    Number(u32),
}

impl fmt::Display for SheetChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(formatter, "sheet `{name}`"),
            Self::Number(number) => write!(formatter, "sheet {number}"),
        }
    }
}

/// A row that holds anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The number of the row as the spreadsheet shows it, from 1.
    pub(crate) number: u32,
    /// The cells that hold anything, with their columns from 0.
    pub(crate) cells: Vec<(u32, Cell)>,
    /// The texts of the row are longer than they may be; the cells behind the limit are left out.
    pub(crate) is_too_long: bool,
}

/// How much of a workbook is read at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many bytes all parts of the workbook have together once they are decompressed.
    pub(crate) workbook: u64,
    /// How many bytes the texts of one row have together.
    pub(crate) row: usize,
}

/// Hands the rows of a sheet on, until `on_row` breaks off.
pub(crate) fn read_rows(
    workbook: &[u8],
    sheet: &SheetChoice,
    limits: Limits,
    mut on_row: impl FnMut(Row) -> ControlFlow<()>,
) -> Result<(), WorkbookError> {
    refuse_bombs(workbook, limits.workbook)?;
    let mut workbook = Xlsx::new(Cursor::new(workbook))?;
    let name = sheet_name(&workbook.sheet_names(), sheet)?;
    let mut cells = workbook.worksheet_cells_reader(&name)?;
    let mut rows = Rows { limit: limits.row, open: None };
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let (row, column) = cell.pos;
        let Some(value) = Cell::new(cell.value, cell.formula.is_some()) else {
            continue;
        };
        if let Some(row) = rows.begin(row.saturating_add(1))?
            && on_row(row).is_break()
        {
            return Ok(());
        }
        rows.add(column, value);
    }
    if let Some(open) = rows.open {
        let _ = on_row(open.row);
    }
    Ok(())
}

/// Gathers cells into rows.
struct Rows {
    limit: usize,
    open: Option<OpenRow>,
}

/// A row that may have further cells.
struct OpenRow {
    row: Row,
    bytes: usize,
}

impl Rows {
    /// Begins a row unless it is open already, and returns the row before it.
    fn begin(&mut self, number: u32) -> Result<Option<Row>, WorkbookError> {
        match &self.open {
            Some(open) if open.row.number == number => return Ok(None),
            Some(open) if open.row.number > number => {
                let before = open.row.number;
                let reason = format!("row {number} stands behind row {before}");
                return Err(WorkbookError::Damaged { reason });
            }
            _ => {}
        }
        let row = Row { number, cells: Vec::new(), is_too_long: false };
        Ok(self.open.replace(OpenRow { row, bytes: 0 }).map(|open| open.row))
    }

    fn add(&mut self, column: u32, cell: Cell) {
        if let Some(OpenRow { row, bytes }) = &mut self.open {
            *bytes += cell.length() + size_of::<Cell>();
            row.is_too_long |= *bytes > self.limit;
            if !row.is_too_long {
                row.cells.push((column, cell));
            }
        }
    }
}

fn sheet_name(there: &[String], sheet: &SheetChoice) -> Result<String, WorkbookError> {
    let found = match sheet {
        SheetChoice::Name(name) => there.iter().find(|other| *other == name),
        SheetChoice::Number(number) => there.get((*number as usize).wrapping_sub(1)),
    };
    found
        .cloned()
        .ok_or_else(|| WorkbookError::LacksSheet { sheet: sheet.clone(), there: there.to_vec() })
}

/// Refuses what is no workbook, and decompresses all parts once without keeping anything: the sizes that an archive
/// states prove nothing.
fn refuse_bombs(workbook: &[u8], limit: u64) -> Result<(), WorkbookError> {
    if workbook.starts_with(COMPOUND) && memmem::find(workbook, &encrypted_package()).is_some() {
        return Err(WorkbookError::Password);
    }
    if !workbook.starts_with(ARCHIVE) {
        return Err(WorkbookError::NoWorkbook);
    }
    let damaged = |error: &dyn fmt::Display| WorkbookError::Damaged { reason: error.to_string() };
    let mut archive = ZipArchive::new(Cursor::new(workbook)).map_err(|_| WorkbookError::CutOff)?;
    let mut left = limit;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|error| damaged(&error))?;
        let read = io::copy(&mut part.take(left.saturating_add(1)), &mut io::sink());
        let length = read.map_err(|error| damaged(&error))?;
        left = left.checked_sub(length).ok_or(WorkbookError::TooLarge { limit })?;
    }
    Ok(())
}

/// Returns the name under which a compound file holds an encrypted workbook.
fn encrypted_package() -> Vec<u8> {
    "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect()
}
