//! `martlet lineage`: what columns are made of, as far as it can be seen from outside.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Outcome, Project, martlet, outcome, repository};

/// What every row of a mart tells of the night and of the definitions it follows: a parameter and a version.
const OF_EVERY_MART: [&str; 2] = ["as_of", "definition_version"];
/// The other columns of shipped stages that are made of nothing: parameters, lists of words, tables of the pipeline.
const CONSTANTS: &[&str] = &[
    "nightly attribution_models.model",
    "nightly category_margins.category",
    "nightly category_margins.margin_rate",
    "nightly fact_attribution_credits.attribution_days",
    "nightly fact_campaign_assignments.arm",
    "nightly fact_campaign_lift.lift_days",
    "nightly fact_campaign_pre_post.is_causal",
    "nightly fact_campaign_pre_post.method",
    "nightly fact_campaign_pre_post.window_days",
    "nightly fact_campaign_roi.attribution_days",
    "nightly fact_campaign_roi.spend_tz",
    "nightly fact_cash_movements.movement",
    "nightly fact_churn_points.dimension",
    "nightly fact_churn_rate.period_grain",
    "nightly fact_cohort_churn.period_grain",
    "nightly fact_rfm_segments.score_mode",
    "nightly fact_rfm_segments.window_days",
    "nightly fact_touches.source_order",
    "nightly fact_touches.touch_type",
    "nightly fact_value_matrix.threshold_rule",
    "nightly fact_value_matrix.window_days",
    "nightly rfm_cutpoints.score_mode",
    "nightly rfm_fixed_cutpoints.dimension",
    "nightly rfm_fixed_cutpoints.lower_bound",
    "nightly rfm_fixed_cutpoints.score",
    "nightly rfm_fixed_cutpoints.valid_from",
    "nightly rfm_ranks.dimension",
    "nightly rfm_segment_rules.fm_score",
    "nightly rfm_segment_rules.r_score",
    "nightly rfm_segment_rules.segment",
    "nightly rfm_snapshots.snapshot",
    "nightly rfm_snapshots.snapshot_date",
    "nightly value_matrix_migration.previous_as_of_date",
    "online_retail dim_products.category",
    "online_retail dim_products.unit_cost_value",
    "online_retail fact_cash_movements.movement",
    "online_retail fact_churn_points.dimension",
    "online_retail fact_churn_rate.period_grain",
    "online_retail fact_cohort_churn.period_grain",
    "online_retail fact_order_lines.category",
    "online_retail fact_order_lines.cost_value",
    "online_retail fact_orders.channel",
    "online_retail fact_orders.cost_value",
    "online_retail fact_orders.coupon_campaign_id",
    "online_retail fact_orders.coupon_value",
    "online_retail fact_orders.discount_value",
    "online_retail fact_orders.tax_value",
    "online_retail fact_refunds.order_id",
    "online_retail fact_refunds.refund_value",
    "online_retail fact_refunds.refunded_on",
    "online_retail fact_rfm_segments.score_mode",
    "online_retail fact_rfm_segments.window_days",
    "online_retail fact_value_matrix.threshold_rule",
    "online_retail fact_value_matrix.window_days",
    "online_retail rfm_cutpoints.score_mode",
    "online_retail rfm_fixed_cutpoints.dimension",
    "online_retail rfm_fixed_cutpoints.lower_bound",
    "online_retail rfm_fixed_cutpoints.score",
    "online_retail rfm_fixed_cutpoints.valid_from",
    "online_retail rfm_ranks.dimension",
    "online_retail rfm_segment_rules.fm_score",
    "online_retail rfm_segment_rules.r_score",
    "online_retail rfm_segment_rules.segment",
    "online_retail rfm_snapshots.snapshot",
    "online_retail rfm_snapshots.snapshot_date",
    "online_retail value_matrix_migration.previous_as_of_date",
];

