//! What one segment does, told from the state of both directions: its data, its acknowledgment, its window, its reset.

use crate::base::{Side, Timestamp};
use crate::tcp::beginning::Beginning;
use crate::tcp::half::{Half, Placed};
use crate::tcp::options::first_sack;
use crate::tcp::{AckFact, DataFact, SegmentFacts, WindowFact};
use crate::wire::Segment;

/// A reset this far behind everything seen is believed (RFC 9293 §3.5.2 says: in the window; ours is a guess).
pub(super) const RESET_WINDOW: i64 = 1 << 20;

impl SegmentFacts {
    /// Nothing is known yet but who sent it.
    pub fn new(side: Side) -> Self {
        Self {
            side,
            first: false,
            midstream: false,
            handshake: None,
            syn_again: false,
            data: DataFact::None,
            range: 0..0,
            ack: AckFact::default(),
            window: WindowFact::default(),
            fin: false,
            reset: false,
            reset_doubtful: false,
            refused: false,
            different: None,
            fragments_differ: false,
            urgent: None,
            late: false,
        }
    }
}

/// What the segment's data does, in the light of where it belongs and of the other side's window.
#[inline]
pub(super) fn data_fact(own: &Half, other: &Half, segment: &Segment<'_>, placed: Placed, different: bool) -> DataFact {
    let flags = segment.flags;
    let length = segment.payload.wire_len;
    let plain = !flags.syn() && !flags.fin();
    let seq = own.offset(segment.seq);
    if plain && length <= 1 && seq + 1 == own.high as i64 && (length == 0 || own.acked == own.high) {
        return match other.window {
            Some(0) => DataFact::WindowProbe,
            _ => DataFact::KeepAlive,
        };
    }
    match placed.fact {
        DataFact::OutOfWindow => DataFact::OutOfWindow,
        _ if length == 0 => {
            // A FIN may come again, too.
            let again = flags.fin() && own.fin() == Some(placed.end);
            if again {
                DataFact::Retransmission { different: false }
            } else {
                DataFact::None
            }
        }
        DataFact::Retransmission { .. } => DataFact::Retransmission { different },
        fact if other.window == Some(0) && own.acked as i64 == seq && other.heard => match fact {
            DataFact::InOrder => DataFact::WindowProbe,
            fact => fact,
        },
        fact => fact,
    }
}

/// Whether a reset can be meant for this connection (RFC 9293 §3.5.2): a blind one, far outside, is not believed.
pub(super) fn believable_reset(opening: bool, own: &Half, other: &Half, segment: &Segment<'_>) -> bool {
    if opening && segment.flags.ack() {
        // The answer to a SYN acknowledges it.
        return other.beginning == Beginning::Unknown || (0..=other.high as i64).contains(&other.offset(segment.ack));
    }
    if own.beginning == Beginning::Unknown {
        return true;
    }
    let at = own.offset(segment.seq);
    (own.acked as i64..=own.high.max(own.acked) as i64 + RESET_WINDOW).contains(&at)
}

/// What the acknowledgment does to the direction that it acknowledges.
#[inline]
pub(super) fn acknowledge(other: &mut Half, segment: &Segment<'_>, now: Timestamp) -> AckFact {
    let mut fact = AckFact::default();
    // The answer to a SYN tells exactly where that was.
    if other.beginning != Beginning::Known && other.begin_acknowledged(segment.ack, segment.flags.syn()) {
        return fact;
    }
    let Some(offset) = other.acknowledged(segment.ack) else {
        return fact;
    };
    if offset < other.acked as i64 {
        fact.overtaken = true;
    }
    let Ok(offset) = u64::try_from(offset) else {
        return fact;
    };
    other.revise_fin(offset);
    let data = other.fin().map_or(offset, |fin| offset.min(fin));
    if data > other.acked {
        fact.newly = other.acked..data;
        other.acked = data;
        other.confirmed |= data <= other.high;
        (other.repeats, other.unacked_since) = (0, now.nanos());
        if data > other.high {
            other.acked_at = now.nanos();
        }
    }
    if offset > data && !other.fin_acked {
        other.fin_acked = true;
        fact.fin = true;
    }
    fact.unseen = data > other.high && data > other.seen() && other.beginning == Beginning::Known;
    if let Some(block) = first_sack(segment.options())
        && block != other.sack
    {
        other.sack = block;
        let (start, end) = (other.offset(block.0), other.offset(block.1));
        // One that lies before the acknowledgment tells of a duplicate (RFC 2883).
        if offset as i64 <= start && start < end {
            fact.sacked = start as u64..end as u64;
        }
    }
    fact
}

/// What the window field tells.
#[inline]
pub(super) fn window(
    own: &mut Half,
    other: &mut Half,
    segment: &Segment<'_>,
    facts: &SegmentFacts,
    now: Timestamp,
) -> WindowFact {
    let flags = segment.flags;
    // A SYN's own window is never scaled (RFC 7323 §2.2), and both sides must have offered to scale.
    let shift = match (own.scale, other.scale) {
        (Some(shift), Some(_)) if !flags.syn() => shift,
        _ => 0,
    };
    let bytes = u32::from(segment.window) << shift;
    // One that was overtaken tells nothing (RFC 9293 §3.10.7.4).
    let before = if facts.ack.overtaken {
        own.window
    } else {
        own.window.replace(bytes)
    };
    let empty = segment.payload.wire_len == 0 && !flags.syn() && !flags.fin();
    let scaled =
        flags.syn() || own.syn && other.syn || own.syn && own.scale.is_none() || other.syn && other.scale.is_none();
    if scaled && flags.ack() && !facts.ack.overtaken && other.beginning == Beginning::Known {
        other.edge = (other.offset(segment.ack) + i64::from(bytes)).max(0) as u64;
    }
    let closed = bytes == 0 && before.is_some_and(|before| before > 0) && !facts.ack.overtaken;
    if closed {
        own.window_closed_at = Some(now.nanos());
    } else if own.window != Some(0) {
        own.window_closed_at = None;
    }
    WindowFact {
        bytes: u64::from(bytes),
        scaled,
        closed,
        reopened: bytes > 0 && before == Some(0) && !facts.ack.overtaken,
        update_only: empty
            && !facts.ack.overtaken
            && facts.data == DataFact::None
            && facts.handshake.is_none()
            && before.is_some_and(|before| before != bytes)
            && facts.ack.newly.is_empty()
            && !facts.ack.fin,
    }
}

impl Half {
    /// Where a segment's payload lies.
    pub(super) fn range_of(&self, segment: &Segment<'_>) -> std::ops::Range<u64> {
        let at = self.offset(segment.seq.wrapping_add(u32::from(segment.flags.syn())));
        let end = at + segment.payload.wire_len as i64;
        match segment.payload.wire_len {
            0 => 0..0,
            _ => at.max(0) as u64..end.max(0) as u64,
        }
    }
}
