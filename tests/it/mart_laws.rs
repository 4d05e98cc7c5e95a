//! Laws of the marts: what stops a night that breaks them, and what stays the same from night to night.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::harness::Project;
use crate::marts::{AS_OF, MARTS, assert_all_numbers, assert_rows, filled, shop};

/// Publishes only these marts.
fn only(project: &Project, marts: &[&str]) {
    let path = project.pipeline_path();
    let text = project.read(&path);
    let (before, _) = text.split_once("publish:\n").unwrap();
    let listed = marts.iter().fold(String::new(), |mut listed, mart| {
        writeln!(listed, "  - {mart}").unwrap();
        listed
    });
    project.write(&path, format!("{before}publish:\n{listed}"));
}

/// A law: the mart, the check that guards it, and how to break the SQL of a stage.
struct Law {
    mart: &'static str,
    check: &'static str,
    stage: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const LAWS: &[Law] = &[
    Law {
        mart: "fact_rfm_segments",
        check: "every_customer_has_a_segment",
        stage: "marts/fact_rfm_segments",
        right: "WHERE dim_customers.first_seen_at IS NULL OR dim_customers.first_seen_at < $as_of\n",
        wrong: "WHERE scored.customer_id IS NOT NULL\n",
    },
    Law {
        mart: "fact_rfm_segments",
        check: "unique(customer_id)",
        stage: "marts/fact_rfm_segments",
        right: "    AND previous_segments.snapshot = 'previous'\n",
        wrong: "CROSS JOIN (VALUES (1), (2)) AS twice (n)\n",
    },
    Law {
        mart: "fact_rfm_segments",
        check: "segments_are_those_of_the_rules",
        stage: "marts/fact_rfm_segments",
        right: "COALESCE(segments.segment, 'Prospects') AS segment",
        wrong: "COALESCE(previous_segments.segment, segments.segment, 'Prospects') AS segment",
    },
    Law {
        mart: "fact_cohort_churn",
        check: "cohort_sizes_are_the_first_orders",
        stage: "marts/cohort_members",
        right: "period_start($cohort_period, MIN(order_date)) AS cohort_start",
        wrong: "period_start($cohort_period, MAX(order_date)) AS cohort_start",
    },
    Law {
        mart: "fact_cohort_churn",
        check: "everybody_is_active_in_period_0",
        stage: "marts/cohort_activity",
        right: "    COUNT(*) AS active_customers",
        wrong: "    COUNT(*) - 1 AS active_customers",
    },
    Law {
        mart: "fact_customer_lifecycle",
        check: "states_follow_one_another_without_gap_or_overlap",
        stage: "marts/lifecycle_states",
        right: "days.order_date + thresholds.churn_days AS from_date, 'churned' AS state",
        wrong: "days.order_date + thresholds.churn_days AS from_date, 'at_risk' AS state",
    },
    Law {
        mart: "fact_customer_lifecycle",
        check: "states_begin_as_often_as_the_churn_rate_says",
        stage: "marts/cohort_churn_events",
        right: "        1 AS ended,\n",
        wrong: "        2 AS ended,\n",
    },
    Law {
        mart: "fact_churn_rate",
        check: "flows_reconcile_from_period_to_period",
        stage: "marts/fact_churn_rate",
        right: "customers_at_start + new_customers + reactivated_customers - churned_customers - churned_arrivals",
        wrong: "customers_at_start + reactivated_customers - churned_customers - churned_arrivals",
    },
    Law {
        mart: "fact_attribution_credits",
        check: "credits_of_every_order_add_up_in_every_model",
        stage: "marts/fact_attribution_credits",
        right: "THEN net_value - SUM(net_share) OVER of_order ELSE 0 END",
        wrong: "THEN 0 * (net_value - SUM(net_share) OVER of_order) ELSE 0 END",
    },
    Law {
        mart: "fact_attribution_credits",
        check: "credits_of_every_order_add_up_in_every_model",
        stage: "marts/attribution_weights",
        right: "WHERE share['weight'] IS NOT NULL",
        wrong: "WHERE share['weight'] IS NOT NULL AND share['model'] <> 'shapley'",
    },
    Law {
        mart: "fact_campaign_roi",
        check: "credits_are_the_eligible_revenue_in_every_model",
        stage: "marts/campaign_month_credits",
        right: "FROM fact_attribution_credits\n",
        wrong: "FROM fact_attribution_credits\nWHERE campaign_id <> '(unattributed)'\n",
    },
    Law {
        mart: "fact_cash_movements",
        check: "both_bases_add_up_to_the_same",
        stage: "marts/order_refunds",
        right: "WHERE orders.refund_value <> COALESCE(told.refund_value, 0)",
        wrong: "WHERE told.refund_value <> 0",
    },
    Law {
        mart: "fact_campaign_lift",
        check: "everybody_assigned_is_in_one_group",
        stage: "marts/lift_outcomes",
        right: "FROM lift_assignments\n",
        wrong: "FROM (SELECT * FROM lift_assignments WHERE assigned_group = 'control') AS lift_assignments\n",
    },
    Law {
        mart: "fact_cash_movements",
        check: "relationship(customer_id -> dim_customers.customer_id)",
        stage: "staging/dim_customers",
        right: "WHERE first_seen_at < $as_of",
        wrong: "WHERE first_seen_at < $as_of AND customer <> 'ann'",
    },
];

#[test]
fn a_night_that_breaks_a_law_is_not_published() {
    std::thread::scope(|scope| {
        for laws in LAWS.chunks(LAWS.len().div_ceil(2)) {
            scope.spawn(move || laws.iter().for_each(assert_is_guarded));
        }
    });
}

fn assert_is_guarded(law: &Law) {
    let project = filled();
    // An order of a customer who had come before, so that nobody's segment stays by chance what it was, and a churn.
    project.append("data/raw/orders.csv", "o12,fay,2025-09-01T12:00:00Z,EUR,10,0,,4,,0,paid\n");
    project.append("data/raw/rates.csv", "2025-09-01,EUR,1\n");
    only(&project, &[law.mart]);
    project.replace(&format!("sql/{}.sql", law.stage), law.right, law.wrong);
    let outcome = project.run(AS_OF);
    assert_eq!(outcome.status, Some(3), "{}: {outcome:?}", law.check);
    let told = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(told.contains(law.check), "{}: {outcome:?}", law.check);
    assert!(project.visible().is_empty(), "{}", law.check);
}

#[test]
fn states_of_the_night_before_stay_and_only_days_since_add_to_them() {
    let project = filled();
    project.append("data/raw/orders.csv", "o12,fay,2025-09-01T12:00:00Z,EUR,10,0,,4,,0,paid\n");
    project.append("data/raw/rates.csv", "2025-09-01,EUR,1\n");
    only(&project, &["fact_customer_lifecycle", "fact_churn_rate"]);
    let state = "customer_id, state_number, state, from_date";
    let mut before: Option<(&str, BTreeSet<String>, String)> = None;
    // The day of an order, of a risk, of a churn and of a return lie between them, and the end of a month.
    for as_of in
        ["2026-01-05", "2026-01-06", "2026-02-19", "2026-02-20", "2026-03-29", "2026-03-30", AS_OF]
    {
        project.publish(as_of);
        if let Some((former, states, finals)) = &before {
            let kept = project.query(&format!(
                "SELECT {state}, CASE WHEN to_date < '{former}' THEN to_date END AS to_date
                 FROM fact_customer_lifecycle WHERE from_date < '{former}'"
            ));
            assert_eq!(&lines(&kept), states, "{former} to {as_of}");
            let rates = rates_until(&project, former);
            assert_eq!(&rates, finals, "{former} to {as_of}");
        }
        let states =
            project.query(&format!("SELECT {state}, to_date FROM fact_customer_lifecycle"));
        before = Some((as_of, lines(&states), rates_until(&project, as_of)));
    }
    assert_rows(
        &project,
        "SELECT state, from_date FROM fact_customer_lifecycle WHERE customer_id = 'fay' ORDER BY 2",
        &[
            "new,2025-09-01",
            "at_risk,2025-10-16",
            "churned,2025-11-30",
            "reactivated,2026-01-05",
            "at_risk,2026-02-19",
            "active,2026-03-29",
        ],
    );
}

fn lines(csv: &str) -> BTreeSet<String> {
    csv.lines().skip(1).map(str::to_owned).collect()
}

/// Returns what is final of the churn rate on a day.
fn rates_until(project: &Project, day: &str) -> String {
    project.query(&format!(
        "SELECT period_start, customers_at_start, churned_customers, churn_rate, net_churn_rate
         FROM fact_churn_rate WHERE period_end <= '{day}' ORDER BY 1"
    ))
}

/// A shop of some hundred orders, so that every partition has its part of each table.
fn busy() -> Project {
    let project = shop();
    let mut files: [String; 4] = Default::default();
    let [customers, orders, touches, assignments] = &mut files;
    for customer in 0..90_u32 {
        writeln!(customers, "c{customer:02},2025-12-01T00:00:00Z").unwrap();
        let group = if customer % 3 == 0 { "control" } else { "treatment" };
        writeln!(assignments, "k,c{customer:02},{group},2026-02-10T00:00:00Z").unwrap();
        for order in 0..=customer % 5 {
            let (month, day) = (1 + (customer + order) % 3, 1 + (customer * 7 + order * 11) % 28);
            let amount = 3 + (customer * 31 + order * 17) % 97;
            writeln!(
                orders,
                "o{customer:02}-{order},c{customer:02},2026-0{month}-{day:02}T12:00:00Z,EUR,{amount}.37,0,,,,0,paid"
            )
            .unwrap();
            for touch in 0..(customer + order) % 4 {
                let channel =
                    ["search", "mail", "social", "direct"][(customer + touch) as usize % 4];
                let (hour, name) = (8 + touch, customer % 5);
                writeln!(
                    touches,
                    "t{customer:02}-{order}-{touch},c{customer:02},2026-0{month}-{day:02}T{hour:02}:00:00Z,{channel},k{name}"
                )
                .unwrap();
            }
        }
    }
    let names = ["customers", "orders", "touches", "assignments"];
    for (name, rows) in names.into_iter().zip(&files) {
        project.append(&format!("data/raw/{name}.csv"), rows);
    }
    let mut rates = String::new();
    for month in 1..=3 {
        for day in 1..=28 {
            writeln!(rates, "2026-{month:02}-{day:02},EUR,1").unwrap();
        }
    }
    project.append("data/raw/rates.csv", &rates);
    project
}

#[test]
fn every_mart_has_the_same_bytes_whatever_the_number_of_partitions() {
    let nights = ["1", "2", "8"].map(|threads| {
        let project = busy();
        let outcome = project.run_with(AS_OF, &["--threads", threads]);
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        let mut files = project.visible();
        files.retain(|name, _| name.ends_with(".parquet"));
        files
    });
    assert_eq!(nights[0].len(), MARTS.len());
    for (name, bytes) in &nights[0] {
        assert!(nights[1..].iter().all(|night| &night[name] == bytes), "{name} differs");
    }
}

#[test]
fn one_customer_with_all_orders_in_one_month_has_a_place_in_every_mart() {
    let project = shop();
    project.append("data/raw/customers.csv", "ann,2026-03-01T00:00:00Z\n");
    project.append(
        "data/raw/orders.csv",
        "o1,ann,2026-03-02T12:00:00Z,EUR,10,0,,,,0,paid\no2,ann,2026-03-02T12:00:00Z,EUR,-30,0,,,,0,paid\n",
    );
    project.append("data/raw/rates.csv", "2026-03-02,EUR,1\n");
    project.append("data/raw/touches.csv", "t1,ann,2026-03-02T12:00:00Z,mail,k\n");
    project.append("data/raw/assignments.csv", "k,ann,control,2026-03-01T12:00:00Z\n");
    project.publish(AS_OF);
    assert_all_numbers(&project);
    assert_rows(
        &project,
        "SELECT customer_id, frequency, monetary_total, aov, r_score, f_score, m_score, segment, net_nonpositive,
             score_quality FROM fact_rfm_segments",
        &["ann,2,-20.0000,-10.0000,1,1,1,Hibernating,true,degenerate"],
    );
    assert_rows(
        &project,
        "SELECT quadrant, frequency_threshold, aov_threshold FROM fact_value_matrix",
        &["uncertain,2.00000000,-10.00000000"],
    );
    assert_rows(
        &project,
        "SELECT period_index, cohort_size, retention_classic, retention_rolling, cum_per_member FROM fact_cohort_churn",
        &["0,1,1.0,1.0,-20.0000"],
    );
    assert_rows(
        &project,
        "SELECT customers_at_start, new_customers, churn_rate, net_churn_rate FROM fact_churn_rate",
        &["0,1,,"],
    );
    assert_rows(
        &project,
        "SELECT campaign_id, spend, roas, roi, cac, spend_missing, SUM(attributed_net_revenue) FROM fact_campaign_roi
         WHERE model = 'markov' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1",
        &["(unattributed),0.0000,,,,false,0.0000", "k,0.0000,,,,true,-20.0000"],
    );
    assert_rows(
        &project,
        "SELECT treated_customers, control_customers, control_converters, incremental_conversions, inconclusive
         FROM fact_campaign_lift",
        &["0,1,1,,true"],
    );
}

#[test]
fn what_a_sale_leaves_is_unknown_where_neither_cost_nor_margin_is() {
    let project = filled();
    project.replace_in_pipeline("  margin_rate: 0.5\n", "  lift_days: 20\n");
    // Of o3, which belongs to c1, the cost of one line is known; of the other neither that nor the
    // margin of its category.
    project.append("data/raw/lines.csv", "o3,1,p9,books,30,\no3,2,p8,,20,15\n");
    project.publish(AS_OF);
    assert_all_numbers(&project);
    assert_rows(
        &project,
        "SELECT DISTINCT order_id, contribution_value, is_estimated FROM fact_attribution_credits
         WHERE model = 'first' ORDER BY 1",
        &[
            "o1,60.0000,false",
            "o2,,true",
            "o3,,true",
            "o4,,true",
            "o6,7.2000,false",
            "o7,20.0000,false",
        ],
    );
    assert_rows(
        &project,
        "SELECT attributed_net_revenue, attributed_contribution, roas, roi, payback_months FROM fact_campaign_roi
         WHERE model = 'first' AND campaign_id = 'c1' AND month_start = '2026-02-01'",
        &["150.0000,,5.0,,"],
    );
    assert_rows(
        &project,
        "SELECT incremental_revenue, incremental_contribution, incremental_roi FROM fact_campaign_lift
         WHERE campaign_id = 'c1'",
        &["105.0,,"],
    );
    // With that margin it is known again: 30 x 0.2 and 20 - 15.
    project.append("pipelines/marts.yaml", "margins:\n  - { category: books, rate: 0.2 }\n");
    project.publish(AS_OF);
    assert_rows(
        &project,
        "SELECT attributed_contribution, roi FROM fact_campaign_roi
         WHERE model = 'first' AND campaign_id = 'c1' AND month_start = '2026-02-01'",
        &["71.0000,1.3666666666666667"],
    );
}
