//! A pipeline in, a plan or rendered diagnostics out.

use crate::diagnostics::{Code, Diagnostics};
use crate::plan::{Examination, Plan, examine, resolve};
use crate::spec::{self, SourceTree};

const PIPELINE: &str = "\
version: 1
name: shop
timezone: Asia/Shanghai
currency: CNY
variables: { churn_days: 90, margin_rate: 0.35 }
stages: [sql]
sources:
  orders:
    path: orders/dt={date}/*.csv
    format: csv
    columns:
      order_id: { type: string, required: true }
      email: { type: email }
      placed_at: { type: timestamp, required: true }
      amount: { type: 'decimal(18,4)', check: amount >= 0 }
    event_time: placed_at
    dedupe: { key: [order_id], order_by: [placed_at] }
identity:
  identifiers: { email: { priority: 1 } }
  links: { orders: { email: email } }
publish: [totals]
";

const TOTALS: &str = "\
SELECT customer_id, sum(amount) AS total
FROM orders
WHERE placed_at < $as_of
GROUP BY customer_id
";

fn project(pipeline: &str, stages: &[(&str, &str)]) -> Result<Plan, Diagnostics> {
    let mut tree = SourceTree::default();
    tree.insert("pipelines/shop.yaml", pipeline);
    for (path, text) in stages {
        tree.insert(path, text);
    }
    resolve(&spec::load(&tree, "pipelines/shop.yaml")?)
}

fn examined(pipeline: &str, stages: &[(&str, &str)]) -> Examination {
    let mut tree = SourceTree::default();
    tree.insert("pipelines/shop.yaml", pipeline);
    for (path, text) in stages {
        tree.insert(path, text);
    }
    examine(&spec::load(&tree, "pipelines/shop.yaml").unwrap())
}

/// Returns each diagnostic as code, line and message.
fn mistakes(pipeline: &str, stages: &[(&str, &str)]) -> Vec<String> {
    let found = project(pipeline, stages).map(|plan| plan.stages.len()).unwrap_err();
    let place = |diagnostic: &crate::diagnostics::Diagnostic| {
        let label = &diagnostic.labels[0];
        let line = label.file.text[..label.span.start].matches('\n').count() + 1;
        let help = diagnostic.help.as_deref().unwrap_or("-");
        let name = label.file.path.rsplit('/').next().unwrap().to_owned();
        format!("{} {name}:{line} {} ({help})", diagnostic.code.as_str(), diagnostic.message)
    };
    found.iter().map(place).collect()
}

#[test]
fn a_sound_pipeline_becomes_a_plan_in_order_of_its_stages() {
    let stages = [
        ("sql/totals.sql", "SELECT customer_id, spent AS total FROM spending"),
        ("sql/spending.sql", "SELECT customer_id, sum(amount) AS spent FROM orders GROUP BY 1"),
        ("sql/unneeded.sql", "SELECT * FROM somewhere_else"),
    ];
    let plan = project(PIPELINE, &stages).unwrap();
    let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["spending", "totals"]);
    assert!(plan.stages[1].published && !plan.stages[0].published);
    assert_eq!(plan.sources[0].links.len(), 1);
}

#[test]
fn parameters_are_typed_and_unknown_ones_named() {
    let sql =
        "SELECT count(*) AS n FROM orders WHERE placed_at < $as_off AND amount > $margin_rate";
    let found = mistakes(PIPELINE, &[("sql/totals.sql", sql)]);
    assert_eq!(
        found[0],
        "sql/unknown-parameter totals.sql:1 the parameter `$as_off` is not known (did you mean `as_of`?)"
    );
}

#[test]
fn variables_of_stages_have_defaults_which_a_pipeline_may_change_within_reason() {
    let sidecar = |pipeline: &str, declared: &str| {
        let sidecar = format!("variables:\n{declared}");
        let stages = [
            (
                "sql/totals.sql",
                "SELECT count(*) AS n FROM orders WHERE $rule = 'mean' OR amount > $churn_days",
            ),
            ("sql/totals.yaml", sidecar.as_str()),
        ];
        project(pipeline, &stages).map(|plan| plan.stages.len()).map_err(|found| {
            found
                .iter()
                .map(|one| format!("{} {}", one.code.as_str(), one.message))
                .collect::<Vec<_>>()
        })
    };
    let rule = "  rule: { default: mean, accepted: [mean, median], description: x }\n";
    assert_eq!(sidecar(PIPELINE, rule), Ok(1));
    let given =
        |value: &str| PIPELINE.replace("churn_days: 90", &format!("churn_days: 90, rule: {value}"));
    assert_eq!(sidecar(&given("median"), rule), Ok(1));
    assert_eq!(
        sidecar(&given("mode"), rule),
        Err(vec!["spec/bad-value the variable `rule` cannot be `mode`".to_owned()])
    );
    assert_eq!(
        sidecar(&given("3"), rule),
        Err(vec!["spec/wrong-type the variable `rule` is a text, not `3`".to_owned()])
    );
}

#[test]
fn segment_rules_and_cut_points_are_judged() {
    let found = |rfm: &str| mistakes(&format!("{PIPELINE}{rfm}"), &[("sql/totals.sql", TOTALS)]);
    assert!(
        found("rfm:\n  segments:\n    - { segment: Prospects, r: [6] }\n    - { segment: All }\n")
            .iter()
            .map(|mistake| mistake.split(' ').next().unwrap())
            .eq(["spec/bad-value", "spec/bad-value"])
    );
    let cutpoints = |days: &str| {
        found(&format!(
            "rfm:\n  cutpoints:\n    - {{ valid_from: \"2026-01-01\", recency_days: {days}, frequency: [2, 3, 4, 5], monetary: [1, 2.5, 3, 4] }}\n"
        ))
    };
    let falling = "spec/bad-value shop.yaml:24 `recency_days` has four numbers that fall (they are the values at which the scores 2, 3, 4 and 5 begin)";
    assert_eq!(cutpoints("[1, 2, 3, 4]"), [falling]);
    assert_eq!(cutpoints("[4, 3, 2]"), [falling]);
}

#[test]
fn unknown_tables_and_columns_are_told_with_their_place_and_the_nearest_name() {
    let stages = [
        ("sql/totals.sql", "SELECT o.order_idd\nFROM orders o\nJOIN others ON true"),
        ("sql/others.sql", "SELECT 1 AS one\nFROM (SELECT"),
    ];
    let found = mistakes(PIPELINE, &stages);
    assert_eq!(found.len(), 1, "what follows from another mistake is left out: {found:?}");
    assert!(found[0].starts_with("sql/syntax others.sql:2"), "{found:?}");
    let stages = [
        ("sql/totals.sql", "SELECT order_idd\nFROM orders"),
        ("sql/others.sql", "SELECT 1 AS one"),
    ];
    let found = mistakes(PIPELINE, &stages);
    assert_eq!(
        found,
        ["sql/unknown-column totals.sql:1 column `order_idd` not found (did you mean `order_id`?)"]
    );
    let found = mistakes(PIPELINE, &[("sql/totals.sql", "SELECT 1 AS one\nFROM ordres")]);
    assert_eq!(
        found,
        ["sql/unknown-table totals.sql:2 table `ordres` not found (did you mean `orders`?)"]
    );
}

#[test]
fn mistakes_of_all_kinds_are_told_at_once() {
    let pipeline = PIPELINE
        .replace("type: email }", "type: e-mail }")
        .replace("Asia/Shanghai", "Asia/Shangai")
        .replace("event_time: placed_at", "event_time: placed")
        .replace("publish: [totals]", "publish: [totals, total]");
    let found = mistakes(&pipeline, &[("sql/totals.sql", TOTALS)]);
    let codes: Vec<&str> = found.iter().map(|text| text.split(' ').next().unwrap()).collect();
    assert_eq!(
        codes,
        ["spec/bad-value", "spec/bad-value", "plan/unknown-column", "plan/unknown-stage"],
        "{found:#?}"
    );
}

/// Returns what is wrong with the column `email` when it is written like this.
fn mistakes_of_column(column: &str) -> Vec<String> {
    let pipeline = PIPELINE.replace("email: { type: email }", &format!("email: {{ {column} }}"));
    assert_ne!(pipeline, PIPELINE);
    let place = "shop.yaml:13 ";
    let found = mistakes(&pipeline, &[("sql/totals.sql", TOTALS)]);
    found.iter().map(|text| text.replace(place, "")).collect()
}

/// Holds mistakes in the keys of a column against what is to be said about them.
fn check_columns(cases: &[(&str, &[&str])]) {
    for (column, expected) in cases {
        assert_eq!(mistakes_of_column(column), *expected, "{column}");
    }
}

#[test]
fn a_column_comes_from_one_field_or_from_several() {
    check_columns(&[
        (
            "type: email, from: a, from_any: [b, c]",
            &[
                "spec/bad-value a column has either `from` or `from_any` (put the field of `from` first into `from_any`)",
            ],
        ),
        (
            "type: email, from_any: []",
            &[
                "spec/bad-value `from_any` names at least one field (leave it out for the field that has the column's own name)",
            ],
        ),
        (
            "type: email, from_any: [a, b, a]",
            &["spec/bad-value the field `a` is named twice (leave one of them out)"],
        ),
    ]);
}

#[test]
fn keys_that_mean_nothing_on_a_type_are_refused() {
    for (key, text, data_type, only) in [
        ("split", "{ by: ; }", "integer", "string, email and phone columns"),
        ("map", "{ a: b }", "email", "string, boolean and integer columns"),
        ("map", "{ a: b }", "double", "string, boolean and integer columns"),
        ("thousands", "','", "string", "columns of numbers"),
        ("unit", "{ from: g, to: kg }", "date", "columns of numbers"),
        ("round", "true", "double", "decimal columns without `unit`"),
        (
            "decimal_point",
            "','",
            "integer",
            "double and decimal columns, and integer columns with a `unit`,",
        ),
        ("gap", "shift", "date", "timestamp columns"),
        ("overlap", "later", "string", "timestamp columns"),
    ] {
        let found = mistakes_of_column(&format!("type: {data_type}, {key}: {text}"));
        let expected = format!(
            "spec/bad-value `{key}` means nothing on a column of type `{data_type}` (only {only} have `{key}`)"
        );
        // That the column links customers, which numbers and dates cannot, is another matter.
        assert!(found.contains(&expected), "{found:?}");
    }
}

#[test]
fn rules_of_columns_that_cannot_work_are_refused() {
    check_columns(&[
        (
            "type: email, split: { by: '', take: 0 }",
            &[
                "spec/bad-value an empty text parts nothing (write what stands between the parts, such as `;`)",
                "spec/bad-value `take` is a number from 1, `first` or `last` (the first part is 1)",
            ],
        ),
        (
            "type: email, map_other: null",
            &[
                "spec/bad-value `map_other` means nothing without `map` (`map_other` says what becomes of values that `map` does not name)",
            ],
        ),
        (
            "type: string, map: {}",
            &[
                "spec/bad-value `map` names at least one value (write what stands in the export and what it means, such as `{ M: male }`)",
            ],
        ),
        (
            "type: string, case: lower, map: { M: male, '': none, f: [female] }",
            &[
                "spec/bad-value no value is `M` once `case` has been applied (write `m`)",
                "spec/bad-value an empty text is no value and never mapped (use `default`)",
                "spec/wrong-type a value is mapped to a number, a text, `true` or `false` (put values that mean nothing into `null_if`)",
            ],
        ),
        (
            "type: string, map: { M: m }, map_other: drop",
            &[
                "spec/bad-value `sources.orders.columns.email.map_other` cannot be `drop` (what may stand here: `reject`, `keep`, `null`)",
            ],
        ),
        (
            "type: email, normalize: nfc",
            &[
                "spec/bad-value `sources.orders.columns.email.normalize` cannot be `nfc` (did you mean `nfkc`?)",
            ],
        ),
    ]);
}

#[test]
fn numbers_have_separators_and_units_that_make_sense() {
    let same = "spec/bad-value thousands and decimals are separated by the same character (declare `decimal_point`; it is `.` otherwise)";
    let no_separator = "spec/bad-value a separator is a single character, no letter, digit or sign (write it in quotes, such as `\",\"`)";
    for (column, expected) in [
        ("type: double, thousands: '.'", same),
        ("type: integer, thousands: '.', unit: { from: g, to: kg }", same),
        ("type: double, thousands: '--'", no_separator),
        ("type: double, decimal_point: x", no_separator),
        (
            "type: double, unit: { from: grams, to: kgs }",
            "spec/bad-value the unit `kgs` is not known (did you mean `kg`?)",
        ),
        (
            "type: double, unit: { from: g, to: m }",
            "spec/bad-value `g` is a unit of mass, `m` of length (units of mass are `mg`, `g`, `kg`, `t`, `oz`, `lb`)",
        ),
        (
            "type: double, unit: { from: g, to: g }",
            "spec/bad-value the units are the same (leave `unit` out, or correct one of them)",
        ),
    ] {
        let found = mistakes_of_column(column);
        assert!(found.iter().any(|found| found == expected), "{column}: {found:?}");
    }
    let sound = mistakes_of_column("type: integer, thousands: '.'");
    assert!(!sound.iter().any(|found| found.contains("separat")), "{sound:?}");
}

#[test]
fn how_objects_are_written_is_judged() {
    for (written, mistake) in [
        ("format: csv\n    csv: { comment: \"#\", escape: \"\\\\\", ragged: pad }", None),
        ("format: csv\n    encoding: gbk", None),
        ("format: json\n    encoding: UTF-16", None),
        (
            "format: csv\n    csv: { comment: \"\\\"\" }",
            Some("this character has another meaning in these objects already"),
        ),
        (
            "format: csv\n    csv: { escape: \"//\" }",
            Some("this must be a single ASCII character, no line break"),
        ),
        ("format: json\n    csv: {}", Some("`csv` means nothing where the format is not `csv`")),
        ("format: csv\n    encoding: gkb", Some("did you mean `gbk`?")),
        (
            "format: parquet\n    encoding: gbk",
            Some("`encoding` means nothing where the format is `parquet`"),
        ),
    ] {
        let pipeline = PIPELINE.replacen("format: csv", written, 1);
        let stages = [("sql/totals.sql", TOTALS)];
        match mistake {
            None => assert!(project(&pipeline, &stages).is_ok(), "{written}"),
            Some(mistake) => {
                let found = mistakes(&pipeline, &stages).join("\n");
                assert!(found.contains(mistake), "{written}: {found}");
            }
        }
    }
}

/// Holds what is said of a pipeline after a line is put in place of another; nothing said is a pipeline without mistakes.
#[track_caller]
fn judged(old: &str, new: &str, mistake: Option<&str>) {
    assert_eq!(PIPELINE.matches(old).count(), 1, "{old}");
    let pipeline = PIPELINE.replacen(old, new, 1);
    let stages = [("sql/totals.sql", TOTALS)];
    match mistake {
        None => assert!(project(&pipeline, &stages).is_ok(), "{:?}", mistakes(&pipeline, &stages)),
        Some(mistake) => {
            let found = mistakes(&pipeline, &stages).join("\n");
            assert!(found.contains(mistake), "{new}: {found}");
        }
    }
}

#[test]
fn where_the_records_of_a_workbook_stand_is_judged() {
    for (options, mistake) in [
        ("", None),
        ("xlsx: { sheet: Orders, header_row: 3 }", None),
        ("xlsx: { sheet: 2 }", None),
        ("xlsx: { sheet: 0 }", Some("a sheet is a name, or a number from 1")),
        ("xlsx: { sheet: 1.5 }", Some("a sheet is a name, or a number from 1")),
        ("xlsx: { header_row: 0 }", Some("rows are numbered from 1")),
        ("encoding: gbk", Some("`encoding` means nothing where the format is `xlsx`")),
        ("csv: {}", Some("`csv` means nothing where the format is not `csv`")),
    ] {
        judged("format: csv", &format!("format: xlsx\n    {options}"), mistake);
    }
    let idle = Some("`xlsx` means nothing where the format is not `xlsx`");
    judged("format: csv", "format: csv\n    xlsx: {}", idle);
}

#[test]
fn what_is_asked_of_objects_is_judged() {
    let event_time = "    event_time: placed_at\n";
    for (written, mistake) in [
        ("limits: { record: 1MiB, object: 10GiB }", None),
        ("on_error: skip", None),
        ("limits: { record: 1GiB }", Some("a record may have from 1KiB to 512MiB")),
        ("limits: { object: 10 }", Some("`sources.orders.limits.object` must be")),
        ("limits: { object: much }", Some("this is no size")),
        ("on_error: ignore", Some("cannot be `ignore`")),
        ("expect: { days: 30, min_rows: 1 }", None),
        ("expect: { since: 2026-01-01, marker: 'orders/dt={date}/_SUCCESS' }", None),
        ("expect: { days: 3, since: 2026-01-01 }", Some("a source has either `days` or `since`")),
        ("expect: { days: 0 }", Some("at least the last day must be complete")),
        ("expect: { since: January }", Some("`January` is no date")),
        ("expect: { marker: 'orders/*/_SUCCESS' }", Some("a marker is one object, not a pattern")),
        ("expect: { marker: '/orders/_SUCCESS' }", Some("the marker's path cannot be used")),
        ("load: replace\n    expect: { days: 3 }", Some("of full exports only the last day")),
    ] {
        judged(event_time, &format!("{event_time}    {written}\n"), mistake);
    }
    for (expect, mistake) in [
        ("days: 3", Some("the paths of this source do not tell days")),
        ("since: 2026-01-01", Some("the paths of this source do not tell days")),
        ("marker: 'orders/{date}'", Some("the paths of this source do not tell days")),
        ("marker: orders/READY", None),
    ] {
        let path = format!("orders/*.csv\n    expect: {{ {expect} }}");
        judged("orders/dt={date}/*.csv", &path, mistake);
    }
}

