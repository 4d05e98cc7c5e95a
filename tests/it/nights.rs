//! Two nights of the little shop, and what readers must see of them whatever happens on the way.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::harness::{Project, Visible, collect};
use crate::snapshots::keep_nights;

pub(crate) const FIRST: &str = "2026-01-03";
pub(crate) const SECOND: &str = "2026-01-04";

/// What must be equal to say that two nights are.
const CONTENT: &str = "
SELECT concat_ws('|', 'revenue', CAST(day AS VARCHAR), product, CAST(orders AS VARCHAR),
                 CAST(revenue AS VARCHAR)) AS line FROM fact_revenue
UNION ALL
SELECT concat_ws('|', 'buyers', customer_id, CAST(orders AS VARCHAR), CAST(revenue AS VARCHAR)) FROM fact_buyers
UNION ALL
SELECT concat_ws('|', 'orders', order_id, email, sku, CAST(amount AS VARCHAR), customer_id) FROM clean.orders
UNION ALL
SELECT concat_ws('|', 'map', identifier_type, value, customer_id) FROM identity.map
ORDER BY line";

/// A project after its first night, and what its nights look like when nothing disturbs them.
pub(crate) struct Nights {
    pub(crate) project: Project,
    first: String,
    second: String,
    /// The files of the warehouse after the first night.
    first_files: Visible,
    /// The marts under `latest/` after the second night.
    second_files: Visible,
}

impl Nights {
    pub(crate) fn new() -> Self {
        let project = Project::shop();
        keep_nights(&project);
        project.publish(FIRST);
        let (first, first_files) = (project.query(CONTENT), files(&project));
        project.publish(SECOND);
        let (second, second_files) = (project.query(CONTENT), files(&project));
        assert_ne!(first, second);
        let nights = Self { project, first, second, first_files, second_files };
        nights.restore();
        nights
    }

    /// Makes the warehouse what it was after the first night.
    pub(crate) fn restore(&self) {
        self.project.remove("data/warehouse");
        for (path, content) in &self.first_files {
            self.project.write(&format!("data/warehouse/shop/{path}"), content);
        }
    }

    /// Checks what a dead run has left: one night whole; returns whether it is the second.
    #[track_caller]
    pub(crate) fn check_readers(&self, what: &str) -> bool {
        let after = files(&self.project);
        check_delta(&after, what);
        if after["CURRENT"] == b"1" {
            assert_eq!(self.project.query(CONTENT), self.first, "{what}");
            let readable = self.first_files.iter().filter(|(path, _)| !path.starts_with("LEASE"));
            for (path, content) in readable {
                assert!(after.get(path) == Some(content), "{what}: {path} is not what it was");
            }
            return false;
        }
        assert_eq!(after["CURRENT"], b"2", "{what}");
        assert_eq!(self.project.query(CONTENT), self.second, "{what}");
        true
    }

    /// Checks what a run that died in an empty warehouse has left: nothing, or the first night whole.
    #[track_caller]
    pub(crate) fn check_first_readers(&self, what: &str) {
        let after = files(&self.project);
        check_delta(&after, what);
        if after.contains_key("CURRENT") {
            assert_eq!(self.project.query(CONTENT), self.first, "{what}");
        }
    }

    /// Runs the first night again and checks that it is as if nothing had happened.
    #[track_caller]
    pub(crate) fn check_first_again(&self, what: &str) {
        let next = self.project.run(FIRST);
        assert_eq!(next.status, Some(0), "{what}: {next:?}");
        assert_eq!(self.project.query(CONTENT), self.first, "{what}");
    }

    /// Runs the second night and checks that it is as if nothing had happened.
    #[track_caller]
    pub(crate) fn check_next_run(&self, what: &str) {
        // Once its generation is there a night is decided, and the next run has only to complete it.
        let was_decided = self.project.in_warehouse("generations/2.json").exists();
        let next = self.project.run(SECOND);
        assert_eq!(next.status, Some(0), "{what}: {next:?}");
        let expected = if was_decided { "nothing new " } else { "published " };
        assert!(next.stdout.starts_with(expected), "{what}: {next:?}");
        assert_eq!(self.project.query(CONTENT), self.second, "{what}");
        let after = files(&self.project);
        check_delta(&after, what);
        for mart in ["latest/fact_revenue.parquet", "latest/fact_buyers.parquet"] {
            assert!(after[mart] == self.second_files[mart], "{what}: {mart} is of another night");
        }
        assert_eq!(after["latest/GENERATION"], after["CURRENT"], "{what}");
        let left = fs::read_dir(self.project.at("work/martlet")).unwrap().count();
        assert_eq!(left, 0, "{what}: the work folder still holds {left} runs");
    }
}

/// Returns every file of the warehouse.
fn files(project: &Project) -> Visible {
    let mut files = Visible::new();
    collect(&project.in_warehouse(""), &project.in_warehouse(""), &mut files);
    files
}

/// Checks that every Delta table shows exactly the files that some generation names for it, all of them there.
#[track_caller]
fn check_delta(files: &Visible, what: &str) {
    let commits = files.keys().filter(|path| is_commit(path));
    let logs: BTreeSet<&str> =
        commits.filter_map(|path| Some(path.split_once("/_delta_log/")?.0)).collect();
    for table in logs {
        let shown = delta_files(files, table);
        for path in &shown {
            assert!(files.contains_key(path), "{what}: {path} is gone");
        }
        let mut generations = files.iter().filter(|(path, _)| path.starts_with("generations/"));
        let is_known = generations.any(|(_, text)| named_files(text, table) == shown);
        assert!(is_known, "{what}: {table} shows {shown:?}");
    }
}

/// Says whether a file is one that readers of a Delta table look at.
///
/// A folder's store writes a commit beside its place and then links it there; a process that dies between the two
/// leaves a file whose name ends in a number.
fn is_commit(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|ending| ending == "json")
}

/// Replays the log of a Delta table.
fn delta_files(files: &Visible, table: &str) -> BTreeSet<String> {
    let log = format!("{table}/_delta_log/");
    let mut shown = BTreeSet::new();
    let commits = files.iter().filter(|(path, _)| path.starts_with(&log) && is_commit(path));
    for (_, text) in commits {
        for line in String::from_utf8_lossy(text).lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            let path = |kind: &str| Some(format!("{table}/{}", action[kind]["path"].as_str()?));
            shown.extend(path("add"));
            if let Some(path) = path("remove") {
                shown.remove(&path);
            }
        }
    }
    shown
}

/// Returns the files a generation names below the folder of a table.
fn named_files(generation: &[u8], table: &str) -> BTreeSet<String> {
    let generation: Value = serde_json::from_slice(generation).unwrap();
    let zones = generation["tables"].as_object().unwrap().values();
    let tables = zones.flat_map(|zone| zone.as_object().unwrap().values());
    let files = tables.flat_map(|table| table["files"].as_array().unwrap());
    let paths = files.map(|file| file["path"].as_str().unwrap().to_owned());
    paths.filter(|path| path.starts_with(&format!("{table}/"))).collect()
}
