//! Each cleaning rule, on a column of its own.

use martlet::measure::Intake;

use crate::bench::{Amount, Bench, Failure, Work};
use crate::chance::Chance;
use crate::pipeline::project;

const ROWS: u64 = 16_384;

/// A column `v` with a rule, and how its raw values are written.
struct Rule {
    name: &'static str,
    /// The column as a pipeline declares it.
    column: &'static str,
    value: fn(&mut Chance) -> String,
}

pub(crate) fn benches() -> Vec<Bench> {
    RULES.iter().map(bench).chain([conversion(), rejects()]).collect()
}

fn bench(rule: &'static Rule) -> Bench {
    Bench::new(format!("clean/{}", rule.name), Amount::Rows(ROWS), ROWS, || {
        let columns = format!("      v: {}\n", rule.column);
        prepared(&columns, "", vec![("rows.ndjson".to_owned(), objects(rule.value))])
    })
}

/// Amounts of three currencies by the rates of a month.
fn conversion() -> Bench {
    Bench::new("clean/convert", Amount::Rows(ROWS), ROWS, || {
        let columns = "      c: { type: string }\n      \
             d: { type: date, formats: [\"%Y-%m-%d\"] }\n      \
             v: { type: \"decimal(18,4)\", \
             convert: { currency: c, to: CNY, rates: rates, date: d, max_age: 7d } }\n";
        let rates = "  rates:\n    path: rates.ndjson\n    format: ndjson\n    columns:\n      \
             day: { type: date, formats: [\"%Y-%m-%d\"], required: true }\n      \
             currency: { type: string, required: true }\n      \
             rate: { type: \"decimal(18,8)\", required: true }\n";
        let amounts = objects(|chance| {
            let (day, currency) = (1 + chance.below(30), chance.one_of(&CURRENCIES));
            format!("{}.5\", \"d\": \"2026-01-{day:02}\", \"c\": \"{currency}", chance.below(9_000))
        });
        let objects = [("rows.ndjson", amounts), ("rates.ndjson", rates_of_a_month())];
        let objects = objects.map(|(path, bytes)| (path.to_owned(), bytes));
        prepared(columns, rates, objects.into())
    })
}

const CURRENCIES: [&str; 3] = ["USD", "EUR", "HKD"];

/// Returns what each currency was worth on each day.
fn rates_of_a_month() -> Vec<u8> {
    let line = |(currency, day): (&str, usize)| {
        let rate = 1 + currency.len() * day;
        format!(
            "{{\"day\": \"2026-01-{day:02}\", \"currency\": \"{currency}\", \"rate\": {rate}.25}}\n"
        )
    };
    let days = CURRENCIES.iter().flat_map(|currency| (1..=30).map(move |day| (*currency, day)));
    days.map(line).collect::<String>().into_bytes()
}

/// One value of eight is no number.
fn rejects() -> Bench {
    Bench::new("clean/rejects", Amount::Rows(ROWS), ROWS / 8 * 7, || {
        let line = |row| {
            let value = if row % 8 == 0 { "x" } else { "" };
            format!("{{\"v\": \"{row}{value}\"}}\n")
        };
        let lines = (0..ROWS).map(line).collect::<String>();
        let objects = vec![("rows.ndjson".to_owned(), lines.into_bytes())];
        prepared("      v: { type: integer }\n", "", objects)
    })
}

fn prepared(columns: &str, more: &str, objects: Vec<(String, Vec<u8>)>) -> Result<Work, Failure> {
    let rows = "  rows:\n    path: rows.ndjson\n    format: ndjson\n    columns:\n";
    let project = project("rows", &format!("{rows}{columns}{more}"));
    let batches = Intake::new(&project, "rows", objects)?.batches()?;
    Ok(Box::new(move || batches.clean()))
}

fn objects(value: fn(&mut Chance) -> String) -> Vec<u8> {
    let mut chance = Chance::new(2);
    let line = |_| format!("{{\"v\": \"{}\"}}\n", value(&mut chance));
    (0..ROWS).map(line).collect::<String>().into_bytes()
}