#[test]
fn conversions_of_currency_are_judged() {
    let amount = "amount: { type: 'decimal(18,4)', check: amount >= 0 }";
    let rates = "\n  rates:\n    path: rates/*.csv\n    format: csv\n    columns:\n      day: { type: date, required: true }\n      currency: { type: string, required: true }\n      rate: { type: 'decimal(18,8)', required: true }\nidentity:";
    let with = |convert: &str, rates: &str, mistake: Option<&str>| {
        let pipeline = PIPELINE
            .replace(amount, &format!("currency: {{ type: string }}\n      amount: {{ type: 'decimal(18,4)', convert: {{ {convert} }} }}"))
            .replace("\nidentity:", rates);
        let stages = [("sql/totals.sql", TOTALS)];
        let found = project(&pipeline, &stages)
            .map_or_else(|_| mistakes(&pipeline, &stages), |_| Vec::new());
        match mistake {
            None => assert!(found.is_empty(), "{convert}: {found:?}"),
            Some(mistake) => {
                assert!(found.len() == 1 && found[0].contains(mistake), "{convert}: {found:?}");
            }
        }
    };
    let sound = "currency: currency, to: CNY, rates: rates, date: placed_at";
    with(sound, rates, None);
    with(&format!("{sound}, max_age: 7d"), rates, None);
    with(&sound.replace("currency: currency", "currency: USD"), rates, None);
    for (old, new, mistake) in [
        (
            "currency: currency",
            "currency: curency",
            "plan/unknown-column shop.yaml:16 the source has no column `curency` (did you mean `currency`?)",
        ),
        ("currency: currency", "currency: amount", "a currency is a column of type `string`"),
        (
            "to: CNY",
            "to: EUR",
            "rates are given in the pipeline's currency, which is not `EUR` (write `to: CNY`)",
        ),
        (
            "rates: rates",
            "rates: rate",
            "plan/unknown-source shop.yaml:16 the pipeline has no source `rate`",
        ),
        (
            "date: placed_at",
            "date: email",
            "the date of a rate is a column of type `date` or `timestamp`",
        ),
        (
            "date: placed_at",
            "date: placed_at, max_age: week",
            "`week` is no number of days (write `7d` for seven days)",
        ),
    ] {
        with(&sound.replace(old, new), rates, Some(mistake));
    }
    let optional = rates.replace("'decimal(18,8)', required: true", "'decimal(18,8)'");
    with(sound, &optional, Some("the source `rates` is no table of rates"));
    let double = rates.replace("'decimal(18,8)'", "double");
    with(sound, &double, Some("the source `rates` is no table of rates"));
    let found = mistakes_of_column(
        "type: double, convert: { currency: USD, to: CNY, rates: orders, date: placed_at }",
    );
    let idle = "spec/bad-value `convert` means nothing on a column of type `double` (only decimal columns have `convert`)";
    assert!(found.iter().any(|found| found == idle), "{found:?}");
}

