//! The state of a pipeline, beside its data: published tables, generations and the pointer to the present one.
//!
//! Guarantee: files are written under names nobody else uses and never changed; a reader that goes by
//! `CURRENT` sees the tables of one generation, all of them. Only the holder of the lease publishes.

mod alive;
mod carry;
mod commit;
mod copy;
pub(crate) mod crash;
mod decisions;
mod delta;
mod dev;
mod error;
#[cfg(test)]
pub(crate) mod fault;
mod generation;
mod history;
mod latest;
mod layout;
mod lease;
mod ledger;
mod parts;
mod probe;
mod runs;
mod states;
mod store;
mod stored;
mod swap;
#[cfg(test)]
mod tests;
mod upload;
mod vacuum;

pub(crate) use commit::Commit;
pub(crate) use decisions::{DECISION_VERSION, Decision, NamedIdentifier};
pub(crate) use dev::{DevWarehouse, dev_warehouses};
pub(crate) use error::{BRING_IT_BACK, WarehouseError};
pub(crate) use generation::{
    GENERATION_VERSION, Generation, TableFile, TableHistory, TableRecord, Zone,
};
pub(crate) use history::Restored;
pub(crate) use layout::Layout;
pub(crate) use lease::{Claim, Claimed, Clock, Lease, claim};
pub(crate) use ledger::{Ledger, LedgerEntry, SourceLedger};
pub(crate) use parts::{Parts, StagePart};
pub(crate) use probe::{Probe, probe, probe_reading};
pub(crate) use states::{StageState, StageStates};
pub(crate) use store::{Warehouse, pipelines};
pub(crate) use stored::StoredFile;
pub(crate) use vacuum::Keep;
