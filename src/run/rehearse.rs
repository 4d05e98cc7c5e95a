//! A night that is computed to show what it would change, and then thrown away.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::datasource::source_as_provider;
use datafusion::error::DataFusionError;

use super::compare::{Pair, first_text};
use super::{Options, Purpose, RunError, base_of, complete, computed, listed, registry_of};
use crate::engine::{Context, Customers, Resources, customers_compared};
use crate::plan::{Column, Plan};
use crate::report::{CustomerChange, CustomerImpact, Impact, MovedMoney, RunReport};
use crate::steps::audit::evaluate;
use crate::steps::identity::Identified;
use crate::steps::transform::{TransformError, TransformErrorKind, Transformed, clean_files};
use crate::warehouse::{Generation, Warehouse};

/// How many changes of customers are shown.
const EXAMPLES: usize = 10;

/// Computes a night without publishing it, and compares it with the one it builds on; none where there is no such one.
///
/// Nothing is written to the warehouse, and a check or guard that fails is told instead of ending the night.
pub(crate) async fn rehearse(
    ctx: &Context,
    plan: &Plan,
    warehouse: &Warehouse,
    options: &Options,
    report: &mut RunReport,
) -> Result<Option<Impact>, RunError> {
    let (current, _) = warehouse.current_as_completed().await?;
    let listed = listed(ctx, plan, warehouse, current).await?;
    complete::require(&listed.missing, options.allow_incomplete)?;
    let (base, _) = base_of(ctx, warehouse, listed.current.as_ref(), options).await?;
    let Some(before) = base.generation else { return Ok(None) };
    let options = Options { purpose: Purpose::Rehearse, ..options.clone() };
    let computed = Box::pin(computed(ctx, plan, warehouse, listed, &options, report));
    let (_, transformed) = computed.await?;
    let Transformed { session, tables, parameters, staged, .. } = &transformed;
    report.checks.extend(evaluate(ctx, session, tables, parameters, staged).await?);
    let rehearsal = Rehearsal { ctx, plan, warehouse, before: &before, after: &transformed };
    let mut impact = Box::pin(rehearsal.impact()).await?;
    impact.failed = report.checks.iter().filter(|check| check.failures > 0).cloned().collect();
    Ok(Some(impact))
}

/// A night that was computed, and the generation it is compared with.
struct Rehearsal<'a> {
    ctx: &'a Context,
    plan: &'a Plan,
    warehouse: &'a Warehouse,
    before: &'a Generation,
    after: &'a Transformed,
}

