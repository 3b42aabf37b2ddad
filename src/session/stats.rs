//! What is counted and remembered of a session until it ends.

use crate::base::{Direction, PerDirection, Side, Timestamp};
use crate::record::{How, Message, Opcode, SessionEnd, Source, TransportEnd, Unacknowledged, Verdict};
use crate::tcp::Connection;

/// What [`SessionEnd`] will say.
#[derive(Debug, Default)]
pub(crate) struct SessionStats {
    messages: PerDirection<u64>,
    bytes: PerDirection<u64>,
    /// The code of the first close frame of each side; `Some(None)` when that had none.
    close_codes: PerDirection<Option<Option<u16>>>,
    first_close: Option<Direction>,
    /// In which packet that was: a gap may hold one up until the other side's has come.
    first_close_packet: u64,
    /// What came last is lost, and may have been a close frame.
    end_lost: PerDirection<bool>,
    /// The status of a refusal; 0 when the upgrade was never answered.
    pub(crate) refused: Option<u16>,
    fin: [bool; 2],
    first_fin: Option<Side>,
    reset: Option<Side>,
    /// When the last data before the first sign of an end was sent, as far as that is known: no later than that.
    last_data: Option<Timestamp>,
    /// When that first sign came: FIN, RST, or what stands for them.
    ending: Option<Timestamp>,
}