#[test]
fn only_a_single_select_is_a_stage() {
    for sql in [
        "DROP TABLE orders",
        "INSERT INTO orders SELECT 1",
        "SET a = 1",
        "COPY orders TO 'x.csv'",
        "EXPLAIN SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "-- nothing",
    ] {
        let found = mistakes(PIPELINE, &[("sql/totals.sql", sql)]);
        assert!(found[0].starts_with(Code::SqlNotSelect.as_str()), "{sql}: {found:?}");
    }
}

#[test]
fn functions_that_make_two_runs_differ_are_refused() {
    for (sql, place) in [
        ("SELECT\n  now() AS moment FROM orders", "totals.sql:2 the function `now`"),
        (
            "SELECT order_id FROM orders\nWHERE current_date > DATE '2026-01-01'",
            "totals.sql:2 the function `current_date`",
        ),
        ("SELECT random() AS chance", "totals.sql:1 the function `random`"),
        ("SELECT 1 AS one WHERE EXISTS (SELECT uuid() AS id)", "totals.sql:1 the function `uuid`"),
    ] {
        let found = mistakes(PIPELINE, &[("sql/totals.sql", sql)]);
        assert!(found[0].starts_with(&format!("sql/not-deterministic {place}")), "{found:?}");
    }
}

#[test]
fn a_circle_of_stages_is_told_once() {
    let stages =
        [("sql/totals.sql", "SELECT a FROM second"), ("sql/second.sql", "SELECT a FROM totals")];
    let found = mistakes(PIPELINE, &stages);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("plan/stage-cycle second.sql:1 stages need each other in a circle")
    );
}

