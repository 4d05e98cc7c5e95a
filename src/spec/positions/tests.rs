use super::read;
use crate::diagnostics::{Diagnostics, SourceFile};
use crate::spec::PositionMap;

fn file(text: &str) -> SourceFile {
    SourceFile { path: "pipelines/test.yaml".into(), text: text.into() }
}

fn positions(text: &str) -> PositionMap {
    let (positions, diagnostics) = read(&file(text));
    assert_eq!(diagnostics, Diagnostics::new(), "{text}");
    positions
}

/// Returns the texts of the key and of the value at a path.
fn found<'a>(text: &'a str, path: &[&str]) -> (&'a str, &'a str) {
    let positions = positions(text);
    (&text[positions.key(path)], &text[positions.value(path)])
}

/// Returns the message and the text of each label of each diagnostic.
fn refused(text: &str) -> Vec<(String, Vec<&str>)> {
    let (_, diagnostics) = read(&file(text));
    let of = |diagnostic: crate::diagnostics::Diagnostic| {
        let labels = diagnostic.labels.into_iter();
        (diagnostic.message, labels.map(|label| &text[label.span]).collect())
    };
    diagnostics.into_iter().map(of).collect()
}

#[test]
fn keys_and_values_are_found_by_path() {
    let text = "name: nightly\nsources:\n  web:\n    path: \"a/*.csv\"\n    key: [one, two]\n";
    assert_eq!(found(text, &["name"]), ("name", "nightly"));
    assert_eq!(found(text, &["sources", "web", "path"]), ("path", "\"a/*.csv\""));
    assert_eq!(found(text, &["sources", "web", "key"]), ("key", "[one, two]"));
    assert_eq!(found(text, &["sources", "web", "key", "1"]), ("two", "two"));
}

#[test]
fn a_block_ends_where_its_last_value_ends() {
    let text = "a:\n  b: 1\n  c: two\n\n\nd: 3\ne:\n- x\n- y\n# end\n";
    assert_eq!(found(text, &["a"]).1, "b: 1\n  c: two");
    assert_eq!(found(text, &["e"]).1, "x\n- y");
}

#[test]
fn a_path_that_does_not_exist_leads_to_its_nearest_parent() {
    let text = "sources:\n  web:\n    path: a\n";
    assert_eq!(found(text, &["sources", "web", "columns", "email"]), ("web", "web"));
    assert_eq!(found(text, &["sources", "web", "path", "3"]).1, "path");
    assert_eq!(found("", &["sources"]), ("", ""));
}

#[test]
fn a_value_left_out_stands_at_its_key() {
    assert_eq!(found("a:\nb: 1\n", &["a"]).1, "a");
    assert_eq!(found("a: {b, c: 1}\n", &["a", "b"]).1, "b");
}

#[test]
fn characters_of_many_bytes_do_not_shift_what_follows() {
    let text = "# 每晚的任务 🌙\n名: 早安 # 好\nlist: [\"ü\", 数, \"x\"]\nfold: >\n  寒い\n  日\nend: done\n";
    assert_eq!(found(text, &["名"]), ("名", "早安"));
    assert_eq!(found(text, &["list", "1"]).1, "数");
    assert_eq!(found(text, &["list", "2"]).1, "\"x\"");
    assert_eq!(found(text, &["end"]), ("end", "done"));
}

#[test]
fn windows_line_ends_tabs_and_a_byte_order_mark_do_not_shift_what_follows() {
    let text = "\u{feff}a: 1\t# tab\r\nb:\t\"ü\tü\"\r\nc:\r\n  - x\r\n\r\n  - y\r\nd: |\r\n  text\r\n  more\r\ne: z\r\n";
    assert_eq!(found(text, &["a"]), ("a", "1"));
    assert_eq!(found(text, &["b"]), ("b", "\"ü\tü\""));
    assert_eq!(found(text, &["c", "1"]).1, "y");
    assert_eq!(found(text, &["e"]), ("e", "z"));
}

#[test]
fn a_repeated_key_is_reported_with_both_places() {
    let text = "a: 1\nb: {x: 1, x: 2}\n\"a\": 3\n";
    assert_eq!(
        refused(text),
        [
            ("the key `x` stands twice".to_owned(), vec!["x", "x"]),
            ("the key `a` stands twice".to_owned(), vec!["\"a\"", "a"]),
        ]
    );
}

#[test]
fn the_number_of_repeated_keys_told_is_bounded() {
    assert_eq!(refused(&"a: 1\n".repeat(1000)).len(), 101);
}

#[test]
fn one_key_may_stand_in_two_mappings() {
    positions("- {a: 1}\n- {a: 2}\n");
}

#[test]
fn what_is_more_than_one_plain_document_is_refused() {
    let refused = |text: &str| refused(text).remove(0).0;
    assert_eq!(refused("a: &x 1\nb: *x\n"), "YAML anchors and aliases are not supported");
    assert_eq!(refused("a: !!str 1\n"), "YAML tags are not supported");
    assert_eq!(refused("a: 1\n---\nb: 2\n"), "a second document begins in the file");
    assert_eq!(refused("[a, b]: 1\n"), "a mapping or list stands where a key belongs");
}

#[test]
fn a_syntax_error_is_reported_at_its_place() {
    let (_, diagnostics) = read(&file("a: 1\nb: [1, 2\nc: 3\n"));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].message, "this is no YAML: illegal placement of ':' indicator");
    assert_eq!(diagnostics[0].labels[0].span, 15..15);
}

#[test]
fn what_is_too_deep_or_too_large_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    positions(&nested(64));
    assert_eq!(
        refused(&nested(65))[0].0,
        "mappings and lists stand in each other more than 64 deep"
    );
    assert_eq!(refused(&"[".repeat(100_000)).len(), 1);
    assert_eq!(refused(&" ".repeat((1 << 20) + 1))[0].0, "the file is larger than 1024 KiB");
}
