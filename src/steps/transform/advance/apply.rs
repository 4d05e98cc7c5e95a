//! Makes the query of a stage, which goes on from its table of the night before where it can.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;

use super::affected::{Search, Stop};
use super::{Advance, Advanced, Extent, Extents, Why};
use crate::engine::{
    Night, Parameters, Tables, in_stored_types, plan_select, rows_of_keys, rows_of_others,
};
use crate::plan::{self, Reading};
use crate::zone::AsOf;

/// What one stage is computed over.
pub(in crate::steps::transform) struct Over<'a> {
    pub(in crate::steps::transform) session: &'a SessionContext,
    pub(in crate::steps::transform) tables: &'a Tables,
    pub(in crate::steps::transform) parameters: &'a Parameters,
    pub(in crate::steps::transform) as_of: AsOf,
    pub(in crate::steps::transform) advance: &'a Advance,
    /// How far the stages it reads went on.
    pub(in crate::steps::transform) extents: &'a Extents,
}

/// Makes the query of a stage; says, of an incremental one, what of it is computed.
pub(in crate::steps::transform) async fn query(
    over: &Over<'_>,
    stage: &plan::Stage,
) -> Result<(LogicalPlan, Option<Extent>), DataFusionError> {
    let why = match &stage.incremental {
        None => None,
        Some(incremental) => match Box::pin(over.advanced(stage, incremental)).await {
            Ok((query, advanced)) => return Ok((query, Some(Extent::Advanced(advanced)))),
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Whole(why)) => Some(Extent::Whole(why)),
        },
    };
    let state = over.session.state();
    Ok((plan_select(&state, over.tables, over.parameters, &stage.select)?, why))
}

impl Over<'_> {
    async fn advanced(
        &self,
        stage: &plan::Stage,
        incremental: &plan::Incremental,
    ) -> Result<(LogicalPlan, Advanced), Stop> {
        let nights = self.advance.night.as_ref().map_err(|why| Stop::Whole(why.clone()))?;
        let name = stage.name.as_str();
        let former = nights.former.generation.stage_table(name).ok_or(Stop::Whole(Why::New))?;
        if !nights.former.same_rules.contains(name) {
            return Err(Stop::Whole(Why::OtherRules));
        }
        let Self { session, tables, as_of, extents, .. } = *self;
        let search = Search { nights, as_of, session, tables, extents };
        let keys = Arc::new(search.affected(incremental).await?);
        let stamps = incremental.separation.stamps.iter();
        let stamps: Vec<_> =
            stamps.map(|(name, night)| (name.clone(), value(*night, as_of))).collect();
        let provider = nights.provider(&stage.schema, &former)?;
        let others = rows_of_others(provider, incremental.key, &keys, &stamps)?;
        let taken_over = session.execute_logical_plan(others.clone()).await?.count().await? as u64;
        // Reading all rows twice to compute most of them costs more than computing all.
        if taken_over < former.rows / 2 {
            return Err(Stop::Whole(Why::Most));
        }
        let mut restricted = tables.clone();
        for (table, reading) in &incremental.inputs {
            if let (Reading::Rows { is_keyed: true, .. }, Some(rows)) = (reading, tables.get(table))
            {
                restricted.insert(table.clone(), rows_of_keys(rows, incremental.key, &keys)?);
            }
        }
        let state = session.state();
        let computed = plan_select(&state, &restricted, self.parameters, &stage.select)?;
        let computed = in_stored_types(DataFrame::new(state, computed), &stage.schema)?;
        let rows = LogicalPlanBuilder::from(computed.into_unoptimized_plan()).union(others)?;
        Ok((rows.build()?, Advanced { keys, taken_over }))
    }
}

/// Returns the night in one of its forms.
pub(super) fn value(night: Night, as_of: AsOf) -> ScalarValue {
    match night {
        Night::Instant => ScalarValue::TimestampMicrosecond(
            Some(as_of.instant.timestamp_micros()),
            Some("UTC".into()),
        ),
        Night::Date => ScalarValue::Date32(Some(as_of.date.to_epoch_days())),
    }
}