impl Rehearsal<'_> {
    async fn impact(&self) -> Result<Impact, RunError> {
        let marts = self.marts().await.map_err(|error| self.failed(error))?;
        let totals = marts.totals().await.map_err(|error| self.failed(error))?;
        let segments = marts.segment_moves().await.map_err(|error| self.failed(error))?;
        let former = registry_of(self.warehouse, self.before).await?;
        let (customers, moved) = if self.plan.identity.identifiers.is_empty() {
            (None, Vec::new())
        } else {
            let customers = customers(former.customer_ids(), &self.after.identified);
            let moved = self.moved(former.lookup()).await.map_err(|error| self.failed(error))?;
            (Some(customers), moved)
        };
        let (generation, failed) = (self.before.number, Vec::new());
        Ok(Impact { generation, totals, segments, customers, moved, failed })
    }

    /// Puts a failed comparison down to the first stage.
    fn failed(&self, error: DataFusionError) -> RunError {
        let stage = self.plan.stages[0].name.clone();
        TransformError { stage, kind: TransformErrorKind::from(error) }.into()
    }

    /// Puts the marts of both nights side by side.
    async fn marts(&self) -> Result<Pair, DataFusionError> {
        let spill = self.ctx.work.join("spill");
        let (threads, memory) = (self.ctx.threads, self.ctx.memory);
        let resources = Resources { threads, memory, spill: &spill };
        let mut pair = Pair::beginning_with(self.warehouse, &resources, self.before).await?;
        for stage in self.plan.stages.iter().filter(|stage| stage.published) {
            if let Some(table) = self.after.tables.get(stage.name.as_str()) {
                let table = source_as_provider(table)?;
                pair.add_after(stage.name.as_str(), stage.not_additive(), table)?;
            }
        }
        for mart in &self.plan.left_out {
            pair.stays(mart.as_str()).await?;
        }
        Ok(pair)
    }

    /// Sums up the money on rows that had another customer, by source and column.
    async fn moved(&self, former: Customers) -> Result<Vec<MovedMoney>, DataFusionError> {
        let customers = [Arc::new(former), Arc::clone(&self.after.identified.customers)];
        let mut moved = Vec::new();
        let tables = self.after.identified.tables.iter();
        for table in tables.filter(|table| !table.source.links.is_empty()) {
            let columns = table.source.columns.iter().map(Column::field);
            let money = columns.filter(|it| matches!(it.data_type(), DataType::Decimal128(_, _)));
            let money: Vec<String> = money.map(|field| field.name().clone()).collect();
            if money.is_empty() {
                continue;
            }
            let files = clean_files(self.warehouse, table);
            let plan = customers_compared(&files, &customers, &money)?;
            let session = &self.after.session;
            let rows = session.execute_logical_plan(plan).await?.collect().await?;
            let Some(row) = rows.first() else { continue };
            for (place, column) in money.iter().enumerate() {
                let value = |at: usize| first_text(row.column(at));
                let rows = value(0)?.and_then(|rows| rows.parse().ok()).unwrap_or(0);
                moved.push(MovedMoney {
                    source: table.source.name.to_string(),
                    column: column.clone(),
                    rows,
                    moved: value(1 + 2 * place)?.unwrap_or_else(|| "0".to_owned()),
                    total: value(2 + 2 * place)?.unwrap_or_else(|| "0".to_owned()),
                });
            }
        }
        Ok(moved)
    }
}

/// Tells what would become of the customers.
fn customers(former: &StringArray, identified: &Identified) -> CustomerImpact {
    let now = &identified.customers.ids;
    let is_moved = |(before, after): &(Option<&str>, Option<&str>)| {
        before.is_some() && after.is_some() && before != after
    };
    // Whoever is known keeps the number, so that the two columns can be laid side by side.
    let identifiers_moved = former.iter().zip(now).filter(is_moved).count() as u64;
    let before = former.iter().flatten().collect::<BTreeSet<&str>>().len() as u64;
    let counts = identified.counts;
    CustomerImpact {
        before,
        after: counts.customers,
        created: counts.created,
        merged: counts.merged,
        split: counts.split,
        retired: counts.retired,
        identifiers_moved,
        examples: examples(&identified.changes),
    }
}

/// Returns the largest merges, splits and retirements.
fn examples(changes: &RecordBatch) -> Vec<CustomerChange> {
    let text = |column: &str, row: usize| -> Option<String> {
        let texts = changes.column_by_name(column)?.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let count = |row: usize| -> Option<u64> {
        let counts = changes.column_by_name("identifiers")?;
        Some(counts.as_primitive_opt::<Int64Type>()?.value(row).unsigned_abs())
    };
    let told = (0..changes.num_rows()).filter_map(|row| {
        let change = text("change", row).filter(|change| change != "created")?;
        let types = [text("left_type", row), text("right_type", row)];
        let types = types.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let source = text("source", row).map(|source| format!(" ({source})")).unwrap_or_default();
        Some(CustomerChange {
            change,
            customer_id: text("customer_id", row)?,
            from_customer_id: text("from_customer_id", row),
            identifiers: count(row)?,
            cause: text("reason", row).map(|reason| format!("{reason}: {types}{source}")),
        })
    });
    let mut told: Vec<CustomerChange> = told.collect();
    told.sort_by(|left, right| {
        let key = |it: &CustomerChange| (it.change.clone(), it.customer_id.clone());
        right.identifiers.cmp(&left.identifiers).then_with(|| key(left).cmp(&key(right)))
    });
    told.truncate(EXAMPLES);
    told
}