#[test]
fn a_contract_that_the_sql_does_not_keep_is_drift() {
    let sidecar = "columns:\n  customer_id: { type: string }\n  total: { type: integer }\n  count: { type: integer }\n";
    let stages = [("sql/totals.sql", TOTALS), ("sql/totals.yaml", sidecar)];
    let found = mistakes(PIPELINE, &stages);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains(
        "totals.yaml:3 the column `total` is declared `integer` but the SQL yields `decimal(28,4)`"
    ));
    assert!(found[1].contains("totals.yaml:4 the SQL yields no column `count`"));
}

#[test]
fn checks_are_planned_and_placed() {
    let sidecar = "columns:\n  customer_id: { type: string, checks: [{ not_null: true }, { relationship: order.email }] }\n  total: { type: 'decimal(28,4)', checks: [{ range: { min: 0 } }] }\nchecks:\n  - unique: [customer]\n  - expression: total > 'x' or\n  - {}\n  - query: SELECT * FROM totals WHERE total < $margin\n";
    let stages = [("sql/totals.sql", TOTALS), ("sql/totals.yaml", sidecar)];
    let found = mistakes(PIPELINE, &stages);
    let lines: Vec<String> =
        found.iter().map(|text| text.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "sql/syntax totals.yaml:6",
            "plan/bad-check totals.yaml:6",
            "plan/bad-check totals.yaml:7",
            "sql/unknown-table totals.yaml:2",
            "sql/unknown-column totals.yaml:5",
            "sql/invalid totals.yaml:8",
        ],
        "{found:#?}"
    );
}

