//! What a run makes of bad input: the right exit status, a place and a way out, and nothing published.
//!
//! `tests/bad_input/<case>.txt` holds what is said. When the input is mended, the night is published.

use std::os::unix::fs::symlink;

use crate::harness::{Project, case_folder, copy, expect_file, repository};
use crate::workbook::{row, workbook};

/// What is done to a project that is right.
type Damage = fn(&Project);

const AS_OF: &str = "2026-01-03";
const PIPELINE: &str = "pipelines/shop.yaml";
const STAGE: &str = "sql/order_values.sql";
const ORDERS: &str = "data/raw/orders/dt=2026-01-02/a.csv";
const VISITS: &str = "data/raw/visits/dt=2026-01-02/a.ndjson";
/// Whose names begin so takes visits from other objects than the night before, and does without those.
const FROM_OTHERS: &[&str] = &["workbook", "parquet_cut_off"];

macro_rules! bad_input {
    ($($name:ident exits $status:literal: $damage:expr;)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), $status, $damage);
        })*
    };
}

/// Publishes a night, spoils the input, sees the next night refused, mends it, and sees that published.
fn check(name: &str, status: i32, damage: Damage) {
    let project = Project::shop();
    project.publish("2026-01-02");
    let before = project.visible();
    damage(&project);
    let takes_others = FROM_OTHERS.iter().any(|start| name.starts_with(start));
    let flags = if takes_others { &["-q", "--allow-incomplete"][..] } else { &["-q"] };
    let refused = project.run_with(AS_OF, flags);
    assert_eq!(refused.status, Some(status), "{refused:?}");
    assert!(project.visible() == before, "bad input changed what readers see");
    let said = format!("{}{}", project.masked(&refused.stdout), project.masked(&refused.stderr));
    expect_file(&repository().join(format!("tests/bad_input/{name}.txt")), &said);

    for folder in ["pipelines", "sql", "data/raw", "config"] {
        if project.at(folder).exists() {
            project.remove(folder);
        }
    }
    copy(&case_folder("shop"), project.path());
    project.publish(AS_OF);
}

fn spoil_pipeline(project: &Project, old: &str, new: &str) {
    project.replace(PIPELINE, old, new);
}

fn compressed(project: &Project, ending: &str, content: &[u8]) {
    spoil_pipeline(project, "visits/dt={date}/*.ndjson", "visits/dt={date}/*");
    project.remove(VISITS).write(&format!("{VISITS}.{ending}"), content);
}

