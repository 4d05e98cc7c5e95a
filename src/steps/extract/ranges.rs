//! Reads an object as bounded ranges, a few of them ahead of the reader.
//!
//! One long GET dies when its consumer is slow, so none is made: each range is a request of its own, and holds the
//! object's `ETag` so that an object that changes meanwhile is noticed.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use object_store::{GetOptions, ObjectStore};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::types::SourceObject;

const RANGE: u64 = 8 << 20;
/// How many ranges are under way while one is consumed.
const AHEAD: usize = 2;

type Fetch = JoinHandle<object_store::Result<Bytes>>;

/// Reads an object from a thread that may block; the requests run on the runtime.
pub(crate) struct RangeReader {
    store: Arc<dyn ObjectStore>,
    object: Arc<SourceObject>,
    runtime: Handle,
    range: u64,
    requested: u64,
    under_way: VecDeque<Fetch>,
    current: Bytes,
}

impl RangeReader {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        object: Arc<SourceObject>,
        runtime: Handle,
    ) -> Self {
        Self {
            store,
            object,
            runtime,
            range: RANGE,
            requested: 0,
            under_way: VecDeque::new(),
            current: Bytes::new(),
        }
    }

    /// Makes ranges of another size, for tests with small objects.
    #[cfg(test)]
    pub(crate) fn with_range(mut self, bytes: u64) -> Self {
        self.range = bytes;
        self
    }

    fn request_ahead(&mut self) {
        while self.under_way.len() <= AHEAD && self.requested < self.object.size {
            let end = self.object.size.min(self.requested + self.range);
            let store = Arc::clone(&self.store);
            let object = Arc::clone(&self.object);
            let fetch = fetch(store, object, self.requested..end);
            self.under_way.push_back(self.runtime.spawn(fetch));
            self.requested = end;
        }
    }

    fn next_range(&mut self) -> io::Result<()> {
        self.request_ahead();
        let Some(fetch) = self.under_way.pop_front() else {
            return Ok(());
        };
        let fetched = self.runtime.block_on(fetch).map_err(io::Error::other)?;
        self.current = fetched.map_err(io::Error::other)?;
        Ok(())
    }
}

/// Reads a range of an object, unless the object has changed since it was listed.
pub(crate) async fn fetch(
    store: Arc<dyn ObjectStore>,
    object: Arc<SourceObject>,
    range: Range<u64>,
) -> object_store::Result<Bytes> {
    let options = GetOptions {
        range: Some(range.into()),
        if_match: object.etag.clone(),
        ..GetOptions::default()
    };
    store.get_opts(&object.location, options).await?.bytes().await
}

impl BufRead for RangeReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() {
            self.next_range()?;
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        self.current.advance(amount);
    }
}

impl Read for RangeReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(target.len());
        target[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

impl Drop for RangeReader {
    fn drop(&mut self) {
        for fetch in &self.under_way {
            fetch.abort();
        }
    }
}
