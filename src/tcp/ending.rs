//! How a connection ends: by FINs or a reset, which may have overtaken the last bytes; or because nobody waits any longer.

use crate::base::PacketRef;
use crate::base::{GapCause, Side, Timestamp};
use crate::tcp::beginning::Beginning;
use crate::tcp::facts;
use crate::tcp::flow::{Context, Flow, Phase, emitter};
use crate::tcp::half::Half;
use crate::tcp::{DataFact, SegmentFacts, StreamEvent, StreamHandler, TcpEnd, Vanished};
use crate::wire::Segment;

/// A reset that was believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) by: Side,
    pub(super) seq: u32,
    pub(super) time: Timestamp,
    /// The receiver may not accept it: its number is not the next one (RFC 5961 §3.2), or it looks like somebody else's. It
    /// counts when nothing follows.
    pub(super) is_doubtful: bool,
    /// Its receiver drops it without an answer, as far as is known: it is damaged or somebody else's, or outside of the window.
    is_void: bool,
}

/// What was overtaken by a reset comes so soon after it.
const OVERTAKEN_NANOS: i64 = 100_000_000;

impl<U: Default> Flow<U> {
    /// Both sides have sent FIN, or one has reset the connection, and nobody will send again what is missing.
    #[inline]
    pub(super) fn is_closing(&self) -> bool {
        let [a, b] = &self.halves;
        match (&self.reset, self.connection.ending) {
            // A direction of which nothing was captured yet may follow as a whole.
            (Some(reset), _) => a.heard && b.heard && !reset.is_void,
            (None, Some(_)) => a.is_acknowledged_to_its_fin() && b.is_acknowledged_to_its_fin(),
            (None, None) => false,
        }
    }

    /// What an RST says.
    #[cold]
    pub(super) fn judge_reset(&mut self, segment: &Segment<'_>, side: Side, now: Timestamp, facts: &mut SegmentFacts) {
        let is_opening = self.phase == Phase::Opening;
        let [a, b] = &mut self.halves;
        let (own, other) = match side {
            Side::A => (a, b),
            Side::B => (b, a),
        };
        // Bytes in a reset are an explanation for people (RFC 9293 §3.5.3), not of the stream.
        facts.reset = facts::believable_reset(is_opening, own, other, segment);
        if !facts.reset {
            facts.data = DataFact::OutOfWindow;
            return;
        }
        facts.refused = is_opening && segment.flags.ack() && self.connection.initiator == Some(side.other());
        let at = own.offset(segment.seq);
        // Its receiver has got more than it has acknowledged.
        let behind = at != own.acked as i64 && at < own.next as i64;
        let is_known = other.heard && !is_opening && own.beginning != Beginning::Unknown;
        let outside = is_known && (behind || own.edge > 0 && at > own.edge as i64);
        let is_void = outside || other.heard && own.is_unlike_its_neighbours(segment);
        let is_doubtful = is_void || is_known && at > own.seen() as i64 + 1;
        facts.reset_doubtful = is_doubtful;
        if segment.flags.ack() && !is_void {
            facts.ack = facts::acknowledge(other, segment, now);
        }
        if !self.ended && self.reset.as_ref().is_none_or(|reset| reset.is_doubtful) {
            self.reset = Some(Box::new(Reset {
                by: side,
                seq: segment.seq,
                time: now,
                is_doubtful,
                is_void,
            }));
        }
    }

    /// A segment from `side` after a doubtful reset: what goes on was not reset, and who was to be reset answers with an ACK
    /// that says nothing new (RFC 5961 §3.2) when it does not believe it. What the reset has overtaken confirms it.
    #[cold]
    pub(super) fn doubt_reset(&mut self, side: Side, says_nothing: bool, now: Timestamp) {
        let Some(reset) = &mut self.reset else { return };
        let own = &self.halves[reset.by.index()];
        let goes_on = side == reset.by && now.since(reset.time) > OVERTAKEN_NANOS;
        let challenged = side != reset.by && says_nothing;
        if goes_on || challenged || own.next as i64 > own.offset(reset.seq) {
            self.reset = None;
        }
    }

