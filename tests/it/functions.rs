//! `martlet functions`: the page of the documents is what the command prints.

use crate::harness::{expect_file, martlet, outcome, repository};

#[test]
fn the_page_of_functions_is_that_of_the_code() {
    let told = outcome(martlet().args(["functions", "--format", "markdown"]));
    assert_eq!(told.status, Some(0), "{told:?}");
    expect_file(&repository().join("docs/functions.md"), &told.stdout);
}

#[test]
fn functions_are_told_to_people_and_machines() {
    let text = outcome(martlet().arg("functions")).stdout;
    assert!(text.contains("\nlocal_date(moment timestamp) -> date\n  "), "{text}");
    let told = outcome(martlet().args(["functions", "--format", "json"])).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let signatures = told["functions"].as_array().unwrap().iter();
    for signature in signatures.map(|function| function["signature"].as_str().unwrap()) {
        assert!(text.contains(signature), "{signature}");
    }
}
