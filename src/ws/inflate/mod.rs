//! permessage-deflate, undone (RFC 7692 §7.2.2), also where the capture does not hold all that went before.
//!
//! In: the payload of one compressed message, joined and unmasked, or what there is of it; one [`Inflater`] a direction. Out: the
//! application bytes, and which of them are unknown. All directions share one [`InflatePool`].
//!
//! ```
//! use wschat_sniff::ws::inflate::{Compressed, InflatePool, Inflated, Inflater};
//!
//! let mut pool = InflatePool::new();
//! let mut inflater = Inflater::new(true, 15); // as the handshake says
//! let (mut out, mut holes) = (Vec::new(), Vec::new());
//! // RFC 7692 §7.2.3.2: "Hello", and again, the second time as a match into the history
//! for payload in [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
//!     let message = Compressed { payload, holes: &[], text: true, range: Default::default() };
//!     assert_eq!(inflater.message(&mut pool, message, 1 << 20, &mut out, &mut holes), Inflated::Whole);
//!     assert_eq!(out, b"Hello");
//! }
//! ```
//!
//! # For the caller
//!
//! - The handshake was seen, from the first message on: [`Inflater::new`]. The capture began late, with or without known parameters:
//!   [`Inflater::late`].
//! - Call [`message`](Inflater::message) for every message with RSV1, in order, in its direction, and say where there are holes in it. What
//!   follows a hole in a message can be read when the hole lies in a stored block; else the position in the bit stream is lost.
//! - Say where each message lies in the stream (`range`): how much may be lost between two messages is seen from that.
//! - Call [`lost`](Inflater::lost) when bytes are missing that may have held compressed messages (a gap over frame headers, or a start of a
//!   compressed message whose end you see). Not after a message with holes, which say it already.
//! - Messages without RSV1 do not touch the history: do not give them.
//!
//! `out` has filler (00) in the holes.
//!
//! # What is known when not all was seen
//!
//! - History unknown (a late start): bytes that come from it, directly or through later messages, are holes, all others are known. When all that a match
//!   can reach is known, messages go the normal way again.
//! - A gap: what was before it is known, only the length of what is lost is not. It is found by trying (`search.rs`, where the assumptions
//!   are stated): most often with the second to fifth message after the gap. What was in the lost messages alone stays unknown.
//!
//! What is reported as known is right under these assumptions; what is not certain is a [`Hole`].
//!
//! # What it costs
//!
//! A direction with context takeover keeps what it inflated lately, at most its window; one without keeps nothing. While that is little, it
//! shares decompressors with others (`pool.rs`); later it has its own, some 40 KB, which then holds the history (`known.rs`). A message that grows beyond the limit is inflated on into nowhere up to four times the limit, to keep the history right; beyond
//! that the history is given up.

mod blurred;
mod cells;
mod history;
mod known;
mod normal;
mod pool;
mod read_back;
mod search;
pub(in crate::ws) mod symbols;

use crate::ws::{Hole, StreamRange};

use blurred::Blurred;
use cells::Cell;
use history::History;
use known::Known;
use normal::{Ended, Keep};
use search::Kind;
use symbols::End;

pub use pool::InflatePool;

/// What the sender took off the end of each message (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What to append to `payload`. Nothing to one that still has its tail: the last byte of any other has a bit 0 of the header of the block that
/// the tail completes, so it is not ff. And nothing to an empty one, which should be 00 (RFC 7692 §7.2.3.6).
pub(in crate::ws) fn tail(payload: &[u8]) -> &'static [u8] {
    if payload.is_empty() || payload.ends_with(&TAIL) {
        &[]
    } else {
        &TAIL
    }
}

/// The payload of a compressed message.
#[derive(Debug, Clone, Copy)]
pub struct Compressed<'a> {
    /// The payload bytes of all its frames, unmasked and joined, with filler in the holes.
    pub payload: &'a [u8],
    /// What of them is missing, in ascending order; a hole behind them may have any length or none.
    pub holes: &'a [Hole],
    /// It is a text message: UTF-8.
    pub text: bool,
    /// Where the message lies in the stream: how much may have been lost between two messages is seen from that.
    pub range: StreamRange,
}

impl Compressed<'_> {
    fn whole(&self) -> bool {
        self.holes.is_empty()
    }
}

/// How a message came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inflated {
    /// All of it is known.
    Whole,
    /// The holes are unknown.
    Partial,
    /// It would be longer than the limit: the rest is left out, as a hole of unknown length.
    TooLong,
    /// It is not a DEFLATE stream (RFC 1951), from somewhere on: a violation of RFC 7692 §7.2.2. What comes before that is there.
    Invalid,
}

