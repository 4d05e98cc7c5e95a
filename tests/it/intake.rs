//! What is asked of exports as a whole: completeness, rates, and objects that cannot be read.

use serde_json::{Value, json};

use crate::harness::Project;
use crate::workbook::{row, workbook};

const AS_OF: &str = "2026-01-03";
const VISITS: &str = "data/raw/visits/dt=2026-01-02/a.ndjson";
const VISIT: &str = "    path: visits/dt={date}/*.ndjson\n    format: ndjson\n";

/// Publishes nothing before `as_of` and ends with a status; returns what was said.
#[track_caller]
fn refused(project: &Project, as_of: &str, status: i32) -> String {
    let outcome = project.run(as_of);
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    assert!(!project.in_warehouse("CURRENT").exists());
    outcome.stdout
}

fn expecting(expect: &str) -> Project {
    let project = Project::shop();
    project.replace_in_pipeline(VISIT, &format!("{VISIT}    expect: {{ {expect} }}\n"));
    project
}

fn missing(report: &Value) -> Vec<&str> {
    let missing = report["missing"].as_array().unwrap();
    missing.iter().map(|told| told["missing"].as_str().unwrap()).collect()
}

#[test]
fn every_day_that_is_expected_must_be_there() {
    for expect in ["days: 5", "since: 2025-12-29", "objects_per_day: 1, days: 5"] {
        let project = expecting(expect);
        let said = refused(&project, AS_OF, 4);
        let days = ["2025-12-29", "2025-12-30", "2025-12-31"];
        let told = days.map(|day| format!("{day} has 0 of 1 expected objects"));
        assert_eq!(missing(&project.report()), told, "{expect}");
        assert!(
            said.contains("the source `visits` is incomplete: 2025-12-29 has 0 of 1"),
            "{said}"
        );
        project.write("data/raw/visits/dt=2025-12-29/a.ndjson", "");
        project.write("data/raw/visits/dt=2025-12-30/a.ndjson", "");
        project.write("data/raw/visits/dt=2025-12-31/a.ndjson", "");
        project.publish(AS_OF);
    }
    expecting("days: 2").publish(AS_OF);
    expecting("since: 2026-01-01").publish(AS_OF);
}

#[test]
fn markers_say_that_a_day_is_whole() {
    let project = expecting("days: 2, marker: \"visits/dt={date}/_SUCCESS\"");
    project.write("data/raw/visits/dt=2026-01-01/_SUCCESS", "");
    refused(&project, AS_OF, 4);
    assert_eq!(missing(&project.report()), ["`visits/dt=2026-01-02/_SUCCESS` is not there"]);
    project.write("data/raw/visits/dt=2026-01-02/_SUCCESS", "");
    project.publish(AS_OF);

    let project = expecting("marker: visits/READY");
    refused(&project, AS_OF, 4);
    assert_eq!(missing(&project.report()), ["`visits/READY` is not there"]);
    project.write("data/raw/visits/READY", "");
    project.publish(AS_OF);
}

#[test]
fn a_marker_among_the_objects_is_none_of_them() {
    let project =
        expecting("objects_per_day: 1, min_rows: 1, marker: \"visits/dt={date}/done.ndjson\"");
    project.rename(VISITS, "data/raw/visits/dt=2026-01-02/done.ndjson");
    project.write("data/raw/visits/dt=2026-01-02/done.ndjson", "");
    refused(&project, AS_OF, 4);
    assert_eq!(missing(&project.report()), ["2026-01-02 has 0 of 1 expected objects"]);
    project.write(VISITS, "{\"visit_id\": \"v9\", \"ts\": 1767312000000}\n");
    project.publish(AS_OF);
}

#[test]
fn objects_with_too_few_rows_are_not_complete() {
    let project = expecting("min_rows: 2");
    project.write(VISITS, "{\"visit_id\": \"v9\", \"ts\": 1767312000000}\n");
    refused(&project, AS_OF, 4);
    let report = project.report();
    let told = "`visits/dt=2026-01-02/a.ndjson` has 1 of 2 expected rows";
    assert_eq!(missing(&report), [told]);
    assert_eq!(report["status"], "incomplete");
    project.append(VISITS, "broken\n");
    project.publish(AS_OF);
}

