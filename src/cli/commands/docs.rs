//! `martlet docs`.

use crate::cli::args::Global;
use crate::cli::author_args::DocsArguments;
use crate::cli::environment::{self, Environment};
use crate::cli::exit_status::ExitStatus;
use crate::cli::output::Output;
use crate::cli::plans::{self, Planned};
use crate::lineage::{self, Lineage};
use crate::plan::Plan;
use crate::run::warehouse_class;
use crate::site::{self, Input, Run};
use crate::warehouse::{Warehouse, WarehouseError};

/// How many reports are looked at for each pipeline.
const REPORTS: usize = 200;

/// Writes the documents of a project as one HTML page.
pub(in crate::cli) fn docs(
    global: &Global,
    arguments: &DocsArguments,
    output: &Output,
) -> ExitStatus {
    let (environment, runtime) = match environment::ready(global, output) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let planned = match plans::planned(&global.project, &arguments.pipelines) {
        Ok(planned) => planned,
        Err(found) => {
            output.diagnostics(&found);
            return ExitStatus::Usage;
        }
    };
    let mut described = Vec::with_capacity(planned.len());
    for planned in planned {
        match runtime.block_on(describe(&environment, planned, output)) {
            Ok(one) => described.push(one),
            Err(status) => return status,
        }
    }
    written(&described, arguments, output)
}

/// Gathers what is told about a pipeline, or tells why that cannot be.
async fn describe(
    environment: &Environment,
    planned: Planned,
    output: &Output,
) -> Result<Described, ExitStatus> {
    let lineage = lineage::lineage(&planned.plan).map_err(|error| {
        output.error(&error);
        ExitStatus::Bug
    })?;
    let runs = runs(environment, &planned.plan).await.map_err(|error| {
        output.error(&error);
        ExitStatus::from(warehouse_class(&error))
    })?;
    Ok(Described { planned, lineage, runs })
}

/// Returns the reports of a pipeline's runs; one that cannot be understood is passed over.
async fn runs(environment: &Environment, plan: &Plan) -> Result<Vec<Run>, WarehouseError> {
    let warehouse = Warehouse::open(environment.warehouse.clone(), &plan.name);
    let reports = warehouse.reports(REPORTS).await?;
    Ok(reports.into_iter().filter_map(|report| serde_json::from_value(report).ok()).collect())
}

/// A pipeline and all that is told about it.
struct Described {
    planned: Planned,
    lineage: Lineage,
    runs: Vec<Run>,
}

impl Described {
    fn input(&self) -> Input<'_> {
        let Self { planned, lineage, runs } = self;
        Input { spec: &planned.spec, plan: &planned.plan, lineage, runs }
    }
}

fn written(described: &[Described], arguments: &DocsArguments, output: &Output) -> ExitStatus {
    let pipelines: Vec<Input<'_>> = described.iter().map(Described::input).collect();
    let path = arguments.out.display().to_string();
    match std::fs::write(&arguments.out, site::page(&pipelines)) {
        Ok(()) => {
            output.data(&format!("{path}\n"));
            ExitStatus::Success
        }
        Err(error) => {
            let message = format!("`{path}` cannot be written: {error}");
            output.plain_error(&message, "name a file in a folder that exists");
            ExitStatus::Permanent
        }
    }
}
