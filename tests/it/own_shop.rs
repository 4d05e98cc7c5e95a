//! Data of other shops, brought to the marts by YAML and staging SQL alone.

use crate::harness::{Project, copy, repository};
use crate::marts::{MARTS, assert_rows};

const TRIAL: &str = "own_trial";
const PATHS: &str = "own_paths";
/// The cases that are run here.
pub(crate) const OWN_SHOPS: [&str; 2] = [TRIAL, PATHS];

/// A project whose stages of its own stand beside the shipped marts and the tables it has none of.
fn with_marts(project: Project) -> Project {
    for folder in ["sql/contract", "sql/marts"] {
        std::fs::create_dir_all(project.at(folder)).unwrap();
        copy(&repository().join(folder), &project.at(folder));
    }
    project
}

#[test]
fn the_marts_need_no_column_beyond_the_contract() {
    let project = with_marts(Project::empty());
    let marts = MARTS.join(", ");
    project.write(
        "pipelines/shop.yaml",
        format!(
            "version: 1\nname: shop\ntimezone: UTC\ncurrency: EUR\nstages: [sql/contract, sql/marts]\n\
             sources: {{ nothing: {{ path: nothing.csv, format: csv, columns: {{ a: {{ type: string }} }} }} }}\n\
             publish: [{marts}]\n"
        ),
    );
    let check = project.martlet(&["check"]);
    assert_eq!(check.status, Some(0), "{check:?}");
}

#[test]
fn each_arm_of_an_experiment_is_compared_with_the_same_control_group() {
    let project = with_marts(Project::of_case(TRIAL));
    let check = project.martlet(&["check", "pipelines/own_trial.yaml"]);
    assert_eq!(check.status, Some(0), "{check:?}");
    project.publish("2008-04-20");
    assert_rows(
        &project,
        "SELECT campaign_id, arm, treated_customers, control_customers, treated_converters, control_converters,
             incremental_conversions, incremental_revenue, interval_method, inconclusive, incremental_contribution
         FROM fact_campaign_lift ORDER BY 2",
        &[
            "trial,Mens E-Mail,40,20,12,5,2.0,255.0,wald,true,",
            "trial,Womens E-Mail,40,20,8,5,-2.0,55.0,wald,true,",
        ],
    );
    assert_rows(
        &project,
        "SELECT incremental_revenue_low < 255 AND incremental_revenue_high > 255, revenue_inconclusive
         FROM fact_campaign_lift WHERE arm = 'Mens E-Mail'",
        &["true,false"],
    );
}

#[test]
fn paths_with_counts_become_customers_with_touches() {
    let project = with_marts(Project::of_case(PATHS));
    let check = project.martlet(&["check", "pipelines/own_paths.yaml"]);
    assert_eq!(check.status, Some(0), "{check:?}");
    project.publish("2026-02-01");
    // C1 is on half of what converts, C2 and C3 on all.
    assert_rows(
        &project,
        "SELECT channel, removal_effect, removal_share, pooled_conversions, attributed_conversions
         FROM fact_attribution_channels WHERE model = 'markov' AND removal_effect > 0 ORDER BY 1",
        &[
            "C1,0.5,0.2,0.2,0.200000000000",
            "C2,1.0,0.4,0.4,0.400000000000",
            "C3,1.0,0.4,0.4,0.400000000000",
        ],
    );
}
