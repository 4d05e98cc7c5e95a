//! The lease: one run at a time of a pipeline, and a fence against those that woke too late.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::alive::{Alive, forget, has_died};
use super::swap::{Seen, Swap, is_local, seen, swap};
use super::{Layout, WarehouseError, crash};
use crate::engine::Root;

/// The version of the object's format.
const VERSION: u32 = 1;
/// How often a lease is tried for when others take and release it in the same moment.
const TRIES: usize = 8;
/// How many times a lease is renewed before it would expire.
const RENEWALS: u32 = 3;

/// Tells the present moment.
pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Who asks for a lease, and for how long at a time.
#[derive(Clone)]
pub(crate) struct Claim {
    /// A text that nobody else has: by it a process knows its own writes again.
    pub(crate) owner: String,
    pub(crate) run_id: String,
    pub(crate) host: Option<String>,
    pub(crate) pid: u32,
    pub(crate) duration: TimeDelta,
    pub(crate) clock: Clock,
}

/// What `LEASE` says: who is running, or who was the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseRecord {
    version: u32,
    /// The fencing token: greater for every lease that is given.
    pub(crate) token: u64,
    owner: String,
    pub(crate) run_id: String,
    pub(crate) host: Option<String>,
    pub(crate) pid: u32,
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    released: bool,
}

/// What became of a claim.
#[must_use]
pub(crate) enum Claimed {
    Held(Arc<Lease>),
    /// Somebody else is running.
    Refused(LeaseRecord),
}

/// A lease this process holds until it is released, dropped or lost.
pub(crate) struct Lease {
    root: Root,
    path: Path,
    claim: Claim,
    token: u64,
    /// The object as this process wrote it last; held over a renewal, so that two do not overlap.
    record: tokio::sync::Mutex<LeaseRecord>,
    lost: watch::Sender<bool>,
    renewal: Mutex<Option<JoinHandle<()>>>,
    /// Says on one machine that the process lives.
    alive: Option<Alive>,
}

/// Takes the lease of a pipeline, unless somebody else holds it.
pub(crate) async fn claim(
    root: &Root,
    layout: &Layout,
    claim: Claim,
) -> Result<Claimed, WarehouseError> {
    let path = layout.lease();
    let alive = is_local(root).then(|| Alive::of_owner(&path, &claim.owner)).flatten();
    for _ in 0..TRIES {
        let before = seen(root, &path).await?;
        let last = before.as_ref().map(|seen| parsed(&path, seen)).transpose()?;
        if let Some(last) = last.as_ref().filter(|last| !is_free(root, &path, &claim, last)) {
            return Ok(Claimed::Refused(last.clone()));
        }
        let token = last.as_ref().map_or(1, |last| last.token + 1);
        let record = first_record(&claim, token);
        let content = written(&path, &record)?;
        crash::point("claiming", "the lease");
        if let Swap::Done = swap(root, &path, before.as_ref(), content).await? {
            crash::point("claimed", "the lease");
            if let Some(last) = last.filter(|_| is_local(root)) {
                forget(&path, &last.owner);
            }
            // Until it is given back: a full disk may keep that from being written.
            if let Some(alive) = &alive {
                alive.stay(true);
            }
            return Ok(Claimed::Held(Arc::new(Lease {
                root: root.clone(),
                path,
                claim,
                token,
                record: record.into(),
                lost: watch::Sender::new(false),
                renewal: Mutex::new(None),
                alive,
            })));
        }
    }
    Err(WarehouseError::Busy { path: path.to_string() })
}

fn first_record(claim: &Claim, token: u64) -> LeaseRecord {
    let now = (claim.clock)();
    LeaseRecord {
        version: VERSION,
        token,
        owner: claim.owner.clone(),
        run_id: claim.run_id.clone(),
        host: claim.host.clone(),
        pid: claim.pid,
        since: now,
        until: now + claim.duration,
        released: false,
    }
}

/// Says whether a lease may be taken: it was given back, has run out, or its process has died on this machine.
fn is_free(root: &Root, path: &Path, claim: &Claim, last: &LeaseRecord) -> bool {
    last.released
        || last.until < (claim.clock)()
        || (is_local(root) && last.host == claim.host && has_died(path, &last.owner))
}