#[test]
fn the_shipped_pipelines_are_sound() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["nightly", "online_retail"] {
        let mut tree = SourceTree::default();
        let mut folders = vec![root.join("pipelines"), root.join("sql")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let relative = path.strip_prefix(root).unwrap().to_str().unwrap();
                    tree.insert(relative, &std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let found =
            spec::load(&tree, &format!("pipelines/{name}.yaml")).and_then(|spec| resolve(&spec));
        if let Err(found) = found {
            panic!(
                "{}",
                crate::diagnostics::render(
                    &found,
                    crate::diagnostics::Look { colour: false, unicode: true, width: 120 }
                )
            );
        }
    }
}

#[test]
fn the_mistakes_of_one_text_are_told_at_once() {
    let sql = "SELECT costumer_id, sum(amuont) AS total, lenght(emial) AS n\n\
               FROM orders\nWHERE placed_at < $as_off\nGROUP BY costumer_id, emial";
    let found = mistakes(PIPELINE, &[("sql/totals.sql", sql)]);
    let codes: Vec<&str> = found.iter().map(|told| told.split(' ').next().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "sql/unknown-parameter",
            "sql/unknown-column",
            "sql/unknown-column",
            "sql/unknown-function",
            "sql/unknown-column",
        ]
    );
    let hints = found.join("\n");
    for name in ["customer_id", "amount", "email", "length", "as_of"] {
        assert!(hints.contains(&format!("(did you mean `{name}`?)")), "{name}: {hints}");
    }
}