    /// Whether bytes may come that were sent before the reset.
    pub(super) fn is_overtaken(&self, reset: &Reset, now: Timestamp) -> bool {
        let Reset {
            by,
            seq,
            time,
            is_doubtful,
            is_void,
        } = *reset;
        let own = &self.halves[by.index()];
        if now < time || is_void || is_doubtful && own.offset(seq) != own.next as i64 {
            return true;
        }
        let announced = matches!(own.beginning, Beginning::Known | Beginning::Acknowledged);
        announced && own.offset(seq) > own.next as i64 + i64::from(own.finished) || self.halves.iter().any(Half::misses)
    }

    /// Nothing more will come of a connection that is closing.
    pub(super) fn close<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let end = match (self.reset.as_deref(), self.connection.ending) {
            (Some(&Reset { by, .. }), _) => TcpEnd::Reset { by },
            (None, Some((by, _))) => TcpEnd::Fin { by },
            (None, None) => return,
        };
        self.end(end, at, upper);
    }

    /// Drops everything that is held, because there is no room for it.
    pub(super) fn shed<P: StreamHandler<State = U>>(&mut self, cx: &mut Context<'_, P>) {
        let at = cx.at;
        for side in [Side::A, Side::B] {
            let mut emit = emitter(&mut self.upper, &self.connection, side, &mut self.recent, cx);
            let half = &mut self.halves[side.index()];
            half.suspects = None;
            while half.waiting.is_some() && half.give_up_hole(GapCause::Evicted, at.time, &mut emit) {}
        }
        cx.upper.shed(&mut self.upper, &self.connection, at);
    }

    /// Delivers what waits, and tells what is missing.
    fn flush<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let (state, connection) = (&mut self.upper, &self.connection);
        for side in [Side::A, Side::B] {
            let mut emit = |event: StreamEvent<'_>| upper.stream(state, connection, side, event, at);
            let other_heard = self.halves[side.other().index()].heard;
            self.halves[side.index()].flush(GapCause::Lost, other_heard, at.time, &mut emit);
        }
    }

    /// Ends the connection, unless it has ended, and tells `upper` that this was all.
    pub(super) fn forget<P: StreamHandler<State = U>>(&mut self, end: TcpEnd, at: PacketRef, upper: &mut P) {
        self.end(end, at, upper);
        upper.forget(&self.connection);
    }

    /// Ends the connection, unless it has ended: delivers what waits, then tells `upper`.
    pub(super) fn end<P: StreamHandler<State = U>>(&mut self, end: TcpEnd, at: PacketRef, upper: &mut P) {
        if self.ended {
            return;
        }
        for side in Side::BOTH {
            let (own, other) = (&self.halves[side.index()], &self.halves[side.other().index()]);
            if other.is_unanswered(own) {
                self.connection.vanished = Some(Vanished {
                    side,
                    times: u32::from(other.repeats) + 1,
                    nanos: at.time.nanos().saturating_sub(other.unacked_since).max(0),
                });
            }
            let closed = own.window_closed_at.map(|since| at.time.nanos().saturating_sub(since));
            if let Some(nanos) = closed.filter(|&nanos| nanos >= 0) {
                self.connection.window_closed = Some((side, nanos));
            }
        }
        self.flush(at, upper);
        self.ended = true;
        let reset = self.reset.as_deref().map(|reset| (reset.by, reset.time));
        let first_fin = self.connection.ending;
        if let Some((by, time)) = reset {
            self.connection.ending.get_or_insert((by, time));
            upper.stream(&mut self.upper, &self.connection, by, StreamEvent::Reset, at);
        }
        let end = match (first_fin, reset) {
            // The last bytes may have been what both FINs had waited for.
            (Some((by, _)), _) if self.halves[0].finished && self.halves[1].finished => TcpEnd::Fin { by },
            (_, Some((by, _))) => TcpEnd::Reset { by },
            _ => end,
        };
        upper.end(&mut self.upper, &self.connection, end, at);
    }
}
