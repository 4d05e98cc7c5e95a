//! Tables as answers: to stdout or a file, for people or programs.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::csv::WriterBuilder;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use arrow::util::pretty::pretty_format_batches;

use super::args::{AnswerArguments, AnswerFormat, TableFormat};
use super::output::Output;
use crate::engine::{ParquetFileErrorKind, parquet_bytes};

/// The longest text a table for people shows of one cell, in characters.
const LONGEST_CELL: usize = 60;

/// Says why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritten {
    #[error("the answer cannot be written")]
    Text(#[from] ArrowError),
    #[error("the answer cannot be written as Parquet")]
    Parquet(#[from] ParquetFileErrorKind),
    #[error("the file `{}` cannot be written", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("a Parquet file is nothing for a terminal; say where with `--output FILE`")]
    Terminal,
}

/// Writes rows where and how the arguments say.
pub(super) fn tell(
    rows: &[RecordBatch],
    arguments: &AnswerArguments,
    output: &Output,
) -> Result<(), Unwritten> {
    let format = arguments.format();
    let bytes = match format {
        AnswerFormat::Table => text(&shortened(rows)?, TableFormat::Table)?.into_bytes(),
        AnswerFormat::Csv => text(rows, TableFormat::Csv)?.into_bytes(),
        AnswerFormat::Json => text(rows, TableFormat::Json)?.into_bytes(),
        AnswerFormat::Parquet => match rows.first() {
            Some(first) => parquet_bytes(&first.schema(), rows)?,
            None => Vec::new(),
        },
    };
    match &arguments.output {
        Some(path) => {
            let failed = |source| Unwritten::File { path: path.clone(), source };
            std::fs::write(path, bytes).map_err(failed)?;
        }
        None if format == AnswerFormat::Parquet && io::stdout().is_terminal() => {
            return Err(Unwritten::Terminal);
        }
        None => output.bytes(&bytes),
    }
    Ok(())
}

/// Returns rows in a format that is text.
pub(super) fn text(rows: &[RecordBatch], format: TableFormat) -> Result<String, ArrowError> {
    let mut bytes = Vec::new();
    match format {
        TableFormat::Table => return Ok(format!("{}\n", pretty_format_batches(rows)?)),
        TableFormat::Csv => {
            let mut writer = WriterBuilder::new().with_header(true).build(&mut bytes);
            rows.iter().try_for_each(|batch| writer.write(batch))?;
        }
        TableFormat::Json => {
            let mut writer = LineDelimitedWriter::new(&mut bytes);
            writer.write_batches(&rows.iter().collect::<Vec<_>>())?;
            writer.finish()?;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Cuts long texts, so that a table can be read in a pager.
fn shortened(rows: &[RecordBatch]) -> Result<Vec<RecordBatch>, ArrowError> {
    let column = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8 => {
                Arc::new(column.as_string::<i32>().iter().map(cut).collect::<StringArray>())
            }
            _ => Arc::clone(column),
        }
    };
    let batch = |batch: &RecordBatch| match batch.num_columns() {
        0 => Ok(batch.clone()),
        _ => RecordBatch::try_new(batch.schema(), batch.columns().iter().map(column).collect()),
    };
    rows.iter().map(batch).collect()
}

/// Returns the beginning of a text; one of several lines is a plan and stays whole.
fn cut(text: Option<&str>) -> Option<String> {
    let text = text?;
    let is_long = text.chars().nth(LONGEST_CELL).is_some() && !text.contains('\n');
    if is_long {
        Some(text.chars().take(LONGEST_CELL - 1).chain(['…']).collect())
    } else {
        Some(text.to_owned())
    }
}
