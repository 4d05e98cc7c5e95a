//! The least that a night can cost: `floor RAW OUT THREADS` decompresses every export, finds its fields and writes them as
//! Parquet, and does nothing else. `benches/night/run.py` compares martlet with it.
//!
//! No value is read as more than bytes, none is checked, and every object is a file of its own.

mod tokens;

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arrow::array::{ArrayRef, BinaryBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use flate2::read::MultiGzDecoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

type Failure = Box<dyn Error + Send + Sync>;

/// How many rows are written at once.
const BATCH: usize = 8192;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [raw, out, threads] = arguments.as_slice() else {
        // `cargo bench` and `cargo test --benches` pass arguments of their own.
        return ExitCode::SUCCESS;
    };
    match convert(Path::new(raw), Path::new(out), threads.parse().unwrap_or(1)) {
        Ok(bytes) => {
            report(&format!("{{\"bytes\": {bytes}}}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            report(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the harness reads it")]
fn report(line: &str) {
    println!("{line}");
}

/// Converts all exports below a folder; returns how many bytes of text they hold.
fn convert(raw: &Path, out: &Path, threads: usize) -> Result<usize, Failure> {
    let mut objects = Vec::new();
    list(raw, &mut objects)?;
    // The largest first, so that no thread ends long after the others.
    objects.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut bytes = 0;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, _)) = objects.get(number) else { return Ok(bytes) };
            bytes += object(path, &out.join(format!("{number}.parquet")))?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut total = 0;
        for worker in workers {
            let bytes: Result<usize, Failure> = worker.join().map_err(|_| "a thread panicked")?;
            total += bytes?;
        }
        Ok(total)
    })
}

fn list(folder: &Path, objects: &mut Vec<(PathBuf, u64)>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            list(&path, objects)?;
        } else if layout(&path).is_some() {
            objects.push((path, entry.metadata()?.len()));
        }
    }
    Ok(())
}

/// How the fields of a source are found.
enum Layout {
    Csv,
    Ndjson(&'static [Key]),
}

/// Returns how an export is read; none for files that are no exports of the night.
fn layout(path: &Path) -> Option<Layout> {
    let source = path.parent()?.parent()?.file_name()?.to_str()?;
    match path.extension()?.to_str()? {
        "csv" if source != "truth" => Some(Layout::Csv),
        "gz" => keys(source).map(Layout::Ndjson),
        _ => None,
    }
}

/// Converts one export; returns how many bytes of text it holds.
fn object(path: &Path, out: &Path) -> Result<usize, Failure> {
    let mut text = Vec::new();
    match layout(path) {
        Some(Layout::Ndjson(keys)) => {
            MultiGzDecoder::new(File::open(path)?).read_to_end(&mut text)?;
            let names = keys.iter().map(|(outer, inner)| format!("{outer}.{inner}"));
            let mut table = Table::create(out, names)?;
            ndjson(&text, keys, &mut table)?;
            table.close()?;
        }
        _ => {
            File::open(path)?.read_to_end(&mut text)?;
            csv(&text, out)?;
        }
    }
    Ok(text.len())
}

fn ndjson(text: &[u8], keys: &[Key], table: &mut Table) -> Result<(), Failure> {
    let mut start = 0;
    let mut row = vec![None; keys.len()];
    for end in memchr::memchr_iter(b'\n', text) {
        row.fill(None);
        // The keys of a source come in one order, so the next one is most likely near.
        let mut place = 0;
        tokens::fields(&text[start..end], |outer, inner, value| {
            let is_it = |key: &Key| key.0.as_bytes() == outer && key.1.as_bytes() == inner;
            if let Some(found) = keys[place..].iter().position(is_it) {
                place += found;
                row[place] = Some(value);
            }
        });
        table.push(row.iter().copied())?;
        start = end + 1;
    }
    Ok(())
}

fn csv(text: &[u8], out: &Path) -> Result<(), Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let header = reader.byte_headers()?.clone();
    let names = header.iter().map(|name| String::from_utf8_lossy(name).into_owned());
    let mut table = Table::create(out, names)?;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        table.push((0..header.len()).map(|place| record.get(place)))?;
    }
    table.close()
}

