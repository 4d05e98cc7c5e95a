//! Why a run failed, and what that means to whoever started it.

use arrow::error::ArrowError;
use chrono::NaiveDate;
use datafusion::error::DataFusionError;

use crate::engine::SpoolError;
use crate::names::StageName;
use crate::report::MissingInput;
use crate::spreadsheet::WorkbookError;
use crate::steps::audit::{AuditError, IntakeError};
use crate::steps::clean::{CleanError, CleanErrorKind};
use crate::steps::dedupe::DedupeError;
use crate::steps::extract::{ExtractError, ExtractErrorKind};
use crate::steps::identity::IdentityError;
use crate::steps::publish::PublishError;
use crate::steps::transform::{TransformError, TransformErrorKind};
use crate::warehouse::{BRING_IT_BACK, WarehouseError};

/// Says which step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Clean(#[from] CleanError),
    #[error(transparent)]
    Dedupe(#[from] DedupeError),
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Transform(#[from] TransformError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// Inputs are not there yet.
    #[error("{}", incomplete(missing))]
    Incomplete { missing: Vec<MissingInput> },
    /// A snapshot cannot hold its earlier nights beside tonight.
    #[error(
        "the mart `{mart}` keeps its nights, in which the column `{column}` is `{before}`, not `{now}`"
    )]
    HistoryType { mart: StageName, column: String, before: String, now: String },
    /// Some marts are selected, and those left out are of another night.
    #[error("the marts that are left out are of {as_of}")]
    OtherNight { as_of: NaiveDate },
    /// An older night is to be computed, and `vacuum` has removed what it would build on.
    #[error(
        "the night {as_of} builds on generation {generation} of {night}, whose files `martlet vacuum` has removed"
    )]
    BaseGone { as_of: NaiveDate, generation: u64, night: NaiveDate },
    #[error("another run has published generation {generation} meanwhile")]
    Conflict { generation: u64 },
    #[error("the ledger of objects cannot be read")]
    Ledger(#[source] ArrowError),
    #[error("the table of rates cannot be read")]
    Rates(#[from] SpoolError),
    #[error("the table of rates cannot be put together")]
    RateRows(#[from] ArrowError),
    #[error("a thread of the step broke down")]
    Thread(#[from] tokio::task::JoinError),
}

/// What an error means to whoever started the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// What an author wrote does not fit what is there; no data was touched.
    Author,
    /// Martlet itself is wrong.
    Bug,
    /// The data broke a rule; its owner must look.
    Data,
    /// Inputs are missing or cut off; they may come later.
    Incomplete,
    /// Something an operator must mend: a full disk, too little memory, a missing permission.
    Permanent,
    /// Trying again may help.
    Transient,
}

impl RunError {
    /// Returns the way out, where there is one to name.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Extract(error) => error.kind.help(),
            Self::Clean(CleanError { kind: CleanErrorKind::Extract(error), .. }) => {
                error.kind.help()
            }
            Self::Incomplete { .. } => Some(
                "run again when the exports are complete, or with `--allow-incomplete`".to_owned(),
            ),
            Self::Intake(
                IntakeError::TooManyRejects { source_name, .. }
                | IntakeError::TooManyInObject { source_name, .. },
            ) => Some(format!("`martlet rejects --source {source_name}` shows them")),
            Self::Intake(IntakeError::Drift { .. }) => Some(
                "declare the fields of `drift` in `report.json`, or say `drift: warn` or `drift: ignore`"
                    .to_owned(),
            ),
            Self::Identity(IdentityError::Guard { .. }) => Some(
                "block the values that join them, or raise the limits under `identity: guards:`"
                    .to_owned(),
            ),
            Self::HistoryType { before, .. } => Some(format!(
                "`CAST` it to `{before}`, or give the new column another name; to begin the history anew, run one night with `history: replace`"
            )),
            Self::OtherNight { as_of } => Some(format!(
                "all marts are of one night: say `--as-of {as_of}`, or select all"
            )),
            Self::BaseGone { .. } => Some(
                "`--full-refresh` computes it from the exports alone, as if no night had been before it"
                    .to_owned(),
            ),
            Self::Conflict { .. } => Some("run again to publish on top of it".to_owned()),
            Self::Warehouse(error) | Self::Publish(PublishError::Warehouse(error)) => {
                error.help().map(str::to_owned)
            }
            Self::Dedupe(DedupeError { kind, .. }) => {
                kind.of_warehouse().and_then(WarehouseError::help).map(str::to_owned)
            }
            Self::Transform(TransformError { kind: TransformErrorKind::Query(error), .. })
            | Self::Audit(AuditError { source: error, .. })
                if matches!(
                    error.find_root(),
                    DataFusionError::ObjectStore(_) | DataFusionError::ParquetError(_)
                ) =>
            {
                Some(BRING_IT_BACK.to_owned())
            }
            _ => None,
        }
    }

    /// Says what the error means to whoever started the run.
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            Self::Intake(IntakeError::Unbalanced(_) | IntakeError::TableUnbalanced { .. })
            | Self::RateRows(_)
            | Self::Thread(_) => ErrorClass::Bug,
            Self::Intake(
                IntakeError::TooManyRejects { .. }
                | IntakeError::TooManyInObject { .. }
                | IntakeError::Drift { .. },
            )
            | Self::Identity(IdentityError::Guard { .. }) => ErrorClass::Data,
            Self::BaseGone { .. } => ErrorClass::Permanent,
            Self::HistoryType { .. } | Self::OtherNight { .. } => ErrorClass::Author,
            Self::Incomplete { .. } => ErrorClass::Incomplete,
            Self::Conflict { .. } => ErrorClass::Transient,
            Self::Extract(error) => extract_class(&error.kind),
            Self::Clean(error) => clean_class(&error.kind),
            Self::Warehouse(error) | Self::Publish(PublishError::Warehouse(error)) => {
                warehouse_class(error)
            }
            Self::Dedupe(DedupeError { kind, .. }) => {
                kind.of_warehouse().map_or(ErrorClass::Permanent, warehouse_class)
            }
            Self::Identity(error) => {
                error.of_warehouse().map_or(ErrorClass::Permanent, warehouse_class)
            }
            Self::Transform(TransformError { kind: TransformErrorKind::Query(error), .. })
            | Self::Audit(AuditError { source: error, .. }) => query_class(error),
            Self::Rates(_) | Self::Ledger(_) | Self::Publish(_) | Self::Transform(_) => {
                ErrorClass::Permanent
            }
        }
    }
}

