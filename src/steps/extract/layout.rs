//! Which fields of a CSV object are wanted, by the names in its header.

use super::ExtractErrorKind;
use super::raw::Span;
use super::wanted::Wanted;

/// How many columns an object may have.
pub(super) const MAX_COLUMNS: usize = 4096;

/// Which of an object's fields are wanted.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// For every field of a record, the place of its text in a row.
    pub(super) slots: Vec<Option<usize>>,
}

impl Layout {
    pub(super) fn new(names: &[String], wanted: &Wanted) -> Result<Self, ExtractErrorKind> {
        refuse_too_many(names.len())?;
        let is_twice = |column: &&String| names.iter().filter(|name| name == column).count() > 1;
        if let Some(column) = wanted.fields.iter().find(is_twice) {
            return Err(ExtractErrorKind::RepeatsColumn { column: column.clone() });
        }
        wanted.missing(names)?;
        let slot = |name: &String| wanted.fields.iter().position(|column| column == name);
        Ok(Self { slots: names.iter().map(slot).collect() })
    }
}

/// Refuses an object that has more columns than one may have.
pub(super) fn refuse_too_many(columns: usize) -> Result<(), ExtractErrorKind> {
    if columns > MAX_COLUMNS {
        let reason = format!("it has more than {MAX_COLUMNS} columns");
        return Err(ExtractErrorKind::BadHeader { reason });
    }
    Ok(())
}

/// Returns the names in a header, without the blanks around them.
pub(super) fn header_names(
    block: &[u8],
    unescaped: &[u8],
    spans: &[Span],
) -> Result<Vec<String>, ExtractErrorKind> {
    let name = |span: &Span| {
        let bytes =
            if span.is_unescaped() { &unescaped[span.range()] } else { &block[span.range()] };
        match std::str::from_utf8(bytes) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => Err(ExtractErrorKind::BadHeader {
                reason: format!("no UTF-8: `{}`", String::from_utf8_lossy(bytes)),
            }),
        }
    };
    spans.iter().map(name).collect()
}
