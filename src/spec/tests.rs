use super::{PipelineSpec, SourceTree, load, stage_folders};
use crate::diagnostics::{Diagnostics, Look, render};

const PATH: &str = "pipelines/nightly.yaml";
const PIPELINE: &str = "\
version: 1
name: nightly
timezone: Asia/Shanghai
currency: CNY
stages: [sql/staging, ./sql//marts/]
sources:
  web_events:
    path: web/*.csv
    format: csv
    columns:
      email: { type: email }
publish: [fact]
";

fn project(pipeline: &str) -> SourceTree {
    let mut tree = SourceTree::default();
    tree.insert(PATH, pipeline);
    tree.insert("sql/staging/web/orders.sql", "SELECT 1");
    tree.insert("sql/marts/fact.sql", "SELECT 2");
    tree.insert("sql/marts/fact.yaml", "description: a fact\n");
    tree.insert("sql/other/unrelated.sql", "SELECT 3");
    tree
}

fn loaded(tree: &SourceTree) -> PipelineSpec {
    load(tree, PATH).unwrap_or_else(|diagnostics| panic!("{}", shown(&diagnostics)))
}

fn shown(diagnostics: &Diagnostics) -> String {
    let look = Look { colour: false, unicode: true, width: 100 };
    render(diagnostics, look)
}

fn refused(tree: &SourceTree) -> String {
    shown(&load(tree, PATH).unwrap_err())
}

#[test]
fn a_pipeline_is_loaded_with_all_stages_below_its_folders() {
    let spec = loaded(&project(PIPELINE));
    assert_eq!(spec.pipeline.name, "nightly");
    let path = ["sources", "web_events", "columns", "email", "type"];
    assert_eq!(&spec.file.text[spec.positions.value(&path)], "email");
    let stages: Vec<(&str, bool)> =
        spec.stages.iter().map(|stage| (stage.name.as_str(), stage.sidecar.is_some())).collect();
    assert_eq!(stages, [("fact", true), ("orders", false)]);
}

#[test]
fn an_empty_sidecar_is_one() {
    let mut tree = project(PIPELINE);
    tree.insert("sql/marts/fact.yaml", "# nothing yet\n");
    let spec = loaded(&tree);
    assert!(spec.stages[0].sidecar.is_some());
}

#[test]
fn a_folder_named_twice_is_read_once() {
    let text = PIPELINE.replace("[sql/staging, ./sql//marts/]", "[sql, sql/marts]");
    let mut tree = project(&text);
    tree.insert("sql/staging/web/orders.yaml", "");
    assert_eq!(loaded(&tree).stages.len(), 3);
}

#[test]
fn mistakes_of_all_files_are_reported_at_once() {
    let text = PIPELINE.replace("columns:", "colums:");
    let mut tree = project(&text);
    tree.insert("sql/marts/fact.yaml", "columns:\n  id: {}\nchecks: [unique: id]\n");
    insta::assert_snapshot!(refused(&tree), @"
spec/unknown-key

  × unknown key `colums` in `sources.web_events`
    ╭─[pipelines/nightly.yaml:10:5]
  9 │     format: csv
 10 │     colums:
    ·     ──────
 11 │       email: { type: email }
    ╰────
  help: did you mean `columns`?

spec/missing-key

  × missing key `type` in `columns.id`
   ╭─[sql/marts/fact.yaml:2:3]
 1 │ columns:
 2 │   id: {}
   ·   ──
 3 │ checks: [unique: id]
   ╰────

spec/wrong-type

  × `checks.0.unique` must be a list, but is the text `id`
   ╭─[sql/marts/fact.yaml:3:18]
 2 │   id: {}
 3 │ checks: [unique: id]
   ·                  ──
   ╰────
");
}

#[test]
fn a_folder_that_leads_outside_is_missing_or_empty_is_reported_where_it_is_named() {
    let folders = "[/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\\sql']";
    let mut tree = project(&PIPELINE.replace("[sql/staging, ./sql//marts/]", folders));
    tree.insert_folder("sql/empty");
    insta::assert_snapshot!(refused(&tree), @r"
file/outside-root

  × the folder `/etc` may lie outside the project
   ╭─[pipelines/nightly.yaml:5:10]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·          ────
 6 │ sources:
   ╰────
  help: name a folder relative to the project's root, such as `sql/marts`

file/outside-root

  × the folder `sql/../..` may lie outside the project
   ╭─[pipelines/nightly.yaml:5:16]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·                ─────────
 6 │ sources:
   ╰────
  help: name a folder relative to the project's root, such as `sql/marts`

file/unreadable

  × the folder `sql/none` does not exist
   ╭─[pipelines/nightly.yaml:5:38]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·                                      ────────
 6 │ sources:
   ╰────

file/empty-folder

  × the folder `sql/empty` holds no `.sql` file
   ╭─[pipelines/nightly.yaml:5:48]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·                                                ─────────
 6 │ sources:
   ╰────
  help: put a stage into it, or take it out of `stages`

spec/bad-value

  × `.` is the project's root itself
   ╭─[pipelines/nightly.yaml:5:59]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·                                                           ─
 6 │ sources:
   ╰────
  help: name a folder below it, such as `sql/marts`

file/outside-root

  × the folder `C:\sql` may lie outside the project
   ╭─[pipelines/nightly.yaml:5:62]
 4 │ currency: CNY
 5 │ stages: [/etc, sql/../.., sql/marts, sql/none, sql/empty, ., 'C:\sql']
   ·                                                              ────────
 6 │ sources:
   ╰────
  help: name a folder relative to the project's root, such as `sql/marts`
");
}

#[test]
fn two_stages_of_one_name_and_sidecars_beside_none_are_reported() {
    let mut tree = project(PIPELINE);
    tree.insert("sql/staging/fact.sql", "SELECT 4");
    tree.insert("sql/staging/web/order.yaml", "checks: []\n");
    tree.insert("sql/staging/web/orders.yml", "checks: []\n");
    insta::assert_snapshot!(refused(&tree), @"
plan/duplicate-name

  × two stages are named `fact`
   ╭─[sql/staging/fact.sql:1:1]
 1 │ SELECT 4
   · ▲
   · ╰── again here
   ╰────
  help: a stage has the name of its file; rename one of them

  ☞ first here
   ╭─[sql/marts/fact.sql:1:1]
 1 │ SELECT 2
   · ▲
   ╰────

plan/orphan-sidecar

  × no stage stands beside `sql/staging/web/order.yaml`
   ╭─[sql/staging/web/order.yaml:1:1]
 1 │ checks: []
   · ▲
   ╰────
  help: did you mean the stage `orders`?

plan/orphan-sidecar

  × `sql/staging/web/orders.yml` is not read
   ╭─[sql/staging/web/orders.yml:1:1]
 1 │ checks: []
   · ▲
   ╰────
  help: the file beside a stage ends in `.yaml`; rename it
");
}

#[test]
fn a_pipeline_that_is_not_there_is_reported() {
    let diagnostics = load(&SourceTree::default(), PATH).unwrap_err();
    assert_eq!(diagnostics[0].message, "the pipeline `pipelines/nightly.yaml` does not exist");
}

#[test]
fn the_folders_of_a_pipeline_with_other_mistakes_are_known() {
    let tree = project(&PIPELINE.replace("version: 1\n", "versoin: one\n"));
    let (folders, diagnostics) = stage_folders(&tree.file(PATH).unwrap());
    assert_eq!(diagnostics, []);
    let paths: Vec<&str> = folders.iter().map(|folder| folder.path.as_str()).collect();
    assert_eq!(paths, ["sql/staging", "sql/marts"]);
}