/// How many missing inputs a message tells.
const TOLD: usize = 10;

/// Tells what is missing, source by source.
fn incomplete(missing: &[MissingInput]) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut source = None;
    for input in missing.iter().take(TOLD) {
        match told.last_mut().filter(|_| source == Some(&input.source)) {
            Some(of_source) => *of_source = format!("{of_source}, {}", input.missing),
            None => {
                let MissingInput { source, missing } = input;
                told.push(format!("the source `{source}` is incomplete: {missing}"));
            }
        }
        source = Some(&input.source);
    }
    if missing.len() > TOLD {
        told.push(format!("{} more are missing", missing.len() - TOLD));
    }
    told.join("; ")
}

fn extract_class(error: &ExtractErrorKind) -> ErrorClass {
    use ExtractErrorKind as E;
    match error {
        E::List(error) | E::Read(error) => store_class(error),
        E::CutOff | E::Changed | E::Workbook(WorkbookError::CutOff) => ErrorClass::Incomplete,
        E::Decompress(_)
        | E::Inflated(_)
        | E::TooLong { .. }
        | E::Workbook(_)
        | E::LacksColumn { .. }
        | E::RepeatsColumn { .. }
        | E::BadHeader { .. }
        | E::NoArray { .. }
        | E::Parquet(_)
        | E::Column { .. } => ErrorClass::Data,
    }
}

fn clean_class(error: &CleanErrorKind) -> ErrorClass {
    match error {
        CleanErrorKind::Extract(error) => extract_class(&error.kind),
        // The plan has accepted every rule and check already.
        CleanErrorKind::Rule { .. }
        | CleanErrorKind::Check(_)
        | CleanErrorKind::Batch(_)
        | CleanErrorKind::Worker(_)
        | CleanErrorKind::Helper => ErrorClass::Bug,
        CleanErrorKind::Spool(_) => ErrorClass::Permanent,
    }
}

/// Says whether working on the warehouse again may help.
pub(crate) fn warehouse_class(error: &WarehouseError) -> ErrorClass {
    match error.store_error() {
        _ if error.may_pass() => ErrorClass::Transient,
        Some(error) => store_class(error),
        None => ErrorClass::Permanent,
    }
}

/// Says whether trying an object store again may help.
fn store_class(error: &object_store::Error) -> ErrorClass {
    use object_store::Error as E;
    // Listings report a refusal under no name of its own.
    let refused = |text: &str| text.contains("403 Forbidden") || text.contains("401 Unauthorized");
    match error {
        E::Generic { source, .. } if refused(&source.to_string()) => ErrorClass::Permanent,
        // Local disks report themselves under this name too; their errors stay.
        E::Generic { store: "LocalFileSystem", .. }
        | E::NotFound { .. }
        | E::PermissionDenied { .. }
        | E::Unauthenticated { .. }
        | E::NotSupported { .. }
        | E::NotImplemented { .. }
        | E::UnknownConfigurationKey { .. }
        | E::InvalidPath { .. } => ErrorClass::Permanent,
        _ => ErrorClass::Transient,
    }
}

fn query_class(error: &DataFusionError) -> ErrorClass {
    match error.find_root() {
        DataFusionError::ObjectStore(error) => store_class(error),
        // An operator's spill file: the disk is full or broken.
        DataFusionError::ArrowError(error, _) if matches!(**error, ArrowError::IoError(_, _)) => {
            ErrorClass::Permanent
        }
        // What the plan accepted can fail on data only: an overflow, a division by zero, a bad cast.
        DataFusionError::ArrowError(_, _) | DataFusionError::Execution(_) => ErrorClass::Data,
        _ => ErrorClass::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_query_fails_on_data_on_the_disk_or_on_memory() {
        let of_disk = io::Error::from(io::ErrorKind::StorageFull);
        let cases = [
            (DataFusionError::from(ArrowError::DivideByZero), ErrorClass::Data),
            (DataFusionError::Execution("no such date".to_owned()), ErrorClass::Data),
            (ArrowError::IoError("disk".to_owned(), of_disk).into(), ErrorClass::Permanent),
            (DataFusionError::ResourcesExhausted("memory".to_owned()), ErrorClass::Permanent),
        ];
        for (error, class) in cases {
            let within = error.context("in an operator");
            assert_eq!(query_class(&within), class, "{within}");
        }
    }
}
