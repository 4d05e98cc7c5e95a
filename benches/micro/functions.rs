//! The SQL functions of martlet's own.

use martlet::measure::Tables;

use crate::bench::{Amount, Bench};

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        bench(
            "markov_removal_effects",
            "SELECT
                CASE WHEN i % 101 = 0 THEN '(start)' ELSE concat('channel-', CAST(i % 101 AS VARCHAR)) END AS a,
                CASE
                    WHEN i / 101 = 0 THEN '(conversion)'
                    WHEN i / 101 = 1 THEN '(null)'
                    ELSE concat('channel-', CAST(i / 101 AS VARCHAR))
                END AS b,
                1 + i * 7919 % 13 AS n
             FROM generate_series(0, 10099) AS series (i)",
            "SELECT markov_removal_effects(a, b, n) AS v FROM t",
            Size { rows: 10_100, yields: 1 },
        ),
        bench(
            "half_life_weight",
            "SELECT CAST(i % 977 AS DOUBLE) AS a FROM generate_series(1, 32768) AS series (i)",
            "SELECT SUM(half_life_weight(a, 7)) AS v FROM t",
            Size { rows: 32_768, yields: 1 },
        ),
        bench(
            "kaplan_meier_quantile",
            "SELECT i * 31 % 97 AS k, i * 7919 % 401 AS d, i % 3 > 0 AS o
             FROM generate_series(1, 32768) AS series (i)",
            "SELECT k, kaplan_meier_quantile(d, o, 0.5) AS v FROM t GROUP BY k",
            Size { rows: 32_768, yields: 97 },
        ),
        bench(
            "bootstrap_interval",
            "SELECT CAST(i * 31 % 977 AS DOUBLE) AS a, i % 2 = 0 AS o
             FROM generate_series(1, 400) AS series (i)",
            "SELECT bootstrap_interval(a, o, 0.95) AS v FROM t",
            Size { rows: 400, yields: 1 },
        ),
        bench(
            "local_date",
            "SELECT arrow_cast(1767225600000000 + i * 77000003, 'Timestamp(Microsecond, Some(\"UTC\"))') AS a
             FROM generate_series(1, 32768) AS series (i)",
            "SELECT MAX(local_date(a)) AS v FROM t",
            Size { rows: 32_768, yields: 1 },
        ),
    ]
}

struct Size {
    rows: u64,
    yields: u64,
}

fn bench(
    name: &str,
    rows: &'static str,
    asked: &'static str,
    Size { rows: amount, yields }: Size,
) -> Bench {
    Bench::new(format!("functions/{name}"), Amount::Rows(amount), yields, move || {
        let mut tables = Tables::new(&[])?;
        tables.generate("t", rows, &[])?;
        let query = tables.query(asked)?;
        Ok(Box::new(move || query.run()))
    })
}
