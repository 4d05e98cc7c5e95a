//! Tells the story of docs/life-of-a-record.md and compares it with what that document says.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[test]
fn the_record_goes_the_way_its_document_tells() -> Outcome {
    let folder = tempfile::tempdir()?;
    let report = martlet(
        folder.path(),
        &["run", "pipeline.yaml", "--as-of", "2026-01-31", "-q", "--format", "json"],
    )?;
    let mut found = vec![("0_accounts.csv".to_owned(), accounts(&report)?)];
    for query in sorted(&case().join("queries"))? {
        let answer =
            martlet(folder.path(), &["query", "--format", "csv", &fs::read_to_string(&query)?])?;
        found.push((format!("{}.csv", stem(&query)), answer));
    }
    let document = fs::read_to_string(root().join("docs/life-of-a-record.md"))?;
    for (name, found) in &found {
        let expected = fs::read_to_string(case().join("expected").join(name))?;
        assert_eq!(*found, expected, "{name}");
        assert!(document.contains(&expected), "{name} is not in the document");
    }
    assert_eq!(found.len(), sorted(&case().join("expected"))?.len());
    Ok(())
}

#[test]
fn the_document_quotes_the_raw_lines_and_the_stages_as_they_are() -> Outcome {
    let document = fs::read_to_string(root().join("docs/life-of-a-record.md"))?;
    for day in ["2026-01-13", "2026-01-26"] {
        let file = case().join(format!("raw/orders/dt={day}/part-0000.ndjson"));
        assert!(document.contains(&fs::read_to_string(file)?), "{day}");
    }
    for stage in
        sorted(&case().join("sql"))?.iter().filter(|path| path.extension() == Some("sql".as_ref()))
    {
        assert!(document.contains(&fs::read_to_string(stage)?), "{}", stage.display());
    }
    Ok(())
}

#[test]
fn a_second_night_changes_nothing() -> Outcome {
    let folder = tempfile::tempdir()?;
    let night = ["run", "pipeline.yaml", "--as-of", "2026-01-31", "-q"];
    martlet(folder.path(), &night)?;
    let told = martlet(folder.path(), &night)?;
    assert_eq!(
        told.lines().next(),
        Some(
            "nothing new for life_of_a_record as of 2026-01-31: generation 1 has the same inputs and rules"
        )
    );
    Ok(())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn case() -> PathBuf {
    root().join("tests/cases/life_of_a_record")
}

/// Runs the command on the case with a warehouse of its own, and returns what it writes to stdout.
fn martlet(folder: &Path, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_martlet"))
        .args(arguments)
        .arg("--project")
        .arg(case())
        .args(["--raw", "raw", "--warehouse"])
        .arg(folder.join("warehouse"))
        .arg("--work")
        .arg(folder.join("work"))
        .env_clear()
        .output()?;
    let talk = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{talk}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes the accounts of a run's report as CSV, one line for each object.
fn accounts(report: &str) -> Outcome<String> {
    let report: serde_json::Value = serde_json::from_str(report)?;
    let sources = report["sources"].as_array().ok_or("the report has no sources")?;
    let mut text = String::from("object,read,kept,rejected,duplicate\n");
    for object in sources.iter().filter_map(|source| source["objects"].as_array()).flatten() {
        let name = object["object"].as_str().ok_or("an object has no name")?;
        writeln!(
            text,
            "{name},{},{},{},{}",
            object["read"], object["kept"], object["rejected"], object["duplicate"]
        )?;
    }
    Ok(text)
}

fn sorted(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
