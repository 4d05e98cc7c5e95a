//! Attribution: the stages from touches to weights, as shipped.

use martlet::measure::{Tables, Value};

use crate::bench::{Amount, Bench};
use crate::planning::stage;

const TOUCHES: u64 = 32_768;
/// Those that do not repeat the step before.
const TOUCHES_LEFT: u64 = 23_767;
const ORDERS: u64 = 9_001;

/// Touches of about nine thousand orders, some of which repeat the step before.
const WINDOW_TOUCHES: &str = "
    SELECT
        concat('order-', CAST(i * 48271 % 9001 AS VARCHAR)) AS order_id,
        concat('touch-', CAST(i AS VARCHAR)) AS touch_id,
        arrow_cast(1767225600000000 + i * 1000003, 'Timestamp(Microsecond, Some(\"UTC\"))') AS touched_at,
        i % 3 AS source_order,
        CASE (i % 9001 * 7919 + (i / 9001 + 1) / 2) % 8
            WHEN 0 THEN 'direct' WHEN 1 THEN 'email' WHEN 2 THEN 'sms' WHEN 3 THEN 'push'
            WHEN 4 THEN 'paid_search' WHEN 5 THEN 'paid_social' WHEN 6 THEN 'display' ELSE 'affiliate'
        END AS channel,
        CASE WHEN i % 9001 % 4 > 0 THEN concat('campaign-', CAST(i % 9001 * 31 % 97 AS VARCHAR)) END AS campaign_id
    FROM generate_series(1, 32768) AS series (i)";

/// Touches of paths that led to no order.
const LOST_TOUCHES: &str = "
    SELECT
        CASE i * 5281 % 4 WHEN 0 THEN 'direct' WHEN 1 THEN 'email' WHEN 2 THEN 'display' ELSE 'sms' END AS channel,
        CASE WHEN i % 3 > 0 THEN CASE WHEN i % 2 = 0 THEN 'email' ELSE 'push' END END AS previous_channel,
        i % 3 = 2 AS is_last
    FROM generate_series(1, 32768) AS series (i)";

const VARIABLES: &[(&str, Value)] = &[
    ("attribution_collapse", Value::Text("consecutive")),
    ("direct_channel", Value::Text("direct")),
    ("half_life_days", Value::Whole(7)),
];

/// The stages in the order in which they read each other.
const STAGES: [&str; 9] = [
    "attribution_models",
    "attribution_paths",
    "attribution_steps",
    "attribution_transitions",
    "attribution_removal_effects",
    "attribution_raw_weights",
    "attribution_shares",
    "attribution_leading_touches",
    "attribution_weights",
];

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        bench("attribution_paths", TOUCHES_LEFT),
        bench("attribution_steps", TOUCHES_LEFT),
        bench("attribution_transitions", 32),
        bench("attribution_removal_effects", 8),
        bench("attribution_raw_weights", TOUCHES_LEFT),
        bench("attribution_shares", TOUCHES_LEFT),
        bench("attribution_leading_touches", ORDERS),
        bench("attribution_weights", 145_838),
    ]
}

fn bench(asked: &'static str, yields: u64) -> Bench {
    let name = asked.trim_start_matches("attribution_");
    Bench::new(format!("attribution/{name}"), Amount::Rows(TOUCHES), yields, move || {
        let mut tables = Tables::new(VARIABLES)?;
        tables.generate("attribution_window_touches", WINDOW_TOUCHES, &[])?;
        tables.generate("attribution_lost_touches", LOST_TOUCHES, &[])?;
        for name in STAGES.iter().take_while(|name| **name != asked) {
            tables.compute(name, &stage(name)?)?;
        }
        let query = tables.query(&stage(asked)?)?;
        Ok(Box::new(move || query.run()))
    })
}
