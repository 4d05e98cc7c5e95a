//! Opens an object: its bytes, decompressed, decoded into batches of raw records.

use std::io::Read;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::ahead::ahead;
use super::block::Blocks;
use super::csv::CsvDecoder;
use super::decompress::{capped, decompress, is_compressed};
use super::json_array::JsonArrayDecoder;
use super::ndjson::NdjsonDecoder;
use super::parquet::ParquetReader;
use super::ranges::RangeReader;
use super::records::Records;
use super::transcode::transcode;
use super::wanted::Wanted;
use super::xlsx::XlsxReader;
use super::{Drift, ExtractError, ExtractErrorKind, Extracted, RawBatch, SourceObject};
use crate::engine::Context;
use crate::infer::Field;
use crate::plan;

/// How much decompressed text is decoded at a time; small enough to stay in the processor's cache.
const BLOCK: usize = 1 << 20;
/// How long a workbook may be as it is stored: it is in memory while it is read.
const MOST_WORKBOOK: u64 = 256 << 20;
/// How many records tell the type of a field that is not declared.
const SAMPLED: usize = 1000;

/// Yields the records of one object, batch by batch; for a thread that may block.
pub(crate) struct RawReader {
    source: Arc<plan::Source>,
    object: Arc<SourceObject>,
    records: Option<Reader>,
}

enum Reader {
    Text(Box<TextReader>),
    Parquet(ParquetReader),
    Xlsx(XlsxReader),
}

impl Extracted {
    /// Opens an object for a thread that may block; its requests run on `runtime`.
    pub(crate) fn open(
        &self,
        ctx: &Context,
        runtime: &Handle,
        object: &Arc<SourceObject>,
    ) -> Result<RawReader, ExtractError> {
        let mut reader = RawReader {
            source: Arc::clone(&self.source),
            object: Arc::clone(object),
            records: None,
        };
        if object.size > 0 {
            let wanted = Wanted::of(&self.source);
            let opened = open(ctx, runtime, &self.source, object, &wanted, self.inflating(ctx));
            reader.records = Some(opened.map_err(|kind| reader.failed(kind))?);
        }
        Ok(reader)
    }

    /// Where there are fewer objects than keep all threads busy, one object shall keep more than one busy.
    fn inflating(&self, ctx: &Context) -> Inflating {
        let few = self.objects.len() < 2 * ctx.threads;
        if few && ctx.threads > 1 { Inflating::Ahead } else { Inflating::InTurn }
    }
}

impl Extracted {
    /// Returns values of fields that are not declared, from the first records of an object.
    pub(crate) fn sample(
        &self,
        ctx: &Context,
        runtime: &Handle,
        object: &Arc<SourceObject>,
        fields: &[String],
    ) -> Vec<Field> {
        let wanted = Wanted::each(fields);
        let opened = open(ctx, runtime, &self.source, object, &wanted, Inflating::InTurn);
        let batch = opened.and_then(|mut reader| reader.next_batch());
        // What can be decoded has been decoded before, so an error can only cost the guess of a type.
        let batch = batch.ok().flatten();
        let values = |place: usize| {
            let texts = batch.iter().flat_map(move |batch| batch.column(place));
            texts.take(SAMPLED).map(|text| text.map(str::to_owned)).collect()
        };
        let fields = fields.iter().enumerate();
        fields.map(|(place, name)| Field { name: name.clone(), values: values(place) }).collect()
    }
}

impl Reader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, ExtractErrorKind> {
        match self {
            Self::Text(reader) => reader.next_batch(),
            Self::Parquet(reader) => reader.next_batch(),
            Self::Xlsx(reader) => reader.next_batch(),
        }
    }
}

impl RawReader {
    /// Returns how the fields of the records so far differ from those the source declares.
    pub(crate) fn drift(&self) -> Drift {
        match &self.records {
            None => Drift::default(),
            Some(Reader::Parquet(reader)) => reader.drift(),
            Some(Reader::Xlsx(reader)) => reader.drift(),
            Some(Reader::Text(reader)) => match &reader.decoder {
                TextDecoder::Csv(decoder) => decoder.drift(),
                TextDecoder::Ndjson(decoder) => decoder.drift(&self.source.raw_fields()),
                TextDecoder::JsonArray(decoder) => decoder.drift(&self.source.raw_fields()),
            },
        }
    }

    fn failed(&self, kind: ExtractErrorKind) -> ExtractError {
        ExtractError {
            source_name: self.source.name.clone(),
            object: Some(Arc::clone(&self.object.path)),
            kind,
        }
    }
}

impl Iterator for RawReader {
    type Item = Result<RawBatch, ExtractError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.records.as_mut()?.next_batch() {
            Ok(batch) => batch.map(Ok),
            Err(kind) => {
                self.records = None;
                Some(Err(self.failed(kind)))
            }
        }
    }
}

/// Where compression is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inflating {
    /// On the thread that decodes.
    InTurn,
    /// On a thread of its own.
    Ahead,
}

