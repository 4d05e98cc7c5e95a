//! Marts of the least shop there is (`tests/cases/marts`), on inputs small enough to reckon by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::harness::{Project, copy, repository};

pub(crate) const AS_OF: &str = "2026-04-01";

/// Every table the shop publishes, with what makes its rows unique.
pub(crate) const MARTS: &[&str] = &[
    "fact_cash_movements",
    "fact_rfm_segments",
    "rfm_cutpoints",
    "rfm_migration",
    "fact_value_matrix",
    "value_matrix_migration",
    "fact_cohort_churn",
    "fact_churn_rate",
    "fact_churn_points",
    "fact_customer_lifecycle",
    "fact_attribution_credits",
    "fact_attribution_channels",
    "fact_campaign_roi",
    "fact_campaign_lift",
    "fact_campaign_pre_post",
];

pub(crate) fn shop() -> Project {
    let project = Project::of_case("marts");
    let marts = project.at("sql/marts");
    std::fs::create_dir_all(&marts).unwrap();
    copy(&repository().join("sql/marts"), &marts);
    project
}

/// Fills the shop: a customer for each edge case of the definitions.
pub(crate) fn filled() -> Project {
    let project = shop();
    let add = |file: &str, rows: &str| {
        project.append(&format!("data/raw/{file}.csv"), rows);
    };
    add(
        "customers",
        "ann,2025-12-01T00:00:00Z\nbob,2026-03-20T00:00:00Z\ncat,2026-01-01T00:00:00Z\n\
         dan,2026-01-01T00:00:00Z\neve,2026-01-01T00:00:00Z\nfay,2026-01-01T00:00:00Z\n\
         zoe,2026-04-01T00:00:00Z\n",
    );
    add(
        "orders",
        // In Berlin it is February already.
        "o1,ann,2026-01-31T23:30:00Z,EUR,100,0,,40,,0,paid\n\
         o2,bob,2026-03-31T08:00:00Z,EUR,10,4,2026-03-31T20:00:00Z,,,0,paid\n\
         o3,cat,2026-02-10T12:00:00Z,EUR,50,50,2026-04-02T00:00:00Z,,,0,paid\n\
         o4,dan,2026-02-10T12:00:00Z,EUR,-20,0,,,,0,paid\n\
         o6,fay,2026-01-05T12:00:00Z,USD,10,0,,4,c2,2,paid\n\
         o7,fay,2026-03-29T00:30:00Z,EUR,30,0,,10,,0,paid\n\
         o8,,2026-03-01T12:00:00Z,EUR,77,0,,,,0,paid\n\
         o9,ann,2026-03-01T12:00:00Z,EUR,66,0,,,,0,cancelled\n\
         future,ann,2026-05-01T12:00:00Z,EUR,1000,0,,,,0,paid\n",
    );
    let days = "2026-02-01 2026-03-31 2026-02-10 2026-03-29 2026-03-01";
    let rates: String = days.split(' ').fold(String::new(), |mut rates, day| {
        writeln!(rates, "{day},EUR,1").unwrap();
        rates
    });
    add("rates", &format!("{rates}2026-01-05,USD,0.9\n2026-05-01,EUR,1\n"));
    add("lines", "o1,1,p1,tea,60,\no1,2,p2,cups,40,\no6,1,p1,tea,10,\no7,1,p3,,30,\n");
    add(
        "touches",
        "t1,ann,2026-01-17T23:30:00Z,email,c1\nt2,ann,2026-01-24T23:30:00Z,search,\n\
         t3,ann,2026-01-31T23:30:00Z,direct,\n\
         t4,bob,2026-03-01T08:00:00Z,sms,c2\nt5,bob,2026-03-01T07:59:59Z,social,\n\
         t6,cat,2026-02-01T00:00:00Z,email,c1\nt7,cat,2026-02-02T00:00:00Z,email,c1\n\
         t8,cat,2026-02-03T00:00:00Z,social,\n\
         t9,eve,2026-02-03T00:00:00Z,social,\n\
         future,eve,2026-04-03T00:00:00Z,social,\n",
    );
    add("campaigns", "c1,email\nc2,sms\nc4,display\n");
    add(
        "spend",
        "c1,2026-01-15,20\nc1,2026-02-20,30\nc4,2026-02-20,99\nc9,2026-02-20,5\nc1,2026-04-01,1000\n",
    );
    add(
        "assignments",
        "c1,ann,treatment,2026-01-31T00:00:00Z\nc1,cat,treatment,2026-02-09T00:00:00Z\n\
         c1,eve,treatment,2026-02-09T00:00:00Z\nc1,fay,control,2026-03-20T00:00:00Z\n\
         c1,dan,control,2026-03-20T00:00:00Z\nc2,bob,treatment,2026-03-31T00:00:00Z\n",
    );
    project
}

