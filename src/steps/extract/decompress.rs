//! Undoes the compression of an object.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;

use super::ExtractErrorKind;
use crate::plan;

/// Undoes the compression; an object of several gzip members, bzip2 streams or zstd frames is one text.
pub(super) fn decompress(
    mut bytes: impl BufRead + Send + 'static,
    compression: plan::Compression,
    path: &str,
) -> Result<Box<dyn Read + Send>, ExtractErrorKind> {
    if !is_compressed(compression, path) {
        return Ok(Box::new(bytes));
    }
    // A compressed text without a byte is one that was cut off; the decoders take it for an empty one.
    if bytes.fill_buf().map_err(ExtractErrorKind::from_stream)?.is_empty() {
        return Err(ExtractErrorKind::from_stream(io::ErrorKind::UnexpectedEof.into()));
    }
    let consumed = Arc::new(AtomicU64::new(0));
    let bytes = Counted { bytes, consumed: Arc::clone(&consumed) };
    let text: Box<dyn Read + Send> = match resolved(compression, path) {
        plan::Compression::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
        plan::Compression::Zstd => {
            let decoder = zstd::Decoder::with_buffer(bytes);
            Box::new(decoder.map_err(ExtractErrorKind::from_stream)?)
        }
        _ => Box::new(MultiGzDecoder::new(bytes)),
    };
    Ok(Box::new(Bounded { text, consumed, made: 0, limit: Limit::default() }))
}

/// Says whether an object of this path has a compression to undo.
pub(super) fn is_compressed(compression: plan::Compression, path: &str) -> bool {
    !matches!(resolved(compression, path), plan::Compression::Auto | plan::Compression::None)
}

fn resolved(compression: plan::Compression, path: &str) -> plan::Compression {
    match compression {
        plan::Compression::Auto => compression_of(path),
        declared => declared,
    }
}

/// Stops a text that is longer than its source allows.
pub(super) fn capped(text: Box<dyn Read + Send>, limit: Option<u64>) -> Box<dyn Read + Send> {
    match limit {
        None => text,
        Some(limit) => Box::new(Capped { text, limit, left: limit }),
    }
}

fn compression_of(path: &str) -> plan::Compression {
    match path.rsplit_once('.') {
        Some((_, "gz")) => plan::Compression::Gzip,
        Some((_, "zst")) => plan::Compression::Zstd,
        Some((_, "bz2")) => plan::Compression::Bzip2,
        _ => plan::Compression::None,
    }
}

/// Says that an object holds far more than its size lets expect.
#[derive(Debug, thiserror::Error)]
#[error("the text is more than {ratio} times as long as the {compressed} bytes it is made from")]
pub(crate) struct Inflated {
    ratio: u64,
    compressed: u64,
}

/// Says that the text of an object is longer than it may be.
#[derive(Debug, thiserror::Error)]
#[error("the text is longer than {limit} bytes")]
pub(crate) struct TooLong {
    pub(crate) limit: u64,
}

struct Capped {
    text: Box<dyn Read + Send>,
    limit: u64,
    left: u64,
}

impl Read for Capped {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let amount = self.text.read(target)?;
        let left = self.left.checked_sub(amount as u64);
        self.left = left.ok_or_else(|| io::Error::other(TooLong { limit: self.limit }))?;
        Ok(amount)
    }
}

/// How much longer than the compressed bytes a text may be, once it has some length.
#[derive(Debug, Clone, Copy)]
struct Limit {
    ratio: u64,
    /// What is shorter is not judged: a short text of one letter is no attack.
    from: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Self { ratio: 200, from: 64 << 20 }
    }
}

/// Counts the compressed bytes that were consumed.
struct Counted<R> {
    bytes: R,
    consumed: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let amount = self.bytes.read(target)?;
        self.consumed.fetch_add(amount as u64, Ordering::Relaxed);
        Ok(amount)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.bytes.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.consumed.fetch_add(amount as u64, Ordering::Relaxed);
        self.bytes.consume(amount);
    }
}

/// Stops a text that grows out of all proportion to the bytes it is made from.
struct Bounded {
    text: Box<dyn Read + Send>,
    consumed: Arc<AtomicU64>,
    made: u64,
    limit: Limit,
}

impl Read for Bounded {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let amount = self.text.read(target)?;
        self.made += amount as u64;
        let compressed = self.consumed.load(Ordering::Relaxed);
        let Limit { ratio, from } = self.limit;
        if self.made > from && self.made / ratio > compressed {
            return Err(io::Error::other(Inflated { ratio, compressed }));
        }
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::{Bounded, Counted, Limit, decompress};
    use crate::plan;
    use crate::steps::extract::ExtractErrorKind;

    fn inflated(text: &[u8], limit: Limit) -> std::io::Result<usize> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        let consumed = Arc::new(AtomicU64::new(0));
        let bytes = std::io::Cursor::new(encoder.finish().unwrap());
        let bytes = Counted { bytes, consumed: Arc::clone(&consumed) };
        let text = Box::new(flate2::bufread::MultiGzDecoder::new(bytes));
        let mut bounded = Bounded { text, consumed, made: 0, limit };
        bounded.read_to_end(&mut Vec::new())
    }

    #[test]
    fn a_compressed_text_without_a_byte_was_cut_off() {
        let empty = std::io::Cursor::new(Vec::new());
        for path in ["a.gz", "a.bz2", "a.zst"] {
            let opened = decompress(empty.clone(), plan::Compression::Auto, path);
            assert!(matches!(opened.err(), Some(ExtractErrorKind::CutOff)), "{path}");
        }
        assert!(decompress(empty, plan::Compression::Auto, "a.csv").is_ok());
    }

    #[test]
    fn a_text_out_of_proportion_is_stopped_only_when_it_is_long() {
        let zeros = vec![0; 1 << 20];
        let error = inflated(&zeros, Limit { ratio: 200, from: 1 << 16 }).unwrap_err();
        assert!(error.to_string().contains("more than 200 times as long"), "{error}");
        assert_eq!(inflated(&zeros, Limit { ratio: 200, from: 1 << 20 }).unwrap(), 1 << 20);
        assert_eq!(inflated(&zeros, Limit { ratio: 1100, from: 1 << 16 }).unwrap(), 1 << 20);
    }
}
