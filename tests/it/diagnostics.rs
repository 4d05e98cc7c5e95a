//! One folder for each code of a diagnostic: a project that earns it, and what is said about it.
//!
//! The folder of `plan/bad-name` is `tests/diagnostics/plan__bad-name`. It is checked, or what its file `command`
//! says is done with it. Where there is a file `is_warning`, nothing is stopped by it.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::harness::{Visible, collect, expect_file, martlet, outcome, repository};

#[test]
fn every_code_has_its_folder() {
    let text = fs::read_to_string(repository().join("src/diagnostics/code.rs")).unwrap();
    let slug = Regex::new(r#"^    [A-Z]\w+ = "([a-z/-]+)",$"#).unwrap();
    let mut codes: Vec<String> =
        text.lines().filter_map(|line| Some(slug.captures(line)?[1].to_owned())).collect();
    codes.sort();
    assert!(codes.len() > 20, "the list of codes has another form: {codes:?}");
    let mut folders: Vec<String> = folders().iter().map(|folder| code_of(folder)).collect();
    folders.sort();
    assert_eq!(folders, codes);
}

#[test]
fn every_folder_earns_its_code_and_no_other() {
    let headline = Regex::new("(?m)^[a-z]+/[a-z-]+$").unwrap();
    for folder in folders() {
        let command = fs::read_to_string(folder.join("command"));
        let command = command.unwrap_or_else(|_| "check pipelines/example.yaml".to_owned());
        let found = outcome(martlet().current_dir(&folder).args(command.split_whitespace()));
        let status = if found.stderr.contains('×') { 2 } else { 0 };
        assert_eq!(found.status, Some(status), "{folder:?}: {found:?}");
        assert_eq!(found.stdout, "");
        let codes: Vec<&str> =
            headline.find_iter(&found.stderr).map(|code| code.as_str()).collect();
        let code = code_of(&folder);
        assert!(
            !codes.is_empty() && codes.iter().all(|found| *found == code),
            "{folder:?}: {codes:?}"
        );
        expect_file(&folder.join("expected.txt"), &found.stderr);
    }
}

#[test]
fn machines_are_told_the_same_places() {
    let folder = repository().join("tests/diagnostics/sql__unknown-column");
    let arguments = ["check", "pipelines/example.yaml", "--format", "json"];
    let found = outcome(martlet().current_dir(folder).args(arguments));
    assert_eq!(found.status, Some(2), "{found:?}");
    let told: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&told["version"], &told["errors"]), (&1.into(), &1.into()));
    let first = &told["diagnostics"][0];
    assert_eq!(first["code"], "sql/unknown-column");
    assert_eq!(first["file"], "sql/fact_orders.sql");
    let place = ["line", "column", "end_line", "end_column"].map(|key| first[key].as_u64());
    assert_eq!(place, [3, 3, 3, 16].map(Some));
    assert_eq!(first["help"], "did you mean `amount`?");
}

#[test]
fn code_hosts_are_told_the_same_places() {
    let told = sarif("plan__contract-drift");
    assert_eq!(told["version"], "2.1.0");
    assert_eq!(told["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &told["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "martlet");
    let first = &run["results"][0];
    assert_eq!(
        (&first["ruleId"], &first["level"]),
        (&"plan/contract-drift".into(), &"error".into())
    );
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "sql/fact_orders.yaml");
    let region = ["startLine", "startColumn", "endLine", "endColumn"];
    assert_eq!(region.map(|key| place["region"][key].as_u64()), [2, 15, 2, 22].map(Some));
    let other = &first["relatedLocations"][0];
    assert_eq!(other["physicalLocation"]["artifactLocation"]["uri"], "sql/fact_orders.sql");
    assert_eq!(other["message"]["text"], "yields `string`");
}

/// Holds what the schema of SARIF 2.1.0 demands of the parts that are written.
#[test]
fn every_log_for_code_hosts_has_the_shape_of_its_standard() {
    for folder in ["sql__mixed-time", "plan__stage-cycle", "yaml__syntax", "plan__duplicate-name"] {
        let told = sarif(folder);
        let run = &told["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(
                rule["help"]["text"].is_string() && rule["shortDescription"]["text"].is_string()
            );
            assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let related = result["relatedLocations"].as_array().into_iter().flatten();
            for location in result["locations"].as_array().unwrap().iter().chain(related) {
                let region = &location["physicalLocation"]["region"];
                let [line, column, end_line, end_column] =
                    ["startLine", "startColumn", "endLine", "endColumn"]
                        .map(|key| region[key].as_u64().unwrap());
                assert!(line >= 1 && column >= 1 && (end_line, end_column) >= (line, column));
                let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.starts_with('/') && !uri.contains(' '), "{uri}");
            }
        }
    }
}

#[test]
fn no_diagnostic_mentions_a_type_of_the_engine() {
    let internal = Regex::new(
        r"\b(Utf8|U?Int(8|16|32|64)|Float(32|64)|Decimal128|Date32|Timestamp\(|LogicalPlan|ParserError|DataFusion)",
    );
    for folder in folders() {
        let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let found = internal.as_ref().unwrap().find(&text).map(|found| found.as_str());
        assert_eq!(found, None, "{folder:?}");
    }
}

fn sarif(folder: &str) -> serde_json::Value {
    let folder = repository().join("tests/diagnostics").join(folder);
    let arguments = ["check", "pipelines/example.yaml", "--format", "sarif"];
    serde_json::from_str(&outcome(martlet().current_dir(folder).args(arguments)).stdout).unwrap()
}

#[test]
fn every_code_is_explained_and_nothing_else_is() {
    let explain = |code: &str| outcome(martlet().args(["explain", code]));
    for folder in folders() {
        let code = code_of(&folder);
        let explained = explain(&code);
        assert_eq!(explained.status, Some(0), "{explained:?}");
        let text = fs::read_to_string(repository().join(format!("docs/codes/{code}.md"))).unwrap();
        assert_eq!(explained.stdout, text);
        assert!(text.starts_with("# ") && text.lines().count() > 2, "{code}: {text}");
    }
    let mut files = Visible::new();
    collect(&repository().join("docs/codes"), &repository().join("docs/codes"), &mut files);
    assert_eq!(files.len(), folders().len(), "a text explains a code that does not exist");
    let unknown = explain("sql/unknown-colum");
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.stderr.ends_with("hint: did you mean `sql/unknown-column`?\n"), "{unknown:?}");
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("tests/diagnostics")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn code_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().replace("__", "/")
}
