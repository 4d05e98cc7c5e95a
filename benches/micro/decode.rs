//! Decoding: the same events in every format.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use martlet::measure::Intake;
use parquet::arrow::ArrowWriter;

use crate::bench::{Amount, Bench, Failure};
use crate::chance::Chance;
use crate::pipeline::project;

const ROWS: u64 = 16_384;
const NAMES: [&str; 8] =
    ["event_id", "ts", "type", "session_id", "cookie", "url", "sku", "cart_value"];

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        bench("csv", "events.csv", || Ok(csv().into_bytes())),
        bench("ndjson", "events.ndjson", || Ok(ndjson().into_bytes())),
        bench("ndjson_gzip", "events.ndjson.gz", gzip),
        bench("parquet", "events.parquet", parquet),
    ]
}

type Encode = fn() -> Result<Vec<u8>, Failure>;

/// Measured by what the same events are as plain NDJSON, so that formats can be compared.
fn bench(name: &str, path: &'static str, encode: Encode) -> Bench {
    let bytes = || ndjson().len() as u64;
    Bench::new(format!("decode/{name}"), Amount::Bytes(bytes), ROWS, move || {
        let objects = [(path.to_owned(), encode()?)];
        let intake = Intake::new(&project("events", &source(path)), "events", objects)?;
        Ok(Box::new(move || intake.decode()))
    })
}

fn source(path: &str) -> String {
    let format = path.split('.').nth(1).unwrap_or_default();
    let columns = NAMES.map(|name| format!("      {name}: {{ type: string }}\n")).concat();
    format!("  events:\n    path: {path}\n    format: {format}\n    columns:\n{columns}")
}

/// Returns the events, field by field.
fn events() -> Vec<[String; 8]> {
    let mut chance = Chance::new(1);
    let types = ["page_view", "product_view", "add_to_cart", "checkout"];
    let event = |row: u64| {
        let sku = format!("SKU-{:04}", chance.below(3_000));
        [
            format!("{:016x}-{row}", chance.next()),
            format!("2026-01-30T{:02}:{:02}:{:02}Z", row / 720 % 24, row / 12 % 60, row * 5 % 60),
            chance.one_of(&types).to_owned(),
            format!("s{:08x}", chance.below(1 << 32)),
            format!("{:032x}", u128::from(chance.below(1 << 40))),
            format!("https://shop.example/p/{sku}?utm_source=mail, \"spring\""),
            sku,
            format!("{}.{:02}", chance.below(2_000), chance.below(100)),
        ]
    };
    (0..ROWS).map(event).collect()
}

fn csv() -> String {
    let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    let field = |text: &String| if text.contains([',', '"']) { quoted(text) } else { text.clone() };
    let line = |event: &[String; 8]| event.each_ref().map(field).join(",") + "\n";
    NAMES.join(",") + "\n" + &events().iter().map(line).collect::<String>()
}

fn ndjson() -> String {
    let line = |event: &[String; 8]| {
        let fields = NAMES.iter().zip(event);
        let fields = fields
            .map(|(name, text)| format!("\"{name}\": \"{}\"", text.replace('"', "\\\"")))
            .collect::<Vec<_>>();
        format!("{{{}}}\n", fields.join(", "))
    };
    events().iter().map(line).collect()
}

fn gzip() -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(ndjson().as_bytes()).map_err(|error| error.to_string())?;
    encoder.finish().map_err(|error| error.to_string())
}

fn parquet() -> Result<Vec<u8>, Failure> {
    let events = events();
    let column = |place: usize| {
        let texts = events.iter().map(|event| event[place].as_str());
        Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
    };
    let columns = NAMES.iter().enumerate().map(|(place, name)| (*name, column(place)));
    let failed = |error: parquet::errors::ParquetError| error.to_string();
    let batch = RecordBatch::try_from_iter(columns).map_err(|error| error.to_string())?;
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.into_inner().map_err(failed)
}