impl Lease {
    /// Returns the fencing token.
    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Renews the lease in the background until it is released, dropped or lost.
    pub(crate) fn keep(self: &Arc<Self>) {
        let lease = Arc::downgrade(self);
        let pause = self.claim.duration.to_std().unwrap_or_default() / RENEWALS;
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(lease) = lease.upgrade() else { return };
                if !lease.still_held().await {
                    let _ = lease.lost.send_replace(true);
                    return;
                }
            }
        });
        *self.renewal.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewal);
    }

    /// Renews; a store that fails for a while is forgiven for as long as the lease lasts.
    async fn still_held(&self) -> bool {
        match self.confirm().await {
            Ok(()) => true,
            Err(WarehouseError::LeaseLost { .. }) => false,
            Err(_) => (self.claim.clock)() < self.record.lock().await.until,
        }
    }

    /// Proves that the lease is still held, and renews it; asked right before anything becomes visible.
    pub(crate) async fn confirm(&self) -> Result<(), WarehouseError> {
        let until = (self.claim.clock)() + self.claim.duration;
        self.rewrite(|record| record.until = until).await
    }

    /// Waits until the lease is found to be lost.
    pub(crate) async fn lost(&self) -> WarehouseError {
        let mut lost = self.lost.subscribe();
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.is_lost()
    }

    /// Gives the lease back, so that the next run need not wait until it expires.
    pub(crate) async fn release(&self) -> Result<(), WarehouseError> {
        self.stop_renewal();
        crash::point("releasing", "the lease");
        self.rewrite(|record| record.released = true).await?;
        if let Some(alive) = &self.alive {
            alive.stay(false);
        }
        crash::point("released", "the lease");
        Ok(())
    }

    async fn rewrite(&self, change: impl Fn(&mut LeaseRecord)) -> Result<(), WarehouseError> {
        let mut held = self.record.lock().await;
        for _ in 0..TRIES {
            let Some(before) = seen(&self.root, &self.path).await? else {
                return Err(self.is_lost());
            };
            // An answer that was lost may have left a later end than is remembered; the owner tells.
            let mut next = parsed(&self.path, &before)?;
            if next.owner != self.claim.owner || next.token != self.token {
                return Err(self.is_lost());
            }
            change(&mut next);
            let content = written(&self.path, &next)?;
            if let Swap::Done = swap(&self.root, &self.path, Some(&before), content).await? {
                *held = next;
                return Ok(());
            }
        }
        Err(WarehouseError::Busy { path: self.path.to_string() })
    }

    fn is_lost(&self) -> WarehouseError {
        WarehouseError::LeaseLost { path: self.path.to_string() }
    }

    fn stop_renewal(&self) {
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renewal) = renewal.take() {
            renewal.abort();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop_renewal();
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lease").field("token", &self.token).finish_non_exhaustive()
    }
}

impl std::fmt::Display for LeaseRecord {
    /// Names the holder as an operator looks for it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run_id, pid, since, until, .. } = self;
        let host = self.host.as_deref().unwrap_or("an unknown host");
        let (since, until) = (since.format("%FT%TZ"), until.format("%FT%TZ"));
        write!(formatter, "run {run_id}, process {pid} on {host}, since {since}, until {until}")
    }
}

fn parsed(path: &Path, seen: &Seen) -> Result<LeaseRecord, WarehouseError> {
    serde_json::from_slice(&seen.content)
        .map_err(|source| WarehouseError::Corrupt { path: path.to_string(), source })
}

