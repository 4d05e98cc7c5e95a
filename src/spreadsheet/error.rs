//! What can go wrong with a workbook.

use super::SheetChoice;

/// Says why a workbook cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkbookError {
    #[error("it does not begin as an XLSX workbook does")]
    NoWorkbook,
    #[error("the workbook is cut off: the list of its parts, which stands at its end, is missing")]
    CutOff,
    #[error("the workbook is protected by a password")]
    Password,
    #[error("the workbook is longer than {limit} bytes once it is decompressed")]
    TooLarge { limit: u64 },
    #[error("the workbook has no {sheet}")]
    LacksSheet {
        sheet: SheetChoice,
        /// The names of the sheets that are there.
        there: Vec<String>,
    },
    #[error("the workbook is damaged: {reason}")]
    Damaged { reason: String },
}

impl From<calamine::XlsxError> for WorkbookError {
    fn from(error: calamine::XlsxError) -> Self {
        match error {
            calamine::XlsxError::Password => Self::Password,
            error => Self::Damaged { reason: error.to_string() },
        }
    }
}