/// Inflates the messages of one direction. Small until it is used; with context takeover it then holds its history, at most the
/// window of 2 to the power of `window_bits` bytes. Without context takeover it holds nothing.
#[derive(Debug)]
pub struct Inflater {
    takeover: bool,
    window: u32,
    seen: Seen,
    /// Something is missing right before what comes next.
    missing: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Known(Known),
    Blurred(Box<Blurred>),
}

/// What the messages so far were like: what is assumed of those that are lost.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Where the last whole compressed message ended in the stream, or one that breaks off began.
    end: u64,
    /// How many times as long as its payload the best compressed message was.
    ratio: u32,
    /// Text messages that look like JSON, and others.
    json: bool,
    other: bool,
    /// Binary messages.
    binary: bool,
}

impl Seen {
    fn note(&mut self, message: &Compressed<'_>, inflated: Inflated, out: &[u8]) {
        self.end = match message.holes {
            [] => message.range.end,
            // A code that breaks off, with all that belongs to it, began less than 8 bytes before the hole.
            [hole, ..] => message.range.start + hole.offset.saturating_sub(8),
        };
        self.binary |= !message.text;
        if inflated != Inflated::Whole {
            return;
        }
        self.ratio = self.ratio.max((out.len() / (message.payload.len() + 2)) as u32);
        if message.text {
            match out {
                [b'{', .., b'}'] | [b'[', .., b']'] => self.json = true,
                _ => self.other = true,
            }
        }
    }

    /// What can be said of a text message before its references are looked up: some of those are told as holes for ever, and
    /// none would ever be JSON if only whole ones counted.
    fn judge(&mut self, message: &[Cell]) {
        let ends = |cell: Option<&Cell>| cell.and_then(|cell| cell.byte());
        if !search::may_be_json(message) {
            self.other = true;
        } else if let (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) =
            (ends(message.first()), ends(message.last()))
        {
            self.json = true;
        }
    }

    fn json(&self) -> bool {
        self.json && !self.other
    }

    /// Each lost byte was at most so many, inflated.
    fn ratio(&self) -> u64 {
        if self.json() && !self.binary {
            search::RATIO.max(4 * u64::from(self.ratio))
        } else {
            search::MOST
        }
    }
}

impl Inflater {
    /// The direction of a connection whose messages are seen from the first on.
    ///
    /// `takeover`: its sender keeps the LZ77 window from message to message (the parameter `…_no_context_takeover` was not agreed upon).
    /// `window_bits`: 8 to 15, the agreed `…_max_window_bits`. 8 is read as 9, because zlib sends with a window of 512 bytes when it is told
    /// to use 256.
    pub fn new(takeover: bool, window_bits: u8) -> Self {
        let window = 1u32 << window_bits.clamp(9, 15);
        Self {
            takeover,
            window,
            seen: Seen::default(),
            missing: false,
            state: State::Known(Known::new(History::new(window as usize))),
        }
    }

    /// As [`new`](Self::new), for a direction of which earlier messages may have gone unseen. When the parameters are not known, `true` and 15
    /// are always right.
    pub fn late(takeover: bool, window_bits: u8) -> Self {
        let mut inflater = Self::new(takeover, window_bits);
        inflater.forget();
        inflater
    }

    /// Bytes are missing here that may have held compressed messages.
    pub fn lost(&mut self) {
        if !self.takeover || std::mem::replace(&mut self.missing, true) {
            return;
        }
        let complete = self.blur();
        if let State::Blurred(blurred) = &mut self.state {
            blurred.lose(complete);
        }
    }

