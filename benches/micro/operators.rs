//! The operators of martlet's own: windows over many small partitions, and the first value of many groups.

use martlet::measure::Tables;

use crate::bench::{Amount, Bench};

const ROWS: u64 = 32_768;
const GROUPS: u64 = ROWS / 4;

/// Four rows of each key, which come sorted.
const SORTED: &str = "
    SELECT
        i / 4 AS k,
        i AS place,
        concat('word-', CAST(i * 7919 % 1009 AS VARCHAR)) AS word,
        CAST(i * 31 % 977 AS DECIMAL(18, 4)) AS money
    FROM generate_series(0, 32767) AS series (i)";

/// The same number of rows, whose keys come in no order.
const MIXED: &str = "
    SELECT
        concat('session-', CAST(i * 48271 % 8192 AS VARCHAR)) AS k,
        i * 7919 % 32771 AS place,
        concat('word-', CAST(i * 31 % 1009 AS VARCHAR)) AS word
    FROM generate_series(0, 32767) AS series (i)";

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        first_value(),
        window("row_number", "ROW_NUMBER() OVER (PARTITION BY k ORDER BY place)"),
        window("lag", "LAG(word) OVER (PARTITION BY k ORDER BY place)"),
        window("count", "COUNT(*) OVER (PARTITION BY k)"),
        window(
            "running_sum",
            "SUM(money) OVER (PARTITION BY k ORDER BY place ROWS UNBOUNDED PRECEDING)",
        ),
    ]
}

fn first_value() -> Bench {
    Bench::new("operators/first_value", Amount::Rows(ROWS), GROUPS, || {
        let mut tables = Tables::new(&[])?;
        tables.generate("t", MIXED, &[])?;
        let query =
            tables.query("SELECT k, FIRST_VALUE(word ORDER BY place) AS v FROM t GROUP BY k")?;
        Ok(Box::new(move || query.run()))
    })
}

fn window(name: &str, window: &'static str) -> Bench {
    Bench::new(format!("operators/window_{name}"), Amount::Rows(ROWS), ROWS, move || {
        let mut tables = Tables::new(&[])?;
        tables.generate("t", SORTED, &["k", "place"])?;
        let query = tables.query(&format!("SELECT k, place, {window} AS v FROM t"))?;
        Ok(Box::new(move || query.run()))
    })
}