#[test]
fn a_mistake_made_twice_is_told_once_with_both_places() {
    let sql = "SELECT emial, upper(emial) AS shouted FROM orders";
    let found = project(PIPELINE, &[("sql/totals.sql", sql)]).unwrap_err();
    assert_eq!(found.len(), 1);
    let places: Vec<&str> = found[0].labels.iter().map(|label| &*label.file.path).collect();
    assert_eq!(places, ["sql/totals.sql", "pipelines/shop.yaml", "sql/totals.sql"]);
}

#[test]
fn what_follows_from_a_mended_mistake_is_not_told() {
    // NULL stands in for the column that is like no other; that it cannot be summed up is no mistake.
    let sql = "SELECT sum(zzzzzz) AS total, upper(zzzzzz) AS shouted FROM orders";
    assert_eq!(mistakes(PIPELINE, &[("sql/totals.sql", sql)]).len(), 1);
}

#[test]
fn stages_that_nothing_needs_are_looked_at_and_do_not_keep_a_night_from_running() {
    let stages = [
        ("sql/totals.sql", TOTALS),
        ("sql/idle.sql", "SELECT order_id FROM orders"),
        ("sql/reads_idle.sql", "SELECT order_id, 1 AS one FROM idle"),
        ("sql/broken.sql", "SELECT order_it FROM orders"),
        ("sql/after_broken.sql", "SELECT order_id FROM broken"),
    ];
    let examination = examined(PIPELINE, &stages);
    let plan = examination.plan.unwrap();
    let idle: Vec<&str> = plan.idle.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(idle, ["idle", "reads_idle"]);
    let of = |name: &str| examination.stages.iter().find(|stage| stage.spec.name == name).unwrap();
    assert!(of("totals").needed && !of("idle").needed);
    assert_eq!(of("broken").mistakes[0].code, Code::SqlUnknownColumn);
    assert_eq!(of("after_broken").mistakes.len(), 0);
}