#[test]
fn what_is_missing_may_be_allowed_and_is_recorded() {
    for (expect, told) in [
        ("days: 3", "2025-12-31 has 0 of 1 expected objects"),
        ("min_rows: 4", "`visits/dt=2026-01-01/a.ndjson` has 3 of 4 expected rows"),
    ] {
        let project = expecting(expect);
        refused(&project, AS_OF, 4);
        assert_eq!(project.report()["allow_incomplete"], false);
        let allowed = project.run_with(AS_OF, &["--allow-incomplete"]);
        assert_eq!(allowed.status, Some(0), "{allowed:?}");
        assert!(allowed.stdout.starts_with("published "), "{allowed:?}");
        let warning = format!("warning: visits is incomplete: {told}\n");
        assert!(allowed.stdout.contains(&warning), "{allowed:?}");
        let report = project.report();
        assert_eq!(report["allow_incomplete"], true);
        assert_eq!(missing(&report)[0], told);
        // What was allowed once is not allowed for good, but an object is judged when it is taken in.
        let again = if expect.starts_with("days") { 4 } else { 0 };
        assert_eq!(project.run(AS_OF).status, Some(again), "{expect}");
    }
}

#[test]
fn allowing_what_is_not_missing_changes_nothing() {
    let project = Project::shop();
    project.publish(AS_OF);
    let outcome = project.run_with(AS_OF, &["--allow-incomplete", "--skip-exit-code"]);
    assert_eq!(outcome.status, Some(99), "{outcome:?}");
}

const RATES: &str = "data/raw/rates/dt=2026-01-01/a.csv";

/// Makes a shop whose orders are in several currencies.
fn trading(convert: &str) -> Project {
    let project = Project::shop();
    project.replace_in_pipeline(
        "      amount: { type: \"decimal(18,2)\", required: true, check: \"amount >= 0\" }\n",
        &format!("      amount: {{ type: \"decimal(18,2)\", required: true, convert: {{ {convert} }} }}\n      currency: {{ type: string }}\n"),
    );
    let rates = "\n  rates:\n    path: rates/dt={date}/*.csv\n    format: csv\n    columns:\n      day: { type: date, required: true }\n      currency: { type: string, required: true }\n      rate: { type: \"decimal(18,8)\", required: true }\n    dedupe: { key: [day, currency], keep: last }\n";
    project.replace_in_pipeline("\nidentity:", &format!("{rates}\nidentity:"));
    project.write(
        RATES,
        "day,currency,rate\n2025-12-30,USD,7.0\n2026-01-01,USD,7.12345678\n2026-01-01,EUR,8.00\n",
    );
    let header = "order_id,placed_at,updated_at,email,card,sku,amount,currency\n";
    let order = |id: &str, at: &str, amount: &str, currency: &str| {
        format!("{id},{at},{at},,,S1,{amount},{currency}\n")
    };
    let orders = [
        order("cny", "2026-01-01T10:00:00+08:00", "10.00", "CNY"),
        order("usd", "2026-01-01T10:00:00+08:00", "10.00", "USD"),
        // Half a cent more goes up: 1.01 × 8.00 has no half, 0.01 × 7.12345678 = 0.0712… has none either.
        order("half", "2026-01-01T10:00:00+08:00", "-0.35", "USD"),
        // In UTC this is still the year before.
        order("local", "2025-12-31T16:30:00Z", "1.00", "EUR"),
        order("before", "2025-12-31T15:30:00Z", "1.00", "EUR"),
        order("old", "2025-12-31T12:00:00+08:00", "1.00", "USD"),
        order("unknown", "2026-01-01T10:00:00+08:00", "1.00", "GBP"),
        order("none", "2026-01-01T10:00:00+08:00", "1.00", ""),
    ];
    for day in ["01", "02"] {
        project.remove(&format!("data/raw/orders/dt=2026-01-{day}"));
    }
    project.write("data/raw/orders/dt=2026-01-01/a.csv", header.to_owned() + &orders.concat());
    project
}

#[test]
fn amounts_are_converted_by_the_rate_of_their_local_day() {
    let project =
        trading("currency: currency, to: CNY, rates: rates, date: placed_at, max_age: 1d");
    project.publish("2026-01-02");
    let amounts = project.query("SELECT order_id, amount FROM clean.orders ORDER BY order_id");
    assert_eq!(
        amounts,
        "order_id,amount\ncny,10.00\nhalf,-2.49\nlocal,8.00\nold,7.00\nusd,71.23\n"
    );
    let rejects = project
        .query("SELECT record, \"column\", code, message FROM rejects.orders ORDER BY record");
    assert_eq!(
        rejects,
        "record,column,code,message\n\
         5,amount,clean/rate,no rate at or before 2025-12-31: `EUR`\n\
         7,amount,clean/rate,no rate at or before 2026-01-01: `GBP`\n\
         8,amount,clean/rate,the row names no currency\n"
    );
}

#[test]
fn a_rate_that_is_too_old_is_none() {
    let project = trading("currency: USD, to: CNY, rates: rates, date: placed_at");
    project.publish("2026-01-02");
    let amounts = project.query("SELECT order_id, amount FROM clean.orders ORDER BY order_id");
    assert!(amounts.contains("cny,71.23\n") && !amounts.contains("old"), "{amounts}");
    let message = project.value("SELECT message FROM rejects.orders WHERE record = 6");
    assert_eq!(
        message,
        "\"the last rate before 2025-12-31 is of 2025-12-30, 1 days older: `USD`\""
    );
}

