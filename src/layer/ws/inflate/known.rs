//! The history of a direction of which all is known, and what goes on with it.

use flate2::Decompress;

use crate::bounded::Handle;

use super::history::History;
use super::normal::{self, Ended, Keep};
use super::pool::{Decompressors, rewind};
use super::read_back::read_back;
use super::recent::Recent;

/// With so much history a direction gets a decompressor of its own, which then holds the history, some 40 KB in all. One with less
/// keeps its few bytes and shares decompressors with others.
const OWN: usize = 8 << 10;

/// What that takes, in bytes of memory: zlib-rs' state with its window, and what it is in.
const OWN_COST: usize = 46 << 10;

/// What a decompressor holds at most (RFC 1951 §2).
const WINDOW: u64 = 32 << 10;

/// A history without holes. It takes no memory until it is used.
#[derive(Debug)]
pub(super) struct Known {
    /// Empty while `own` holds it.
    history: History,
    lease: Handle,
    own: Option<Box<Own>>,
    /// The sender sets BFINAL now and then. A decompressor that has read that can neither go on nor say what it holds, so this direction gets none.
    finishes: bool,
    /// What came last.
    recent: Recent,
}

#[derive(Debug)]
struct Own {
    decompress: Decompress,
    /// How much history it began with.
    given: u64,
    /// That was not all that was ever sent.
    slid: bool,
}

impl Known {
    /// Goes on after `history`.
    pub(super) const fn new(history: History) -> Self {
        Self {
            history,
            lease: Handle::NONE,
            own: None,
            finishes: false,
            recent: Recent::new(),
        }
    }

    /// Inflates one message into `out`, which is empty. The history is worth nothing after [`Ended::Invalid`], [`Ended::Unprepared`] and when
    /// [`Ended::TooLong`] says so, and it is just the message itself after [`Ended::Finished`].
    pub(super) fn message(
        &mut self,
        decompressors: &mut Decompressors,
        payload: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
        sink: &mut Vec<u8>,
    ) -> Ended {
        let ended = self.inflate(decompressors, payload, limit, out, sink);
        match ended {
            Ended::Done => self.recent.push(payload),
            _ => self.recent.clear(),
        }
        ended
    }

    fn inflate(
        &mut self,
        decompressors: &mut Decompressors,
        payload: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
        sink: &mut Vec<u8>,
    ) -> Ended {
        // BFINAL of the first block (RFC 1951 §3.2.3): most often there is only one.
        if payload.first().is_some_and(|first| first & 1 == 1) && !self.finishes {
            self.finishes = true;
            if !self.take_back() {
                return Ended::Invalid;
            }
        }
        if let Some(own) = &mut self.own {
            return normal::message(&mut own.decompress, Keep::Inside, payload, limit, out, sink);
        }
        let Some(decompress) = decompressors.continuing(&mut self.lease, &self.history) else {
            return Ended::Invalid;
        };
        let ended = normal::message(decompress, Keep::In(&mut self.history), payload, limit, out, sink);
        match ended {
            Ended::Done | Ended::TooLong { lost: false } => {
                if self.history.len() >= OWN && !self.finishes {
                    self.own(decompressors);
                }
                ended
            }
            Ended::Finished => {
                self.finishes = true;
                self.release(decompressors);
                Ended::Done
            }
            Ended::TooLong { lost: true } | Ended::Invalid | Ended::Unprepared => ended,
        }
    }

    /// The history as bytes, and the messages that came last.
    pub(super) fn into_history(mut self) -> Option<(History, Recent)> {
        self.take_back().then_some((self.history, self.recent))
    }

    /// How much memory it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.history.capacity() + self.recent.cost() + if self.own.is_some() { OWN_COST } else { 0 }
    }

    /// Gives a shared decompressor back.
    pub(super) fn release(&mut self, decompressors: &mut Decompressors) {
        decompressors.release(&mut self.lease);
    }

    fn own(&mut self, decompressors: &mut Decompressors) {
        let mut decompress = Decompress::new(false);
        if !rewind(&mut decompress, &self.history) {
            return;
        }
        self.release(decompressors);
        self.own = Some(Box::new(Own {
            decompress,
            given: self.history.len() as u64,
            slid: !self.history.is_complete(),
        }));
        self.history.clear();
    }

    /// The history as bytes again. `false` when that fails.
    fn take_back(&mut self) -> bool {
        let Some(mut own) = self.own.take() else { return true };
        let total = own.given + own.decompress.total_out();
        let Some(bytes) = read_back(&mut own.decompress, total.min(WINDOW) as usize) else {
            return false;
        };
        self.history.push(&bytes);
        if own.slid || total > WINDOW {
            self.history.set_incomplete();
        }
        true
    }
}
