//! How a connection ends: by FINs or a reset, which may have overtaken the last bytes; or because nobody waits any longer.

use crate::base::PacketRef;
use crate::base::{GapCause, Side, Timestamp};
use crate::tcp::beginning::Beginning;
use crate::tcp::flow::Flow;
use crate::tcp::half::Half;
use crate::tcp::{StreamEvent, StreamHandler, TcpEnd};

/// A reset that was believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) by: Side,
    pub(super) seq: u32,
    pub(super) time: Timestamp,
}

impl<U: Default> Flow<U> {
    /// Both sides have said goodbye, or one has slammed the door, and nobody will send again what is missing.
    #[inline]
    pub(super) fn is_closing(&self) -> bool {
        let [a, b] = &self.halves;
        match (&self.reset, self.first_fin) {
            // A direction of which nothing was captured yet may follow as a whole.
            (Some(_), _) => a.heard && b.heard,
            (None, Some(_)) => a.is_acknowledged_to_its_fin() && b.is_acknowledged_to_its_fin(),
            (None, None) => false,
        }
    }

    /// Whether bytes may come that were sent before the reset.
    pub(super) fn is_overtaken(&self, &Reset { by, seq, time }: &Reset, now: Timestamp) -> bool {
        let own = &self.halves[by.index()];
        if now < time {
            return true;
        }
        let announced = matches!(own.beginning, Beginning::Known | Beginning::Acknowledged);
        announced && own.offset(seq) > own.next as i64 + i64::from(own.finished) || self.halves.iter().any(Half::misses)
    }

    /// Nothing more will come of a connection that is closing.
    pub(super) fn close<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let end = match (self.reset.as_deref(), self.first_fin) {
            (Some(&Reset { by, .. }), _) => TcpEnd::Reset { by },
            (None, Some(by)) => TcpEnd::Fin { by },
            (None, None) => return,
        };
        self.end(end, at, upper);
    }

    /// Drops everything that is held, because there is no room for it.
    pub(super) fn shed<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let (state, connection) = (&mut self.upper, &self.connection);
        for side in [Side::A, Side::B] {
            let mut emit = |event: StreamEvent<'_>| upper.stream(state, connection, side, event, at);
            let half = &mut self.halves[side.index()];
            while half.waiting.is_some() && half.give_up_hole(GapCause::Evicted, at.time, &mut emit) {}
        }
        upper.shed(&mut self.upper, &self.connection, at);
    }

    /// Delivers what waits, and tells what is missing.
    fn flush<P: StreamHandler<State = U>>(&mut self, at: PacketRef, upper: &mut P) {
        let (state, connection) = (&mut self.upper, &self.connection);
        for side in [Side::A, Side::B] {
            let mut emit = |event: StreamEvent<'_>| upper.stream(state, connection, side, event, at);
            self.halves[side.index()].flush(GapCause::Lost, at.time, &mut emit);
        }
    }

    /// Ends the connection, unless it has ended: delivers what waits, then tells `upper`.
    pub(super) fn end<P: StreamHandler<State = U>>(&mut self, end: TcpEnd, at: PacketRef, upper: &mut P) {
        if self.ended {
            return;
        }
        self.flush(at, upper);
        self.ended = true;
        let reset = self.reset.as_deref().map(|reset| reset.by);
        if let Some(by) = reset {
            upper.stream(&mut self.upper, &self.connection, by, StreamEvent::Reset, at);
        }
        let end = match (self.first_fin, reset) {
            // The last bytes may have been what both FINs had waited for.
            (Some(by), _) if self.halves[0].finished && self.halves[1].finished => TcpEnd::Fin { by },
            (_, Some(by)) => TcpEnd::Reset { by },
            _ => end,
        };
        upper.end(&mut self.upper, &self.connection, end, at);
    }
}
