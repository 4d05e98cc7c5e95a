//! `DataFusion` sessions, with every option martlet depends on set in one place.

#![expect(clippy::disallowed_methods, reason = "the engine is the only place that makes sessions")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::config::SpillCompression;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::constants::ConstantsBehindSorts;
use super::first_value::first_value;
use super::joins::BoundedJoins;
use super::sort::SortedGroups;
use super::window::PartitionedWindows;
use crate::functions;

/// How many operators an out-of-memory error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// The part of the memory that one join may hold: others may run at once, and what they hold cannot spill.
const SHARE_OF_A_JOIN: usize = 3;

/// How much memory there is for each spilled file that one operator merges at once: a file takes two batches of rows, and
/// several operators merge side by side.
const MEMORY_FOR_A_MERGED_FILE: usize = 128 << 20;
/// With fewer files, rows would be merged again and again; with more, other sorts would lack the memory.
const LEAST_MERGED: usize = 4;
const MOST_MERGED: usize = 16;

/// What a session that executes may use.
pub(crate) struct Resources<'a> {
    pub(crate) threads: usize,
    pub(crate) memory: usize,
    /// A folder for spill files.
    pub(crate) spill: &'a Path,
}

/// Makes a session that plans but has nothing to execute on.
pub(crate) fn planning_session(timezone: chrono_tz::Tz) -> SessionContext {
    let state = SessionStateBuilder::new().with_config(config(1));
    with_operators(state, timezone, usize::MAX)
}

/// Makes a session whose joins hold at most so many bytes.
#[cfg(test)]
pub(super) fn bounded_session(most_of_a_join: usize) -> SessionContext {
    let state = SessionStateBuilder::new().with_config(config(2));
    with_operators(state, chrono_tz::UTC, most_of_a_join)
}

/// Makes a session of the engine as it comes, to hold ours against.
#[cfg(test)]
pub(super) fn stock_session(batch_size: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(1).with_batch_size(batch_size);
    SessionContext::new_with_config(config)
}

/// Makes a session that executes within `resources`.
pub(crate) fn session(
    resources: &Resources<'_>,
    timezone: chrono_tz::Tz,
) -> Result<SessionContext, DataFusionError> {
    let state = SessionStateBuilder::new()
        .with_config(config(resources.threads))
        .with_runtime_env(runtime(resources)?);
    Ok(with_operators(state, timezone, resources.memory / SHARE_OF_A_JOIN))
}

/// Says whether a query found too little memory.
///
/// How much it finds depends on what runs beside it, and on which of its own threads comes first; by itself and
/// [`on_one_thread`] fewer operators share it.
pub(crate) fn lacked_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// Makes a session that executes within the same resources, each query on one thread.
pub(crate) fn on_one_thread(session: &SessionContext) -> SessionContext {
    let config = session.copied_config().with_target_partitions(1);
    let state = SessionStateBuilder::new_from_existing(session.state()).with_config(config);
    SessionContext::new_with_state(state.build())
}

/// Makes a session with functions and operators of our own beside those of the engine; a join holds at most so many bytes.
fn with_operators(
    state: SessionStateBuilder,
    timezone: chrono_tz::Tz,
    most_of_a_join: usize,
) -> SessionContext {
    let state = state
        .with_default_features()
        .with_physical_optimizer_rules(physical_rules(most_of_a_join))
        .with_optimizer_rule(Arc::new(ConstantsBehindSorts))
        .with_physical_optimizer_rule(Arc::new(SortedGroups))
        .with_physical_optimizer_rule(Arc::new(PartitionedWindows))
        .build();
    let session = SessionContext::new_with_state(state);
    session.register_udaf(first_value());
    for function in functions::scalar_functions(timezone) {
        session.register_udf(function);
    }
    for function in functions::aggregate_functions() {
        session.register_udaf(function);
    }
    session
}

/// Returns the engine's rules for operators, and behind that for joins the one of our own.
fn physical_rules(most_of_a_join: usize) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let joins = rules.iter().position(|rule| rule.name() == "join_selection");
    let behind = joins.map_or(0, |place| place + 1);
    rules.insert(behind, Arc::new(BoundedJoins { most: most_of_a_join }));
    rules
}

fn runtime(resources: &Resources<'_>) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(resources.memory), NAMED_CONSUMERS);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_temp_file_path(resources.spill)
        .with_max_spill_merge_fan_in(merged_at_once(resources.memory))
        .build_arc()
}

/// Returns how many spilled files one operator merges at once.
///
/// Without a bound the engine takes all the memory it can get for the files of one merge and gives nothing back before its
/// end, so that another sort of the same query finds none.
fn merged_at_once(memory: usize) -> usize {
    (memory / MEMORY_FOR_A_MERGED_FILE).clamp(LEAST_MERGED, MOST_MERGED)
}

