//! The smallest pipeline that has a source.

use martlet::measure::Project;

/// Makes a project of sources as YAML, two blanks in, and a mart that counts the rows of one of them.
pub(crate) fn project(counted: &str, sources: &str) -> Project {
    let head = "version: 1\nname: micro\ntimezone: Asia/Shanghai\ncurrency: CNY\nstages: [sql]\n";
    let pipeline = format!("{head}sources:\n{sources}publish: [counted]\n");
    Project::new(
        "micro.yaml",
        [
            ("micro.yaml", pipeline.as_str()),
            ("sql/counted.sql", &format!("SELECT COUNT(*) AS n FROM {counted}")),
            ("sql/counted.yaml", "columns: { n: { type: integer } }"),
        ],
    )
}
