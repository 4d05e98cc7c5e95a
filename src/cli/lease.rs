//! The lease of a pipeline around a command that changes its warehouse.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::environment::{self, Environment};
use super::exit_status::ExitStatus;
use super::output::Output;
use crate::names::{PipelineName, RunId};
use crate::run::warehouse_class;
use crate::warehouse::{Claimed, Lease, Warehouse, WarehouseError, claim};

/// How long each part of the way out may take when a run is ended by a signal.
const PATIENCE: Duration = Duration::from_secs(1);

/// How work under a lease came to its end.
pub(super) enum End<T> {
    Done(T),
    /// The lease was lost: another run may be under way already.
    Lost(WarehouseError),
    /// A signal has ended the work.
    Interrupted(ExitStatus),
}

/// Takes the lease of a pipeline, or tells who holds it and returns the exit status.
pub(super) async fn take(
    environment: &Environment,
    pipeline: &PipelineName,
    run_id: &RunId,
    output: &Output,
) -> Result<(Warehouse, Arc<Lease>), ExitStatus> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), pipeline);
    take_of(warehouse, &format!("the pipeline `{pipeline}`"), run_id, output).await
}

/// Takes the lease of a warehouse; `whose` says in errors whose it is.
pub(super) async fn take_of(
    warehouse: Warehouse,
    whose: &str,
    run_id: &RunId,
    output: &Output,
) -> Result<(Warehouse, Arc<Lease>), ExitStatus> {
    let claimed =
        claim(warehouse.root(), warehouse.layout(), environment::lease_claim(run_id)).await;
    match claimed {
        Ok(Claimed::Held(lease)) => {
            lease.keep();
            Ok((warehouse.under(Arc::clone(&lease)), lease))
        }
        Ok(Claimed::Refused(holder)) => {
            let message = format!("{whose} is being worked on by {holder}");
            output.plain_error(&message, "run again when it has ended");
            Err(ExitStatus::TryAgain)
        }
        Err(error) => {
            output.failure(&error, error.help());
            Err(warehouse_class(&error).into())
        }
    }
}

/// Works until the work is done, the lease is lost or a signal comes.
pub(super) async fn work<T>(lease: &Lease, work: impl Future<Output = T>) -> End<T> {
    tokio::select! {
        done = work => End::Done(done),
        lost = lease.lost() => End::Lost(lost),
        status = interrupted() => End::Interrupted(status),
    }
}

/// Gives back the lease and what was half-way up, within a short time.
pub(super) async fn give_back(warehouse: &Warehouse, lease: &Lease) {
    // What does not work in time is left: the lease expires, and parts of uploads are nobody's to see.
    let _ = tokio::time::timeout(PATIENCE, warehouse.abort_uploads()).await;
    let _ = tokio::time::timeout(PATIENCE, lease.release()).await;
}

/// Waits for a signal that ends the run.
async fn interrupted() -> ExitStatus {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitStatus::Interrupted,
        _ = terminate.recv() => ExitStatus::Terminated,
    }
}
