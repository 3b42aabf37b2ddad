//! What a direction's messages were like.

use super::cell::Cell;
use super::{Compressed, Inflated, plausibility};

/// How well lost JSON may have been compressed, at least.
pub(super) const RATIO: u64 = 24;

/// How well anything can be compressed: a match of 258 bytes takes two bits (RFC 1951 §3.2.5).
const MOST: u64 = 1032;

/// What the messages so far were like: what is assumed of those that are lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Where the last whole compressed message ended in the stream, or one that breaks off began.
    end: u64,
    /// The end of the message that breaks off, and how much may be missing of it, inflated, where that is known.
    pub(super) cut: Option<(u64, u64)>,
    /// How many times as long as its payload the best compressed message was.
    ratio: u32,
    /// Text messages that look like JSON, and others.
    json: bool,
    other: bool,
    /// Binary messages.
    binary: bool,
}

impl Seen {
    /// How much may have been lost before what begins at `start`, inflated.
    pub(super) fn lost_until(&self, start: u64) -> u64 {
        let most = |from: u64| start.saturating_sub(from).saturating_mul(self.ratio());
        match self.cut {
            Some((end, rest)) => rest.saturating_add(most(end)).min(most(self.end)),
            None => most(self.end),
        }
    }

    pub(super) fn note(&mut self, message: &Compressed<'_>, inflated: Inflated, out: &[u8]) {
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
    pub(super) fn judge(&mut self, message: &[Cell]) {
        /// A longer one is judged by its beginning, and its ends.
        const ENOUGH: usize = 64 << 10;

        let ends = |cell: Option<&Cell>| cell.and_then(|cell| cell.byte());
        let (beginning, rest) = message.split_at(message.len().min(ENOUGH));
        if !plausibility::may_be_json(beginning, rest.is_empty()) {
            self.other = true;
        } else if let (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) =
            (ends(message.first()), ends(message.last()))
        {
            self.json = true;
        }
    }

    pub(super) fn json(&self) -> bool {
        self.json && !self.other
    }

    /// Each lost byte was at most so many, inflated.
    fn ratio(&self) -> u64 {
        if self.json() && !self.binary {
            RATIO.max(4 * u64::from(self.ratio))
        } else {
            MOST
        }
    }
}