/// A Parquet file of texts.
struct Table {
    columns: Vec<BinaryBuilder>,
    schema: Arc<Schema>,
    rows: usize,
    writer: ArrowWriter<File>,
}

impl Table {
    fn create(path: &Path, names: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let field = |name| Field::new(name, DataType::Binary, true);
        let schema = Arc::new(Schema::new(names.map(field).collect::<Vec<_>>()));
        let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
        let properties = WriterProperties::builder().set_compression(compression).build();
        let writer =
            ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties))?;
        let columns = schema.fields().iter().map(|_| BinaryBuilder::new()).collect();
        Ok(Self { columns, schema, rows: 0, writer })
    }

    fn push<'a>(&mut self, row: impl Iterator<Item = Option<&'a [u8]>>) -> Result<(), Failure> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.append_option(value);
        }
        self.rows += 1;
        if self.rows == BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let finish = |column: &mut BinaryBuilder| Arc::new(column.finish()) as ArrayRef;
        let columns = self.columns.iter_mut().map(finish).collect();
        self.rows = 0;
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?;
        Ok(())
    }

    fn close(mut self) -> Result<(), Failure> {
        self.write()?;
        self.writer.close()?;
        Ok(())
    }
}

/// The key of a field and, before it, that of the object it is in.
type Key = (&'static str, &'static str);

/// Returns the keys of a source of NDJSON, in the order in which the exports have them.
fn keys(source: &str) -> Option<&'static [Key]> {
    match source {
        "web" => Some(WEB),
        "app" => Some(APP),
        "orders" => Some(ORDERS),
        "order_lines" => Some(ORDER_LINES),
        "sends" => Some(SENDS),
        _ => None,
    }
}

const WEB: &[Key] = &[
    ("", "event_id"),
    ("", "ts"),
    ("", "received_at"),
    ("", "type"),
    ("", "session_id"),
    ("", "cookie"),
    ("", "user_id"),
    ("", "email"),
    ("", "url"),
    ("", "sku"),
    ("", "order_id"),
    ("utm", "source"),
    ("utm", "medium"),
    ("utm", "campaign"),
    ("", "referrer"),
    ("device", "type"),
    ("device", "os"),
    ("device", "browser"),
    ("", "cart_value"),
];
const APP: &[Key] = &[
    ("", "event_id"),
    ("", "ts"),
    ("", "received_at"),
    ("", "type"),
    ("", "session_id"),
    ("device", "id"),
    ("device", "os"),
    ("", "user_id"),
    ("", "phone"),
    ("", "sku"),
    ("", "order_id"),
    ("", "campaign_id"),
    ("app", "version"),
];
const ORDERS: &[Key] = &[
    ("", "order_id"),
    ("", "placed_at"),
    ("", "updated_at"),
    ("", "channel"),
    ("", "status"),
    ("", "currency"),
    ("", "items_amount"),
    ("", "discount_amount"),
    ("", "tax_amount"),
    ("", "shipping_amount"),
    ("", "refund_amount"),
    ("", "refunded_at"),
    ("", "user_id"),
    ("", "email"),
    ("", "phone"),
    ("", "cookie"),
    ("", "device_id"),
    ("coupon", "code"),
    ("coupon", "campaign_id"),
    ("", "city"),
];
const ORDER_LINES: &[Key] = &[
    ("", "order_id"),
    ("", "line_no"),
    ("", "placed_at"),
    ("", "sku"),
    ("", "quantity"),
    ("", "unit_price"),
];
const SENDS: &[Key] = &[
    ("", "send_id"),
    ("", "campaign_id"),
    ("", "channel"),
    ("", "user_id"),
    ("", "email"),
    ("", "group"),
    ("", "assigned_at"),
    ("", "sent_at"),
    ("", "opened_at"),
    ("", "clicked_at"),
    ("", "updated_at"),
];