    /// Inflates one message into `out`; `holes` says what of it is unknown. Both are cleared first, and never hold more than `limit` bytes
    /// of the message.
    pub fn message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        out.clear();
        holes.clear();
        pool.earn();
        let inflated = if message.whole() {
            self.whole_message(pool, message, limit, out, holes)
        } else {
            self.cut_message(pool, message, limit, out, holes)
        };
        self.seen.note(&message, inflated, out);
        inflated
    }

    fn whole_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        self.missing = false;
        match &mut self.state {
            State::Known(_) if !self.takeover => {
                let decompress = pool.decompressors.fresh();
                let ended = normal::message(decompress, Keep::Nothing, message.payload, limit, out, &mut pool.sink);
                ended.report(out, holes)
            }
            State::Known(known) => {
                let ended = known.message(&mut pool.decompressors, message.payload, limit, out, &mut pool.sink);
                match ended {
                    Ended::Done | Ended::TooLong { lost: false } => {}
                    Ended::Finished => {
                        let mut history = History::new(self.window as usize);
                        history.push(out);
                        let blurred = Blurred::from_history(self.window as usize, &history);
                        self.state = State::Blurred(Box::new(blurred));
                    }
                    Ended::Unprepared => {
                        self.forget();
                        out.clear();
                        return self.blurred_message(pool, message, limit, out, holes);
                    }
                    Ended::TooLong { lost: true } | Ended::Invalid => {
                        known.release(&mut pool.decompressors);
                        self.forget();
                    }
                }
                ended.report(out, holes)
            }
            State::Blurred(_) => self.blurred_message(pool, message, limit, out, holes),
        }
    }

    /// A message of which the end is missing.
    fn cut_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        if let State::Known(known) = &mut self.state {
            known.release(&mut pool.decompressors);
        }
        let complete = self.blur();
        let was_missing = self.missing;
        let inflated = self.blurred_message(pool, message, limit, out, holes);
        match &mut self.state {
            state if !self.takeover => *state = State::Known(Known::new(History::new(self.window as usize))),
            // All that the hole hid were bytes of a stored block: nothing is shifted.
            _ if !self.missing => {}
            State::Blurred(_) if was_missing && pool.cells.is_empty() => {}
            State::Blurred(blurred) => blurred.lose(complete),
            State::Known(_) => self.lost(),
        }
        inflated
    }

    /// What is told of a message, and whether the history goes on behind it without a gap is in `missing`.
    fn blurred_message(
        &mut self,
        pool: &mut InflatePool,
        message: Compressed<'_>,
        limit: usize,
        out: &mut Vec<u8>,
        holes: &mut Vec<Hole>,
    ) -> Inflated {
        let State::Blurred(blurred) = &mut self.state else {
            return Inflated::Invalid;
        };
        pool.message.clear();
        pool.message.extend_from_slice(message.payload);
        if message.whole() {
            pool.message.extend_from_slice(tail(message.payload));
        }
        self.missing = false;
        let end = blurred.message(&pool.message, message.holes, limit, &mut pool.cells);
        if end == End::Boundary {
            let lost = message
                .range
                .start
                .saturating_sub(self.seen.end)
                .saturating_mul(self.seen.ratio());
            if message.text {
                self.seen.judge(&pool.cells);
            }
            let text = match (message.text, self.seen.json()) {
                (false, _) => Kind::Binary,
                (true, false) => Kind::Text,
                (true, true) => Kind::Json,
            };
            blurred.learn(&pool.cells, text, lost, &mut pool.search_budget);
        }
        for (at, &cell) in pool.cells.iter().take(limit).enumerate() {
            match blurred.byte(cell) {
                Some(byte) => out.push(byte),
                None => {
                    match holes.last_mut() {
                        Some(Hole {
                            offset,
                            length: Some(length),
                        }) if *offset + *length == at as u64 => *length += 1,
                        _ => holes.push(Hole {
                            offset: at as u64,
                            length: Some(1),
                        }),
                    }
                    out.push(0);
                }
            }
        }
        let inflated = match end {
            End::Boundary => {
                blurred.remember(&pool.cells);
                let known = blurred.known();
                if let Some(history) = known {
                    // With no decompressor from before the loss, which has not inflated what was lost.
                    self.state = State::Known(Known::new(history));
                }
                return if holes.is_empty() {
                    Inflated::Whole
                } else {
                    Inflated::Partial
                };
            }
            End::Inside if !message.whole() => {
                self.missing = true;
                blurred.remember(&pool.cells);
                Inflated::Partial
            }
            End::Stopped => Inflated::TooLong,
            End::Inside | End::Invalid => Inflated::Invalid,
        };
        if inflated != Inflated::Partial {
            blurred.forget();
        }
        rest_is_unknown(out, holes);
        inflated
    }

    /// A known history becomes one of cells. Whether it is all that was ever sent.
    fn blur(&mut self) -> bool {
        let window = self.window as usize;
        let State::Known(known) = &mut self.state else {
            return false;
        };
        let history = std::mem::replace(known, Known::new(History::new(window))).into_history();
        let blurred = match &history {
            Some(history) => Blurred::from_history(window, history),
            None => Blurred::new(window),
        };
        self.state = State::Blurred(Box::new(blurred));
        history.is_some_and(|history| history.is_complete())
    }

    /// From here on the history is unknown, where there is one.
    fn forget(&mut self) {
        if self.takeover {
            self.state = State::Blurred(Box::new(Blurred::new(self.window as usize)));
        }
    }
}

/// A hole of unknown length behind what is there.
fn rest_is_unknown(out: &mut Vec<u8>, holes: &mut Vec<Hole>) {
    // Only one hole may lie at the end: filler there joins it.
    let mut offset = out.len() as u64;
    if let Some(last) = holes
        .last()
        .copied()
        .filter(|hole| hole.length.is_some_and(|length| hole.offset + length == offset))
    {
        offset = last.offset;
        out.truncate(offset as usize);
        holes.pop();
    }
    holes.push(Hole { offset, length: None });
}

#[cfg(test)]
mod gap_tests;

#[cfg(test)]
pub(in crate::ws) mod tests;
