//! One test: the tables it is given, the question, the answer held against what is expected.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono_tz::Tz;
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::SessionContext;

use super::diff::{Difference, Table, difference};
use super::tables::{Given, rows_of};
use crate::engine::{Parameters, Resources, Select, Tables, in_stored_types, plan_select, session};
use crate::plan::{self, Plan, UnitTest};
use crate::zone::AsOf;

/// Runs tests of one pipeline; sessions are made once for each time zone.
pub(crate) struct Trial<'a> {
    plan: &'a Plan,
    resources: Resources<'a>,
    sessions: HashMap<Tz, SessionContext>,
}

/// How a test came out.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed,
    /// Other rows came than were expected.
    Failed(Difference),
    /// The stage could not be computed.
    Broken(DataFusionError),
}

impl<'a> Trial<'a> {
    pub(crate) fn new(plan: &'a Plan, resources: Resources<'a>) -> Self {
        Self { plan, resources, sessions: HashMap::new() }
    }

    /// Runs a test of a stage of this pipeline.
    pub(crate) async fn run(&mut self, test: &UnitTest) -> Verdict {
        match self.compared(test).await {
            Ok(None) => Verdict::Passed,
            Ok(Some(difference)) => Verdict::Failed(difference),
            Err(error) => Verdict::Broken(error),
        }
    }

    async fn compared(&mut self, test: &UnitTest) -> Result<Option<Difference>> {
        let session = self.session(test.timezone)?;
        let as_of = AsOf::midnight(test.as_of, test.timezone);
        let parameters = plan::parameters(as_of, &self.plan.currency, &test.variables);
        let given = Given { plan: self.plan, session: &session, parameters: &parameters };
        let tables = given.tables(test).await?;
        let found = asked(&session, &tables, &parameters, &test.select, test).await?;
        let expected = rows_of(&test.expect.rows, &session).await?;
        // No row is expected: then no column is named, and every row that comes is one too many.
        let columns = if expected.schema().fields().is_empty() {
            Arc::clone(&test.schema)
        } else {
            expected.schema()
        };
        let found = Table::new(&columns, &found)?;
        let expected = Table::new(&columns, &[expected])?;
        Ok(difference(&expected, &found, test.expect.matching))
    }

    fn session(&mut self, timezone: Tz) -> Result<SessionContext> {
        if let Some(session) = self.sessions.get(&timezone) {
            return Ok(session.clone());
        }
        let session = session(&self.resources, timezone)?;
        self.sessions.insert(timezone, session.clone());
        Ok(session)
    }
}

/// Asks for the rows of the stage, in the types in which they would be stored.
async fn asked(
    session: &SessionContext,
    tables: &Tables,
    parameters: &Parameters,
    select: &Select,
    test: &UnitTest,
) -> Result<Vec<RecordBatch>> {
    let query = plan_select(&session.state(), tables, parameters, select)?;
    let frame = DataFrame::new(session.state(), query);
    in_stored_types(frame, &test.schema)?.collect().await
}