#[test]
fn fuzzed_pipelines_are_plans_or_mistakes_with_places() {
    let shipped =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/online_retail.yaml"))
            .unwrap();
    let words: [&[u8]; 14] = [
        b": ", b"- ", b"\n", b"  ", b"{", b"}", b"[", b"]", b"&a", b"*a", b"'", b"\"", b"!!int ",
        b"\xff",
    ];
    crate::fuzz::feed(&[PIPELINE.as_bytes(), &shipped], &words, 4, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Err(found) = project(&text, &[("sql/totals.sql", TOTALS)]) {
            let spans = found.iter().flat_map(|diagnostic| &diagnostic.labels);
            for label in spans {
                assert!(label.file.text.get(label.span.clone()).is_some(), "{label:?}");
            }
            assert!(!found.is_empty());
        }
    });
}

/// Returns the pipeline with other rules of identity.
fn with_identity(identity: &str) -> String {
    let start = PIPELINE.find("identity:").unwrap();
    let end = PIPELINE.find("publish:").unwrap();
    format!("{}{identity}{}", &PIPELINE[..start], &PIPELINE[end..])
}

#[test]
fn rules_of_identity_may_have_conditions_windows_patterns_and_guards() {
    let pipeline = with_identity(
        "\
identity:
  identifiers:
    email: { priority: 1, window: 365d, block_above: 50, blocked_patterns: ['info@.*'] }
    phone: { priority: 2 }
  links:
    orders:
      email: { columns: [email], when: amount > 0, window: 90d }
      phone: [email]
  guards: { max_cluster_size: 100, max_p999_size: { limit: 20, severity: warn } }
",
    );
    let plan = project(&pipeline, &[("sql/totals.sql", TOTALS)]).unwrap();
    let links = &plan.sources[0].links;
    assert_eq!(links[0].when.as_deref(), Some("amount > 0"));
    assert_eq!((links.len(), links[1].when.as_deref()), (2, None));
    let windows: Vec<_> =
        plan.identity.sources[0].types.iter().map(|(_, window)| *window).collect();
    assert_eq!(windows, [Some(super::Window { days: 90 }), None]);
    let email = &plan.identity.identifiers[0];
    assert_eq!((email.window, email.block_above), (Some(super::Window { days: 365 }), Some(50)));
    assert!(email.blocked_patterns[0].matches("info@x.org"));
    assert!(!email.blocked_patterns[0].matches("my-info@x.org"));
    let guards = &plan.identity.guards;
    assert_eq!(guards.max_cluster_size, super::Guard { limit: 100, blocks: true });
    assert_eq!(guards.max_p999_size, super::Guard { limit: 20, blocks: false });
    assert_eq!(guards.max_merged_percent, super::Guards::default().max_merged_percent);
}

