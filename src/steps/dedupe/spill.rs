//! Buckets in a file of the work folder.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::bucket::{Bucket, Entry, Origin};

/// Says which file failed.
#[derive(Debug, thiserror::Error)]
#[error("the work file `{path}` cannot be used")]
pub(crate) struct SpillError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Where a bucket lies in the file, and how much of everything it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    offset: u64,
    entries: usize,
    days: usize,
    origins: usize,
    orders: usize,
}

impl Segment {
    fn bytes(&self) -> usize {
        self.entries * ENTRY + self.days * DAY + self.origins * ORIGIN + self.orders
    }
}

const ENTRY: usize = 32;
const DAY: usize = 4;
const ORIGIN: usize = 12;

/// A file of buckets, removed when this is dropped.
pub(super) struct Spill {
    path: PathBuf,
    file: Option<File>,
    length: u64,
    /// Kept for the next bucket.
    bytes: Vec<u8>,
}

impl Drop for Spill {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The work folder is removed as a whole when the run ends, so a file left here does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Spill {
    /// Names the file, which is made when it is needed.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, length: 0, bytes: Vec::new() }
    }

    /// Adds a bucket.
    pub(super) fn write(&mut self, bucket: &Bucket) -> Result<Segment, SpillError> {
        let segment = Segment {
            offset: self.length,
            entries: bucket.entries.len(),
            days: bucket.days.len(),
            origins: bucket.origins.len(),
            orders: bucket.orders.len(),
        };
        self.bytes.clear();
        put(bucket, &mut self.bytes);
        self.append().map_err(|source| self.failed(source))?;
        self.length += self.bytes.len() as u64;
        Ok(segment)
    }

    fn append(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(File::create(&self.path)?);
        }
        self.file.iter_mut().try_for_each(|file| file.write_all(&self.bytes))
    }

    /// Calls `take` with each of these buckets.
    pub(super) fn read(
        &self,
        segments: &[Segment],
        mut take: impl FnMut(&Bucket),
    ) -> Result<(), SpillError> {
        let mut read = || {
            // Each reader has a place of its own in the file.
            let mut file = File::open(&self.path)?;
            let mut bytes = Vec::new();
            for segment in segments {
                file.seek(SeekFrom::Start(segment.offset))?;
                bytes.resize(segment.bytes(), 0);
                file.read_exact(&mut bytes)?;
                take(&bucket(segment, &bytes));
            }
            Ok(())
        };
        read().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SpillError {
        SpillError { path: self.path.clone(), source }
    }
}

fn put(bucket: &Bucket, bytes: &mut Vec<u8>) {
    for Entry { key, order, part, row } in &bucket.entries {
        for word in [key[0], key[1], *order] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for word in [*part, *row] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    for day in &bucket.days {
        bytes.extend_from_slice(&day.to_le_bytes());
    }
    for Origin { object, record } in &bucket.origins {
        bytes.extend_from_slice(&object.to_le_bytes());
        bytes.extend_from_slice(&record.to_le_bytes());
    }
    bytes.extend_from_slice(&bucket.orders);
}

/// Reads a bucket back; `bytes` are as many as it has.
fn bucket(segment: &Segment, bytes: &[u8]) -> Bucket {
    let (entries, bytes) = bytes.split_at(segment.entries * ENTRY);
    let (days, bytes) = bytes.split_at(segment.days * DAY);
    let (origins, orders) = bytes.split_at(segment.origins * ORIGIN);
    let entry = |bytes: &[u8]| Entry {
        key: [u64::from_le_bytes(word(bytes, 0)), u64::from_le_bytes(word(bytes, 8))],
        order: u64::from_le_bytes(word(bytes, 16)),
        part: u32::from_le_bytes(word(bytes, 24)),
        row: u32::from_le_bytes(word(bytes, 28)),
    };
    let origin = |bytes: &[u8]| Origin {
        object: u32::from_le_bytes(word(bytes, 0)),
        record: i64::from_le_bytes(word(bytes, 4)),
    };
    Bucket {
        entries: entries.chunks_exact(ENTRY).map(entry).collect(),
        days: days.chunks_exact(DAY).map(|bytes| i32::from_le_bytes(word(bytes, 0))).collect(),
        origins: origins.chunks_exact(ORIGIN).map(origin).collect(),
        orders: orders.to_vec(),
    }
}

fn word<const BYTES: usize>(bytes: &[u8], start: usize) -> [u8; BYTES] {
    let mut word = [0; BYTES];
    word.copy_from_slice(&bytes[start..start + BYTES]);
    word
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Entry, Origin, Spill};

    fn bucket(first: u32, rows: u32) -> Bucket {
        let numbers = || first..first + rows;
        Bucket {
            entries: numbers()
                .map(|row| Entry {
                    key: [u64::from(row) << 40, u64::MAX - u64::from(row)],
                    order: u64::from(row) << 48 | 7,
                    part: row + 1,
                    row,
                })
                .collect(),
            days: numbers().map(|row| -(row.cast_signed())).collect(),
            origins: numbers()
                .map(|row| Origin { object: row, record: i64::from(row) << 33 })
                .collect(),
            orders: numbers().flat_map(u32::to_le_bytes).collect(),
        }
    }

    #[test]
    fn buckets_come_back_as_they_were_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(folder.path().join("spill"));
        let all = [bucket(0, 100), bucket(7, 1), Bucket::default(), bucket(1000, 5)];
        let segments: Vec<_> = all.iter().map(|bucket| spill.write(bucket).unwrap()).collect();
        let mut found = Vec::new();
        let chosen = [segments[3], segments[0], segments[2]];
        spill.read(&chosen, |bucket| found.push(bucket.clone())).unwrap();
        assert!(found == [all[3].clone(), all[0].clone(), all[2].clone()]);
        drop(spill);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_told() {
        let mut spill = Spill::new("/nowhere/at/all".into());
        let error = spill.write(&bucket(0, 1)).unwrap_err();
        assert_eq!(error.to_string(), "the work file `/nowhere/at/all` cannot be used");
    }
}
