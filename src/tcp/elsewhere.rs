//! A stream that goes on elsewhere in the sequence space than its first segment said: that one was somebody else's, or an older
//! connection's. What goes on in order is the stream, as long as nothing has confirmed the other place.

use crate::base::{Captured, Gap, GapCause, PacketRef};
use crate::tcp::StreamEvent;
use crate::tcp::beginning::Beginning;
use crate::tcp::half::{Half, Placed};
use crate::tcp::waiting::Waiting;

/// So many segments, one behind the other, are no chance.
const IN_ORDER: u8 = 2;

/// Further than this from what was seen is nothing that is under way.
const FAR: i64 = 1 << 24;

/// Segments with data outside of the window, one right behind the other.
#[derive(Debug)]
pub(super) struct Elsewhere {
    /// Sequence number of the first byte.
    start: u32,
    /// The one behind the last.
    end: u32,
    segments: u8,
    bytes: Waiting,
}

impl Elsewhere {
    /// What it keeps, in bytes of memory.
    pub(super) fn cost(&self) -> usize {
        self.bytes.cost()
    }

    /// Whether it is what the SYN with number `syn` announced.
    pub(super) fn begins_behind(&self, syn: Option<u32>) -> bool {
        syn.is_some_and(|syn| syn.wrapping_add(1) == self.start)
    }

    /// Whether the stream is there: it goes on in order.
    pub(super) fn is_in_order(&self) -> bool {
        self.segments >= IN_ORDER
    }

    /// Whether the stream is there: the receiver has got all of it, and no more.
    pub(super) fn is_acknowledged(&self, ack: u32) -> bool {
        self.end == ack
    }
}

impl Half {
    /// A segment with data from `seq` on, outside of the window of a stream whose place nothing has confirmed. Keeps `limit` bytes of
    /// memory at most.
    #[cold]
    pub(super) fn note_elsewhere(&mut self, seq: u32, payload: Captured<'_>, at: PacketRef, limit: usize) {
        let mut elsewhere = match self.elsewhere.take() {
            Some(elsewhere) if elsewhere.end == seq => elsewhere,
            _ => Box::new(Elsewhere {
                start: seq,
                end: seq,
                segments: 0,
                bytes: Waiting::new(at.time),
            }),
        };
        let offset = u64::from(seq.wrapping_sub(elsewhere.start));
        elsewhere.bytes.insert(offset, payload, at);
        elsewhere.end = seq.wrapping_add(payload.wire_len as u32);
        elsewhere.segments = elsewhere.segments.saturating_add(1);
        if elsewhere.cost() <= limit {
            self.elsewhere = Some(elsewhere);
        }
    }

    /// Whether data at `seq` is not that of a stream whose place nothing has confirmed: it lies far away, before the SYN, or right
    /// behind another SYN of the same side.
    #[inline]
    pub(super) fn is_elsewhere(&self, seq: u32, placed: Placed, other_syn: Option<u32>) -> bool {
        let begins = || self.next == 0 && other_syn.is_some_and(|syn| syn.wrapping_add(1) == seq);
        let at = self.offset(seq);
        // A keep-alive has the number of the SYN.
        let before = placed.end == 0 && at < -1;
        !self.confirmed && !self.finished && ((at - self.next as i64).abs() > FAR || self.syn && (before || begins()))
    }

    /// The stream is elsewhere. Unless it `begins` there, it has bytes that were not seen: nobody knows how many.
    #[cold]
    pub(super) fn move_elsewhere(&mut self, begins: bool, acknowledged: bool, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let Some(mut elsewhere) = self.elsewhere.take() else {
            return;
        };
        let length = u64::from(elsewhere.end.wrapping_sub(elsewhere.start));
        (self.waiting, self.suspects, self.edge) = (None, None, 0);
        self.set_fin(None);
        if self.next > 0 || self.syn && !begins {
            let offset = self.next;
            self.next += Gap::UNKNOWN;
            emit(StreamEvent::Gap(Gap {
                offset,
                length: Gap::UNKNOWN,
                cause: GapCause::Lost,
            }));
        }
        let next = self.next;
        self.begin(elsewhere.start.wrapping_sub(next as u32), Beginning::Known);
        self.high = next + length;
        self.acked = if acknowledged { self.high } else { next };
        self.confirmed = acknowledged;
        let mut waiting = Waiting::new(elsewhere.bytes.since);
        while let Some((start, chunk)) = elsewhere.bytes.pop() {
            let bytes = Captured::new(&chunk.bytes, (chunk.end - start) as usize);
            waiting.insert(next + start, bytes, chunk.from);
        }
        self.waiting = Some(Box::new(waiting));
    }
}