/// Returns the options every session shares.
fn config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    // Positions of tables and columns in the SQL, for diagnostics.
    options.sql_parser.collect_spans = true;
    // Money is never a float: `1.5` is a decimal.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some("UTC".to_owned());
    // Views of strings blow up when an operator spills, and published files must not hold them.
    options.execution.parquet.schema_force_view_types = false;
    // Rows that are spread by order are so by order and model too, however few threads there are.
    options.optimizer.subset_repartition_threshold = 1;
    // A union that is put together partition by partition loses the order of its rows, which is worth more.
    options.optimizer.prefer_existing_union = true;
    // What spills are wide rows that repeat themselves: to compress them takes less time than to write and read them.
    options.execution.spill_compression = SpillCompression::Lz4Frame;
    config
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

    use super::{Resources, planning_session, session};
    use crate::functions::{DEFINITIONS, aggregate_functions, scalar_functions};

    const MEMORY: usize = 48 << 20;

    /// Computes an expression in a pipeline that counts its days in Shanghai.
    async fn answer(expression: &str) -> Result<String, String> {
        let session = planning_session(chrono_tz::Asia::Shanghai);
        let frame = session.sql(&format!("SELECT {expression}")).await;
        let frame = frame.map_err(|error| error.strip_backtrace())?;
        let batches = frame.collect().await.map_err(|error| error.strip_backtrace())?;
        let options = FormatOptions::default().with_null("NULL");
        let formatter = ArrayFormatter::try_new(batches[0].column(0), &options).unwrap();
        Ok(formatter.value(0).to_string())
    }

    #[test]
    fn every_function_is_defined_and_every_definition_a_function() {
        let (scalar, aggregate) = (scalar_functions(chrono_tz::UTC), aggregate_functions());
        let aggregate = aggregate.iter().map(AggregateUDF::name);
        let mut functions: Vec<&str> =
            scalar.iter().map(ScalarUDF::name).chain(aggregate).collect();
        functions.sort_unstable();
        let defined: Vec<&str> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        assert_eq!(functions, defined);
        let sorted: BTreeSet<&str> = defined.iter().copied().collect();
        assert!(sorted.iter().eq(&defined), "{defined:?}");
    }

    #[tokio::test]
    async fn every_example_of_a_function_is_true() {
        for definition in DEFINITIONS {
            assert!(!definition.examples.is_empty(), "{}", definition.name);
            for (call, expected) in definition.examples {
                assert_eq!(answer(call).await.as_deref(), Ok(*expected), "{call}");
            }
        }
    }

    /// Both sides of a join are sorted, spilled and merged within little memory.
    #[tokio::test]
    async fn two_merges_of_spilled_rows_leave_each_other_room() {
        let spill = tempfile::tempdir().unwrap();
        let resources = Resources { threads: 2, memory: MEMORY, spill: spill.path() };
        let session = session(&resources, chrono_tz::UTC).unwrap();
        session.sql("SET datafusion.optimizer.prefer_hash_join = false").await.unwrap();
        let side = "SELECT value * 7919 % 900001 AS id, repeat('x', 60) AS text FROM range(900000)";
        let query = format!(
            "SELECT count(*), sum(length(l.text) + length(r.text)) \
            FROM ({side}) AS l JOIN ({side}) AS r ON l.id = r.id"
        );
        let batches = session.sql(&query).await.unwrap().collect().await.unwrap();
        let numbers = batches[0].columns().iter();
        let numbers: Vec<i64> =
            numbers.map(|column| column.as_primitive::<Int64Type>().value(0)).collect();
        assert_eq!(numbers, [900_000, 900_000 * 120]);
    }

    #[tokio::test]
    async fn functions_of_columns_answer_row_by_row() {
        let days =
            "(VALUES (DATE '2026-01-31', 2), (NULL, 0), (DATE '2026-04-01', NULL)) AS t(day, n)";
        for (expression, expected) in [
            ("array_agg(period_start('month', day))", "[2026-01-01, NULL, 2026-04-01]"),
            ("array_agg(period_end('quarter', day))", "[2026-04-01, NULL, 2026-07-01]"),
            ("array_agg(periods_between('month', DATE '2025-12-31', day))", "[1, NULL, 4]"),
            ("array_agg(safe_divide(n, 4.0))", "[0.5, 0.0, NULL]"),
            ("array_agg(safe_divide(1, n))", "[0.5, NULL, NULL]"),
        ] {
            let found = answer(&format!("{expression} FROM {days}")).await;
            assert_eq!(found.as_deref(), Ok(expected), "{expression}");
        }
    }

    #[tokio::test]
    async fn what_functions_do_not_take_is_refused_before_a_run() {
        for (call, told) in [
            ("period_start('fortnight', DATE '2026-01-31')", "takes one of `day`, `week`"),
            ("period_start('month', TIMESTAMP '2026-01-31T00:00:00Z')", "period_start takes dates"),
            ("period_start('month', '2026-01-31')", "period_start takes dates"),
            (
                "period_end(word, DATE '2026-01-31') FROM (VALUES ('month')) AS t(word)",
                "takes one of",
            ),
            ("periods_between('month', DATE '2026-01-31')", "periods_between"),
            ("safe_divide('1', 2)", "safe_divide takes two numbers"),
        ] {
            let refused = answer(call).await.unwrap_err();
            assert!(refused.contains(told), "{call}: {refused}");
        }
    }
}
