//! What is counted and remembered of a session until it ends.

use crate::base::{Direction, PacketRef, PerDirection, Side, Timestamp};
use crate::record::{How, Message, Opcode, SessionEnd, Source, TransportEnd, Unacknowledged, Unanswered, Verdict};
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
    /// Not there when there are none, and a quiet session is small.
    pings: Option<Box<PerDirection<Pings>>>,
    /// The status of a refusal; 0 when the upgrade was never answered.
    pub(crate) refused: Option<u16>,
    fin: [bool; 2],
    first_fin: Option<Side>,
    reset: Option<Side>,
    /// When the last message before the first sign of an end was sent.
    last_message: Option<Timestamp>,
    /// When that first sign came: a close frame, FIN, RST.
    ending: Option<Timestamp>,
}

/// Pings of one direction that wait for their pong.
#[derive(Debug, Default)]
struct Pings {
    /// Their hashes and packets, oldest first.
    waiting: Vec<(u32, u64)>,
    /// Older ones, of which no more is known than how many there are and where the first was.
    forgotten: Unanswered,
    /// The last pong that answers none of them: perhaps its ping waits behind a gap. Its hash and packet.
    early: Option<(u32, u64)>,
}

/// Pings that wait for their pong: more at once is no keep-alive but a flood.
const MAX_PINGS: usize = 64;

impl SessionStats {
    pub(crate) fn message(&mut self, message: &Message<'_>) {
        let direction = message.direction;
        self.messages[direction] += 1;
        self.bytes[direction] = self.bytes[direction].saturating_add(message.payload.length());
        if message.opcode == Opcode::Close {
            self.close(message);
        } else if self.ending.is_none() {
            self.last_message = Some(message.span.last.time);
        }
        match message.opcode {
            Opcode::Ping if message.complete => {
                self.ping(direction, hash(message.payload.bytes), message.span.last.packet)
            }
            Opcode::Pong if message.complete => {
                self.pong(direction, hash(message.payload.bytes), message.span.last.packet)
            }
            _ => {}
        }
    }

    fn close(&mut self, message: &Message<'_>) {
        let (direction, last) = (message.direction, message.span.last);
        self.ending.get_or_insert(last.time);
        if self.close_codes[direction].is_some() {
            return;
        }
        self.close_codes[direction] = Some(message.close.map(|close| close.code));
        if self.first_close.is_none() || last.packet < self.first_close_packet {
            self.first_close = Some(direction);
            self.first_close_packet = last.packet;
        }
    }

    fn ping(&mut self, direction: Direction, ping: u32, packet: u64) {
        let pings = &mut self.pings.get_or_insert_default()[direction];
        let answered = pings.early.take_if(|&mut (pong, at)| pong == ping && packet < at);
        if answered.is_some() {
            *pings = Pings::default();
            return self.forget_settled_pings();
        }
        if pings.waiting.len() == MAX_PINGS {
            let (_, packet) = pings.waiting.remove(0);
            if pings.forgotten.count == 0 {
                pings.forgotten.first_packet = packet;
            }
            pings.forgotten.count += 1;
        }
        pings.waiting.push((ping, packet));
    }

    /// One pong may answer all pings up to the one whose bytes it carries (RFC 6455 §5.5.3).
    fn pong(&mut self, direction: Direction, pong: u32, packet: u64) {
        let pings = &mut self.pings.get_or_insert_default()[direction.other()];
        if let Some(answered) = pings.waiting.iter().rposition(|&(ping, _)| ping == pong) {
            pings.waiting.drain(..=answered);
            pings.forgotten = Unanswered::default();
        } else {
            pings.early = Some((pong, packet));
        }
        self.forget_settled_pings();
    }

    /// Something that `direction` carried is lost: it may have been the pongs that are missing.
    pub(crate) fn gap(&mut self, direction: Direction) {
        if let Some(pings) = &mut self.pings {
            pings[direction.other()] = Pings::default();
            self.forget_settled_pings();
        }
    }

    /// A quiet session holds no memory for what is settled.
    fn forget_settled_pings(&mut self) {
        self.pings.take_if(|pings| {
            pings
                .iter()
                .all(|pings| pings.unanswered().count == 0 && pings.early.is_none())
        });
    }

    /// `side` sends nothing more: FIN, or END_STREAM.
    pub(crate) fn fin(&mut self, side: Side, at: PacketRef) {
        self.fin[side.index()] = true;
        self.first_fin.get_or_insert(side);
        self.ending.get_or_insert(at.time);
    }

    /// Whether `side` has sent its FIN.
    pub(crate) fn has_ended(&self, side: Side) -> bool {
        self.fin[side.index()]
    }

    pub(crate) fn reset(&mut self, side: Side, at: PacketRef) {
        self.reset.get_or_insert(side);
        self.ending.get_or_insert(at.time);
    }

    /// The last that `direction` carried is lost.
    pub(crate) fn end_lost(&mut self, direction: Direction) {
        self.end_lost[direction] = true;
        self.gap(direction);
    }

    /// Sums it up. `ended` is the connection, when that is what has ended.
    pub(crate) fn end(&mut self, source: &Source, transport: TransportEnd, ended: Option<&Connection>) -> SessionEnd {
        let vanished = ended.and_then(|connection| connection.vanished);
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
        let unseen = Direction::BOTH
            .iter()
            .any(|&direction| self.end_lost[direction] && self.close_codes[direction].is_none());
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
            verdict: self.verdict(transport, unseen, vanished.is_some()),
            messages: self.messages,
            bytes: self.bytes,
            unanswered_pings: PerDirection::from_fn(|direction| {
                let pings = self.pings.as_ref();
                pings.map_or_else(Unanswered::default, |pings| pings[direction].unanswered())
            }),
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
        } else if codes().next().is_some() {
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

    /// From the last message to the first sign of the end.
    fn silence(&self) -> Option<i64> {
        let silence = self.ending?.since(self.last_message?);
        (silence >= 0).then_some(silence)
    }
}

impl Pings {
    fn unanswered(&self) -> Unanswered {
        let oldest = self.waiting.first().map_or(0, |&(_, packet)| packet);
        Unanswered {
            count: self.waiting.len() as u64 + self.forgotten.count,
            first_packet: if self.forgotten.count > 0 {
                self.forgotten.first_packet
            } else {
                oldest
            },
        }
    }
}

/// FNV-1a: pings are told apart, nothing depends on it but a count.
fn hash(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5, |h, &b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}
