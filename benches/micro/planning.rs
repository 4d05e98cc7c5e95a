//! Planning: what `martlet check` does with the shipped pipeline.

use std::fs;
use std::path::{Path, PathBuf};

use martlet::measure::Project;

use crate::bench::{Amount, Bench, Failure};

const PIPELINE: &str = "pipelines/nightly.yaml";

pub(crate) fn benches() -> Vec<Bench> {
    vec![Bench::new("planning/nightly", Amount::Rows(1), 1, || {
        let mut texts = vec![(PIPELINE.to_owned(), text(&root().join(PIPELINE))?)];
        gather("sql", &mut texts)?;
        let texts = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let project = Project::new(PIPELINE, texts);
        Ok(Box::new(move || project.check().map(|stages| u64::from(stages > 0))))
    })]
}

/// Returns the SQL of a shipped stage.
pub(crate) fn stage(name: &str) -> Result<String, Failure> {
    text(&root().join(format!("sql/marts/{name}.sql")))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads all texts below a folder of the project.
fn gather(folder: &str, texts: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("{folder}: {error}");
    for entry in fs::read_dir(root().join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            gather(&path, texts)?;
        } else {
            texts.push((path, text(&entry.path())?));
        }
    }
    Ok(())
}
