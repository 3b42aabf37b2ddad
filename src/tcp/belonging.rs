//! Whether a segment belongs to the connection that has its endpoints, or to a later one that has taken them over.

use crate::base::PacketRef;
use crate::base::Side;
use crate::tcp::beginning::Beginning;
use crate::tcp::facts::RESET_WINDOW;
use crate::tcp::flow::{Class, Flow, Phase};
use crate::tcp::half::Half;
use crate::wire::Segment;

/// What a segment means for the connection that has its endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// It is a segment of this connection.
    Here,
    /// It begins another connection, which takes the endpoints over.
    ToANewOne,
    /// It shows that the SYN that was doubtful began another connection.
    ToTheDoubtful(Syn),
}

/// A SYN that came while the connection was alive: perhaps its sender has restarted, and the other side will answer it with
/// an ACK that says nothing new (RFC 5961 §4.2) or accept it (then this connection is over); perhaps somebody else sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syn {
    pub(super) side: Side,
    /// It has an ACK: the SYN that it answers was not seen.
    pub(super) answers: bool,
    pub(super) seq: u32,
    pub(super) window: u16,
    pub(super) scale: Option<u8>,
    pub(super) at: PacketRef,
}

impl<U: Default> Flow<U> {
    /// A connection whose SYN came before its first other segment.
    pub(super) fn with_syn(mut self, syn: Syn, from: Side) -> Self {
        // `from` sent the segment that began this flow, `syn.side` is the old connection's.
        let side = if syn.side == from { Side::A } else { Side::B };
        let answers = syn.answers;
        self.connection.initiator = Some(if answers { side.other() } else { side });
        self.phase = if answers { Phase::Answered } else { Phase::Opening };
        let half = &mut self.halves[side.index()];
        half.begin(syn.seq.wrapping_add(1), Beginning::Known);
        (half.syn, half.heard, half.scale) = (true, true, syn.scale);
        half.window = Some(u32::from(syn.window));
        self
    }

    /// Whether the segment is one of this connection, or of a later one between the same endpoints.
    #[inline]
    pub(super) fn belongs(&self, segment: &Segment<'_>, side: Side) -> Belongs {
        if !segment.flags.syn() && !self.ended && self.doubtful.is_none() {
            return Belongs::Here;
        }
        self.belongs_with_doubt(segment, side)
    }

    #[cold]
    fn belongs_with_doubt(&self, segment: &Segment<'_>, side: Side) -> Belongs {
        let (own, other) = (&self.halves[side.index()], &self.halves[side.other().index()]);
        let (flags, first) = (segment.flags, segment.seq.wrapping_add(1));
        let acknowledges = |seq: u32| flags.ack() && segment.ack == seq;
        if let Some(syn) = self.doubtful.as_deref() {
            let first = syn.seq.wrapping_add(1);
            let answered = flags.syn() && side != syn.side && acknowledges(first);
            // Its answer was not seen: the other side acknowledges what only the new connection can have.
            let accepted = !flags.rst()
                && side != syn.side
                && flags.ack()
                && (0..=RESET_WINDOW).contains(&i64::from(segment.ack.wrapping_sub(first) as i32))
                && !self.plausible(other, segment.ack);
            let goes_on = !flags.syn() && !flags.rst() && side == syn.side && segment.seq == first && !other.heard;
            if answered || accepted || goes_on && !self.plausible(own, segment.seq) {
                return Belongs::ToTheDoubtful(*syn);
            }
        }
        let same = own.beginning != Beginning::Unknown && own.start == first;
        if flags.syn() && !flags.rst() {
            // A SYN may also be the second one of a simultaneous open; or, while the connection is in use, forged.
            let begins_anew = !flags.ack()
                && own.beginning != Beginning::Unknown
                && (self.is_told_to_end() || self.class() == Class::HalfOpen && self.phase != Phase::Answered);
            return if !same && (self.ended || begins_anew) {
                Belongs::ToANewOne
            } else {
                Belongs::Here
            };
        }
        let carries = segment.payload.wire_len > 0 && !flags.rst();
        if self.ended && carries && own.beginning != Beginning::Unknown {
            // Data behind a reset from the same side: the reset was forged, and the connection goes on.
            let goes_on = self.reset.as_ref().is_some_and(|reset| {
                reset.by == side && own.offset(segment.seq) >= own.offset(reset.seq).max(own.next as i64)
            });
            if goes_on || !self.plausible(own, segment.seq) {
                return Belongs::ToANewOne;
            }
        }
        Belongs::Here
    }

    /// The number of another SYN of `side` that came while the connection was in use.
    #[inline]
    pub(super) fn other_syn(&self, side: Side) -> Option<u32> {
        let syn = self.doubtful.as_deref().filter(|syn| syn.side == side);
        syn.map(|syn| syn.seq)
    }

    /// Whether one side has ended it, and the other is known to have heard of that.
    fn is_told_to_end(&self) -> bool {
        let fin = |half: &Half| half.fin().is_some() && half.fin_believed;
        self.halves.iter().any(fin) || self.reset.as_ref().is_some_and(|reset| !reset.is_doubtful)
    }

    /// Whether a sequence number is near to what has been seen of a direction.
    fn plausible(&self, half: &Half, seq: u32) -> bool {
        half.beginning == Beginning::Unknown || (half.offset(seq) - half.next as i64).abs() <= RESET_WINDOW
    }
}
