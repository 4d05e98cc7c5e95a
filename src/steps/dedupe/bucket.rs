//! What a contest needs to know of each row, spread over partitions by the fingerprint of its key.
//!
//! All rows of a key meet in one partition. Buckets stay in memory up to a limit, beyond which they go to a file of the
//! work folder, partition by partition; of those only the partition that is judged comes back.

use std::borrow::Cow;
use std::path::PathBuf;

use super::key::Fingerprint;
use super::order::Order;
use super::spill::{Segment, Spill, SpillError};

/// How many rows of a partition keep the table of its keys within a core's cache.
const ROWS_PER_PARTITION: usize = 32 * 1024;
const MAX_PARTITIONS: usize = 1024;
/// Bits of an order that say where its bytes begin; those above say which bucket holds them.
const OFFSET_BITS: u32 = 48;
const LENGTH_BYTES: usize = size_of::<u32>();

/// A row as a contestant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Fingerprint,
    /// A word that compares, or the place of bytes that do.
    pub(super) order: u64,
    /// The table part that holds the row: an object, or a file of the former table.
    pub(super) part: u32,
    pub(super) row: u32,
}

/// Which object a row of a former table came from, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) object: u32,
    pub(super) record: i64,
}

/// The rows of one partition that one thread has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) entries: Vec<Entry>,
    /// The local event date of each entry; empty where dates do not matter.
    pub(super) days: Vec<i32>,
    /// Where each entry comes from; empty where its part is an object.
    pub(super) origins: Vec<Origin>,
    /// Orders that are bytes, each behind its length.
    pub(super) orders: Vec<u8>,
}

/// What a row competes with.
pub(super) struct Contestant<'a> {
    pub(super) key: Fingerprint,
    pub(super) order: Order<'a>,
    /// Where the rule has a window: the local event date.
    pub(super) day: Option<i32>,
    pub(super) part: u32,
    pub(super) row: u32,
    /// Of a row of the former table.
    pub(super) origin: Option<Origin>,
}

/// How many partitions there are for so many rows.
pub(super) fn partitions(rows: usize) -> usize {
    (rows / ROWS_PER_PARTITION).next_power_of_two().min(MAX_PARTITIONS)
}

/// The rows one thread has read, by partition.
pub(super) struct Buckets {
    number: u64,
    partitions: Vec<Bucket>,
    /// What of each partition is in the file.
    segments: Vec<Vec<Segment>>,
    /// Bytes that the partitions hold in memory.
    held: usize,
    room: usize,
    spill: Spill,
}

/// How much one thread may read, and where the rest goes.
pub(super) struct Room {
    pub(super) partitions: usize,
    /// How many rows are expected.
    pub(super) rows: usize,
    /// Bytes that may stay in memory.
    pub(super) bytes: usize,
    pub(super) file: PathBuf,
}

impl Buckets {
    /// Makes empty buckets; `number` is their place among all buckets.
    pub(super) fn new(number: usize, room: Room) -> Self {
        let Room { partitions, rows, bytes, file } = room;
        let rows = rows.min(bytes / size_of::<Entry>());
        let expected = rows / partitions;
        // A little more than the mean, so that few buckets have to grow.
        let entries = expected + expected / 8;
        let bucket = || Bucket { entries: Vec::with_capacity(entries), ..Bucket::default() };
        Self {
            number: number as u64,
            partitions: (0..partitions).map(|_| bucket()).collect(),
            segments: vec![Vec::new(); partitions],
            held: 0,
            room: bytes,
            spill: Spill::new(file),
        }
    }

    /// Enters a row into the contest of its key.
    pub(super) fn enter(&mut self, contestant: &Contestant<'_>) {
        let Contestant { key, part, row, .. } = *contestant;
        // The table of a partition takes the other half of the fingerprint.
        let partition = key[0] as usize & (self.partitions.len() - 1);
        let bucket = &mut self.partitions[partition];
        let order = match contestant.order {
            Order::Word(word) => word,
            Order::Bytes(bytes) => {
                self.held += LENGTH_BYTES + bytes.len();
                self.number << OFFSET_BITS | bucket.park(bytes)
            }
        };
        bucket.entries.push(Entry { key, order, part, row });
        bucket.days.extend(contestant.day);
        bucket.origins.extend(contestant.origin);
        self.held += size_of::<Entry>()
            + contestant.day.map_or(0, |day| size_of_val(&day))
            + contestant.origin.map_or(0, |origin| size_of_val(&origin));
    }

    /// Makes room where too much is in memory; to be called now and then.
    pub(super) fn settle(&mut self) -> Result<(), SpillError> {
        if self.held <= self.room {
            return Ok(());
        }
        for (bucket, segments) in self.partitions.iter_mut().zip(&mut self.segments) {
            if !bucket.entries.is_empty() {
                segments.push(self.spill.write(bucket)?);
                bucket.clear();
            }
        }
        self.held = 0;
        Ok(())
    }

    /// Calls `take` with the key of every row.
    pub(super) fn each_key(&self, mut take: impl FnMut(Fingerprint)) -> Result<(), SpillError> {
        for partition in 0..self.partitions.len() {
            let bucket = self.bucket(partition)?;
            for entry in &bucket.entries {
                take(entry.key);
            }
        }
        Ok(())
    }

    /// Returns a partition, with what of it is in the file.
    pub(super) fn bucket(&self, partition: usize) -> Result<Cow<'_, Bucket>, SpillError> {
        let in_memory = &self.partitions[partition];
        let segments = &self.segments[partition];
        if segments.is_empty() {
            return Ok(Cow::Borrowed(in_memory));
        }
        let mut whole = Bucket::default();
        self.spill.read(segments, |bucket| whole.append(bucket))?;
        whole.append(in_memory);
        Ok(Cow::Owned(whole))
    }
}

/// Returns the number of the buckets that hold the bytes of an order.
pub(super) fn holder(order: u64) -> usize {
    (order >> OFFSET_BITS) as usize
}

impl Bucket {
    fn park(&mut self, order: &[u8]) -> u64 {
        let offset = self.orders.len() as u64;
        self.orders.extend_from_slice(&(order.len() as u32).to_le_bytes());
        self.orders.extend_from_slice(order);
        offset
    }

    /// Returns the bytes of an order that this bucket holds.
    pub(super) fn parked(&self, order: u64) -> &[u8] {
        let offset = order & ((1 << OFFSET_BITS) - 1);
        let bytes = &self.orders[offset as usize..];
        let mut length = [0; LENGTH_BYTES];
        length.copy_from_slice(&bytes[..LENGTH_BYTES]);
        &bytes[LENGTH_BYTES..][..u32::from_le_bytes(length) as usize]
    }

    /// Adds the rows of another bucket of the same partition and thread.
    fn append(&mut self, other: &Self) {
        // Orders that are bytes lie behind those that are here already.
        let moved = self.orders.len() as u64;
        let entries = other.entries.iter();
        self.entries.extend(entries.map(|entry| Entry { order: entry.order + moved, ..*entry }));
        self.days.extend_from_slice(&other.days);
        self.origins.extend_from_slice(&other.origins);
        self.orders.extend_from_slice(&other.orders);
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.days.clear();
        self.origins.clear();
        self.orders.clear();
    }
}