#[test]
fn mistakes_in_rules_of_identity_are_told_where_they_stand() {
    let pipeline = with_identity(
        "\
identity:
  identifiers:
    email: { priority: 1, block_above: 0, blocked_patterns: ['a(', 'ok'] }
    phone: { priority: 2, unique: true, max_per_customer: 3, window: 1y }
    cookie: { priority: 3, window: 0d }
  links:
    orders:
      email: { columns: [emial], when: amout > 0, window: ten }
      phone: []
      cookies: email
  guards: { max_cluster_size: 0 }
",
    );
    let found = mistakes(&pipeline, &[("sql/totals.sql", "SELECT count(*) AS n FROM orders")]);
    let first = pipeline.lines().position(|line| line == "identity:").unwrap() + 1;
    let relative = found.iter().map(|told| {
        let (code, rest) = told.split_once(" shop.yaml:").unwrap();
        let (line, message) = rest.split_once(' ').unwrap();
        format!("{code} +{} {message}", line.parse::<usize>().unwrap() - first)
    });
    let expected = [
        "spec/bad-value +2 `block_above` is at least 1 (-)",
        "spec/bad-value +2 the pattern is no regular expression: unclosed group (-)",
        "spec/bad-value +3 a `unique` identifier has one value per customer (remove `max_per_customer`, or `unique`)",
        "spec/bad-value +3 `1y` is no time window (a window is a whole number of days, at least one, such as `365d`)",
        "spec/bad-value +4 `0d` is no time window (a window is a whole number of days, at least one, such as `365d`)",
        "plan/unknown-column +7 the source has no column `emial` (did you mean `email`?)",
        "sql/unknown-column +7 column `amout` not found (did you mean `amount`?)",
        "spec/bad-value +7 `ten` is no time window (a window is a whole number of days, at least one, such as `365d`)",
        "spec/bad-value +8 the link names no column (-)",
        "plan/unknown-identifier +9 the pipeline declares no identifier `cookies` (did you mean `cookie`?)",
        "spec/bad-value +10 `max_cluster_size` is at least 1 (-)",
    ];
    let mut found: Vec<String> = relative.collect();
    found.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);
}
