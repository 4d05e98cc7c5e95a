//! Lets threads that have no object left clean batches of those that have one.
//!
//! A night brings few objects of a source, often one. Its thread decodes it and hands batches to threads that wait for
//! some; while those have enough to do, it cleans the next one itself. What comes back is put in the order of the
//! records.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::CleanErrorKind;
use super::batch::{CleanPiece, RawPiece};

/// How many batches of an object may be under way: what is behind a slow one stays in memory.
const MOST_UNDER_WAY: usize = 32;

type Answer = Result<CleanPiece, CleanErrorKind>;

/// Where threads that have objects meet those that have none.
#[derive(Default)]
pub(super) struct Helpers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    /// Threads that may still ask.
    asking: usize,
    /// Threads that answer.
    helping: usize,
}

struct Request {
    piece: RawPiece,
    answer: SyncSender<Answer>,
}

impl Request {
    fn answered(self, clean: &mut impl FnMut(&RawPiece) -> Answer) {
        // Nobody listens any more where the object has failed.
        let _ = self.answer.send(clean(&self.piece));
    }
}

/// Counts a thread among those that ask, or those that help, while it lives.
pub(super) struct Counted<'a> {
    helpers: &'a Helpers,
    counter: fn(&mut State) -> &mut usize,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *(self.counter)(&mut self.helpers.state()) -= 1;
        self.helpers.changed.notify_all();
    }
}

impl Helpers {
    /// Counts the calling thread among those that may ask, until what is returned is dropped.
    pub(super) fn asking(&self) -> Counted<'_> {
        self.counted(|state| &mut state.asking)
    }

    /// Cleans what others ask for, until nobody can ask any more.
    pub(super) fn help(&self, mut clean: impl FnMut(&RawPiece) -> Answer) {
        let _helping = self.counted(|state| &mut state.helping);
        while let Some(request) = self.wait() {
            request.answered(&mut clean);
        }
    }

    fn counted(&self, counter: fn(&mut State) -> &mut usize) -> Counted<'_> {
        *counter(&mut self.state()) += 1;
        Counted { helpers: self, counter }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> Option<Request> {
        let idle = |state: &mut State| state.requests.is_empty() && state.asking > 0;
        let state = self.changed.wait_while(self.state(), idle);
        state.unwrap_or_else(PoisonError::into_inner).requests.pop_front()
    }

    fn taken(&self) -> Option<Request> {
        self.state().requests.pop_front()
    }

    /// Hands a batch to a thread that helps, or back where none would take it soon.
    fn ask(&self, piece: RawPiece) -> Result<Receiver<Answer>, RawPiece> {
        let mut state = self.state();
        if state.requests.len() >= state.helping {
            return Err(piece);
        }
        let (answer, receiver) = mpsc::sync_channel(1);
        state.requests.push_back(Request { piece, answer });
        self.changed.notify_one();
        Ok(receiver)
    }
}

/// The batches of one object that are being cleaned, in the order of their records.
pub(super) struct Line<'a> {
    helpers: &'a Helpers,
    turns: VecDeque<Turn>,
}

enum Turn {
    Done(Answer),
    Asked(Receiver<Answer>),
}

impl<'a> Line<'a> {
    pub(super) fn new(helpers: &'a Helpers) -> Self {
        Self { helpers, turns: VecDeque::new() }
    }

    /// Has a batch cleaned, by another thread or by `clean`.
    pub(super) fn enter(&mut self, piece: RawPiece, clean: &mut impl FnMut(&RawPiece) -> Answer) {
        self.turns.push_back(match self.helpers.ask(piece) {
            Ok(receiver) => Turn::Asked(receiver),
            Err(piece) => Turn::Done(clean(&piece)),
        });
    }

    /// Returns the first batch if it is clean, and waits for it where too many are behind it.
    pub(super) fn ready(&mut self, clean: &mut impl FnMut(&RawPiece) -> Answer) -> Option<Answer> {
        if self.turns.len() >= MOST_UNDER_WAY {
            return self.next(clean);
        }
        match self.turns.pop_front()? {
            Turn::Done(answer) => Some(answer),
            Turn::Asked(receiver) => match receiver.try_recv() {
                Ok(answer) => Some(answer),
                Err(mpsc::TryRecvError::Disconnected) => Some(Err(CleanErrorKind::Helper)),
                Err(mpsc::TryRecvError::Empty) => {
                    self.turns.push_front(Turn::Asked(receiver));
                    None
                }
            },
        }
    }

    /// Returns the first batch as soon as it is clean; lends a hand meanwhile.
    pub(super) fn next(&mut self, clean: &mut impl FnMut(&RawPiece) -> Answer) -> Option<Answer> {
        let receiver = match self.turns.pop_front()? {
            Turn::Done(answer) => return Some(answer),
            Turn::Asked(receiver) => receiver,
        };
        // What is still asked for may be this very batch, and nobody else may be left to clean it.
        loop {
            match receiver.try_recv() {
                Ok(answer) => return Some(answer),
                Err(mpsc::TryRecvError::Disconnected) => return Some(Err(CleanErrorKind::Helper)),
                Err(mpsc::TryRecvError::Empty) => match self.helpers.taken() {
                    Some(request) => request.answered(clean),
                    None => break,
                },
            }
        }
        Some(receiver.recv().unwrap_or(Err(CleanErrorKind::Helper)))
    }
}