impl SessionStats {
    /// Gives them up for those of the next session of the same connection.
    pub(crate) fn next(&mut self) -> Self {
        let next = Self {
            fin: self.fin,
            first_fin: self.first_fin,
            reset: self.reset,
            ending: self.ending,
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    pub(crate) fn message(&mut self, message: &Message<'_>) {
        let direction = message.direction;
        self.messages[direction] += 1;
        self.bytes[direction] = self.bytes[direction].saturating_add(message.payload.length());
        if message.opcode == Opcode::Close {
            self.close(message);
        }
    }

    /// Bytes of the session that were sent then have come.
    #[inline]
    pub(crate) fn data(&mut self, sent: Timestamp) {
        if self.ending.is_none_or(|ending| sent <= ending) {
            self.last_data = self.last_data.max(Some(sent));
        }
    }

    /// Bytes of the session are missing, and were sent before that was found out.
    pub(crate) fn gap(&mut self, found_out: Timestamp) {
        self.data(self.ending.unwrap_or(found_out));
    }

    fn close(&mut self, message: &Message<'_>) {
        let (direction, last) = (message.direction, message.span.last);
        if self.close_codes[direction].is_some() {
            return;
        }
        self.close_codes[direction] = Some(message.close.map(|close| close.code));
        if self.first_close.is_none() || last.packet < self.first_close_packet {
            self.first_close = Some(direction);
            self.first_close_packet = last.packet;
        }
    }

    /// `side` sends nothing more: FIN, or END_STREAM.
    pub(crate) fn fin(&mut self, side: Side, time: Timestamp) {
        self.fin[side.index()] = true;
        self.first_fin.get_or_insert(side);
        self.ending.get_or_insert(time);
    }

    /// Whether `side` has sent its FIN.
    pub(crate) fn has_ended(&self, side: Side) -> bool {
        self.fin[side.index()]
    }

    pub(crate) fn reset(&mut self, side: Side, time: Timestamp) {
        self.reset.get_or_insert(side);
        self.ending.get_or_insert(time);
    }

    /// The last that `direction` carried is lost.
    pub(crate) fn end_lost(&mut self, direction: Direction) {
        self.end_lost[direction] = true;
    }

    /// Sums it up. `time` is when `transport` came, `ended` is the connection, when that is what has ended.
    pub(crate) fn end(
        &mut self,
        source: &Source,
        transport: TransportEnd,
        time: Timestamp,
        ended: Option<&Connection>,
    ) -> SessionEnd {
        let vanished = ended.and_then(|connection| connection.vanished);
        if !transport.is_cut() {
            self.ending.get_or_insert(time);
        }
        match transport {
            TransportEnd::Fin { by } | TransportEnd::EndStream { by } => {
                self.first_fin.get_or_insert(by);
            }
            TransportEnd::Reset { by } | TransportEnd::RstStream { by, .. } => {
                self.reset.get_or_insert(by);
            }
            _ => {}
        }
        let direction = |side| source.direction(side);
        let ended_by = match transport {
            TransportEnd::GoAway { by, .. } | TransportEnd::Alert { by, .. } => Some(by),
            _ => self.first_fin.or(self.reset),
        };
        // An answer to the close frame may have come later.
        let may_come = transport.is_cut() && self.first_close.is_some();
        let unseen = Direction::BOTH.iter().any(|&direction| {
            let may_come = may_come && !self.fin[source.side(direction).index()];
            self.close_codes[direction].is_none() && (self.end_lost[direction] || may_come)
        });
        let verdict = self.verdict(transport, unseen, vanished.is_some());
        let closing_handshake = match (self.both_closed(), unseen) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
        SessionEnd {
            how: self.how(transport),
            transport,
            by: self.first_close.or(ended_by.map(direction)),
            close_codes: self.close_codes,
            closing_handshake,
            verdict,
            messages: self.messages,
            bytes: self.bytes,
            unanswered_pings: PerDirection::default(),
            end_lost: self.end_lost,
            refused: self.refused,
            fin: PerDirection::from_fn(|direction| self.fin[source.side(direction).index()]),
            reset: self.reset.map(direction),
            silence: self.silence(),
            unacknowledged: vanished.map(|vanished| Unacknowledged {
                direction: direction(vanished.side.other()),
                times: vanished.times,
                nanos: vanished.nanos,
            }),
            window_closed: ended
                .and_then(|connection| connection.window_closed)
                .filter(|_| verdict.is_abnormal())
                .map(|(side, nanos)| (direction(side), nanos)),
        }
    }

    fn both_closed(&self) -> bool {
        self.close_codes.iter().all(Option::is_some)
    }

    fn how(&self, transport: TransportEnd) -> How {
        match transport {
            _ if self.both_closed() => How::Close,
            _ if self.refused.is_some_and(|status| status > 0) => How::Refused,
            TransportEnd::EndStream { .. } => How::EndStream,
            // The other side's only answers what END_STREAM has ended, and NO_ERROR stops an upload (RFC 9113 §8.1).
            TransportEnd::RstStream { by, code } if self.first_fin.is_some_and(|first| first != by || code == 0) => {
                How::EndStream
            }
            TransportEnd::RstStream { .. } => How::RstStream,
            TransportEnd::GoAway { .. } => How::GoAway,
            TransportEnd::Alert { .. } => How::Alert,
            // A FIN and then an RST: the FIN came first.
            _ if self.first_fin.is_some() => How::Fin,
            _ if self.reset.is_some() => How::Rst,
            TransportEnd::Fin { .. } => How::Fin,
            TransportEnd::Reset { .. } => How::Rst,
            TransportEnd::Idle => How::Idle,
            TransportEnd::Evicted => How::Evicted,
            TransportEnd::Reused => How::Reused,
            TransportEnd::CaptureEnd => How::CaptureEnd,
        }
    }

    fn verdict(&self, transport: TransportEnd, close_may_be_lost: bool, vanished: bool) -> Verdict {
        let codes = || self.close_codes.iter().flatten();
        let by_transport = match self.how(transport) {
            How::Rst => Some(Verdict::Reset),
            How::RstStream if !matches!(transport, TransportEnd::RstStream { code: 0, .. }) => Some(Verdict::Reset),
            How::Fin | How::EndStream | How::RstStream | How::GoAway | How::Alert => Some(Verdict::EndedWithoutClose),
            How::Idle | How::Reused => Some(Verdict::NotSeen),
            _ => None,
        };
        match self.refused {
            Some(0) if self.end_lost[Direction::ServerToClient] => return Verdict::NotSeen,
            Some(0) => return Verdict::Unanswered,
            Some(_) => return Verdict::Refused,
            None => {}
        }
        if transport == TransportEnd::Evicted {
            Verdict::Evicted
        } else if codes().any(|code| !matches!(code, None | Some(1000 | 1001))) {
            Verdict::ClosedWithError
        } else if self.both_closed() {
            Verdict::Closed
        } else if codes().next().is_some() && !close_may_be_lost {
            Verdict::CloseUnanswered
        } else if vanished {
            Verdict::PeerVanished
        } else {
            match by_transport {
                Some(_) if close_may_be_lost => Verdict::NotSeen,
                Some(verdict) => verdict,
                None => Verdict::StillOpen,
            }
        }
    }

    /// From the last data to the first sign of the end.
    fn silence(&self) -> Option<i64> {
        let silence = self.ending?.since(self.last_data?);
        (silence >= 0).then_some(silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Scheme, SessionId};

    fn source() -> Source {
        Source {
            connection: crate::record::ConnectionId(1),
            session: Some(SessionId(1)),
            stream: Some(3),
            scheme: Scheme::Wss,
            client: crate::base::Endpoint::new(std::net::Ipv4Addr::LOCALHOST.into(), 40_000),
            server: crate::base::Endpoint::new(std::net::Ipv4Addr::LOCALHOST.into(), 443),
            client_side: Side::A,
            inferred: false,
            began: Timestamp::default(),
            proxied: None,
        }
    }

    #[test]
    fn who_ended_a_stream_before_it_was_reset_ended_the_session() {
        let (client, server) = (Side::A, Side::B);
        let ended_stream = (How::EndStream, Verdict::EndedWithoutClose);
        let reset_stream = (How::RstStream, Verdict::Reset);
        // A reset that says what went wrong takes back what the same side has ended in order.
        for (first, by, code, ended) in [
            (Some(server), client, 8, ended_stream),
            (Some(server), client, 0, ended_stream),
            (Some(server), server, 0, ended_stream),
            (Some(server), server, 2, reset_stream),
            (None, server, 8, reset_stream),
        ] {
            let mut stats = SessionStats::default();
            if let Some(first) = first {
                stats.fin(first, Timestamp::default());
            }
            let end = stats.end(
                &source(),
                TransportEnd::RstStream { by, code },
                Timestamp::default(),
                None,
            );
            let case = format!("{first:?}, then {by:?} with {code}");
            assert_eq!((end.how, end.verdict), ended, "{case}");
            assert_eq!(end.by, Some(Direction::ServerToClient), "{case}");
        }
    }

    #[test]
    fn silence_lasts_until_whatever_ended_the_session_and_is_not_told_of_a_cut() {
        let source = source();
        let second = |n: i64| Timestamp::from_nanos(n * 1_000_000_000);
        let by = Side::B;
        for (transport, silence) in [
            (TransportEnd::RstStream { by, code: 8 }, Some(30_000_000_000)),
            (TransportEnd::GoAway { by, code: 0 }, Some(30_000_000_000)),
            (TransportEnd::Alert { by, description: 80 }, Some(30_000_000_000)),
            (TransportEnd::CaptureEnd, None),
            (TransportEnd::Idle, None),
        ] {
            let mut stats = SessionStats::default();
            stats.data(second(2));
            stats.data(second(1));
            assert_eq!(
                stats.end(&source, transport, second(32), None).silence,
                silence,
                "{transport:?}"
            );
        }
    }
}
