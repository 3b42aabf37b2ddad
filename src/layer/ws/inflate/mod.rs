//! permessage-deflate, undone (RFC 7692 §7.2.2), also where the capture does not hold all that went before.
//!
//! In: the payload of one compressed message, joined and unmasked, or what there is of it; one [`Inflater`] a direction. Out: the
//! application bytes, and which of them are unknown. All directions share one [`InflatePool`].
//!
//! ```
//! use wschat_sniff::layer::ws::inflate::{Compressed, InflatePool, Inflated, Inflater};
//!
//! let mut pool = InflatePool::default();
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
//! - A gap: what was before it is known, only the length of what is lost is not. It is found by trying (`partial_history.rs`, where the
//!   assumptions are stated): most often with the second to fifth message after the gap. What was in the lost messages alone stays unknown.
//!
//! What is reported as known is right under these assumptions; what is not certain is a [`Hole`].
//!
//! # What it costs
//!
//! A direction with context takeover keeps what it inflated lately, at most its window; one without keeps nothing. Decompressors are shared
//! (`decompressors.rs`). A message that grows beyond the limit is inflated on into nowhere up to four times the limit, to keep the history
//! right; beyond that the history is given up. The search for a lost length is paid from what the direction has sent; how much all messages
//! together may become is for the caller to bound (`allowance.rs`).

mod allowance;
mod cell;
mod context;
mod decompressors;
mod distances;
mod history;
mod normal;
mod partial_history;
mod plausibility;
mod seen;
pub(in crate::layer::ws) mod symbols;

use crate::base::Limits;
use crate::layer::StreamRange;
use crate::layer::ws::Hole;
use crate::layer::ws::message_buffer::KEPT_BUFFER;

pub(in crate::layer::ws) use allowance::Allowance;
use cell::Cell;
use context::Context;
use decompressors::Decompressors;

/// What the sender took off the end of each message (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What to append to `payload`. Nothing to one that still has its tail: the last byte of any other has a bit 0 of the header of the block that
/// the tail completes, so it is not ff. And nothing to an empty one, which should be 00 (RFC 7692 §7.2.3.6).
pub(in crate::layer::ws) fn tail(payload: &[u8]) -> &'static [u8] {
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
    /// It ends inside of a block: a violation of RFC 7692 §7.2.1. What comes before that is there.
    InsideBlock,
    /// It is not a DEFLATE stream (RFC 1951), from somewhere on: a violation of RFC 7692 §7.2.2. What comes before that is there.
    Invalid,
}

/// What inflating needs, and all directions share: decompressors and buffers. One a thread is enough.
#[derive(Debug)]
pub struct InflatePool {
    decompressors: Decompressors,
    /// Where bytes go that nobody will see.
    sink: Vec<u8>,
    /// A message with its tail, for the symbol reader.
    message: Vec<u8>,
    /// What the symbol reader makes of a message.
    cells: Vec<Cell>,
}

impl Default for InflatePool {
    fn default() -> Self {
        Self::within(Limits::default().decompressors_total())
    }
}

impl InflatePool {
    /// What it keeps from message to message takes `bytes` of memory, and a buffer or two.
    pub(in crate::layer::ws) fn within(bytes: usize) -> Self {
        Self {
            decompressors: Decompressors::within(bytes),
            sink: Vec::new(),
            message: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// What a long message needed does not stay.
    fn trim(&mut self) {
        if self.message.capacity() > KEPT_BUFFER {
            self.message = Vec::new();
        }
        if self.cells.capacity() > KEPT_BUFFER / size_of::<Cell>() {
            self.cells = Vec::new();
        }
    }
}

/// Inflates the messages of one direction. With context takeover it holds its history, at most the window of
/// 2 to the power of `window_bits` bytes, from the first compressed message on.
#[derive(Debug)]
pub struct Inflater {
    takeover: bool,
    /// Earlier messages may have gone unseen.
    late: bool,
    window: u32,
    context: Option<Box<Context>>,
}

impl Inflater {
    /// The direction of a connection whose messages are seen from the first on.
    ///
    /// `takeover`: its sender keeps the LZ77 window from message to message (the parameter `…_no_context_takeover` was not agreed upon).
    /// `window_bits`: 8 to 15, the agreed `…_max_window_bits`. 8 is read as 9, because zlib sends with a window of 512 bytes when it is told
    /// to use 256.
    pub fn new(takeover: bool, window_bits: u8) -> Self {
        Self {
            takeover,
            late: false,
            window: 1 << window_bits.clamp(9, 15),
            context: None,
        }
    }

    /// As [`new`](Self::new), for a direction of which earlier messages may have gone unseen. When the parameters are not known, `true` and 15
    /// are always right.
    pub fn late(takeover: bool, window_bits: u8) -> Self {
        Self {
            late: true,
            ..Self::new(takeover, window_bits)
        }
    }

    /// About how many bytes of memory it takes.
    pub fn cost(&self) -> usize {
        self.context
            .as_ref()
            .map_or(0, |context| size_of::<Context>() + context.cost())
    }

    /// Drops the history. What comes next is read as after a late start.
    pub fn forget(&mut self) {
        (self.context, self.late) = (None, true);
    }

    /// Bytes are missing here that may have held compressed messages.
    pub fn lost(&mut self) {
        self.late = true;
        if let Some(context) = &mut self.context {
            context.lost();
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
        let inflated = if self.takeover {
            let context = self.context.get_or_insert_with(|| {
                Box::new(if self.late {
                    Context::late(true, self.window)
                } else {
                    Context::new(true, self.window)
                })
            });
            context.message(pool, message, limit, out, holes)
        } else {
            Context::new(false, self.window).message(pool, message, limit, out, holes)
        };
        pool.trim();
        inflated
    }

    #[cfg(test)]
    fn context(&self) -> &Context {
        self.context.as_ref().expect("a message was inflated")
    }
}

/// A hole of unknown length behind what is there.
fn rest_is_unknown(out: &mut Vec<u8>, holes: &mut Vec<Hole>) {
    // Only one hole may lie at the end: filler there joins it, or what was left out for its many holes.
    let mut offset = out.len() as u64;
    if let Some(last) = holes
        .last()
        .copied()
        .filter(|hole| hole.length.is_some_and(|length| hole.offset + length >= offset))
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
pub(in crate::layer::ws) mod tests;