fn written(path: &Path, record: &LeaseRecord) -> Result<Bytes, WarehouseError> {
    serde_json::to_vec_pretty(record)
        .map(Bytes::from)
        .map_err(|source| WarehouseError::Corrupt { path: path.to_string(), source })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use chrono::{DateTime, TimeDelta};
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::{Claim, Claimed, Clock, Lease, claim};
    use crate::engine::Root;
    use crate::warehouse::{Layout, WarehouseError};

    /// A warehouse and a clock that moves only when it is told to.
    struct World {
        root: Root,
        layout: Layout,
        seconds: Arc<AtomicI64>,
    }

    impl World {
        fn of(root: Root) -> Self {
            let layout = Layout::new(&root.prefix, &"shop".parse().unwrap());
            Self { root, layout, seconds: Arc::new(AtomicI64::new(0)) }
        }

        fn in_memory() -> Self {
            let url = url::Url::parse("memory:///").unwrap();
            Self::of(Root { store: Arc::new(InMemory::new()), prefix: Path::default(), url })
        }

        fn pass(&self, seconds: i64) {
            self.seconds.fetch_add(seconds, Ordering::Relaxed);
        }

        async fn claim(&self, owner: &str, host: &str) -> Claimed {
            let seconds = Arc::clone(&self.seconds);
            let clock: Clock = Arc::new(move || {
                DateTime::from_timestamp(seconds.load(Ordering::Relaxed), 0).unwrap()
            });
            let claim_of = Claim {
                owner: owner.to_owned(),
                run_id: format!("run-of-{owner}"),
                host: Some(host.to_owned()),
                pid: 7,
                duration: TimeDelta::seconds(60),
                clock,
            };
            claim(&self.root, &self.layout, claim_of).await.unwrap()
        }

        async fn held(&self, owner: &str) -> Arc<Lease> {
            match self.claim(owner, owner).await {
                Claimed::Held(lease) => lease,
                Claimed::Refused(holder) => panic!("held by {holder}"),
            }
        }

        async fn refused(&self, owner: &str) -> String {
            match self.claim(owner, owner).await {
                Claimed::Held(_) => panic!("two hold the lease"),
                Claimed::Refused(holder) => holder.to_string(),
            }
        }
    }

    #[tokio::test]
    async fn a_second_run_is_told_who_holds_the_lease_until_it_is_released() {
        let world = World::in_memory();
        let first = world.held("a").await;
        let expected =
            "run run-of-a, process 7 on a, since 1970-01-01T00:00:00Z, until 1970-01-01T00:01:00Z";
        assert_eq!(world.refused("b").await, expected);
        first.release().await.unwrap();
        assert_eq!(world.held("b").await.token(), 2);
    }

    #[tokio::test]
    async fn a_renewed_lease_lasts_and_one_that_is_not_renewed_is_taken_over() {
        let world = World::in_memory();
        let first = world.held("a").await;
        world.pass(50);
        first.confirm().await.unwrap();
        world.pass(50);
        world.refused("b").await;
        world.pass(11);
        assert_eq!(world.held("b").await.token(), 2);
    }

    #[tokio::test]
    async fn a_run_that_wakes_after_its_lease_was_taken_over_knows_it() {
        let world = World::in_memory();
        let first = world.held("a").await;
        world.pass(61);
        let second = world.held("b").await;
        assert!(matches!(first.confirm().await, Err(WarehouseError::LeaseLost { .. })));
        assert!(matches!(first.release().await, Err(WarehouseError::LeaseLost { .. })));
        second.confirm().await.unwrap();
    }

    #[tokio::test]
    async fn a_run_that_wakes_before_anybody_else_came_goes_on() {
        let world = World::in_memory();
        let first = world.held("a").await;
        world.pass(600);
        first.confirm().await.unwrap();
        world.refused("b").await;
    }

    #[tokio::test]
    async fn of_many_who_claim_at_once_one_gets_the_lease() {
        let world = World::in_memory();
        let claims = (0..8).map(|number| {
            let world = &world;
            async move { world.claim(&number.to_string(), "host").await }
        });
        let claimed = futures::future::join_all(claims).await;
        let held = claimed.iter().filter(|claimed| matches!(claimed, Claimed::Held(_))).count();
        assert_eq!(held, 1);
    }

    #[tokio::test]
    async fn the_lease_of_a_process_that_died_on_this_machine_is_free_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let world = World::of(Root::of_folder(folder.path()).unwrap());
        let Claimed::Held(first) = world.claim("a", "here").await else { panic!("refused") };
        assert!(matches!(world.claim("b", "here").await, Claimed::Refused(_)));
        let file = folder.path().join("shop/LEASE-a.lock");
        drop(first);
        // What a process leaves that was killed or could not give its lease back: its file, which nobody holds locked.
        assert!(file.exists());
        assert!(matches!(world.claim("c", "there").await, Claimed::Refused(_)));
        let Claimed::Held(second) = world.claim("d", "here").await else { panic!("refused") };
        assert_eq!(second.token(), 2);
        assert!(!file.exists());
    }
}
