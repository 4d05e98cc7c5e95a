//! Judges what was taken in before anything is computed from it.

use crate::names::SourceName;
use crate::plan;
use crate::report::{Account, CheckReport, FieldChange, FieldDrift, ObjectAccount};
use crate::warehouse::SourceLedger;

/// Says why the night's input cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    /// A row has vanished: a bug.
    #[error(
        "the object `{}` does not add up: {} read, {} kept, {} rejected, {} duplicate",
        .0.object, .0.account.read, .0.account.kept, .0.account.rejected, .0.account.duplicate
    )]
    Unbalanced(Box<ObjectAccount>),
    /// Rows have vanished from a clean table, or come from nowhere: a bug.
    #[error(
        "the clean table of the source `{source_name}` has {rows} rows, and its objects account for {kept}"
    )]
    TableUnbalanced { source_name: SourceName, rows: u64, kept: u64 },
    #[error(
        "the source `{source_name}` has {rejected} rejects of {read} records, more than its limit of {limit}"
    )]
    TooManyRejects { source_name: SourceName, rejected: u64, read: u64, limit: String },
    #[error(
        "the object `{object}` of the source `{source_name}` has {rejected} rejects of {read} records, more than the limit of {limit} for one object"
    )]
    TooManyInObject {
        source_name: SourceName,
        object: String,
        rejected: u64,
        read: u64,
        limit: String,
    },
    #[error("the fields of the source `{source_name}` are not those it declares: {fields}")]
    Drift { source_name: SourceName, fields: String },
}

/// Checks that a clean table of so many rows holds those that the ledger says were kept, of every night.
pub(crate) fn balance(
    source: &plan::Source,
    ledger: &SourceLedger,
    rows: u64,
) -> Result<(), IntakeError> {
    let kept = ledger.values().map(|entry| entry.account.kept).sum();
    if rows == kept {
        return Ok(());
    }
    Err(IntakeError::TableUnbalanced { source_name: source.name.clone(), rows, kept })
}

/// Tells, as a check, in how many objects read = kept + rejected + duplicate does not hold.
pub(crate) fn adds_up(source: &plan::Source, accounts: &[ObjectAccount]) -> CheckReport {
    let unbalanced = accounts.iter().filter(|account| !account.account.balances());
    CheckReport {
        stage: source.name.to_string(),
        check: "records_add_up".to_owned(),
        blocking: true,
        failures: unbalanced.count() as u64,
    }
}

/// Checks that the fields are the declared ones, where the source asks for it.
pub(crate) fn admit_fields(source: &plan::Source, drift: &[FieldDrift]) -> Result<(), IntakeError> {
    if source.drift != plan::Drift::Fail || drift.is_empty() {
        return Ok(());
    }
    let fields = drift.iter().map(|drift| match drift.change {
        FieldChange::New => format!("`{}` is new", drift.field),
        FieldChange::Vanished => format!("`{}` has vanished", drift.field),
        FieldChange::Type => format!("`{}` has another type", drift.field),
    });
    let fields = fields.collect::<Vec<_>>().join(", ");
    Err(IntakeError::Drift { source_name: source.name.clone(), fields })
}

/// Checks that nothing vanished and that no source and no object has more rejects than it may have.
pub(crate) fn admit(source: &plan::Source, accounts: &[ObjectAccount]) -> Result<(), IntakeError> {
    if let Some(unbalanced) = accounts.iter().find(|account| !account.account.balances()) {
        return Err(IntakeError::Unbalanced(Box::new(unbalanced.clone())));
    }
    if let Some(error) = accounts.iter().find_map(|account| too_many_in(source, account)) {
        return Err(error);
    }
    let Account { read, rejected, .. } = accounts.iter().map(|object| &object.account).sum();
    match broken_limit(source.rejects.per_run, read, rejected) {
        Some(limit) => Err(IntakeError::TooManyRejects {
            source_name: source.name.clone(),
            rejected,
            read,
            limit,
        }),
        None => Ok(()),
    }
}

