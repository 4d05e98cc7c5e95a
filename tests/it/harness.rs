//! Projects in temporary folders, and the command run in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A project with its raw exports and its warehouse, in a temporary folder.
pub(crate) struct Project {
    folder: TempDir,
    pipeline: String,
}

/// How the command ended, and what it said.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// None where a signal ended the process.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Every file readers of a warehouse go by, with its content: `CURRENT`, `generations/` and `latest/`.
pub(crate) type Visible = BTreeMap<String, Vec<u8>>;

impl Project {
    /// Copies `tests/cases/<name>`.
    pub(crate) fn of_case(name: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), pipeline: name.to_owned() };
        copy(&case_folder(name), project.path());
        project
    }

    /// Copies the little shop that most tests begin with.
    pub(crate) fn shop() -> Self {
        Self::of_case("shop")
    }

    /// Makes a project of no files.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), pipeline: "shop".to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file of the project.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes a file and the folders it lies in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Replaces a text that stands in a file exactly once.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) -> &Self {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "`{old}` in {path}:\n{text}");
        self.write(path, text.replace(old, new))
    }

    /// Replaces a text in the pipeline's file.
    pub(crate) fn replace_in_pipeline(&self, old: &str, new: &str) -> &Self {
        self.replace(&self.pipeline_path(), old, new)
    }

    pub(crate) fn append(&self, path: &str, text: &str) -> &Self {
        self.write(path, self.read(path) + text)
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> &Self {
        let to = self.at(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.at(from), to).unwrap();
        self
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        let path = self.at(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        self
    }

    pub(crate) fn pipeline_path(&self) -> String {
        format!("pipelines/{}.yaml", self.pipeline)
    }

    /// Makes a command that knows this project and nothing of the environment it is called in.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = martlet();
        command.current_dir(self.path()).args(arguments).args(["--work", "work"]);
        command
    }

    /// Runs any command.
    pub(crate) fn martlet(&self, arguments: &[&str]) -> Outcome {
        outcome(&mut self.command(arguments))
    }

    pub(crate) fn run(&self, as_of: &str) -> Outcome {
        self.run_with(as_of, &[])
    }

    pub(crate) fn run_with(&self, as_of: &str, flags: &[&str]) -> Outcome {
        let path = self.pipeline_path();
        let arguments: Vec<&str> =
            ["run", &path, "--as-of", as_of].iter().chain(flags).copied().collect();
        self.martlet(&arguments)
    }

    /// Runs a night that must be published.
    pub(crate) fn publish(&self, as_of: &str) -> Outcome {
        let outcome = self.run(as_of);
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        assert!(outcome.stdout.starts_with("published "), "{outcome:?}");
        outcome
    }

    /// Returns the answer to a query as CSV.
    pub(crate) fn query(&self, sql: &str) -> String {
        let outcome = self.ask(sql);
        assert_eq!(outcome.status, Some(0), "{sql}\n{outcome:?}");
        outcome.stdout
    }

    pub(crate) fn ask(&self, sql: &str) -> Outcome {
        self.martlet(&["query", "--pipeline", &self.pipeline, "--format", "csv", sql])
    }

    /// Returns the first value of an answer.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.query(sql).lines().nth(1).unwrap_or_default().to_owned()
    }

    /// Returns the path of a file of the pipeline's warehouse.
    pub(crate) fn in_warehouse(&self, path: &str) -> PathBuf {
        self.at("data/warehouse").join(&self.pipeline).join(path)
    }

    /// Returns everything readers of the warehouse go by.
    pub(crate) fn visible(&self) -> Visible {
        let mut files = Visible::new();
        for path in ["CURRENT", "generations", "latest"] {
            collect(&self.in_warehouse(""), &self.in_warehouse(path), &mut files);
        }
        files
    }

    /// Returns the reports of all runs, the oldest first.
    pub(crate) fn reports(&self) -> Vec<Value> {
        let mut files = Visible::new();
        collect(&self.in_warehouse(""), &self.in_warehouse("runs"), &mut files);
        let mut reports: Vec<Value> =
            files.values().map(|text| serde_json::from_slice(text).unwrap()).collect();
        reports.sort_by_key(|report| report["started_at"].as_str().unwrap().to_owned());
        reports
    }

    /// Returns the report of the only run or the last one.
    pub(crate) fn report(&self) -> Value {
        self.reports().pop().expect("no run has left a report")
    }

    /// Says what stands in `text`, without what differs from run to run.
    pub(crate) fn masked(&self, text: &str) -> String {
        let folder = self.path().canonicalize().unwrap();
        let mut text = text.replace(folder.to_str().unwrap(), "[project]");
        text = text.replace(self.path().to_str().unwrap(), "[project]");
        for (pattern, mask) in MASKS {
            text = regex::Regex::new(pattern).unwrap().replace_all(&text, *mask).into_owned();
        }
        text
    }
}

/// What differs from run to run, and what stands for it.
const MASKS: &[(&str, &str)] = &[
    (r"\d{8}T\d+Z-[0-9a-f]{8}", "[run]"),
    (r"in \d+ ms", "in [time]"),
    (r"\n\n(\w+ \d+\.\d\d s(, )?)+\n$", "\n"),
];

/// Makes the command without the environment of the caller.
pub(crate) fn martlet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_martlet"));
    command.env_clear().env("MARTLET_THREADS", "2").stdin(Stdio::null());
    command
}

pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Returns the root of the repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn case_folder(name: &str) -> PathBuf {
    repository().join("tests/cases").join(name)
}

/// Returns how often something is to be tried: as a variable says, or so often.
pub(crate) fn count_from(variable: &str, fallback: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "only whoever runs the tests sets it")]
    let written = std::env::var(variable);
    written.ok().map_or(fallback, |text| text.parse().unwrap())
}

/// Says whether what is expected is to be written anew.
pub(crate) fn updates_expectations() -> bool {
    #[expect(clippy::disallowed_methods, reason = "only whoever changes what is expected sets it")]
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Compares a text with the file that holds what is expected, or writes the file.
#[track_caller]
pub(crate) fn expect_file(path: &Path, found: &str) {
    if updates_expectations() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "{} differs; `UPDATE_EXPECT=1 cargo test` writes it anew\n--- expected\n{expected}\n--- found\n{found}",
        path.strip_prefix(repository()).unwrap().display()
    );
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Adds every file below `path` under its name relative to `root`.
pub(crate) fn collect(root: &Path, path: &Path, files: &mut Visible) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(root, &entry.unwrap().path(), files);
        }
    } else if path.is_file() {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        files.insert(name, fs::read(path).unwrap());
    }
}
