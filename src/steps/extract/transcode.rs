//! Turns a text of any charset into UTF-8.
//!
//! What means nothing in the charset becomes a byte that is no UTF-8, so that it breaks the record in which it stands,
//! and no other.

use std::io::{self, Read};
use std::ops::Range;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// How many bytes are turned at a time.
const PIECE: usize = 64 << 10;
/// A byte that stands nowhere in UTF-8.
const MEANINGLESS: u8 = 0xFF;

/// Returns the text in UTF-8, and the charset it is written in: that of its byte order mark, or else the declared one.
pub(super) fn transcode(
    mut text: Box<dyn Read + Send>,
    declared: &'static Encoding,
) -> io::Result<(Box<dyn Read + Send>, &'static Encoding)> {
    let mut head = Vec::with_capacity(3);
    text.by_ref().take(3).read_to_end(&mut head)?;
    let (encoding, mark) = match Encoding::for_bom(&head) {
        Some((encoding, mark)) => (encoding, if encoding == UTF_8 { 0 } else { mark }),
        None => (declared, 0),
    };
    head.drain(..mark);
    let text = Box::new(io::Cursor::new(head).chain(text));
    if encoding == UTF_8 {
        return Ok((text, encoding));
    }
    Ok((Box::new(Transcoder::new(text, encoding)), encoding))
}

struct Transcoder {
    text: Box<dyn Read + Send>,
    decoder: Decoder,
    input: Vec<u8>,
    /// How much of the input has been turned.
    turned: usize,
    input_ends: bool,
    output: Vec<u8>,
    /// The part of the output that has not been handed on.
    ready: Range<usize>,
    done: bool,
}

impl Transcoder {
    fn new(text: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        Self {
            text,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: Vec::with_capacity(PIECE),
            turned: 0,
            input_ends: false,
            output: vec![0; 2 * PIECE],
            ready: 0..0,
            done: false,
        }
    }

    /// Turns the next piece, or as much of it as the output holds.
    fn turn(&mut self) -> io::Result<()> {
        if self.turned == self.input.len() {
            self.input.clear();
            self.turned = 0;
            self.text.by_ref().take(PIECE as u64).read_to_end(&mut self.input)?;
            self.input_ends = self.input.len() < PIECE;
        }
        // The last byte is kept free for what means nothing.
        let room = self.output.len() - 1;
        let mut filled = 0;
        loop {
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[self.turned..],
                &mut self.output[filled..room],
                self.input_ends,
            );
            self.turned += read;
            filled += written;
            match result {
                DecoderResult::Malformed(..) => {
                    self.output[filled] = MEANINGLESS;
                    filled += 1;
                }
                DecoderResult::InputEmpty => self.done = self.input_ends,
                DecoderResult::OutputFull => {}
            }
            if !matches!(result, DecoderResult::Malformed(..)) || filled >= room {
                self.ready = 0..filled;
                return Ok(());
            }
        }
    }
}

impl Read for Transcoder {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.done {
            self.turn()?;
        }
        let amount = self.ready.len().min(target.len());
        let start = self.ready.start;
        target[..amount].copy_from_slice(&self.output[start..start + amount]);
        self.ready.start += amount;
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use encoding_rs::{Encoding, GBK, UTF_8, UTF_16LE};

    use super::{PIECE, transcode};

    fn turned(bytes: &[u8], declared: &'static Encoding) -> (Vec<u8>, &'static str) {
        let (mut text, encoding) =
            transcode(Box::new(Cursor::new(bytes.to_vec())), declared).unwrap();
        let mut all = Vec::new();
        text.read_to_end(&mut all).unwrap();
        (all, encoding.name())
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_wins_over_the_declaration() {
        let little: &[u8] = b"\xFF\xFEa\0\x2d\x4e";
        for (bytes, declared, text, name) in [
            (b"a\xd6\xd0".as_slice(), GBK, "a中".as_bytes(), "GBK"),
            (b"\xEF\xBB\xBFa\xe4\xb8\xad", GBK, b"\xEF\xBB\xBFa\xe4\xb8\xad", "UTF-8"),
            (b"a\xff", UTF_8, b"a\xff", "UTF-8"),
            (little, GBK, "a中".as_bytes(), "UTF-16LE"),
            (little, UTF_8, "a中".as_bytes(), "UTF-16LE"),
            (b"\xFE\xFF\0a\x4e\x2d", UTF_16LE, "a中".as_bytes(), "UTF-16BE"),
            (b"a\0\x2d\x4e", UTF_16LE, "a中".as_bytes(), "UTF-16LE"),
            (b"", GBK, b"", "GBK"),
            (b"a", GBK, b"a", "GBK"),
        ] {
            assert_eq!(turned(bytes, declared), (text.to_vec(), name), "{bytes:x?}");
        }
    }

    #[test]
    fn what_means_nothing_becomes_a_byte_that_is_no_utf8() {
        assert_eq!(turned(b"a\xff,\xd6\nb\xd6", GBK).0, b"a\xff,\xff\nb\xff");
        assert_eq!(turned(b"a\0\0\xd8b\0c", UTF_16LE).0, b"a\xffb\xff");
        let nonsense = vec![0xFF; 5 * PIECE];
        assert_eq!(turned(&nonsense, GBK).0, nonsense);
    }

    #[test]
    fn texts_longer_than_a_piece_are_whole() {
        for length in [PIECE / 2 - 1, PIECE / 2, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let text = "中".repeat(length);
            assert!(turned(&utf16(&text), UTF_16LE).0 == text.as_bytes(), "{length}");
        }
    }
}
