//! `martlet doctor`.

use super::query::{NoAnswer, refused, written};
use crate::cli::args::Global;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::{Output, without_secrets};
use crate::cli::table::Table;
use crate::cli::upkeep::DoctorArguments;
use crate::warehouse::{Probe, probe, probe_reading};

/// Tries whether the stores can do what martlet relies on.
pub(in crate::cli) fn doctor(
    global: &Global,
    arguments: &DoctorArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let probes = runtime.block_on(probes(&environment));
    let is_well = probes.iter().all(|probe| probe.trouble.is_none());
    let outcome = |probe: &Probe| match &probe.trouble {
        None => "ok".to_owned(),
        Some(trouble) => without_secrets(&trouble.problem),
    };
    let advice = |probe: &Probe| probe.trouble.as_ref().map(|trouble| trouble.advice.to_owned());
    let table = Table::default()
        .text("check", probes.iter().map(|probe| Some(probe.name.to_owned())))
        .text("outcome", probes.iter().map(|probe| Some(outcome(probe))))
        .text("advice", probes.iter().map(advice))
        .batch()
        .map_err(NoAnswer::Output);
    match table.and_then(|table| written(&[table], arguments.format)) {
        Ok(text) => {
            output.data(&text);
            if is_well { ExitStatus::Success } else { ExitStatus::Permanent }
        }
        Err(reason) => refused(reason, "", output),
    }
}

async fn probes(environment: &Environment) -> Vec<Probe> {
    let (folder, clock) = (environment.trial_folder(), environment::clock());
    let mut probes = vec![probe_reading(&environment.raw).await];
    probes.extend(probe(&environment.warehouse, &folder, &clock).await);
    probes
}
