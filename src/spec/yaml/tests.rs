use proptest::prelude::*;

use super::{Tree, parse, parse_tree};
use crate::diagnostics::{Diagnostic, SourceFile};
use crate::spec::{Pipeline, PositionMap, Sidecar};

const RIGHT: &str = "\
version: 1
name: nightly
timezone: Asia/Shanghai
currency: CNY
stages: [sql/marts]
sources:
  web:
    path: web/*.csv
    format: csv
    columns:
      email: { type: email }
publish: [fact]
";

fn file(text: &str) -> SourceFile {
    SourceFile { path: "pipelines/test.yaml".into(), text: text.into() }
}

/// Returns a line for each mistake: code, message, the text at its place, help.
fn mistakes(text: &str) -> Vec<String> {
    let (pipeline, _, diagnostics) = parse::<Pipeline>(&file(text));
    assert_eq!(pipeline.is_none(), !diagnostics.is_empty());
    diagnostics.iter().map(line).collect()
}

fn line(diagnostic: &Diagnostic) -> String {
    let label = &diagnostic.labels[0];
    let place = &label.file.text[label.span.clone()];
    let help = diagnostic.help.as_deref().unwrap_or("-");
    let code = diagnostic.code.as_str();
    format!("{code}: {} | {place} | {help}", diagnostic.message)
}

/// Returns the mistakes after one part of the right text has been replaced.
fn after(old: &str, new: &str) -> Vec<String> {
    assert!(RIGHT.contains(old), "{old}");
    mistakes(&RIGHT.replace(old, new))
}

#[test]
fn a_right_text_is_parsed_in_its_order() {
    let text = RIGHT.replace("publish", "variables: { b: 1, a: 2026-01-31 }\npublish");
    let (pipeline, _, diagnostics) = parse::<Pipeline>(&file(&text));
    assert_eq!(diagnostics, []);
    let pipeline = pipeline.unwrap();
    assert_eq!(pipeline.name, "nightly");
    let variables: Vec<&str> = pipeline.variables.iter().map(|(key, _)| key).collect();
    assert_eq!(variables, ["b", "a"]);
}

#[test]
fn everything_an_author_may_write_is_understood() {
    let text = "\
version: 1
name: nightly
timezone: Asia/Shanghai        # business days
currency: CNY
variables: { churn_days: 90, rate: 0.5, since: 2026-01-31, on: true, none: ~ }
stages: [sql/staging/nightly, sql/marts]
sources:
  web_events:
    load: append
    path: web/dt={date}/*.ndjson.gz
    format: ndjson
    compression: gzip
    csv:
      delimiter: ;
    columns:
      occurred_at: { from: ts, type: timestamp, formats: [rfc3339], required: true }
      email:       { type: email, pii: true, case: lower, replace: { pattern: x, with: y } }
      revenue:     { type: \"decimal(18,4)\", null_if: [\"\", \"N/A\"], check: \"revenue >= 0\", default: 0 }
    event_time: occurred_at
    dedupe:   { key: [event_id], keep: last, order_by: [occurred_at] }
    rejects:  { max_rows: 10000, max_percent: 2 }
    expect:   { objects_per_day: 1 }
identity:
  identifiers:
    user_id: { priority: 1, unique: true }
    email:   { priority: 2, max_per_customer: 5, blocked: [a@b.c] }
  links:
    web_events: { user_id: user_id, email: email }
publish: [fact_rfm_segments]
";
    let (pipeline, _, diagnostics) = parse::<Pipeline>(&file(text));
    assert_eq!(diagnostics, []);
    let pipeline = pipeline.unwrap();
    let scalars: Vec<String> =
        pipeline.variables.iter().map(|(_, value)| format!("{value:?}")).collect();
    insta::assert_snapshot!(scalars.join(", "), @r#"
Number(90), Number(0.5), String("2026-01-31"), Bool(true), Null
"#);
    let (_, source) = pipeline.sources.iter().next().unwrap();
    assert_eq!(source.rejects.max_percent, Some(2.0));
    let sidecar = "\
description: |
  One row for each customer.
columns:
  id: { type: string, checks: [{ not_null: true, accepted_values: [1, a, 2.5] }, { range: { min: 0, max: ~ } }] }
checks:
  - { unique: [id], severity: warn }
  - row_count: { min: 1 }
";
    assert_eq!(parse::<Sidecar>(&file(sidecar)).2, []);
}

#[test]
fn an_unknown_key_leads_to_the_nearest_one() {
    assert_eq!(
        after("    columns:", "    colums:"),
        [
            "spec/unknown-key: unknown key `colums` in `sources.web` | colums | did you mean `columns`?"
        ]
    );
    assert_eq!(
        after("publish", "schedule: daily\npublish"),
        [
            "spec/unknown-key: unknown key `schedule` at the top level | schedule | what may stand here: `version`, `name`, `description`, `timezone`, `currency`, `variables`, `stages`, `sources`, `identity`, `rfm`, `margins`, `publish`"
        ]
    );
}

#[test]
fn a_missing_key_is_reported_at_the_mapping_that_lacks_it() {
    assert_eq!(
        after("    path: web/*.csv\n", ""),
        ["spec/missing-key: missing key `path` in `sources.web` | web | -"]
    );
    assert_eq!(
        after("name: nightly\n", ""),
        ["spec/missing-key: missing key `name` at the top level |  | -"]
    );
}

#[test]
fn a_wrong_type_is_reported_in_the_words_of_yaml() {
    assert_eq!(
        after("version: 1", "version: one"),
        [
            "spec/wrong-type: `version` must be a whole number from 0 to 4294967295, but is the text `one` | one | -"
        ]
    );
    assert_eq!(
        after("name: nightly", "name: 17850.5"),
        [
            "spec/wrong-type: `name` must be text, but is the number `17850.5` | 17850.5 | put it in quotes: `\"17850.5\"`"
        ]
    );
    assert_eq!(
        after("[sql/marts]", "sql/marts"),
        ["spec/wrong-type: `stages` must be a list, but is the text `sql/marts` | sql/marts | -"]
    );
    assert_eq!(
        after("[sql/marts]", "[[sql]]"),
        ["spec/wrong-type: `stages.0` must be text, but is a list | [sql] | -"]
    );
    assert_eq!(
        after("{ type: email }", "[email]"),
        [
            "spec/wrong-type: `sources.web.columns.email` must be a mapping, but is a list | [email] | -"
        ]
    );
    assert_eq!(
        after("{ type: email }", "{ type: email, pii: maybe }"),
        [
            "spec/wrong-type: `sources.web.columns.email.pii` must be `true` or `false`, but is the text `maybe` | maybe | -"
        ]
    );
    assert_eq!(
        after(" [fact]", ""),
        ["spec/wrong-type: `publish` must be a list, but is empty | publish | -"]
    );
    assert_eq!(
        after("format: csv", "format: [csv]"),
        ["spec/wrong-type: `sources.web.format` must be a word, but is a list | [csv] | -"]
    );
}

#[test]
fn an_unknown_word_leads_to_the_nearest_one() {
    assert_eq!(
        after("format: csv", "format: cvs"),
        ["spec/bad-value: `sources.web.format` cannot be `cvs` | cvs | did you mean `csv`?"]
    );
    assert_eq!(
        after("format: csv", "format: excel"),
        [
            "spec/bad-value: `sources.web.format` cannot be `excel` | excel | what may stand here: `csv`, `ndjson`, `json`, `parquet`, `xlsx`"
        ]
    );
    assert_eq!(
        after("format: csv", "format: { csv: { delimiter: x } }"),
        [
            "spec/wrong-type: `sources.web.format.csv` must be a single word, but is a mapping | { delimiter: x } | -"
        ]
    );
}

#[test]
fn a_file_that_is_no_mapping_says_so() {
    assert_eq!(mistakes(""), ["spec/wrong-type: the file must be a mapping, but is empty |  | -"]);
    assert_eq!(
        mistakes("- a\n"),
        ["spec/wrong-type: the file must be a mapping, but is a list | - a | -"]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_and_none_twice() {
    let text = "\
version: 1.5
nam: nightly
timezone: Asia/Shanghai
currency: 4
stages: [sql/marts, 3]
sources:
  web:
    format: jason
    columns:
      email: { typ: email }
      phone: { required: true, pii: 1 }
    dedupe: { keep: newest }
  web:
    format: csv
  app:
    path: x
publish: fact
";
    insta::assert_snapshot!(mistakes(text).join("\n"), @r#"
yaml/duplicate-key: the key `web` stands twice | web | -
spec/wrong-type: `version` must be a whole number from 0 to 4294967295, but is the number `1.5` | 1.5 | -
spec/unknown-key: unknown key `nam` at the top level | nam | did you mean `name`?
spec/wrong-type: `currency` must be text, but is the number `4` | 4 | put it in quotes: `"4"`
spec/wrong-type: `stages.1` must be text, but is the number `3` | 3 | put it in quotes: `"3"`
spec/bad-value: `sources.web.format` cannot be `jason` | jason | did you mean `json`?
spec/unknown-key: unknown key `typ` in `sources.web.columns.email` | typ | did you mean `type`?
spec/wrong-type: `sources.web.columns.phone.pii` must be `true` or `false`, but is the number `1` | 1 | -
spec/missing-key: missing key `type` in `sources.web.columns.phone` | phone | -
spec/bad-value: `sources.web.dedupe.keep` cannot be `newest` | newest | what may stand here: `first`, `last`
spec/missing-key: missing key `path` in `sources.web` | web | -
spec/missing-key: missing key `format` in `sources.app` | app | -
spec/missing-key: missing key `columns` in `sources.app` | app | -
spec/wrong-type: `publish` must be a list, but is the text `fact` | fact | -
"#);
}

#[test]
fn every_shape_in_every_place_is_told_without_a_word_of_rust() {
    let shapes = ["3", "-3", "2.5", "true", "text", "", "[]", "[[1]]", "{ a: 1 }"];
    let places =
        ["version", "name", "variables", "stages", "sources", "identity", "publish", "description"];
    for (place, shape) in places.iter().flat_map(|place| shapes.map(|shape| (place, shape))) {
        let other_lines = RIGHT.lines().filter(|line| !line.starts_with(place));
        let rest: Vec<&str> = other_lines.collect();
        let text = format!("{place}: {shape}\n{}\n", rest.join("\n"));
        for mistake in mistakes(&text) {
            for word in ["struct", "enum", "u32", "u64", "f64", "string", "map,", "unit"] {
                assert!(!mistake.contains(word), "{mistake}");
            }
        }
    }
}

#[test]
fn the_number_of_mistakes_told_is_bounded() {
    let lines: Vec<String> = (0..500).map(|index| format!("key_{index}: 1")).collect();
    let text = lines.join(
        "
",
    );
    assert!(mistakes(&text).len() <= 110);
}

#[test]
fn a_name_that_looks_like_a_number_or_a_truth_is_a_key_as_it_is_written() {
    let (tree, positions, diagnostics) = parse_tree(&file("2026: a\ntrue: b\nno: c\n"));
    assert_eq!(diagnostics, []);
    let tree = tree.unwrap();
    for key in ["2026", "true", "no"] {
        assert!(tree.get(key).is_some(), "{key}");
        assert!(!positions.key(&[key]).is_empty(), "{key}");
    }
}

/// Says whether every text of the tree is found where the map says it stands.
fn agrees(text: &str, tree: &Tree, positions: &PositionMap, path: &mut Vec<String>) {
    let children: Vec<(String, &Tree)> = match tree {
        Tree::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Tree::List(items) => (0..).map(|index: usize| index.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = &text[positions.value(&segments)];
    if let Tree::Text(value) = tree {
        match found.chars().next() {
            Some(quote @ ('"' | '\'')) => assert!(found.ends_with(quote), "{found}"),
            _ => assert_eq!(words(found), words(value)),
        }
    }
    for (segment, child) in children {
        path.push(segment);
        agrees(text, child, positions, path);
        path.pop();
    }
}

/// Returns what is left of a text when its line breaks and indents do not count.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Bits of YAML that make many well-formed and many broken texts when they are strung together.
fn yaml_text() -> impl Strategy<Value = String> {
    const BITS: &[&str] = &[
        "a",
        "b",
        "ü",
        "数",
        "🌙",
        ": ",
        ":",
        "\n",
        "\r\n",
        "  ",
        "\t",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "#",
        " # c\n",
        "|\n",
        ">\n",
        "&x ",
        "*x",
        "!t ",
        "---\n",
        "...\n",
        "?",
        "~",
        "1",
        "true",
        "version: ",
        "sources:\n",
        "\u{feff}",
        "%",
        "@",
        "\\",
        "\0",
        "<<: ",
    ];
    prop::collection::vec(prop::sample::select(BITS), 0..40).prop_map(|bits| bits.concat())
}

/// Well-formed texts: mappings and lists of words in many alphabets, with either line end.
fn well_formed_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(&["a", "ü", "数字", "🌙x", "b-c"][..]);
    let value = prop::sample::select(
        &["x", "早", "[ü, 数, \"é\"]", "{k: ö, l: 日}", "\"q ü\"", "'é'", "|\n      ü\n      x"][..],
    );
    let entries = prop::collection::vec((word, value, any::<bool>()), 1..8);
    (entries, any::<bool>()).prop_map(|(entries, windows)| {
        let lines = entries.iter().enumerate().map(|(index, (word, value, has_comment))| {
            let comment = if *has_comment { "# 注释 ü\n" } else { "" };
            format!("{comment}{word}{index}:\n  - {value}\n  - n: {value}\n")
        });
        let text = lines.collect::<String>();
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_every_place_is_in_the_text(text in yaml_text()) {
        let file = file(&text);
        let (_, _, mut diagnostics) = parse::<Pipeline>(&file);
        diagnostics.extend(parse::<Sidecar>(&file).2);
        for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            prop_assert!(text.get(label.span.clone()).is_some());
        }
    }

    #[test]
    fn both_parsers_see_the_same_text_at_the_same_place(text in well_formed_text()) {
        let (tree, positions, diagnostics) = parse_tree(&file(&text));
        prop_assert_eq!(diagnostics, vec![]);
        agrees(&text, &tree.unwrap(), &positions, &mut Vec::new());
    }

    #[test]
    fn no_characters_at_all_panic(text in "\\PC{0,60}") {
        let _ = parse::<Sidecar>(&file(&text));
    }
}
