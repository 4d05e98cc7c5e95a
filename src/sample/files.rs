//! Files of a sample and where they lie.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use super::options::{Options, SampleError};
use super::source::Source;

/// The folder of the truth, below the raw root.
pub(super) const TRUTH: &str = "truth";
/// The file by which a sample is known as one.
const MARKER: &str = "sample.json";
/// Takes much less time than the default level, for a few percent more bytes.
const LEVEL: u32 = 4;
/// Bytes that are compressed at once; line by line takes longer.
const BLOCK: usize = 1 << 16;

/// Makes room for a sample: removes the folders of a former one, and nothing else.
pub(super) fn prepare(options: &Options) -> Result<(), SampleError> {
    let marker = options.out.join(TRUTH).join(MARKER);
    let is_sample = marker.exists();
    // The marker goes last, so that an interrupted removal can be taken up again.
    let folders = Source::ALL.map(Source::folder).into_iter().chain([TRUTH]);
    for path in folders.map(|folder| options.out.join(folder)) {
        if !path.exists() {
            continue;
        }
        if !is_sample {
            return Err(SampleError::Foreign { path });
        }
        fs::remove_dir_all(&path).map_err(|source| SampleError::File { path, source })?;
    }
    write(&marker, about(options).as_bytes())
}

/// Returns what the sample is made of, as JSON.
fn about(options: &Options) -> String {
    let about = serde_json::json!({
        "made_by": "martlet sample",
        "customers": options.customers,
        "days": options.days,
        "seed": options.seed,
        "last_day": options.last_day.to_string(),
        "activity": options.activity,
    });
    format!("{about:#}\n")
}

/// Writes a file, and the folders it lies in.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), SampleError> {
    let failed = |source| SampleError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

/// Returns the path of one file of a source's export of a day.
pub(super) fn export_path(
    options: &Options,
    source: Source,
    date: chrono::NaiveDate,
    name: &str,
) -> PathBuf {
    let ending = match source.header() {
        Some(_) => "csv",
        None => "ndjson.gz",
    };
    options.out.join(source.folder()).join(format!("dt={date}")).join(format!("{name}.{ending}"))
}

/// Returns the bytes of a file of a source.
pub(super) fn encode<'a>(
    source: Source,
    lines: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, SampleError> {
    let Some(header) = source.header() else {
        return gzip(lines);
    };
    let mut bytes = header.as_bytes().to_vec();
    bytes.push(b'\n');
    lines.for_each(|line| bytes.extend_from_slice(line));
    Ok(bytes)
}

/// Compresses lines; the header holds no time and no name, so that equal lines give equal bytes.
pub(super) fn gzip<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, SampleError> {
    let in_memory = |source| SampleError::File { path: PathBuf::from("(memory)"), source };
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(LEVEL));
    let mut block = Vec::with_capacity(2 * BLOCK);
    for line in lines {
        block.extend_from_slice(line);
        if block.len() >= BLOCK {
            encoder.write_all(&block).map_err(in_memory)?;
            block.clear();
        }
    }
    encoder.write_all(&block).map_err(in_memory)?;
    encoder.finish().map_err(in_memory)
}
