//! The environment of a command: settings resolved, stores opened, clock read.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::args::Global;
use super::exit_status::ExitStatus;
use super::output::Output;
use super::source_tree;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::engine::{Context, Resources, Root, RootError, SpoolBudget, WorkFolder};
use crate::names::RunId;
use crate::report::Listener;
use crate::settings::{self, Flags, Layers, Machine, Settings, Variables};
use crate::warehouse::{Claim, Clock};
use crate::zone::AsOf;

/// What part of the memory batches between two steps may fill before they go to files. The engine is idle meanwhile.
const SPOOL_SHARE: usize = 2;
/// What part of the memory stages that only others read may fill before they go to files.
const KEPT_SHARE: usize = 4;
/// What part of the memory the SQL engine leaves to everything else.
const ENGINE_RESERVE: usize = 4;

/// How long a lease lasts; it is renewed well before, and a store or a machine may be stuck for that long.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Where things are and how big the machine is, ready for use.
pub(super) struct Environment {
    /// Its name: that of its file in `config/`.
    pub(super) name: String,
    pub(super) raw: Root,
    pub(super) warehouse: Root,
    pub(super) threads: usize,
    pub(super) identity_key: Vec<u8>,
    work: PathBuf,
    memory: usize,
}

/// Makes what a command runs in, or tells why it cannot and returns the exit status.
pub(super) fn ready(
    global: &Global,
    output: &Output,
) -> Result<(Environment, Runtime), ExitStatus> {
    #[cfg(debug_assertions)]
    {
        let (at, noted_in) = Variables::crash();
        crate::warehouse::crash::wish(crate::warehouse::crash::Wish { at, noted_in });
    }
    let environment = resolve(global).map_err(|found| {
        output.diagnostics(&found);
        ExitStatus::Usage
    })?;
    let runtime = runtime(environment.threads).map_err(|error| {
        output.error(&error);
        ExitStatus::Permanent
    })?;
    Ok((environment, runtime))
}

/// Resolves the settings of a command and opens its stores.
pub(super) fn resolve(global: &Global) -> Result<Environment, Diagnostics> {
    let settings = settings(global)?;
    let open = |location| Root::open(location, &settings).map_err(|error| vec![unusable(&error)]);
    Ok(Environment {
        name: settings.environment.value.clone(),
        raw: open(&settings.raw.value)?,
        warehouse: open(&settings.warehouse.value)?,
        threads: settings.threads.value,
        identity_key: settings.identity_key.value.expose().as_bytes().to_vec(),
        work: settings.work.value.clone(),
        memory: settings.memory.value,
    })
}

fn settings(global: &Global) -> Result<Settings, Diagnostics> {
    let flags = Flags {
        environment: global.env.clone(),
        raw: global.raw.clone(),
        warehouse: global.warehouse.clone(),
        work: global.work.clone(),
        memory: global.memory.clone(),
        threads: global.threads.clone(),
    };
    let variables = Variables::of_process();
    let environment = settings::environment(&flags, &variables)?;
    let file = source_tree::read_environment(&global.project, &environment)?;
    let machine = Machine { cores: available_threads(), temporary_folder: std::env::temp_dir() };
    settings::resolve(&Layers { flags, variables, file, root: global.project.clone(), machine })
}

/// Returns how many threads the machine runs at once.
pub(super) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn unusable(error: &RootError) -> Diagnostic {
    let causes = super::output::causes(error).join(": ");
    Diagnostic::error(Code::BadValue, causes)
        .help("say where things lie with `--raw` and `--warehouse`, or in `config/`")
}

impl Environment {
    /// Makes the work folder of a run.
    pub(super) fn work_folder(&self, run_id: &RunId) -> std::io::Result<WorkFolder> {
        // Files of tables are found by absolute paths only.
        WorkFolder::create(&std::path::absolute(self.work.join("martlet"))?, run_id)
    }

    /// Returns what a session that executes may use.
    pub(super) fn resources(&self) -> Resources<'_> {
        Resources { threads: self.threads, memory: self.engine_memory(), spill: &self.work }
    }

    /// Returns a folder of the warehouse that nobody else uses.
    pub(super) fn trial_folder(&self) -> object_store::path::Path {
        self.warehouse.prefix.clone().join(format!("doctor-{}", Uuid::now_v7().simple()))
    }

    pub(super) fn warehouse_shown(&self) -> String {
        self.warehouse.shown(&self.warehouse.prefix)
    }

    /// Returns what the steps of a run are given.
    pub(super) fn context(
        &self,
        run_id: RunId,
        as_of: AsOf,
        work: PathBuf,
        listener: Arc<dyn Listener>,
    ) -> Context {
        Context {
            run_id,
            as_of,
            raw: self.raw.clone(),
            work,
            threads: self.threads,
            memory: self.engine_memory(),
            spools: SpoolBudget::new(self.memory / SPOOL_SHARE),
            kept: SpoolBudget::new(self.memory / KEPT_SHARE),
            listener,
        }
    }

    fn engine_memory(&self) -> usize {
        self.memory - self.memory / ENGINE_RESERVE
    }
}

/// Makes the runtime of a command.
fn runtime(threads: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

/// Returns what this process says of itself when it asks for the lease of a pipeline.
pub(super) fn lease_claim(run_id: &RunId) -> Claim {
    Claim {
        owner: Uuid::now_v7().to_string(),
        run_id: run_id.to_string(),
        host: host(),
        pid: std::process::id(),
        duration: LEASE,
        clock: clock(),
    }
}

/// Returns the clock of this machine.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and handed in")]
pub(super) fn clock() -> Clock {
    Arc::new(Utc::now)
}

/// Returns the name of this machine, where the system tells it.
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Tells the time.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and handed in")]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Names a new run, by the time it begins, and tells that time.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and handed in")]
pub(super) fn new_run() -> (RunId, DateTime<Utc>) {
    let now = Utc::now();
    let unique = Uuid::now_v7().simple().to_string();
    let tail = &unique[unique.len() - 8..];
    (RunId::new(&format!("{}-{tail}", now.format("%Y%m%dT%H%M%S%6fZ"))), now)
}
