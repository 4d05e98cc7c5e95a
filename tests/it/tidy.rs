//! What the documents say of the code is so, and the house rules hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::harness::{Visible, collect, martlet, outcome, repository};

/// The most lines a file may have above its tests.
const MOST_LINES: usize = 400;
/// The steps in their order, and the earlier ones each may import from beside its predecessor.
const STEPS: [(&str, &[&str]); 7] = [
    ("extract", &[]),
    ("clean", &[]),
    ("dedupe", &[]),
    ("identity", &["clean"]),
    ("transform", &[]),
    ("audit", &[]),
    // What was rejected and who is who is published beside the audited tables.
    ("publish", &["clean", "identity"]),
];

/// Returns the Rust files below `src` without their tests and comments, by path below `src`.
fn sources() -> BTreeMap<String, String> {
    let mut files = Visible::new();
    let folder = repository().join("src");
    collect(&folder, &folder, &mut files);
    files
        .into_iter()
        .filter(|(path, _)| {
            Path::new(path).extension().is_some_and(|ending| ending == "rs")
                && !matches!(file_name(path), "tests.rs" | "corpus_tests.rs" | "fixtures.rs")
        })
        .map(|(path, content)| {
            let text = String::from_utf8(content).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = text.lines().map(|line| line.split("//").next().unwrap());
            (path, code.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Returns the first names after `prefix` in a text, of a list in braces each.
fn named_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let pattern = Regex::new(&format!(r"\b{prefix}::(?:(\w+)|\{{([^}}]*)\}})")).unwrap();
    let first_word = Regex::new(r"^\w+").unwrap();
    pattern
        .captures_iter(text)
        .flat_map(|found| {
            let list = found.get(1).or(found.get(2)).unwrap().as_str().to_owned();
            list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()
        })
        .filter_map(|name| Some(first_word.find(&name)?.as_str().to_owned()))
        .collect()
}

/// Returns the rows of `docs/architecture.md` that tell which module may use which.
fn documented_modules() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let (_, rest) = text.split_once("<!-- modules -->").unwrap();
    let (table, _) = rest.split_once("<!-- /modules -->").unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split(',')
            .map(|name| name.trim().trim_matches('`').to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    };
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        (names(cells[1]).pop_first().unwrap(), names(cells[2]))
    })
    .collect()
}

#[test]
fn the_table_of_modules_tells_what_each_uses() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let modules = Regex::new(r"(?m)^(?:pub )?mod (\w+);").unwrap();
    for module in modules.captures_iter(&sources()["lib.rs"]) {
        used.insert(module[1].to_owned(), BTreeSet::new());
    }
    for (path, code) in sources() {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        if let Some(used) = used.get_mut(module) {
            used.extend(named_after(&code, "crate").into_iter().filter(|name| name != module));
        }
    }
    let documented: BTreeMap<_, _> = documented_modules().into_iter().collect();
    assert_eq!(documented, used);
}

#[test]
fn a_module_uses_only_what_stands_above_it() {
    let mut above = BTreeSet::new();
    for (module, used) in documented_modules() {
        let below: Vec<&String> = used.difference(&above).collect();
        assert!(below.is_empty(), "`{module}` uses {below:?}, which do not stand above it");
        above.insert(module);
    }
}

#[test]
fn the_crate_lists_its_modules_in_the_order_of_the_table() {
    let text = fs::read_to_string(repository().join("src/lib.rs")).unwrap();
    let row = Regex::new(r"(?m)^//! \| `(\w+)` \|").unwrap();
    let listed: Vec<String> = row.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    let documented: Vec<String> =
        documented_modules().into_iter().map(|(module, _)| module).collect();
    assert_eq!(listed, documented);
}

#[test]
fn a_step_knows_only_its_predecessor() {
    for (number, (step, also)) in STEPS.iter().enumerate() {
        let predecessor = number.checked_sub(1).map(|before| STEPS[before].0);
        let mut may: BTreeSet<&str> = also.iter().copied().collect();
        may.extend(predecessor);
        let prefix = format!("steps/{step}/");
        for (path, code) in sources().iter().filter(|(path, _)| path.starts_with(&prefix)) {
            for other in named_after(code, "crate::steps") {
                assert!(
                    other == *step || may.contains(other.as_str()),
                    "src/{path} imports from `{other}`"
                );
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (path, _) in sources() {
        let text = fs::read_to_string(repository().join("src").join(&path)).unwrap();
        assert!(text.starts_with("//! "), "src/{path} does not begin with a `//!` line");
    }
}

#[test]
fn no_file_is_too_long() {
    let lengths = sources().into_iter().map(|(path, code)| (code.lines().count(), path));
    let too_long: Vec<_> = lengths.filter(|(lines, _)| *lines > MOST_LINES).collect();
    assert!(too_long.is_empty(), "files of more than {MOST_LINES} lines: {too_long:?}");
}

#[test]
fn the_readme_tells_the_exit_statuses_of_the_manual() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let row = Regex::new(r"(?m)^\| *(\d+) *\| *(.*?) *\| *(.*?) *\|$").unwrap();
    let told: Vec<String> = row
        .captures_iter(&readme)
        .map(|found| format!("{} {} ({})", &found[1], &found[2], &found[3]))
        .collect();
    let manual = outcome(martlet().arg("--help")).stdout;
    let (_, manual) = manual.split_once("Exit statuses:").unwrap();
    // A long line is wrapped; only the first of its lines begins with a number.
    let words = manual.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(told.join(" "), words);
    assert!(told.len() > 8, "{told:?}");
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // Put together, so that this file does not hold what it looks for.
    let folders = ["home", "root", "Users", "work"].join("|");
    let place = Regex::new(&format!(r#"(?:^|[\s"'`(=:])/(?:{folders})/\w"#)).unwrap();
    let mut files = Visible::new();
    for path in [
        ".ci",
        "README.md",
        "benches",
        "config",
        "data/README.md",
        "docs",
        "pipelines",
        "sql",
        "src",
        "tests",
    ] {
        collect(&repository(), &repository().join(path), &mut files);
    }
    for (path, content) in files {
        let text = String::from_utf8_lossy(&content);
        let found = text.lines().find(|line| place.is_match(line));
        assert_eq!(found, None, "{path}");
    }
}

#[test]
fn what_must_be_there_once_is_there_once() {
    let lock = fs::read_to_string(Path::new(&repository()).join("Cargo.lock")).unwrap();
    for package in ["arrow", "parquet", "datafusion", "object_store"] {
        let versions = lock.matches(&format!("\nname = \"{package}\"\n")).count();
        assert_eq!(versions, 1, "{package}");
    }
}
