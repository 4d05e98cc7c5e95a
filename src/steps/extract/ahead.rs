//! Undoes the compression of an object on a thread of its own, a little ahead of the decoder.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, SyncSender};

use tokio::runtime::Handle;

/// How much text is handed over at a time.
const PIECE: usize = 256 << 10;
/// How many pieces wait for the decoder.
const AHEAD: usize = 4;

type Piece = io::Result<Vec<u8>>;

/// Reads what another thread reads ahead.
struct Ahead {
    /// None behind the end.
    pieces: Option<Receiver<Piece>>,
    current: io::Cursor<Vec<u8>>,
}

/// Reads a text on another thread, which ends with the text, or soon after nobody wants the rest.
pub(super) fn ahead(mut text: Box<dyn Read + Send>, runtime: &Handle) -> Box<dyn Read + Send> {
    let (sender, pieces) = mpsc::sync_channel(AHEAD);
    runtime.spawn_blocking(move || hand_over(&mut text, &sender));
    Box::new(Ahead { pieces: Some(pieces), current: io::Cursor::default() })
}

fn hand_over(text: &mut Box<dyn Read + Send>, sender: &SyncSender<Piece>) {
    loop {
        let piece = next_piece(text);
        let is_last = !matches!(&piece, Ok(text) if !text.is_empty());
        if sender.send(piece).is_err() || is_last {
            return;
        }
    }
}

/// Reads a piece; an empty one is the end.
fn next_piece(text: &mut Box<dyn Read + Send>) -> Piece {
    let mut piece = Vec::with_capacity(PIECE);
    text.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

impl Read for Ahead {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            let amount = self.current.read(target)?;
            if amount > 0 || target.is_empty() {
                return Ok(amount);
            }
            let Some(pieces) = &self.pieces else { return Ok(0) };
            // A thread that has died hands nothing over, which must not look like the end.
            let gone = |_| io::Error::other("the thread that reads the object has died");
            let piece = pieces.recv().map_err(gone)??;
            if piece.is_empty() {
                self.pieces = None;
            }
            self.current = io::Cursor::new(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{PIECE, ahead};

    /// Yields so many bytes, then fails.
    struct Failing(usize);

    impl Read for Failing {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let amount = target.len().min(self.0).min(1000);
            if amount == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            target[..amount].fill(b'x');
            self.0 -= amount;
            Ok(amount)
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    #[test]
    fn a_text_read_ahead_is_the_same_text() {
        let runtime = runtime();
        for length in [0, 1, PIECE, PIECE + 1, 9 * PIECE + 7] {
            let text: Vec<u8> = (0..length).map(|place| place as u8).collect();
            let source = Box::new(io::Cursor::new(text.clone()));
            let mut found = Vec::new();
            let mut ahead = ahead(source, runtime.handle());
            ahead.read_to_end(&mut found).unwrap();
            assert!(found == text, "{length}");
            assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn an_error_comes_where_the_text_ends() {
        let runtime = runtime();
        let mut text = ahead(Box::new(Failing(PIECE + 10)), runtime.handle());
        text.read_exact(&mut vec![0; PIECE]).unwrap();
        let error = text.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reader_that_is_dropped_ends_its_thread() {
        let runtime = runtime();
        drop(ahead(Box::new(io::repeat(b'x')), runtime.handle()));
        // Waits for every thread that blocks.
        drop(runtime);
    }
}
