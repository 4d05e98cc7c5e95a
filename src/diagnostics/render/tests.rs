use super::{Look, render, summary, to_json};
use crate::diagnostics::{Code, Diagnostic, SourceFile};

const PLAIN: Look = Look { colour: false, unicode: true, width: 80 };

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

/// Makes a diagnostic at the first place where `part` stands in the text.
fn at(text: &str, part: &str) -> Diagnostic {
    let start = text.find(part).unwrap();
    Diagnostic::error(Code::UnknownKey, "unknown key `colums` in `sources.web`")
        .at(&file("pipelines/nightly.yaml", text), start..start + part.len())
        .help("did you mean `columns`?")
}

#[test]
fn a_diagnostic_shows_its_line_underlined() {
    let text = "sources:\n  web:\n    colums:\n      email: {}\n";
    insta::assert_snapshot!(render(&[at(text, "colums")], PLAIN), @"
spec/unknown-key

  × unknown key `colums` in `sources.web`
   ╭─[pipelines/nightly.yaml:3:5]
 2 │   web:
 3 │     colums:
   ·     ──────
 4 │       email: {}
   ╰────
  help: did you mean `columns`?
");
}

#[test]
fn columns_count_characters_in_lines_with_wide_ones_and_tabs() {
    let text = "名前: 早安\r\n数字:\t{ 鍵: x, colums: y }\r\nend: 1\r\n";
    insta::assert_snapshot!(render(&[at(text, "colums")], PLAIN), @"
spec/unknown-key

  × unknown key `colums` in `sources.web`
   ╭─[pipelines/nightly.yaml:2:13]
 1 │ 名前: 早安
 2 │ 数字:   { 鍵: x, colums: y }
   ·                  ──────
 3 │ end: 1
   ╰────
  help: did you mean `columns`?
");
}

#[test]
fn ascii_is_enough_for_a_terminal_that_has_nothing_more() {
    let look = Look { unicode: false, ..PLAIN };
    let text = "sources:\n  web:\n    colums: x\n";
    insta::assert_snapshot!(render(&[at(text, "colums")], look), @"
spec/unknown-key

  x unknown key `colums` in `sources.web`
   ,-[pipelines/nightly.yaml:3:5]
 2 |   web:
 3 |     colums: x
   :     ^^^^^^
   `----
  help: did you mean `columns`?
");
}

#[test]
fn colour_comes_only_when_told() {
    let diagnostics = [at("colums: 1\n", "colums")];
    let coloured = Look { colour: true, ..PLAIN };
    assert!(render(&diagnostics, coloured).contains('\u{1b}'));
    assert!(!render(&diagnostics, PLAIN).contains('\u{1b}'));
}

#[test]
fn places_in_one_file_and_in_another_are_all_shown() {
    let here = file("sql/marts/fact.sql", "SELECT 1\n");
    let there = file("sql/staging/fact.sql", "SELECT 2\nFROM x\n");
    let other_file = Diagnostic::error(Code::DuplicateName, "two stages are named `fact`")
        .labelled(&here, 0..0, "again here")
        .labelled(&there, 9..13, "first here")
        .help("rename one of them");
    let text = "a: 1\nb: 2\na: 3\n";
    let same_file = Diagnostic::error(Code::YamlDuplicateKey, "the key `a` stands twice")
        .labelled(&file("x.yaml", text), 10..11, "again here")
        .labelled(&file("x.yaml", text), 0..1, "first here");
    insta::assert_snapshot!(render(&[other_file, same_file], PLAIN), @"
plan/duplicate-name

  × two stages are named `fact`
   ╭─[sql/marts/fact.sql:1:1]
 1 │ SELECT 1
   · ▲
   · ╰── again here
   ╰────
  help: rename one of them

  ☞ first here
   ╭─[sql/staging/fact.sql:2:1]
 1 │ SELECT 2
 2 │ FROM x
   · ────
   ╰────

yaml/duplicate-key

  × the key `a` stands twice
   ╭─[x.yaml:3:1]
 1 │ a: 1
   · ┬
   · ╰── first here
 2 │ b: 2
 3 │ a: 3
   · ┬
   · ╰── again here
   ╰────
");
}

#[test]
fn a_diagnostic_without_a_place_looks_whole() {
    let diagnostic = Diagnostic::warning(Code::FileUnreadable, "the file `x.yaml` does not exist")
        .help("give the path of a pipeline, such as `pipelines/nightly.yaml`");
    insta::assert_snapshot!(render(&[diagnostic], PLAIN), @"
file/unreadable

  ⚠ the file `x.yaml` does not exist
  help: give the path of a pipeline, such as `pipelines/nightly.yaml`
");
}

#[test]
fn a_place_of_many_lines_is_underlined_on_its_first() {
    let text = "columns:\n  - a\n  - b\n";
    let diagnostic = Diagnostic::error(Code::WrongType, "`columns` must be a mapping")
        .at(&file("x.yaml", text), 0..text.len());
    insta::assert_snapshot!(render(&[diagnostic], PLAIN), @"
spec/wrong-type

  × `columns` must be a mapping
   ╭─[x.yaml:1:1]
 1 │ columns:
   · ────────
 2 │   - a
   ╰────
");
}

#[test]
fn any_place_in_any_text_is_shown() {
    for text in ["", "a", "\n", "\r\n", "ü", "a\r\rb", "\u{feff}x: 1"] {
        for (start, end) in [(0, 0), (0, 1), (1, 1), (text.len(), text.len()), (5, 99)] {
            let diagnostic =
                Diagnostic::error(Code::YamlSyntax, "broken").at(&file("x.yaml", text), start..end);
            let shown = render(&[diagnostic], PLAIN);
            assert!(shown.contains("broken") && shown.contains("x.yaml:"), "{text:?} {shown}");
        }
    }
}

#[test]
fn control_characters_of_an_author_do_not_reach_the_terminal() {
    let text = "a: \"\u{1b}[31m\u{9b}31m\"\ncolums: 1\n";
    let shown = render(&[at(text, "colums")], PLAIN);
    assert!(!shown.contains(['\u{1b}', '\u{9b}']));
}

#[test]
fn machines_get_the_same_in_order() {
    let text = "名: x\r\ncolums: y\n";
    let without_place = Diagnostic::warning(Code::FileUnreadable, "no file");
    let json = to_json(&[at(text, "colums"), without_place]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
{
  "version": 1,
  "errors": 1,
  "warnings": 1,
  "diagnostics": [
    {
      "code": "file/unreadable",
      "severity": "warning",
      "message": "no file",
      "help": null,
      "labels": [],
      "file": null,
      "line": null,
      "column": null,
      "end_line": null,
      "end_column": null
    },
    {
      "code": "spec/unknown-key",
      "severity": "error",
      "message": "unknown key `colums` in `sources.web`",
      "help": "did you mean `columns`?",
      "labels": [
        {
          "file": "pipelines/nightly.yaml",
          "line": 2,
          "column": 1,
          "end_line": 2,
          "end_column": 7,
          "text": ""
        }
      ],
      "file": "pipelines/nightly.yaml",
      "line": 2,
      "column": 1,
      "end_line": 2,
      "end_column": 7
    }
  ]
}
"#);
}

#[test]
fn the_summary_counts() {
    let error = || Diagnostic::error(Code::FileUnreadable, "x");
    let warning = || Diagnostic::warning(Code::FileUnreadable, "x");
    assert_eq!(summary(&[]), "no errors");
    assert_eq!(summary(&[error()]), "1 error");
    assert_eq!(summary(&[error(), warning(), error(), error()]), "3 errors, 1 warning");
}
