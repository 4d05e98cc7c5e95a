//! Case folders: a whole project each, and what its night must leave behind.
//!
//! `tests/cases/<name>/expected/as_of` names the night, `summary.txt` is what the run says, and each `<table>.sql`
//! stands beside the `<table>.csv` it must yield.

use std::fs;

use crate::harness::{Project, case_folder, expect_file, repository};
use crate::own_shop::OWN_SHOPS;

macro_rules! cases {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        const CASES: &[&str] = &[$(stringify!($name)),*];
    };
}

cases! {
    cleaning,
    matching,
    shop,
}

#[test]
fn every_folder_is_a_test() {
    for entry in fs::read_dir(repository().join("tests/cases")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let has_own_module = repository().join(format!("tests/it/{name}.rs")).exists();
        let is_run = has_own_module || OWN_SHOPS.contains(&name.as_str());
        assert!(is_run || CASES.contains(&name.as_str()), "no test runs `{name}`");
    }
}

/// Runs a case twice: the first night yields what is expected, the second finds nothing new.
fn check(name: &str) {
    let project = Project::of_case(name);
    let expected = case_folder(name).join("expected");
    let as_of = fs::read_to_string(expected.join("as_of")).unwrap();

    let first = project.publish(as_of.trim());
    expect_file(&expected.join("summary.txt"), &project.masked(&first.stdout));
    for (table, sql) in queries(name) {
        expect_file(&expected.join(format!("{table}.csv")), &project.query(&sql));
    }

    let visible = project.visible();
    let second = project.run(as_of.trim());
    assert_eq!(second.status, Some(0), "{second:?}");
    assert!(second.stdout.starts_with("nothing new "), "{second:?}");
    assert!(project.visible() == visible, "the second night changed what readers see");
}

fn queries(name: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(case_folder(name).join("expected")).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let queries = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
    queries
        .map(|path| {
            let table = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (table, fs::read_to_string(&path).unwrap())
        })
        .collect()
}