fn open(
    ctx: &Context,
    runtime: &Handle,
    source: &plan::Source,
    object: &Arc<SourceObject>,
    wanted: &Wanted,
    inflating: Inflating,
) -> Result<Reader, ExtractErrorKind> {
    let store = Arc::clone(&ctx.raw.store);
    if source.format == plan::Format::Parquet {
        let reader = ParquetReader::open(store, runtime.clone(), source, object, wanted)?;
        return Ok(Reader::Parquet(reader));
    }
    let bytes = RangeReader::new(store, Arc::clone(object), runtime.clone());
    let mut text = decompress(bytes, source.compression, &object.path)?;
    if inflating == Inflating::Ahead && is_compressed(source.compression, &object.path) {
        text = ahead(text, runtime);
    }
    let text = capped(text, source.limits.object);
    if let plan::Format::Xlsx(format) = &source.format {
        let bytes = whole(text)?;
        let reader = XlsxReader::start(runtime, bytes, format, source.limits, wanted.clone());
        return Ok(Reader::Xlsx(reader));
    }
    let decoder = TextDecoder::new(source, wanted)?;
    let (text, encoding) =
        transcode(text, source.encoding).map_err(ExtractErrorKind::from_stream)?;
    let mut reader = TextReader::new(text, BLOCK, decoder, &wanted.fields);
    reader.records.name_charset(encoding);
    reader.records.limit_rows(source.limits.batch_rows);
    Ok(Reader::Text(Box::new(reader)))
}

/// Reads a workbook, whose list of parts stands at its end.
fn whole(mut text: Box<dyn Read + Send>) -> Result<Vec<u8>, ExtractErrorKind> {
    let mut bytes = Vec::new();
    let limit = MOST_WORKBOOK;
    text.by_ref().take(limit + 1).read_to_end(&mut bytes).map_err(ExtractErrorKind::from_stream)?;
    if bytes.len() as u64 > limit {
        return Err(ExtractErrorKind::TooLong { limit });
    }
    Ok(bytes)
}

/// How the text of an object is decoded.
pub(super) enum TextDecoder {
    Csv(CsvDecoder),
    Ndjson(NdjsonDecoder),
    JsonArray(JsonArrayDecoder),
}

impl TextDecoder {
    fn new(source: &plan::Source, wanted: &Wanted) -> Result<Self, ExtractErrorKind> {
        let record = source.limits.record;
        Ok(match &source.format {
            plan::Format::Csv(format) => {
                Self::Csv(CsvDecoder::new(format, wanted)?.with_max_record(record))
            }
            plan::Format::Json => {
                Self::JsonArray(JsonArrayDecoder::new(&wanted.fields).with_max_record(record))
            }
            plan::Format::Ndjson | plan::Format::Parquet | plan::Format::Xlsx(_) => {
                Self::Ndjson(NdjsonDecoder::new(&wanted.fields).with_max_record(record))
            }
        })
    }
}

/// Decodes a text, block by block.
pub(super) struct TextReader {
    blocks: Blocks,
    decoder: TextDecoder,
    records: Records,
}

impl TextReader {
    pub(super) fn new(
        text: Box<dyn Read + Send>,
        block: usize,
        decoder: TextDecoder,
        fields: &[String],
    ) -> Self {
        Self { blocks: Blocks::new(text, block), decoder, records: Records::new(fields.into()) }
    }

    /// Returns the next records, or nothing at the end of the object.
    pub(super) fn next_batch(&mut self) -> Result<Option<RawBatch>, ExtractErrorKind> {
        self.blocks.fill().map_err(ExtractErrorKind::from_stream)?;
        while !self.blocks.window().is_empty() {
            self.records.begin(self.blocks.offset());
            let length = self.decode_window()?;
            if length == 0 {
                self.blocks.grow().map_err(ExtractErrorKind::from_stream)?;
                continue;
            }
            let batch = self.records.finish(self.blocks.take(length));
            if batch.rows() > 0 || !batch.broken().is_empty() {
                return Ok(Some(batch));
            }
            self.blocks.fill().map_err(ExtractErrorKind::from_stream)?;
        }
        self.last_batch()
    }

    /// Lets the decoder say what is missing at the end of the object.
    fn last_batch(&mut self) -> Result<Option<RawBatch>, ExtractErrorKind> {
        self.records.begin(self.blocks.offset());
        self.decode_window()?;
        let batch = self.records.finish(Vec::new());
        Ok((!batch.broken().is_empty()).then_some(batch))
    }

    fn decode_window(&mut self) -> Result<usize, ExtractErrorKind> {
        let window = self.blocks.window();
        let at_end = self.blocks.at_end();
        match &mut self.decoder {
            TextDecoder::Csv(decoder) => decoder.decode(window, at_end, &mut self.records),
            TextDecoder::JsonArray(decoder) => decoder.decode(window, at_end, &mut self.records),
            TextDecoder::Ndjson(decoder) => Ok(decoder.decode(window, at_end, &mut self.records)),
        }
    }
}
