//! What a run tells while it goes, and what it leaves behind.

mod account;
mod event;
mod mask;
mod outlook;
mod run_report;
mod side_by_side;

pub(crate) use account::{Account, ObjectAccount};
pub(crate) use event::{Event, Listener, Step};
pub(crate) use mask::masked;
pub(crate) use outlook::*;
pub(crate) use run_report::{
    CheckReport, CustomerReport, FieldChange, FieldDrift, Header, IncrementalReport, MatchReport,
    MissingInput, PublishedTable, RunReport, SourceReport, Status, StepReport, UnreadableObject,
};
pub(crate) use side_by_side::together;
