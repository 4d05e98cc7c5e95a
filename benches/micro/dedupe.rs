//! Deduplication: rows of two objects, a third of which are copies.

use martlet::measure::Intake;

use crate::bench::{Amount, Bench};
use crate::chance::Chance;
use crate::pipeline::project;

const ROWS: u64 = 32_768;
/// How many of the rows have a key of their own.
const KEYS: u64 = ROWS / 3 * 2;

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        bench("last", "{ key: [id], keep: last, order_by: [at] }"),
        bench("window", "{ key: [id], keep: last, order_by: [at], window: 3d }"),
        bench("two_columns", "{ key: [id, line], keep: first }"),
        bench("exact_rows", "{ exact_rows: true }"),
    ]
}

fn bench(name: &str, rule: &'static str) -> Bench {
    Bench::new(format!("dedupe/{name}"), Amount::Rows(ROWS), KEYS, || {
        let contest = Intake::new(&project("rows", &source(rule)), "rows", objects())?.contest()?;
        Ok(Box::new(move || contest.dedupe()))
    })
}

fn source(rule: &str) -> String {
    format!(
        "  rows:\n    path: \"*.csv\"\n    format: csv\n    columns:\n      \
         id: {{ type: string }}\n      line: {{ type: integer }}\n      \
         at: {{ type: timestamp, formats: [unix_ms], required: true }}\n    \
         event_time: at\n    dedupe: {rule}\n"
    )
}

/// Returns two objects: what follows the rows with keys of their own are copies of some of them.
fn objects() -> [(String, Vec<u8>); 2] {
    let mut chance = Chance::new(3);
    let line = |key: u64| format!("order-{key:07},{},{}\n", key % 5, 1_767_000_000_000 + key);
    let keys = (0..KEYS).chain((KEYS..ROWS).map(|_| chance.below(KEYS)));
    let lines: Vec<String> = keys.map(line).collect();
    let object = |lines: &[String]| format!("id,line,at\n{}", lines.concat()).into_bytes();
    let (early, late) = lines.split_at(lines.len() / 2);
    [("a.csv".to_owned(), object(early)), ("b.csv".to_owned(), object(late))]
}
