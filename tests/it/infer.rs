//! `martlet infer`: what it prints can be pasted into a pipeline.

use crate::harness::{Project, repository};
use crate::workbook::{row, workbook};

const STAGE: &str = "SELECT COUNT(*) AS records FROM ";

/// Pastes an inferred source into a pipeline of nothing else and checks it.
#[track_caller]
fn checked(project: &Project, arguments: &[&str]) -> String {
    let arguments: Vec<&str> = ["infer"].iter().chain(arguments).copied().collect();
    let inferred = project.martlet(&arguments);
    assert_eq!(inferred.status, Some(0), "{inferred:?}");
    let name = inferred.stdout.lines().nth(1).unwrap().trim().trim_end_matches(':');
    let header = "version: 1\nname: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\nstages: [sql]\n";
    let pipeline = format!("{header}sources:\n{}publish: [fact_records]\n", inferred.stdout);
    project.write("pipelines/shop.yaml", &pipeline);
    project.write("sql/fact_records.sql", format!("{STAGE}{name}\n"));
    let check = project.martlet(&["check"]);
    assert_eq!(check.status, Some(0), "{pipeline}\n{check:?}");
    let uncommented = pipeline.replace("    # event_time", "    event_time");
    project.write("pipelines/shop.yaml", uncommented.replace("    # dedupe", "    dedupe"));
    let check = project.martlet(&["check"]);
    assert_eq!(check.status, Some(0), "{pipeline}\n{check:?}");
    inferred.stdout
}

fn shop() -> Project {
    let project = Project::shop();
    project.remove("sql").remove("pipelines");
    project
}

#[test]
fn csv_files_of_several_days() {
    let project = shop();
    let days = ["01", "02"].map(|day| format!("data/raw/orders/dt=2026-01-{day}/a.csv"));
    let inferred = checked(&project, &[&days[0], &days[1]]);
    assert!(
        inferred.contains("  orders:\n    path: \"orders/dt={date}/a.csv\"\n    format: csv\n"),
        "{inferred}"
    );
    assert!(inferred.contains("      order_id: { type: string, required: true }\n"), "{inferred}");
    let dedupe = "    # dedupe: { key: [order_id], keep: last, order_by: [updated_at] }\n";
    assert!(!inferred.contains(dedupe), "a value that comes twice is no key: {inferred}");
    let of_a_day = checked(&project, &[&days[0]]);
    assert!(of_a_day.contains(dedupe), "{of_a_day}");
    assert!(inferred.contains("      amount: { type: \"decimal(18,2)\""), "{inferred}");
}

#[test]
fn text_that_is_set_in_columns() {
    let project = shop();
    let text = " id  day       paid\r\n 00001 19970101   11.77\r\n 00002 19970112 2.00\r\n";
    let path = "data/raw/purchases/dt=2026-01-01/a.txt";
    project.write(path, text);
    let inferred = checked(&project, &[path]);
    for expected in [
        "    format: csv\n    csv: { delimiter: \"blanks\" }\n",
        "      day: { type: date, formats: [\"%Y%m%d\"], required: true }\n",
        "      paid: { type: \"decimal(18,2)\", required: true }\n",
    ] {
        assert!(inferred.contains(expected), "{expected}{inferred}");
    }
}

#[test]
fn an_array_of_json_that_is_packed() {
    let project = shop();
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    let text = "\u{feff} [{\"id\": 1, \"who\": {\"mail\": \"a@b.c\"}}, 7, {\"id\": 2}, {\"id";
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    let path = "data/raw/calls/dt=2026-01-01/a.json.bz2";
    project.write(path, packed.finish().unwrap());
    let inferred = checked(&project, &[path]);
    for expected in [
        "    path: \"calls/dt={date}/a.json.bz2\"\n    format: json\n",
        "      id: { type: integer, required: true }\n",
        "from: \"who.mail\"",
    ] {
        assert!(inferred.contains(expected), "{expected}{inferred}");
    }
}