/// Asserts that no mart holds a number that is none.
#[track_caller]
pub(crate) fn assert_all_numbers(project: &Project) {
    for mart in MARTS {
        let text = project.query(&format!("SELECT * FROM {mart}"));
        let cells = text.lines().flat_map(|line| line.split(','));
        for cell in cells {
            let is_number = !matches!(cell, "NaN" | "inf" | "-inf");
            assert!(is_number, "{mart} holds {cell}:\n{text}");
        }
    }
}

#[track_caller]
pub(crate) fn assert_rows(project: &Project, sql: &str, expected: &[&str]) {
    let found = project.query(sql);
    let found: Vec<&str> = found.lines().skip(1).collect();
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn a_shop_without_orders_has_empty_marts_and_everybody_is_a_prospect() {
    let project = shop();
    project
        .append("data/raw/customers.csv", "ann,2026-01-01T00:00:00Z\nbob,2026-03-31T00:00:00Z\n");
    project.append("data/raw/spend.csv", "c1,2026-02-20,30\n");
    project.publish(AS_OF);
    assert_all_numbers(&project);
    assert_rows(
        &project,
        "SELECT customer_id, segment, previous_segment, frequency FROM fact_rfm_segments ORDER BY 1",
        &["ann,Prospects,Prospects,0", "bob,Prospects,,0"],
    );
    assert_rows(
        &project,
        "SELECT DISTINCT campaign_id, spend, roas, roi, mer, spend_missing FROM fact_campaign_roi",
        &["c1,30.0000,0.0,-1.0,0.0,false"],
    );
    for mart in
        ["fact_cohort_churn", "fact_churn_rate", "fact_customer_lifecycle", "fact_value_matrix"]
    {
        assert_eq!(project.value(&format!("SELECT COUNT(*) FROM {mart}")), "0", "{mart}");
    }
}

#[test]
fn every_edge_of_the_definitions_has_its_result() {
    let project = filled();
    project.publish(AS_OF);
    assert_all_numbers(&project);
    credits_are_shared_as_each_model_says(&project);
    money_is_what_is_known_at_the_end_of_the_night(&project);
    periods_are_local(&project);
    scores_and_segments_are_total(&project);
    campaigns_have_what_is_known_of_them(&project);
    groups_are_compared_by_size(&project);
}

fn credits_are_shared_as_each_model_says(project: &Project) {
    // Three touches 14, 7 and 0 days before; the last is direct.
    assert_rows(
        project,
        "SELECT model, touch_id, weight, net_value FROM fact_attribution_credits
         WHERE order_id = 'o1' AND model <> 'markov' ORDER BY model, touch_position",
        &[
            "first,t1,1.000000000000,100.0000",
            "last,t3,1.000000000000,100.0000",
            "last_non_direct,t2,1.000000000000,100.0000",
            "linear,t1,0.333333333334,33.3334",
            "linear,t2,0.333333333333,33.3333",
            "linear,t3,0.333333333333,33.3333",
            "position,t1,0.400000000000,40.0000",
            "position,t2,0.200000000000,20.0000",
            "position,t3,0.400000000000,40.0000",
            "shapley,t1,0.333333333334,33.3334",
            "shapley,t2,0.333333333333,33.3333",
            "shapley,t3,0.333333333333,33.3333",
            "time_decay,t1,0.142857142857,14.2857",
            "time_decay,t2,0.285714285714,28.5714",
            "time_decay,t3,0.571428571429,57.1429",
        ],
    );
    // The touch 30 times 24 hours before counts, across the change of clocks; one a second earlier does not.
    // The refund reverses its part of the credit.
    assert_rows(
        project,
        "SELECT DISTINCT touch_id, weight, net_value, refund_value, refunded_on
         FROM fact_attribution_credits WHERE order_id = 'o2'",
        &["t4,1.000000000000,6.0000,4.0000,2026-03-31"],
    );
    // Two mails in a row count once, so two touches are left.
    assert_rows(
        project,
        "SELECT touch_id, weight FROM fact_attribution_credits
         WHERE order_id = 'o3' AND model = 'position' ORDER BY touch_position",
        &["t6,0.500000000000", "t8,0.500000000000"],
    );
    assert_rows(
        project,
        "SELECT DISTINCT order_id, campaign_id FROM fact_attribution_credits WHERE touch_id IS NULL ORDER BY 1",
        &["o4,(unattributed)", "o6,(unattributed)", "o7,(unattributed)"],
    );
}

fn money_is_what_is_known_at_the_end_of_the_night(project: &Project) {
    assert_rows(
        project,
        "SELECT order_id, movement, booked_on, value FROM fact_cash_movements ORDER BY order_id, movement DESC",
        &[
            "o1,sale,2026-02-01,100.0000",
            "o2,sale,2026-03-31,10.0000",
            "o2,refund,2026-03-31,-4.0000",
            // It was refunded after the night's end.
            "o3,sale,2026-02-10,50.0000",
            "o4,sale,2026-02-10,-20.0000",
            "o6,sale,2026-01-05,9.0000",
            "o7,sale,2026-03-29,30.0000",
        ],
    );
}

fn periods_are_local(project: &Project) {
    // o1 was placed on 31 January in UTC. The 62 days of the last order of January are those of Berlin.
    assert_rows(
        project,
        "SELECT cohort_start, cohort_size, SUM(orders), SUM(revenue) FROM fact_cohort_churn
         GROUP BY 1, 2 ORDER BY 1",
        &["2026-01-01,1,2,39.0000", "2026-02-01,3,3,130.0000", "2026-03-01,1,1,6.0000"],
    );
    assert_rows(
        project,
        "SELECT period_index, active_customers, retained_customers, retention_classic, retention_rolling
         FROM fact_cohort_churn WHERE cohort_start = '2026-01-01' ORDER BY 1",
        &["0,1,1,1.0,1.0", "1,0,1,0.0,1.0", "2,1,1,1.0,1.0"],
    );
    // 83 days lie between fay's orders: at risk after 45, and back before 90.
    assert_rows(
        project,
        "SELECT state, from_date, to_date FROM fact_customer_lifecycle
         WHERE customer_id = 'fay' ORDER BY state_number",
        &["new,2026-01-05,2026-02-19", "at_risk,2026-02-19,2026-03-29", "active,2026-03-29,"],
    );
}

fn scores_and_segments_are_total(project: &Project) {
    assert_rows(
        project,
        "SELECT customer_id, recency_days, frequency, monetary_total, r_score, f_score, m_score, net_nonpositive,
             score_quality
         FROM fact_rfm_segments ORDER BY customer_id",
        &[
            "ann,58,1,100.0000,1,1,5,false,degenerate",
            "bob,0,1,6.0000,5,1,2,false,degenerate",
            "cat,49,1,50.0000,2,1,4,false,degenerate",
            "dan,49,1,-20.0000,2,1,1,true,degenerate",
            "eve,,0,0.0000,,,,false,",
            "fay,2,2,39.0000,4,5,3,false,degenerate",
        ],
    );
    // The mean frequency is 1.2, the mean order (100 + 6 + 50 - 20 + 19.5) / 5 = 31.1.
    assert_rows(
        project,
        "SELECT customer_id, quadrant, frequency_threshold, aov_threshold FROM fact_value_matrix ORDER BY 1",
        &[
            "ann,spender,1.20000000,31.10000000",
            "bob,uncertain,1.20000000,31.10000000",
            "cat,spender,1.20000000,31.10000000",
            "dan,uncertain,1.20000000,31.10000000",
            "fay,frequent,1.20000000,31.10000000",
        ],
    );
}

fn campaigns_have_what_is_known_of_them(project: &Project) {
    // c4 and c9 cost money and touched nobody; c9 is not known; c2 was touched and nothing is known of its cost, but
    // its coupon took 2 dollars at 0.9.
    assert_rows(
        project,
        "SELECT campaign_id, month_start, spend, coupon_value, attributed_net_revenue, roas, roi, spend_missing
         FROM fact_campaign_roi WHERE model = 'first' ORDER BY 1, 2",
        &[
            "(no campaign),2026-01-01,0.0000,0.0000,0.0000,,,false",
            "(no campaign),2026-02-01,0.0000,0.0000,0.0000,,,false",
            "(no campaign),2026-03-01,0.0000,0.0000,0.0000,,,false",
            "(unattributed),2026-01-01,0.0000,0.0000,9.0000,,,false",
            "(unattributed),2026-02-01,0.0000,0.0000,-20.0000,,,false",
            "(unattributed),2026-03-01,0.0000,0.0000,30.0000,,,false",
            "c1,2026-01-01,20.0000,0.0000,0.0000,0.0,-1.0,false",
            // Contribution: 100 - 40, and half of 50 where the cost is unknown.
            "c1,2026-02-01,30.0000,0.0000,150.0000,5.0,1.8333333333333333,false",
            "c2,2026-01-01,0.0000,1.8000,0.0000,,,false",
            "c2,2026-03-01,0.0000,0.0000,6.0000,,,true",
            "c4,2026-02-01,99.0000,0.0000,0.0000,0.0,-1.0,false",
            "c9,2026-02-01,5.0000,0.0000,0.0000,0.0,-1.0,false",
        ],
    );
    // Two customers were gained for 30; those of February contributed (60 + 25 - 10) / 3 = 25 each.
    assert_rows(
        project,
        "SELECT cac, payback_months, ltv_to_cac, mer FROM fact_campaign_roi
         WHERE model = 'first' AND campaign_id = 'c1' AND month_start = '2026-02-01'",
        &["15.0,0,1.6666666666666667,0.9701492537313433"],
    );
}

fn groups_are_compared_by_size(project: &Project) {
    // Two of three ordered, one of two: 2 - 3 x 1 / 2. Revenue: 150 - 3 x 30 / 2.
    assert_rows(
        project,
        "SELECT campaign_id, treated_customers, control_customers, treated_converters, control_converters,
             incremental_conversions, incremental_revenue, inconclusive, interval_method, is_complete
         FROM fact_campaign_lift ORDER BY 1",
        &["c1,3,2,2,1,0.5,105.0,true,newcombe,false", "c2,1,0,1,0,,,true,,false"],
    );
    // Ann's order came 14 times 24 hours after the first touch, so it lies beyond those days.
    assert_rows(
        project,
        "SELECT campaign_id, customers, orders_before, orders_after, revenue_after, is_causal
         FROM fact_campaign_pre_post ORDER BY 1",
        &["c1,2,0,1,50.0000,false", "c2,1,0,0,0.0000,false"],
    );
}

#[test]
fn the_rules_follow_the_variables() {
    let project = filled();
    project.replace_in_pipeline(
        "  margin_rate: 0.5\n",
        "  margin_rate: 0.5\n  rfm_mode: cutpoints\n  cohort_period: week\n  churn_thresholds: auto\n  churn_days: 60\n\
         \x20 value_matrix_threshold: fixed\n  value_matrix_aov: 40\n  attribution_collapse: none\n\
         \x20 attribution_excluded_channels: search, social\n  reset_after_conversion: true\n",
    );
    project.append(
        "pipelines/marts.yaml",
        "rfm:\n  segments:\n    - { segment: Fresh, r: [4, 5] }\n    - { segment: Others }\n\
         \x20 cutpoints:\n    - { valid_from: \"2026-01-01\", recency_days: [90, 50, 10, 1], frequency: [2, 3, 4, 5], monetary: [10, 20, 30, 100.5] }\n",
    );
    project.append("data/raw/orders.csv", "o10,ann,2026-02-01T00:00:00Z,EUR,5,0,,,,0,paid\n");
    project.publish(AS_OF);
    assert_rows(
        &project,
        "SELECT customer_id, r_score, f_score, m_score, segment, score_quality FROM fact_rfm_segments
         WHERE segment <> 'Prospects' ORDER BY 1",
        &[
            "ann,2,2,5,Others,ok",
            "bob,5,1,1,Fresh,ok",
            "cat,3,1,4,Others,ok",
            "dan,3,1,1,Others,ok",
            "fay,4,2,4,Fresh,ok",
        ],
    );
    // A Monday begins each week. 83 days are more than 60 now, and there are too few gaps to estimate by.
    assert_rows(
        &project,
        "SELECT DISTINCT cohort_start, period_grain FROM fact_cohort_churn ORDER BY 1",
        &["2026-01-05,week", "2026-01-26,week", "2026-02-09,week", "2026-03-30,week"],
    );
    assert_rows(
        &project,
        "SELECT state, from_date, threshold_rule FROM fact_customer_lifecycle WHERE customer_id = 'fay' ORDER BY 2",
        &[
            "new,2026-01-05,fixed_for_want_of_gaps",
            "at_risk,2026-02-19,fixed_for_want_of_gaps",
            "churned,2026-03-06,fixed_for_want_of_gaps",
            "reactivated,2026-03-29,fixed_for_want_of_gaps",
        ],
    );
    assert_rows(
        &project,
        "SELECT dimension, value, orders, churns FROM fact_churn_points WHERE churns > 0 ORDER BY 1, 2",
        &["category,tea,2,1", "order_number,1,5,1", "product,p1,2,1"],
    );
    // Both mails to cat count; the second order of ann comes after the first took all touches.
    assert_rows(
        &project,
        "SELECT order_id, touch_id, weight FROM fact_attribution_credits WHERE model = 'linear' ORDER BY 1, 2",
        &[
            "o1,t1,0.500000000000",
            "o1,t3,0.500000000000",
            "o10,,1.000000000000",
            "o2,t4,1.000000000000",
            "o3,t6,0.500000000000",
            "o3,t7,0.500000000000",
            "o4,,1.000000000000",
            "o6,,1.000000000000",
            "o7,,1.000000000000",
        ],
    );
    assert_eq!(project.value("SELECT MIN(aov_threshold) FROM fact_value_matrix"), "40.00000000");
}

/// Twelve channels, and an order for every path that a simple rule makes.
fn many_paths() -> Vec<BTreeSet<usize>> {
    (0..60_usize)
        .map(|order| {
            (0..12).filter(|channel| (order * 7 + channel * channel * 3) % 5 < 2).collect()
        })
        .filter(|path: &BTreeSet<usize>| !path.is_empty())
        .collect()
}

/// The Shapley value of each channel, by all subsets: orders whose channels all belong to a set are its value.
fn shapley_by_subsets(paths: &[BTreeSet<usize>]) -> Vec<f64> {
    let value = |set: usize| {
        let is_inside =
            |path: &&BTreeSet<usize>| path.iter().all(|channel| set >> channel & 1 == 1);
        f64::from(u32::try_from(paths.iter().filter(is_inside).count()).unwrap())
    };
    let values: Vec<f64> = (0..1 << 12).map(value).collect();
    let factorials: Vec<f64> = (0..=12).map(|n| (1..=n).map(f64::from).product::<f64>()).collect();
    (0..12)
        .map(|channel| {
            (0..1_usize << 12)
                .filter(|set| set >> channel & 1 == 0)
                .map(|set| {
                    let size = usize::try_from(set.count_ones()).unwrap();
                    let weight = factorials[size] * factorials[11 - size] / factorials[12];
                    weight * (values[set | 1 << channel] - values[set])
                })
                .sum()
        })
        .collect()
}

#[test]
fn shapley_values_equal_the_sum_over_all_subsets() {
    let project = shop();
    let paths = many_paths();
    for (order, path) in paths.iter().enumerate() {
        let customer = format!("c{order:02}");
        project.append("data/raw/customers.csv", &format!("{customer},2026-01-01T00:00:00Z\n"));
        let row = format!("o{order:02},{customer},2026-03-10T12:00:00Z,EUR,1,0,,,,0,paid\n");
        project.append("data/raw/orders.csv", &row);
        for channel in path {
            let minute = 10 + channel;
            let row = format!(
                "t{order}-{channel},{customer},2026-03-09T12:{minute}:00Z,ch{channel:02},\n"
            );
            project.append("data/raw/touches.csv", &row);
        }
    }
    project.append("data/raw/rates.csv", "2026-03-10,EUR,1\n");
    project.publish(AS_OF);
    let found = project.query(
        "SELECT channel, attributed_conversions FROM fact_attribution_channels
         WHERE model = 'shapley' AND channel <> '(unattributed)'",
    );
    let found: BTreeMap<&str, f64> = found
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(channel, value)| (channel, value.parse().unwrap()))
        .collect();
    for (channel, expected) in shapley_by_subsets(&paths).into_iter().enumerate() {
        let found = found.get(format!("ch{channel:02}").as_str()).copied().unwrap_or_default();
        assert!((found - expected).abs() < 1e-9, "channel {channel}: {found} {expected}");
    }
}

#[test]
fn a_currency_without_a_rate_stops_the_night() {
    let project = filled();
    project.append("data/raw/orders.csv", "o11,ann,2026-02-01T00:00:00Z,CHF,5,0,,,,0,paid\n");
    let outcome = project.run(AS_OF);
    assert_eq!(outcome.status, Some(3), "{outcome:?}");
    let told = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(told.contains("fact_orders not_null(net_value)"), "{outcome:?}");
}
