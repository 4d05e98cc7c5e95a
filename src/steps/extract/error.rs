//! What can go wrong with an object as a whole.

use std::fmt;
use std::sync::Arc;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use super::decompress::{Inflated, TooLong};
use crate::names::SourceName;
use crate::spreadsheet::WorkbookError;

/// Says which object of which source cannot be taken in, and why.
#[derive(Debug)]
pub(crate) struct ExtractError {
    pub(crate) source_name: SourceName,
    /// The path of the object below the raw root; none while the objects are listed.
    pub(crate) object: Option<Arc<str>>,
    pub(crate) kind: ExtractErrorKind,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtractErrorKind {
    #[error("the objects cannot be listed")]
    List(#[source] object_store::Error),
    #[error("the object cannot be read from its store")]
    Read(#[source] object_store::Error),
    #[error("the object changed while it was read")]
    Changed,
    #[error("the object is cut off: it ends too early")]
    CutOff,
    #[error("the object cannot be decompressed")]
    Decompress(#[source] std::io::Error),
    #[error("the object cannot be decompressed")]
    Inflated(#[source] Inflated),
    #[error("the object has no column `{column}`")]
    LacksColumn {
        column: String,
        /// The most similar name that is there.
        nearest: Option<String>,
    },
    #[error("the header has the column `{column}` more than once")]
    RepeatsColumn { column: String },
    #[error("the header cannot be decoded: {reason}")]
    BadHeader { reason: String },
    #[error("the object is no JSON array: it begins with `{found}`")]
    NoArray { found: String },
    #[error("the object cannot be read as a workbook")]
    Workbook(#[source] WorkbookError),
    #[error("the text is longer than the {limit} bytes that its source allows")]
    TooLong { limit: u64 },
    #[error("the object is not readable as parquet")]
    Parquet(#[source] ParquetError),
    #[error("the column `{column}` of the parquet object cannot be turned into text")]
    Column {
        column: String,
        #[source]
        source: ArrowError,
    },
}

impl fmt::Display for ExtractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some(object) => write!(
                formatter,
                "the object `{object}` of source `{}` cannot be taken in",
                self.source_name
            ),
            None => {
                write!(formatter, "the objects of source `{}` cannot be found", self.source_name)
            }
        }
    }
}

impl std::error::Error for ExtractError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

impl ExtractErrorKind {
    /// Makes the error for a column that is not among `present`.
    pub(crate) fn lacks_column<'a>(
        column: &str,
        present: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let distance = |name: &&str| strsim::osa_distance(column, name);
        let nearest = present.into_iter().min_by_key(distance);
        Self::LacksColumn { column: column.to_owned(), nearest: nearest.map(str::to_owned) }
    }

    /// Says whether the object itself is wrong, rather than the way to it.
    pub(crate) fn is_of_the_object(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Read(_) | Self::Changed)
    }

    /// Returns what failed, and why.
    pub(crate) fn reason(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// Returns the way out, where there is one to name.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::LacksColumn { nearest: Some(nearest), .. } => {
                Some(format!("the nearest name in the object is `{nearest}`"))
            }
            Self::NoArray { .. } => {
                Some("`format: ndjson` is for objects that stand one on each line".to_owned())
            }
            Self::TooLong { .. } | Self::Workbook(WorkbookError::TooLarge { .. }) => Some(
                "look what is in the object; if it is right, raise `limits: { object: … }` of the source".to_owned(),
            ),
            Self::Workbook(WorkbookError::LacksSheet { there, .. }) if !there.is_empty() => {
                Some(format!("there are `{}`", there.join("`, `")))
            }
            Self::Workbook(WorkbookError::Password) => {
                Some("deliver the workbook without a password".to_owned())
            }
            Self::Workbook(WorkbookError::CutOff) | Self::CutOff => Some("deliver the object again".to_owned()),
            Self::Inflated(_) => Some(
                "look what is in the object; if it is right, deliver it in parts or without compression"
                    .to_owned(),
            ),
            Self::Changed => Some("run again when the export is complete".to_owned()),
            _ => None,
        }
    }

    /// Tells what an error of the stream means: of the store below, or of the decompression.
    pub(crate) fn from_stream(error: std::io::Error) -> Self {
        let cut_off = error.kind() == std::io::ErrorKind::UnexpectedEof;
        let error = match error.downcast::<object_store::Error>() {
            Ok(error) => return Self::from_store(error),
            Err(error) => error,
        };
        let error = match error.downcast::<TooLong>() {
            Ok(TooLong { limit }) => return Self::TooLong { limit },
            Err(error) => error,
        };
        match error.downcast::<Inflated>() {
            Ok(inflated) => Self::Inflated(inflated),
            Err(_) if cut_off => Self::CutOff,
            Err(error) => Self::Decompress(error),
        }
    }

    pub(crate) fn from_store(error: object_store::Error) -> Self {
        match error {
            object_store::Error::Precondition { .. } => Self::Changed,
            error => Self::Read(error),
        }
    }
}
