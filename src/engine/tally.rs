//! What is counted and remembered of a session until it ends.

use crate::base::{Direction, Side};
use crate::record::{End, Message, Opcode, Session, SessionEnd, Unanswered};
use crate::tcp::TcpEnd;

/// What [`SessionEnd`] will say.
#[derive(Debug, Default)]
pub(super) struct Tally {
    messages: u64,
    bytes: u64,
    /// Who has sent a close frame, by direction.
    closed: [bool; 2],
    first_close: Option<Direction>,
    /// In which packet that was: a gap may hold one up until the other side's has come.
    first_close_packet: u64,
    /// What came last is lost, and may have been a close frame. By direction.
    doubt: [bool; 2],
    close_code: Option<u16>,
    /// Pings without a pong, by direction of the ping. Not there when there are none, and a quiet session is small.
    pings: Option<Box<[Pings; 2]>>,
    pub(super) refused: Option<u16>,
    fin: [bool; 2],
    first_fin: Option<Side>,
    reset: Option<Side>,
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

impl Tally {
    pub(super) fn message(&mut self, message: &Message<'_>) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(message.payload.length());
        let index = message.direction.index();
        match message.opcode {
            Opcode::Close => {
                let packet = message.span.last.packet;
                if !self.closed[index] && (self.first_close.is_none() || packet < self.first_close_packet) {
                    self.first_close = Some(message.direction);
                    self.first_close_packet = packet;
                    self.close_code = message.close.map(|c| c.code);
                }
                self.closed[index] = true;
            }
            Opcode::Ping if message.complete => {
                let ping = hash(message.payload.bytes);
                let pings = &mut self.pings.get_or_insert_default()[index];
                if pings
                    .early
                    .take_if(|&mut (pong, packet)| pong == ping && message.span.last.packet < packet)
                    .is_some()
                {
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
                pings.waiting.push((ping, message.span.last.packet));
            }
            Opcode::Pong if message.complete => {
                // One pong may answer all pings up to the one whose bytes it carries (RFC 6455 §5.5.3).
                let pings = &mut self.pings.get_or_insert_default()[1 - index];
                let pong = hash(message.payload.bytes);
                if let Some(answered) = pings.waiting.iter().rposition(|&(ping, _)| ping == pong) {
                    pings.waiting.drain(..=answered);
                    pings.forgotten = Unanswered::default();
                } else {
                    pings.early = Some((pong, message.span.last.packet));
                }
                self.forget_settled_pings();
            }
            _ => {}
        }
    }

    /// Something that `direction` carried is lost: it may have been the pongs that are missing.
    pub(super) fn gap(&mut self, direction: Direction) {
        if let Some(pings) = &mut self.pings {
            pings[direction.other().index()] = Pings::default();
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

    pub(super) fn fin(&mut self, side: Side) {
        self.fin[side.index()] = true;
        self.first_fin.get_or_insert(side);
    }

    /// Whether `side` has sent its FIN.
    pub(super) fn has_ended(&self, side: Side) -> bool {
        self.fin[side.index()]
    }

    pub(super) fn reset(&mut self, side: Side) {
        self.reset.get_or_insert(side);
    }

    /// The last that `direction` carried is lost.
    pub(super) fn end_lost(&mut self, direction: Direction) {
        self.doubt[direction.index()] = true;
        self.gap(direction);
    }

    /// Sums it up.
    pub(super) fn end(&mut self, session: &Session, end: TcpEnd) -> SessionEnd {
        match end {
            TcpEnd::Fin { by } => {
                self.first_fin.get_or_insert(by);
            }
            TcpEnd::Reset { by } => self.reset(by),
            TcpEnd::Idle | TcpEnd::Evicted | TcpEnd::Reused | TcpEnd::CaptureEnd => {}
        }
        let direction = |side| session.direction(side);
        let how = match end {
            _ if self.first_close.is_some() => End::Close,
            // A FIN and then a reset: the side that was told goodbye slammed the door. The FIN came first.
            _ if self.first_fin.is_some() => End::Fin,
            _ if self.reset.is_some() => End::Reset,
            TcpEnd::Evicted => End::Evicted,
            TcpEnd::CaptureEnd => End::CaptureEnd,
            TcpEnd::Idle | TcpEnd::Reused | TcpEnd::Fin { .. } | TcpEnd::Reset { .. } => End::Idle,
        };
        let side = |d: Direction| session.side(d).index();
        let both = [Direction::ClientToServer, Direction::ServerToClient];
        SessionEnd {
            how,
            close_code: self.close_code,
            by: self
                .first_close
                .or(self.first_fin.map(direction))
                .or(self.reset.map(direction)),
            closing_handshake: self.closed == [true; 2],
            close_unseen: both.iter().any(|d| self.doubt[d.index()] && !self.closed[d.index()]),
            reused: end == TcpEnd::Reused,
            messages: self.messages,
            bytes: self.bytes,
            unanswered_pings: both.map(|d| {
                let pings = self.pings.as_ref();
                pings.map_or_else(Unanswered::default, |pings| pings[d.index()].unanswered())
            }),
            refused: self.refused,
            fin: both.map(|d| self.fin[side(d)]),
            reset: self.reset.map(direction),
        }
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
