//! Tries on a store everything the warehouse relies on.

use std::error::Error;

use bytes::Bytes;
use chrono::TimeDelta;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions, WriteMultipart};

use super::WarehouseError;
use super::copy::copy_over;
use super::lease::Clock;
use super::swap::{Swap, seen, swap};
use crate::engine::Root;

/// By how much the clocks of a store and of this machine may differ.
const SKEW: TimeDelta = TimeDelta::seconds(10);

/// What came of one trial.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    /// What is wrong and what to do; none where all is well.
    pub(crate) trouble: Option<Trouble>,
}

/// What is wrong, and what to do.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) problem: String,
    pub(crate) advice: &'static str,
}

/// Tries everything in `folder`, which nobody else uses, and removes what it has written.
pub(crate) async fn probe(root: &Root, folder: &Path, clock: &Clock) -> Vec<Probe> {
    let trial =
        Trial { root, object: folder.clone().join("object"), copy: folder.clone().join("copy") };
    let writes = trial.writes().await;
    let can_write = writes.is_ok();
    let mut probes = vec![told("write", writes)];
    if can_write {
        probes.extend([
            told("read", trial.reads().await),
            told("list what was just written", trial.lists(folder).await),
            told("create only what is not there", trial.creates_once().await),
            told("replace only what is unchanged", trial.replaces_once().await),
            told("upload in parts", trial.uploads().await),
            told("copy", trial.copies().await),
            told("clock", trial.clock(clock).await),
        ]);
    }
    probes.push(told("remove", trial.removes(folder).await));
    probes
}

/// Tries whether a place can be listed.
pub(crate) async fn probe_reading(root: &Root) -> Probe {
    let listed = root.store.list_with_delimiter(Some(&root.prefix)).await;
    let outcome = match listed {
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(trouble(&error, "allow listing and reading of the raw exports")),
    };
    told("list raw exports", outcome)
}

fn told(name: &'static str, outcome: Result<(), Trouble>) -> Probe {
    Probe { name, trouble: outcome.err() }
}

/// Two objects that nobody else uses.
struct Trial<'a> {
    root: &'a Root,
    object: Path,
    copy: Path,
}

impl Trial<'_> {
    async fn writes(&self) -> Result<(), Trouble> {
        let put = self.root.store.put(&self.object, Bytes::from_static(b"1").into()).await;
        put.map(|_| ()).map_err(|error| {
            trouble(&error, "check the credentials, and allow writing below the warehouse")
        })
    }

    async fn reads(&self) -> Result<(), Trouble> {
        let advice = "allow reading below the warehouse";
        let found = seen(self.root, &self.object).await.map_err(|error| stuck(&error, advice))?;
        let same = found.is_some_and(|found| found.content == "1");
        expect(same, "what was written is not what is read", "the store caches: use it directly")
    }

    async fn lists(&self, folder: &Path) -> Result<(), Trouble> {
        let listed = self.root.store.list(Some(folder)).try_collect::<Vec<_>>().await;
        let listed =
            listed.map_err(|error| trouble(&error, "allow listing below the warehouse"))?;
        let found = listed.iter().any(|meta| meta.location == self.object);
        let problem = "an object that was just written is not listed";
        expect(found, problem, "use a store that lists consistently")
    }

    async fn creates_once(&self) -> Result<(), Trouble> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let again = self.root.store.put_opts(&self.object, Bytes::new().into(), options).await;
        let advice =
            "use a store that knows `If-None-Match: *`; without it two runs may publish at once";
        match again {
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(()),
            Ok(_) => expect(false, "an object was created twice", advice),
            Err(error) => Err(trouble(&error, advice)),
        }
    }

    async fn replaces_once(&self) -> Result<(), Trouble> {
        let advice =
            "use a store that knows `If-Match`; without it two runs may hold the lease at once";
        let failed = |error: WarehouseError| stuck(&error, advice);
        let before = seen(self.root, &self.object).await.map_err(failed)?;
        let mut outcomes = Vec::new();
        for content in ["2", "3"] {
            let content = Bytes::from_static(content.as_bytes());
            let swap = swap(self.root, &self.object, before.as_ref(), content).await;
            outcomes.push(swap.map_err(failed)?);
        }
        let once = matches!(outcomes.as_slice(), [Swap::Done, Swap::Lost]);
        expect(once, "an object that had changed was replaced", advice)
    }

    async fn uploads(&self) -> Result<(), Trouble> {
        let advice = "allow multipart uploads below the warehouse";
        let upload = self.root.store.put_multipart(&self.copy).await;
        let upload = upload.map_err(|error| trouble(&error, advice))?;
        let mut writer = WriteMultipart::new(upload);
        writer.write(b"parts");
        writer.finish().await.map(|_| ()).map_err(|error| trouble(&error, advice))
    }

    async fn copies(&self) -> Result<(), Trouble> {
        let copied = copy_over(self.root, &self.object, &self.copy).await;
        copied.map_err(|error| trouble(&error, "allow copying below the warehouse"))
    }

    async fn clock(&self, clock: &Clock) -> Result<(), Trouble> {
        let before = clock();
        self.writes().await?;
        let head = self.root.store.head(&self.object).await;
        let head = head.map_err(|error| trouble(&error, "allow reading below the warehouse"))?;
        let skew = head.last_modified - before;
        let problem =
            format!("the store's clock is {} s ahead of this machine's", skew.num_seconds());
        expect(skew.abs() < SKEW, &problem, "set the clock of this machine: leases go by it")
    }

    async fn removes(&self, folder: &Path) -> Result<(), Trouble> {
        let advice = "allow removing below the warehouse, which `martlet vacuum` needs";
        let listed = self.root.store.list(Some(folder)).try_collect::<Vec<_>>().await;
        for meta in listed.unwrap_or_default() {
            let removed = self.root.store.delete(&meta.location).await;
            removed.map_err(|error| trouble(&error, advice))?;
        }
        if super::swap::is_local(self.root) {
            let _ = std::fs::remove_dir_all(super::swap::local_path(folder, ""));
        }
        Ok(())
    }
}

fn expect(holds: bool, problem: &str, advice: &'static str) -> Result<(), Trouble> {
    if holds { Ok(()) } else { Err(Trouble { problem: problem.to_owned(), advice }) }
}

/// Tells an error with all its causes: what a service means is often said by the innermost.
fn trouble(error: &object_store::Error, advice: &'static str) -> Trouble {
    let mut problem = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !problem.contains(&text) {
            problem = format!("{problem}: {text}");
        }
        source = cause.source();
    }
    Trouble { problem, advice }
}

fn stuck(error: &WarehouseError, advice: &'static str) -> Trouble {
    match error.store_error() {
        Some(error) => trouble(error, advice),
        None => Trouble { problem: error.to_string(), advice },
    }
}