fn shipped(arguments: &[&str]) -> Outcome {
    let ended = outcome(martlet().current_dir(repository()).arg("lineage").args(arguments));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    ended
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn every_column_of_every_shipped_stage_is_made_of_something_or_is_a_constant() {
    let told: Value = serde_json::from_str(&shipped(&["--format", "json"]).stdout).unwrap();
    assert_eq!(told["version"], 1);
    let mut constants = BTreeSet::new();
    for pipeline in list(&told["pipelines"]) {
        let tables = list(&pipeline["tables"]);
        let has = |origin: &Value| match (&origin["table"], &origin["column"]) {
            (Value::Null, _) => tables.iter().any(|table| table["name"] == origin["source"]),
            (name, column) => tables.iter().any(|table| {
                let columns = list(&table["columns"]);
                &table["name"] == name
                    && (column.is_null() || columns.iter().any(|known| &known["name"] == column))
            }),
        };
        for table in tables {
            for column in list(&table["columns"]) {
                let name = format!("{}.{}", text(&table["name"]), text(&column["name"]));
                let is_of_every_mart = OF_EVERY_MART.contains(&text(&column["name"]));
                if list(&column["value"]).is_empty() && !is_of_every_mart {
                    constants.insert(format!("{} {name}", text(&pipeline["pipeline"])));
                }
                let origins = list(&column["value"]).iter().chain(list(&column["influences"]));
                let unknown: Vec<&Value> = origins.filter(|origin| !has(origin)).collect();
                assert!(unknown.is_empty(), "{name}: {unknown:?}");
            }
        }
    }
    let constants: Vec<&str> = constants.iter().map(String::as_str).collect();
    assert_eq!(constants, CONSTANTS);
}

#[test]
fn a_number_of_a_mart_leads_back_to_the_fields_of_the_exports() {
    let column = ["pipelines/nightly.yaml", "--column", "fact_rfm_segments.monetary_total"];
    let told = shipped(&column).stdout;
    let (value, influences) = told.split_once("is influenced by").unwrap();
    for line in [
        "  fact_orders          net_value\n",
        "  raw online_orders    discount_amount, items_amount, refund_amount\n",
        "  raw exchange_rates   rate\n",
    ] {
        assert!(value.contains(line), "{line}{told}");
    }
    assert!(influences.contains("  raw online_orders       cookie, currency,"), "{told}");
    assert!(!value.contains("email"), "{told}");
}

#[test]
fn a_raw_field_leads_forward_to_the_marts() {
    let field = ["pipelines/nightly.yaml", "--impact", "web_events.cart_value"];
    assert!(shipped(&field).stdout.contains("is used to compute nothing"));
    let field = ["pipelines/nightly.yaml", "--impact", "campaign_costs.cost", "--format", "json"];
    let told: Value = serde_json::from_str(&shipped(&field).stdout).unwrap();
    let value = list(&told["reaches"][0]["value"]);
    let roi = serde_json::json!({ "table": "fact_campaign_roi", "column": "roi" });
    assert!(value.contains(&roi), "{told:#}");
}

#[test]
fn flowcharts_name_every_table_once() {
    let chart = shipped(&["pipelines/nightly.yaml", "--format", "mermaid"]).stdout;
    assert!(chart.starts_with("flowchart LR\n  t_web_events[(web_events)]\n"), "{chart}");
    assert!(chart.contains("  t_fact_orders --> t_eligible_orders\n"), "{chart}");
    assert_eq!(chart.matches("([fact_rfm_segments])").count(), 1, "{chart}");
}

#[test]
fn unknown_names_are_refused_with_the_nearest_right_one() {
    let project = Project::shop();
    let refused = |flag: &str, name: &str| {
        let ended = project.martlet(&["lineage", flag, name]);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        ended.stderr
    };
    let table = refused("--column", "fact_revenues.revenue");
    assert!(table.contains("no source or stage is named `fact_revenues`"), "{table}");
    assert!(table.contains("did you mean `fact_revenue`?"), "{table}");
    let column = refused("--impact", "orders.amout");
    assert!(column.contains("[--impact:1:8]"), "{column}");
    assert!(column.contains("did you mean `amount`?"), "{column}");
    assert!(refused("--column", "orders").contains("`orders` names no column"));
}