#[test]
fn a_spreadsheet() {
    let project = shop();
    let rows = row(2, &["Order Id", "amount", "paid at", "never filled"])
        + r#"<row r="3"><c r="A3" t="inlineStr"><is><t>o1</t></is></c><c r="B3"><v>19.899999999999999</v></c><c r="C3" s="2"><v>46023.5</v></c></row>"#
        + r#"<row r="4"><c r="A4" t="inlineStr"><is><t>o2</t></is></c><c r="B4" t="e"><v>#N/A</v></c><c r="C4" s="2"><v>46024.25</v></c></row>"#;
    project.write("data/raw/sheets/dt=2026-01-01/a.xlsx", workbook(&[("S", &rows)], &[]));
    let inferred = checked(&project, &["data/raw/sheets/dt=2026-01-01/a.xlsx"]);
    for expected in [
        "    path: \"sheets/dt={date}/a.xlsx\"\n    format: xlsx\n",
        "      order_id: { from: \"Order Id\", type: string, required: true }\n",
        "      amount: { type: \"decimal(18,2)\" }\n",
        "      never_filled: { from: \"never filled\", type: string }\n",
        "      paid_at: { from: \"paid at\", type: timestamp, formats: [\"%Y-%m-%dT%H:%M:%S\"], required: true }\n",
    ] {
        assert!(inferred.contains(expected), "{inferred}");
    }
    project.write("data/raw/sheets/dt=2026-01-01/a.xlsx", "no workbook");
    let refused = project.martlet(&["infer", "data/raw/sheets/dt=2026-01-01/a.xlsx"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
}

#[test]
fn ndjson_with_nested_objects_is_run_as_it_is_inferred() {
    let project = shop();
    let inferred = checked(&project, &["data/raw/visits/dt=2026-01-01/a.ndjson"]);
    let expected = "  # Guessed from 3 records; check it before it is used.\n  visits:\n";
    assert!(inferred.starts_with(expected), "{inferred}");
    let columns = [
        "      ts: { type: timestamp, formats: [\"unix_ms\"], required: true }\n",
        "      client_cookie: { from: \"client.cookie\", type: string",
        "    # event_time: ts\n",
    ];
    for column in columns {
        assert!(inferred.contains(column), "{column}\n{inferred}");
    }
    project.publish("2026-01-02");
    assert_eq!(project.value("SELECT records FROM fact_records"), "3");
}

#[test]
fn compressed_files_parquet_and_strange_names() {
    let project = shop();
    let text = "Order No;Größe;date;x\n1;2,5;2026-01-01;-\n2;3,5;2026-01-02;7\n";
    project.write("exports/a b.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let inferred = checked(&project, &["exports/a b.csv.zst"]);
    assert!(
        inferred.contains("csv: { delimiter: \";\" }\n    null_if: [\"\", \"-\"]\n"),
        "{inferred}"
    );
    assert!(inferred.contains("order_no: { from: \"Order No\", type: integer"), "{inferred}");

    let other = Project::shop();
    other.publish("2026-01-03");
    let marts = other.in_warehouse("latest/fact_revenue.parquet");
    project.write("data/raw/revenue.parquet", std::fs::read(marts).unwrap());
    let inferred = checked(&project, &["data/raw/revenue.parquet"]);
    assert!(inferred.contains("format: parquet"), "{inferred}");
}

#[test]
fn every_source_of_the_sample() {
    let project = shop();
    for source in std::fs::read_dir(repository().join("data/raw")).unwrap() {
        let day = std::fs::read_dir(source.unwrap().path()).unwrap().next().unwrap().unwrap();
        if !day.path().is_dir() {
            continue;
        }
        let object = std::fs::read_dir(day.path()).unwrap().next().unwrap().unwrap().path();
        checked(&project, &[object.to_str().unwrap()]);
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let project = shop();
    for file in ["data/raw/none.csv", "pipelines.yaml", "data/raw"] {
        let refused = project.martlet(&["infer", file]);
        assert_eq!(refused.status, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(file), "{refused:?}");
    }
}