fn too_many_in(source: &plan::Source, object: &ObjectAccount) -> Option<IntakeError> {
    let Account { read, rejected, .. } = object.account;
    let limit = broken_limit(source.rejects.per_object, read, rejected)?;
    Some(IntakeError::TooManyInObject {
        source_name: source.name.clone(),
        object: object.object.clone(),
        rejected,
        read,
        limit,
    })
}

fn broken_limit(limits: plan::RejectLimit, read: u64, rejected: u64) -> Option<String> {
    let rows = limits.max_rows.filter(|&limit| rejected > limit);
    // Rounded up to whole records: one of four is a quarter of them, but no sign that an export is broken.
    let most = |limit: f64| (limit * read as f64 / 100.0).ceil();
    let percent = limits.max_percent.filter(|&limit| rejected as f64 > most(limit));
    rows.map(|limit| format!("{limit} rows"))
        .or_else(|| percent.map(|limit| format!("{limit} percent")))
}

#[cfg(test)]
mod tests {
    use super::{IntakeError, adds_up, admit, broken_limit};
    use crate::plan::{self, RejectLimit, RejectLimits};
    use crate::report::{Account, ObjectAccount};
    use crate::steps::fixtures::source;

    fn account(object: &str, rejected: u64) -> ObjectAccount {
        ObjectAccount {
            source: "orders".parse().unwrap(),
            object: object.to_owned(),
            etag: None,
            size: 1,
            account: Account { read: 10, kept: 10 - rejected, rejected, duplicate: 0 },
        }
    }

    #[test]
    fn a_record_that_vanishes_fails_a_check_and_ends_the_run() {
        let source = source("orders", &[]);
        let mut accounts = [account("a", 0), account("b", 1)];
        let check = adds_up(&source, &accounts);
        assert!(!check.blocks());
        accounts[1].account.kept -= 1;
        let check = adds_up(&source, &accounts);
        assert_eq!((check.stage.as_str(), check.failures, check.blocks()), ("orders", 1, true));
        assert!(matches!(admit(&source, &accounts), Err(IntakeError::Unbalanced(_))));
    }

    #[test]
    fn one_object_may_have_its_own_limit() {
        let per_object = RejectLimit { max_rows: None, max_percent: Some(30.0) };
        let rejects = RejectLimits { per_object, ..RejectLimits::default() };
        let source = plan::Source { rejects, ..source("orders", &[]) };
        assert!(admit(&source, &[account("a", 3), account("b", 3)]).is_ok());
        let refused = admit(&source, &[account("a", 3), account("b", 4)]).unwrap_err();
        let IntakeError::TooManyInObject { object, rejected: 4, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!(object, "b");
    }

    #[test]
    fn a_limit_is_broken_only_beyond_it() {
        let limits = RejectLimit { max_rows: Some(10), max_percent: Some(2.0) };
        assert_eq!(broken_limit(limits, 500, 10), None);
        assert_eq!(broken_limit(limits, 10_000, 11), Some("10 rows".to_owned()));
        assert_eq!(broken_limit(limits, 400, 9), Some("2 percent".to_owned()));
        assert_eq!(broken_limit(RejectLimit::default(), 1, 1), None);
    }

    #[test]
    fn a_share_of_a_few_records_is_rounded_up() {
        let percent = |limit| RejectLimit { max_rows: None, max_percent: Some(limit) };
        assert_eq!(broken_limit(percent(5.0), 4, 1), None);
        assert_eq!(broken_limit(percent(5.0), 38, 2), None);
        assert_eq!(broken_limit(percent(5.0), 38, 3), Some("5 percent".to_owned()));
        assert_eq!(broken_limit(percent(5.0), 2, 2), Some("5 percent".to_owned()));
        assert_eq!(broken_limit(percent(5.0), 40, 3), Some("5 percent".to_owned()));
        assert_eq!(broken_limit(percent(0.0), 1, 1), Some("0 percent".to_owned()));
    }
}