const RULES: &[Rule] = &[
    Rule {
        name: "trim",
        column: "{ type: string, required: true }",
        value: |chance| format!("  city {}\u{3000}", chance.below(500)),
    },
    Rule {
        name: "null_if",
        column: "{ type: string, null_if: [\"-\", \"null\", \"N/A\"] }",
        value: |chance| chance.one_of(&["-", "N/A", "red", "green", "null", ""]).to_owned(),
    },
    Rule {
        name: "case",
        column: "{ type: string, case: lower }",
        value: |chance| format!("User{:X}É", chance.below(1 << 40)),
    },
    Rule {
        name: "replace",
        column: "{ type: \"decimal(18,4)\", replace: { pattern: \"[¥￥, ]\", with: \"\" } }",
        value: |chance| format!("¥ {},{:03}.50", chance.below(90), chance.below(1_000)),
    },
    Rule {
        name: "default",
        column: "{ type: integer, default: 7 }",
        value: |chance| chance.one_of(&["", "12", "", "345"]).to_owned(),
    },
    Rule {
        name: "accepted",
        column: "{ type: string, accepted: [paid, shipped, cancelled, refunded, test] }",
        value: |chance| chance.one_of(&["paid", "shipped", "cancelled", "refunded"]).to_owned(),
    },
    Rule {
        name: "map",
        column: "{ type: string, map: { m: male, f: female, x: other, u: unknown } }",
        value: |chance| chance.one_of(&["m", "f", "x", "u"]).to_owned(),
    },
    Rule {
        name: "split",
        column: "{ type: string, split: { by: \";\", take: 2 } }",
        value: |chance| format!("a{};b{};c", chance.below(99), chance.below(9_999)),
    },
    Rule {
        name: "normalize",
        column: "{ type: string, normalize: nfkc }",
        value: |chance| format!("Ｔｏｋｙｏ　ﬁ{}", chance.below(999)),
    },
    Rule {
        name: "from_any",
        column: "{ type: string, from_any: [w, u.id, v] }",
        value: |chance| format!("id{}", chance.below(99_999)),
    },
    Rule {
        name: "notation",
        column: "{ type: \"decimal(12,2)\", thousands: \".\", decimal_point: \",\" }",
        value: |chance| format!("{}.{:03},25", 1 + chance.below(90), chance.below(1_000)),
    },
    Rule {
        name: "unit",
        column: "{ type: \"decimal(9,3)\", unit: { from: g, to: kg } }",
        value: |chance| format!("{}", chance.below(90_000)),
    },
    Rule {
        name: "boolean",
        column: "{ type: boolean }",
        value: |chance| chance.one_of(&["true", "false", "1", "0", "yes", "no"]).to_owned(),
    },
    Rule {
        name: "integer",
        column: "{ type: integer }",
        value: |chance| format!("{}", chance.below(1 << 50)),
    },
    Rule {
        name: "double",
        column: "{ type: double }",
        value: |chance| format!("{}.{:07}", chance.below(90), chance.below(9_999_999)),
    },
    Rule {
        name: "decimal",
        column: "{ type: \"decimal(18,4)\" }",
        value: |chance| format!("{}.{:02}", chance.below(90_000), chance.below(100)),
    },
    Rule {
        name: "date",
        column: "{ type: date, formats: [\"%Y-%m-%d\", \"%Y/%m/%d\"] }",
        value: |chance| {
            format!("19{}/0{}/1{}", 50 + chance.below(49), 1 + chance.below(9), chance.below(9))
        },
    },
    Rule {
        name: "timestamp_rfc3339",
        column: "{ type: timestamp, formats: [rfc3339] }",
        value: |chance| format!("{}+08:00", moment(chance, 'T')),
    },
    Rule {
        name: "timestamp_unix_ms",
        column: "{ type: timestamp, formats: [unix_ms] }",
        value: |chance| format!("{}", 1_767_000_000_000 + chance.below(2_000_000_000)),
    },
    Rule {
        name: "timestamp_pattern",
        column: "{ type: timestamp, formats: [\"%Y-%m-%d %H:%M:%S\"] }",
        value: |chance| moment(chance, ' '),
    },
    Rule {
        name: "timestamp_clock_changes",
        column: "{ type: timestamp, formats: [\"%Y-%m-%d %H:%M:%S\"], timezone: Europe/London, \
                 gap: shift, overlap: later }",
        value: |chance| {
            // The nights in which clocks change, and the days beside them.
            let day = chance.one_of(&["2025-03-29", "2025-03-30", "2025-10-25", "2025-10-26"]);
            format!("{day} 0{}:{:02}:00", chance.below(4), chance.below(60))
        },
    },
    Rule {
        name: "email",
        column: "{ type: email }",
        value: |chance| format!(" Ann.B{}@Mail{}.Example ", chance.below(99_999), chance.below(9)),
    },
    Rule {
        name: "phone",
        column: "{ type: phone, region: CN }",
        value: |chance| format!("138 {:04} {:04}", chance.below(9_999), chance.below(9_999)),
    },
    Rule {
        name: "check",
        column: "{ type: \"decimal(18,4)\", check: \"v >= 0 AND v < 100000\" }",
        value: |chance| format!("{}.50", chance.below(90_000)),
    },
];

fn moment(chance: &mut Chance, between: char) -> String {
    let [day, hour] = [1 + chance.below(30), chance.below(24)];
    let [minute, second] = [chance.below(60), chance.below(60)];
    format!("2026-01-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
}
