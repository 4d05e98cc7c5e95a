//! Runs the stages in the plan's order.

use std::sync::Arc;

use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use url::Url;

use super::advance::{Advance, Former, Night, Why};
use super::graph::transform_over;
use super::{TransformError, Transformed, Unchanged};
use crate::engine::{CleanFiles, Context, Resources, Tables, clean_table, session, table_of_urls};
use crate::plan::{self, Plan, added};
use crate::steps::identity::{CleanFile, CleanTable, Identified};
use crate::warehouse::{TableFile, Warehouse};

/// Computes every stage of the plan over the identified sources, but those that are `unchanged`.
pub(crate) async fn transform(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    identified: Identified,
    unchanged: Unchanged,
    former: Result<Former, Why>,
) -> Result<Transformed, TransformError> {
    let mut transformed = prepared(ctx, plan, warehouse, identified, unchanged)
        .map_err(|error| TransformError { stage: first_stage(plan), kind: error.into() })?;
    let Transformed { identified, session, tables, parameters, unchanged, .. } = &mut transformed;
    let stages = plan.stages.iter().filter(|stage| !unchanged.contains(&stage.name));
    let stages: Vec<Arc<plan::Stage>> = stages.map(Arc::clone).collect();
    let advance = match former {
        Err(why) => Advance::none(why),
        Ok(former) => advance(former, warehouse, identified, unchanged),
    };
    let advance = Arc::new(advance);
    transformed.staged =
        transform_over(ctx, session, tables, parameters, &stages, &advance).await?;
    Ok(transformed)
}

/// Tells what stages may go on from.
fn advance(
    former: Former,
    warehouse: &Warehouse,
    identified: &Identified,
    unchanged: &Unchanged,
) -> Advance {
    let clean = identified.tables.iter();
    Advance::from(Night {
        former,
        warehouse: warehouse.clone(),
        clean: clean.map(|table| (table.source.name.to_string(), table.clone())).collect(),
        customers: Arc::clone(&identified.customers),
        unchanged: unchanged.tables.clone(),
    })
}

/// Makes the session and the tables every stage may read.
fn prepared(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    identified: Identified,
    unchanged: Unchanged,
) -> Result<Transformed, DataFusionError> {
    let spill = ctx.work.join("spill");
    let resources = Resources { threads: ctx.threads, memory: ctx.memory, spill: &spill };
    let session = session(&resources, plan.timezone)?;
    session.register_object_store(&warehouse.root().url, Arc::clone(&warehouse.root().store));
    let mut tables = Tables::new();
    for table in &identified.tables {
        let provider = clean_table(&clean_files(warehouse, table), &identified.customers)?;
        tables.insert(table.source.name.to_string(), provider_as_source(provider));
    }
    let population = identified.population.clone();
    let customers = MemTable::try_new(population.schema(), vec![vec![population]])?;
    tables.insert(plan::IDENTITY_CUSTOMERS.to_owned(), provider_as_source(Arc::new(customers)));
    tables.extend(plan.constant_tables()?);
    for stage in &plan.stages {
        if let Some(record) = unchanged.tables.get(stage.name.as_str()) {
            let urls = record.files.iter().map(|file| url(warehouse, file)).collect::<Vec<_>>();
            let table = table_of_urls(&stage.schema, &urls)?;
            tables.insert(stage.name.to_string(), provider_as_source(table));
        }
    }
    let parameters = plan::parameters(ctx.as_of, &plan.currency, &plan.variables);
    Ok(Transformed { identified, staged: Vec::new(), unchanged, session, tables, parameters })
}

/// Tells where the files of a clean table lie.
pub(crate) fn clean_files(warehouse: &Warehouse, table: &CleanTable) -> CleanFiles<'static> {
    let (mut local, mut remote) = (Vec::new(), Vec::new());
    for file in &table.files {
        match file {
            CleanFile::Written { file, .. } => local.push(file.clone()),
            CleanFile::Stored(file) => {
                remote.push(url(warehouse, file));
            }
        }
    }
    let has_customers = !table.source.links.is_empty();
    CleanFiles {
        stored: table.source.stored_schema(),
        identity: has_customers.then_some((added::IDENTIFIERS, added::CUSTOMER_ID)),
        local,
        remote,
    }
}

/// Returns where a file of the warehouse lies.
pub(super) fn url(warehouse: &Warehouse, file: &TableFile) -> Url {
    warehouse.root().url_of(&warehouse.layout().named(&file.path))
}

/// Names the stage to which a failure before the first stage is put down.
fn first_stage(plan: &Plan) -> crate::names::StageName {
    plan.stages[0].name.clone()
}
