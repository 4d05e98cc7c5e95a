//! Scoring: the stages of RFM, as shipped.

use martlet::measure::{Tables, Value};

use crate::bench::{Amount, Bench, Failure};
use crate::planning::stage;

const ORDERS: u64 = 32_768;
const CUSTOMERS: u64 = 4_001;

/// Orders of a year and a half, a few of which have no value.
const ELIGIBLE_ORDERS: &str = "
    SELECT
        concat('order-', CAST(i AS VARCHAR)) AS order_id,
        concat('customer-', CAST(i * 48271 % 4001 AS VARCHAR)) AS customer_id,
        DATE '2026-01-30' - CAST(i * 7919 % 547 AS INTEGER) AS order_date,
        CAST(i * 31 % 90007 AS DECIMAL(18, 4)) AS net_value
    FROM generate_series(1, 32768) AS series (i)";

/// There are none: scores are quantiles.
const FIXED_CUTPOINTS: &str = "
    SELECT 'recency' AS dimension, CAST(2 AS BIGINT) AS score, CAST(0 AS DECIMAL(18, 4)) AS lower_bound,
        DATE '2026-01-01' AS valid_from
    FROM generate_series(1, 1) AS series (i)
    WHERE i > 1";

const VARIABLES: &[(&str, Value)] = &[
    ("rfm_window_days", Value::Whole(365)),
    ("rfm_frequency", Value::Text("orders")),
    ("rfm_mode", Value::Text("quantile")),
    ("rfm_frozen_on", Value::Text("")),
    ("rfm_previous_days", Value::Whole(30)),
];

/// The stages in the order in which they read each other.
const STAGES: [&str; 6] = [
    "rfm_snapshots",
    "rfm_customer_values",
    "rfm_population",
    "rfm_ranks",
    "rfm_bounds",
    "rfm_scores",
];

pub(crate) fn benches() -> Vec<Bench> {
    // Each customer counts today and a month ago.
    vec![
        bench("rfm_customer_values", ORDERS, 2 * CUSTOMERS),
        bench("rfm_ranks", 2 * CUSTOMERS, 6 * CUSTOMERS),
        bench("rfm_scores", 2 * CUSTOMERS, 2 * CUSTOMERS),
    ]
}

fn bench(asked: &'static str, rows: u64, yields: u64) -> Bench {
    Bench::new(format!("scoring/{asked}"), Amount::Rows(rows), yields, move || {
        let mut tables = Tables::new(VARIABLES)?;
        tables.generate("eligible_orders", ELIGIBLE_ORDERS, &[])?;
        tables.generate("rfm_fixed_cutpoints", FIXED_CUTPOINTS, &[])?;
        for name in STAGES.iter().take_while(|name| **name != asked) {
            tables.compute(name, &stage(name)?)?;
        }
        let query = tables.query(&stage(asked)?)?;
        Ok::<_, Failure>(Box::new(move || query.run()))
    })
}
