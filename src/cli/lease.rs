//! The lease of a pipeline around a command that changes its warehouse.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
    let asked = environment::lease_claim(run_id);
    let clock = Arc::clone(&asked.clock);
    let longest = clock() + asked.duration;
    let claimed = tokio::select! {
        claimed = claim(warehouse.root(), warehouse.layout(), asked) => claimed,
        status = interrupted() => return Err(status),
    };
    match claimed {
        Ok(Claimed::Held(lease)) => {
            lease.keep();
            Ok((warehouse.under(Arc::clone(&lease)), lease))
        }
        Ok(Claimed::Refused(holder)) => {
            let message = format!("{whose} is being worked on by {holder}");
            let hint = if holder.until > longest {
                "no lease is given for so long: one of the clocks is wrong; where no run is under way, remove `LEASE`"
            } else {
                "run again when it has ended"
            };
            output.plain_error(&message, hint);
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

/// The signal that ends this process, once it has come.
///
/// It is listened for from the first lease on, so that one that comes while nobody waits for it is not lost.
static SIGNAL: OnceLock<watch::Receiver<Option<ExitStatus>>> = OnceLock::new();

fn signal_received() -> watch::Receiver<Option<ExitStatus>> {
    let listen = || {
        let (send, received) = watch::channel(None);
        tokio::spawn(async move { send.send(Some(next_signal().await)) });
        received
    };
    SIGNAL.get_or_init(listen).clone()
}

/// Says how the process is to end, where a signal has come.
pub(super) fn has_been_interrupted() -> Option<ExitStatus> {
    *signal_received().borrow()
}

/// Waits for a signal that ends the run; one that has come already is enough.
pub(super) async fn interrupted() -> ExitStatus {
    let mut received = signal_received();
    let status = received.wait_for(Option::is_some).await.ok().and_then(|status| *status);
    match status {
        Some(status) => status,
        None => std::future::pending().await,
    }
}

async fn next_signal() -> ExitStatus {
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