/// Takes visits from a workbook.
fn sheets(project: &Project, options: &str, bytes: &[u8]) {
    let written = format!("path: visits/dt={{date}}/*.xlsx\n    format: xlsx\n{options}");
    spoil_pipeline(project, "path: visits/dt={date}/*.ndjson\n    format: ndjson\n", &written);
    project.write("data/raw/visits/dt=2026-01-02/a.xlsx", bytes);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Returns so many visits that their compressed form has more than one block.
fn many_visits() -> Vec<u8> {
    let line = |number: u64| {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("{{\"visit_id\": \"{mixed:x}\", \"ts\": 1767312000000}}\n")
    };
    (0..20_000).map(line).collect::<String>().into_bytes()
}

bad_input! {
    // The environment.
    environment_not_utf8 exits 2: |project| {
        project.write("config/default.yaml", b"raw: \xff\n");
    };
    environment_unknown_key exits 2: |project| {
        project.write("config/default.yaml", "warehose: elsewhere\n");
    };

    // The pipeline.
    pipeline_missing exits 2: |project| {
        project.rename(PIPELINE, "pipelines/shops.yaml");
    };
    pipeline_is_a_folder exits 2: |project| {
        project.rename(PIPELINE, "pipelines/shop.yaml.d/shop.yaml");
        project.write("pipelines/shop.yaml/README", "");
    };
    pipeline_empty exits 2: |project| {
        project.write(PIPELINE, "");
    };
    pipeline_not_utf8 exits 2: |project| {
        project.write(PIPELINE, b"version: 1\nname: \xfe\n");
    };
    unknown_key exits 2: |project| spoil_pipeline(project, "currency: CNY", "curency: CNY");
    unknown_type exits 2: |project| {
        spoil_pipeline(project, "name: { type: string, required: true }", "name: { type: text, required: true }");
    };
    unknown_format exits 2: |project| spoil_pipeline(project, "format: ndjson", "format: jason");
    unknown_order_column exits 2: |project| {
        spoil_pipeline(project, "order_by: [updated_at]", "order_by: [changed_at]");
    };
    unknown_mart exits 2: |project| spoil_pipeline(project, "fact_buyers]", "fact_buyer]");
    many_mistakes_at_once exits 2: |project| {
        spoil_pipeline(project, "format: ndjson", "format: jason");
        spoil_pipeline(project, "order_by: [updated_at]", "order_by: [changed_at]");
        project.write("sql/marts/orphan.yaml", "");
    };
    raw_path_climbs_out exits 2: |project| {
        spoil_pipeline(project, "path: orders/", "path: ../orders/");
    };
    stage_folder_climbs_out exits 2: |project| spoil_pipeline(project, "[sql]", "[sql, ../sql]");
    stage_folder_missing exits 2: |project| spoil_pipeline(project, "[sql]", "[sql, sql/mart]");
    stage_folder_empty exits 2: |project| {
        spoil_pipeline(project, "[sql]", "[sql, sql/later]");
        project.write("sql/later/README", "");
    };

    // The stages.
    stage_missing exits 2: |project| {
        project.remove(STAGE);
    };
    stage_empty exits 2: |project| {
        project.write(STAGE, "-- to be written\n");
    };
    stage_not_utf8 exits 2: |project| {
        project.write(STAGE, b"SELECT '\xff'\n");
    };
    stage_link_leads_out exits 2: |project| {
        project.remove(STAGE);
        symlink(repository().join("sql/marts/cohort_periods.sql"), project.at(STAGE)).unwrap();
    };
    sql_syntax exits 2: |project| {
        project.replace(STAGE, "WHERE", "WERE placed_at IS");
    };
    sql_unknown_table exits 2: |project| {
        project.replace(STAGE, "FROM orders", "FROM oders");
    };
    sql_unknown_column exits 2: |project| {
        project.replace(STAGE, "sku,", "skuu,");
    };
    sql_cycle exits 2: |project| {
        project.replace(STAGE, "FROM orders", "FROM fact_revenue");
    };
    sql_create_table exits 2: |project| {
        project.write(STAGE, "CREATE TABLE order_values AS SELECT * FROM orders\n");
    };
    sql_create_external_table exits 2: |project| {
        project.write(STAGE, "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'\n");
    };
    sql_drop exits 2: |project| {
        project.write(STAGE, "DROP TABLE orders\n");
    };
    sql_insert exits 2: |project| {
        project.write(STAGE, "INSERT INTO orders SELECT * FROM orders\n");
    };
    sql_delete exits 2: |project| {
        project.write(STAGE, "DELETE FROM orders\n");
    };
    sql_copy exits 2: |project| {
        project.write(STAGE, "COPY (SELECT 1) TO 'out.csv'\n");
    };
    sql_set exits 2: |project| {
        project.write(STAGE, "SET datafusion.execution.batch_size = 1\n");
    };
    sql_two_statements exits 2: |project| {
        project.write(STAGE, "SELECT 1 AS a; SELECT 2 AS a\n");
    };
    sql_explain exits 2: |project| {
        project.write(STAGE, "EXPLAIN SELECT * FROM orders\n");
    };
    sql_select_into exits 2: |project| {
        project.write(STAGE, "SELECT 1 AS a\nINTO elsewhere\n");
    };
    sql_with_insert exits 2: |project| {
        project.write(STAGE, "WITH a AS (SELECT 1 AS n)\nINSERT INTO orders SELECT n FROM a\n");
    };
    sql_two_statements_after_a_comment exits 2: |project| {
        project.write(STAGE, "-- One; only one.\nSELECT ';' AS a;\n-- Two.\nDROP TABLE orders;\n");
    };
    sql_reads_a_file exits 2: |project| {
        project.replace(STAGE, "FROM orders", "FROM 'data/raw/products/dt=2026-01-01/all.csv'");
    };
    two_stages_of_one_name exits 2: |project| {
        project.write("sql/marts/order_values.sql", project.read(STAGE));
    };
    a_stage_named_like_a_source exits 2: |project| {
        project.rename(STAGE, "sql/orders.sql");
    };
    a_column_twice exits 2: |project| {
        project.replace(STAGE, "amount,", "amount, sku AS day,");
    };

    // The exports.
    no_export_at_all exits 4: |project| {
        project.remove("data/raw");
    };
    an_empty_folder exits 4: |project| {
        project.remove("data/raw/visits").write("data/raw/visits/README", "");
    };
    gzip_cut_off exits 4: |project| {
        let whole = gzip(&many_visits());
        compressed(project, "gz", &whole[..whole.len() / 2]);
    };
    gzip_cut_off_in_its_trailer exits 4: |project| {
        let whole = gzip(b"{\"visit_id\": \"v9\", \"ts\": 1767312000000}\n");
        compressed(project, "gz", &whole[..whole.len() - 4]);
    };
    gzip_that_is_none exits 3: |project| compressed(project, "gz", b"{\"visit_id\": \"v9\"}\n");
    gzip_with_a_flipped_bit exits 3: |project| {
        let mut broken = gzip(&many_visits());
        let middle = broken.len() / 2;
        broken[middle] ^= 0x10;
        compressed(project, "gz", &broken);
    };
    zstd_cut_off exits 4: |project| {
        let whole = zstd::encode_all(many_visits().as_slice(), 3).unwrap();
        compressed(project, "zst", &whole[..whole.len() / 2]);
    };
    zstd_that_is_none exits 3: |project| compressed(project, "zst", b"{\"visit_id\": \"v9\"}\n");
    parquet_cut_off exits 4: |project| {
        spoil_pipeline(project, "path: visits/dt={date}/*.ndjson\n    format: ndjson", "path: visits/dt={date}/*.parquet\n    format: parquet");
        project.write("data/raw/visits/dt=2026-01-02/a.parquet", b"PAR1 and nothing more");
    };
    parquet_that_is_none exits 3: |project| {
        spoil_pipeline(project, "path: visits/dt={date}/*.ndjson\n    format: ndjson", "path: visits/dt={date}/*.ndjson\n    format: parquet");
    };
    rows_that_no_export_holds_any_more exits 4: |project| {
        spoil_pipeline(project, "visits/dt={date}/*.ndjson", "visits/dt={date}/*.json");
        project.write("data/raw/visits/dt=2026-01-02/a.json", "");
    };
    workbook_cut_off exits 4: |project| {
        let whole = workbook(&[("S", &row(1, &["visit_id"]))], &[]);
        sheets(project, "", &whole[..whole.len() - 30]);
    };
    workbook_that_is_none exits 3: |project| sheets(project, "", b"visit_id,ts\nv9,1767312000000\n");
    workbook_without_the_sheet exits 3: |project| {
        let whole = workbook(&[("Januar", ""), ("Februar", "")], &[]);
        sheets(project, "    xlsx: { sheet: January }\n", &whole);
    };
    workbook_with_a_password exits 3: |project| {
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        sheets(project, "", &[b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(), &name].concat());
    };
    workbook_that_is_a_bomb exits 3: |project| {
        let whole = workbook(&[("S", "")], &[&" ".repeat(1 << 20)]);
        sheets(project, "    limits: { object: 1MB }\n", &whole);
    };
    text_longer_than_its_limit exits 3: |project| {
        spoil_pipeline(project, "format: ndjson\n", "format: ndjson\n    limits: { object: 0.5KiB }\n");
        project.write(VISITS, many_visits());
    };
    days_missing exits 4: |project| {
        spoil_pipeline(project, "expect: { objects_per_day: 1 }", "expect: { since: 2025-12-01 }");
    };
    marker_missing exits 4: |project| {
        spoil_pipeline(project, "expect: { objects_per_day: 1 }", "expect: { marker: \"orders/dt={date}/_SUCCESS\" }");
    };
    too_few_rows exits 4: |project| {
        spoil_pipeline(project, "expect: { objects_per_day: 1 }", "expect: { min_rows: 5 }");
    };
    header_lacks_a_column exits 3: |project| {
        project.replace(ORDERS, "sku,amount", "sku,amuont");
    };
    header_twice_the_same exits 3: |project| {
        project.replace(ORDERS, "email,card", "email,email");
    };
    every_row_broken exits 3: |project| {
        spoil_pipeline(project, "max_rows: 5", "max_rows: 3");
        project.write(ORDERS, project.read(ORDERS).replace("2026", "then"));
    };
}

#[test]
fn an_environment_that_is_missing() {
    let project = Project::shop();
    project.write("config/prod.yaml", "memory: 1GiB\n");
    let refused = project.run_with(AS_OF, &["--env", "prodd"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    let path = repository().join("tests/bad_input/environment_missing.txt");
    expect_file(&path, &project.masked(&refused.stderr));
    assert!(!project.at("data/warehouse").exists());
    assert_eq!(project.run_with(AS_OF, &["--env", "prod"]).status, Some(0));
}