#[test]
fn an_object_that_cannot_be_read_is_passed_over_where_the_source_says_so() {
    let project = Project::shop();
    project.replace_in_pipeline("visits/dt={date}/*.ndjson\n", "visits/dt={date}/*\n");
    let broken = "data/raw/visits/dt=2026-01-02/b.ndjson.gz";
    project.write(broken, "this is no gzip at all");
    refused(&project, AS_OF, 3);
    project.replace_in_pipeline(
        "    event_time: visited_at\n",
        "    event_time: visited_at\n    on_error: skip\n    rejects: { max_rows: 2 }\n",
    );
    let outcome = project.publish(AS_OF);
    let report = project.report();
    let visits = &report["sources"][1];
    assert_eq!(visits["unreadable"][0]["object"], "visits/dt=2026-01-02/b.ndjson.gz");
    let account = visits["objects"].as_array().unwrap().last().unwrap();
    assert_eq!((&account["read"], &account["rejected"]), (&json!(1), &json!(1)), "{account}");
    assert!(outcome.stdout.contains("warning: visits: `visits/dt=2026-01-02/b.ndjson.gz` was passed over: the object cannot be decompressed"), "{}", outcome.stdout);
    let reject =
        project.query("SELECT record, code, raw FROM rejects.visits WHERE rule = 'object'");
    assert_eq!(reject, "record,code,raw\n0,decode/object,\n");
    // Such objects count among the rejects, so limits hold for them too.
    for name in ["c", "d", "e"] {
        project.write(&format!("data/raw/visits/dt=2026-01-02/{name}.ndjson.gz"), "this is none");
    }
    assert_eq!(project.run(AS_OF).status, Some(3));
}

/// Takes visits from a sheet.
fn visits_in_a_sheet(sheet: &str, bytes: Vec<u8>) -> Project {
    let project = Project::shop();
    let written = format!(
        "    path: visits/dt={{date}}/*.xlsx\n    format: xlsx\n    xlsx: {{ sheet: {sheet} }}\n"
    );
    project.replace_in_pipeline(VISIT, &written);
    project.remove("data/raw/visits");
    project.write("data/raw/visits/dt=2026-01-02/a.xlsx", bytes);
    project
}

#[test]
fn cells_that_hold_no_value_break_their_record() {
    let rows = row(1, &["visit_id", "ts", "client.cookie", "email", "note"])
        + &row(2, &["v1", "1767312000000", "c1", ""])
        + r#"<row r="5"><c r="A5" t="inlineStr"><is><t>v2</t></is></c><c r="B5" t="e"><v>#REF!</v></c></row>"#
        + r#"<row r="6"><c r="A6" t="inlineStr"><is><t>v3</t></is></c><c r="B6"><f>B2+1</f></c></row>"#
        + r#"<row r="7"><c r="A7" t="inlineStr"><is><t>v4</t></is></c><c r="B7"><v>1767312000000</v></c><c r="E7" t="e"><v>#N/A</v></c></row>"#
        + &row(9, &["v5", "never"]);
    let project = visits_in_a_sheet("1", workbook(&[("S", &rows)], &[]));
    project.publish(AS_OF);
    assert_eq!(project.value("SELECT count(*) FROM clean.visits"), "2");
    let rejects = project
        .query("SELECT record, line, byte, code, message FROM rejects.visits ORDER BY record");
    assert_eq!(
        rejects,
        "record,line,byte,code,message\n\
         2,5,,decode/xlsx,the cell `B5` holds the error `#REF!`\n\
         3,6,,decode/xlsx,the cell `B6` holds a formula that was never computed\n\
         5,9,,clean/type,in none of the declared formats: `never`\n"
    );
    let raw = project.value("SELECT raw FROM rejects.visits WHERE record = 2");
    assert!(raw.contains("visit_id") && raw.contains("#REF!"), "{raw}");
}

#[test]
fn a_workbook_of_many_rows_is_taken_in_batch_by_batch() {
    let rows: String = (2..20_002).map(|n| row(n, &[&format!("v{n}"), "1767312000000"])).collect();
    let rows = row(1, &["visit_id", "ts", "client.cookie", "email"]) + &rows;
    let project = visits_in_a_sheet("S", workbook(&[("S", &rows)], &[]));
    project.publish(AS_OF);
    let answer = project.query(
        "SELECT count(*), count(DISTINCT visit_id), min(_record), max(_record) FROM clean.visits",
    );
    assert!(answer.ends_with("\n20000,20000,1,20000\n"), "{answer}");
}
