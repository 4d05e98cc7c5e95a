//! An object store for tests that fails when it is told to.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, UploadPart,
};

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service was not there: nothing has happened.
    Before,
    /// The answer was lost: it has happened.
    After,
    /// Nobody answered in time: what was to be written is.
    TimedOut,
    /// What is read ends before its end; what was to be written is not.
    ShortBody,
    /// The answer was lost, and the client's own repetition is told of a conflict (412).
    Conflict,
    /// A conflict (412) is told although nothing has happened, as some services do under load.
    FalseConflict,
    /// The answer was lost, and the client's own repetition is told that others are at it (409).
    Exists,
    /// It is told that others are at it (409) although nothing has happened, as S3 does.
    FalseExists,
    /// Uploads in parts never get on.
    Stall,
    /// No operation fails, but copies that are to replace are refused where there is something, and the others replace.
    ModesOfCopies,
}

impl Fault {
    /// Every way in which a request fails.
    pub(crate) const ALL: &[Self] = &[
        Self::Before,
        Self::After,
        Self::TimedOut,
        Self::ShortBody,
        Self::Conflict,
        Self::FalseConflict,
        Self::Exists,
        Self::FalseExists,
    ];

    /// Says whether what was to be written is.
    const fn has_effect(self) -> bool {
        matches!(self, Self::After | Self::TimedOut | Self::Conflict | Self::Exists)
    }

    /// Returns what the client is told of a writing.
    fn of_write(self, path: &Path) -> Error {
        let path = path.to_string();
        match self {
            Self::Conflict | Self::FalseConflict => {
                Error::Precondition { path, source: "412 Precondition Failed".into() }
            }
            // The client knows no other name for this status.
            Self::Exists | Self::FalseExists => {
                Error::AlreadyExists { path, source: "409 Conflict".into() }
            }
            _ => self.of_read(),
        }
    }

    /// Returns what the client is told of a reading.
    fn of_read(self) -> Error {
        match self {
            Self::TimedOut => failed("operation timed out"),
            Self::ShortBody => failed("end of file before message length reached"),
            _ => failed("503 Service Unavailable"),
        }
    }
}

fn failed(source: &'static str) -> Error {
    Error::Generic { store: "FaultStore", source: source.into() }
}

/// A store in memory of which one operation fails, or all from one on.
#[derive(Debug)]
pub(crate) struct FaultStore {
    inner: InMemory,
    fault: Fault,
    first: usize,
    for_good: bool,
    armed: AtomicBool,
    count: AtomicUsize,
    /// How many stalled uploads were aborted.
    pub(crate) aborted: Arc<AtomicUsize>,
    stalled: AtomicBool,
}

/// An upload whose parts are never taken.
#[derive(Debug)]
struct Stalled {
    aborted: Arc<AtomicUsize>,
}

#[async_trait]
impl MultipartUpload for Stalled {
    fn put_part(&mut self, _part: PutPayload) -> UploadPart {
        std::future::pending().boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        std::future::pending().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.aborted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl FaultStore {
    /// Makes the operation of this number fail, counted from 0.
    pub(crate) fn new(inner: InMemory, fault: Fault, first: usize, for_good: bool) -> Arc<Self> {
        let (armed, count) = (AtomicBool::new(true), AtomicUsize::new(0));
        let (aborted, stalled) = (Arc::default(), AtomicBool::new(false));
        Arc::new(Self { inner, fault, first, for_good, armed, count, aborted, stalled })
    }

    /// Lets all operations succeed from now on; says whether one has failed before.
    pub(crate) fn heal(&self) -> bool {
        self.armed.store(false, Ordering::Relaxed);
        self.count.load(Ordering::Relaxed) > self.first
    }

    /// Says whether an upload in parts was begun that will never end.
    pub(crate) fn has_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Counts an operation and returns how it fails.
    fn next(&self) -> Option<Fault> {
        if !self.armed.load(Ordering::Relaxed) {
            return None;
        }
        if self.fault == Fault::ModesOfCopies {
            return None;
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let hit = number == self.first || (self.for_good && number > self.first);
        hit.then_some(self.fault)
    }

    async fn write<T>(
        &self,
        path: &Path,
        effect: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let Some(fault) = self.next() else { return effect.await };
        if fault.has_effect() {
            effect.await?;
        }
        Err(fault.of_write(path))
    }

    fn read(&self) -> Result<()> {
        self.next().map_or(Ok(()), |fault| Err(fault.of_read()))
    }
}

/// Lets a body end half-way.
async fn cut_off(found: GetResult) -> Result<GetResult> {
    let (meta, range, attributes) =
        (found.meta.clone(), found.range.clone(), found.attributes.clone());
    let whole = found.bytes().await?;
    let half = whole.slice(..whole.len() / 2);
    let rest = stream::iter([Ok(half), Err(Fault::ShortBody.of_read())]).boxed();
    Ok(GetResult { payload: GetResultPayload::Stream(rest), meta, range, attributes })
}

impl fmt::Display for FaultStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FaultStore")
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.write(path, self.inner.put_opts(path, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if self.fault == Fault::Stall {
            self.stalled.store(true, Ordering::Relaxed);
            return Ok(Box::new(Stalled { aborted: Arc::clone(&self.aborted) }));
        }
        self.write(path, self.inner.put_multipart_opts(path, options)).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        match self.next() {
            None => self.inner.get_opts(path, options).await,
            Some(Fault::ShortBody) if !options.head => {
                cut_off(self.inner.get_opts(path, options).await?).await
            }
            Some(fault) => Err(fault.of_read()),
        }
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read()?;
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.read() {
            Ok(()) => self.inner.delete_stream(paths),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.read() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.read()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let options = match (self.fault, options.mode) {
            (Fault::ModesOfCopies, CopyMode::Overwrite) => options.with_mode(CopyMode::Create),
            (Fault::ModesOfCopies, CopyMode::Create) => options.with_mode(CopyMode::Overwrite),
            _ => options,
        };
        self.write(to, self.inner.copy_opts(from, to, options)).await
    }
}
