//! What the engine says, and who listens. From here on client and server are known.

use std::ops::ControlFlow;

use crate::base::PacketRef;
use crate::base::{Direction, Endpoint, Gap, Side, Violation};
use crate::tcp::{Connection, SegmentFacts};
use crate::wire::{Packet, Segment};

pub use crate::layer::http1::{Accept, Deflate, Extension, Handshake, Request, Response};
pub use crate::layer::ws::{Close, FrameInfo, Hole, Message, Opcode, Payload, Progress};
pub use crate::layer::{Span, StreamRange};

/// Something that happened in a WebSocket connection, found out with packet `at.packet`.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The packet that completed it. Nearly always the current one; an earlier one when the connection was recognised late.
    pub at: PacketRef,
    /// In which connection.
    pub session: &'a Session,
    /// What happened.
    pub kind: EventKind<'a>,
}

/// A connection of which the client is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The connection's number, from 1.
    pub number: u64,
    /// Who sent the upgrade, else the SYN, else who masks, else the higher port.
    pub client: Endpoint,
    /// The other one.
    pub server: Endpoint,
    /// Which [`Side`] of the connection the client is.
    pub client_side: Side,
    /// Its handshake was not seen: WebSocket was recognised from the frames.
    pub inferred: bool,
}

impl Session {
    /// In which direction `side` sends.
    pub fn direction(&self, side: Side) -> Direction {
        if side == self.client_side {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }

    /// Which side sends in `direction`.
    pub fn side(&self, direction: Direction) -> Side {
        match direction {
            Direction::ClientToServer => self.client_side,
            Direction::ServerToClient => self.client_side.other(),
        }
    }

    /// Who sends in `direction`.
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::ClientToServer => self.client,
            Direction::ServerToClient => self.server,
        }
    }
}

/// What happened. In the order in which a session lives.
#[derive(Debug, Clone, Copy)]
pub enum EventKind<'a> {
    /// The upgrade request is complete, the response is still to come. For narration; the JSON view waits for `Handshake`.
    UpgradeRequest(&'a Request),
    /// The response has come (or never will): how the upgrade went.
    Handshake(&'a Handshake),
    /// A frame (RFC 6455 §5.2) is complete.
    Frame(&'a FrameInfo),
    /// A message or control frame is complete, or as complete as it will ever be.
    Message(&'a Message<'a>),
    /// The current packet ended inside a frame or between the fragments of a message. For narration.
    Progress(&'a Progress),
    /// A rule was broken.
    Violation {
        /// By whom.
        direction: Direction,
        /// Which, and how.
        violation: &'a Violation,
    },
    /// Bytes are missing.
    Gap {
        /// Where.
        direction: Direction,
        /// How many, and why.
        gap: Gap,
    },
    /// The session is over.
    SessionEnd(&'a SessionEnd),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// In which way.
    pub how: End,
    /// The code of the first close frame, if there was one with a code.
    pub close_code: Option<u16>,
    /// Who ended it: sent the first close frame, else the first FIN, else the RST.
    pub by: Option<Direction>,
    /// Both sent a close frame (RFC 6455 §7.1.4).
    pub closing_handshake: bool,
    /// The capture does not hold all that could have been a close frame, or its answer: nothing can be said about their absence.
    pub close_unseen: bool,
    /// A new connection of the same addresses and ports began.
    pub reused: bool,
    /// Messages and control frames, both ways: complete ones and others.
    pub messages: u64,
    /// Application bytes, both ways.
    pub bytes: u64,
    /// Pings that never got their pong, both ways, by direction of the ping.
    pub unanswered_pings: [Unanswered; 2],
    /// The upgrade was refused with this status, or never answered (0).
    pub refused: Option<u16>,
    /// TCP's end: FIN seen from client, from server, reset by.
    pub fin: [bool; 2],
    /// Who reset it.
    pub reset: Option<Direction>,
}

/// Pings of one direction that never got their pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unanswered {
    /// How many.
    pub count: u64,
    /// The packet that completed the first of them; 0 when there is none.
    pub first_packet: u64,
}

/// The ways a session ends, as in the JSON view's `how`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// With a close frame.
    Close,
    /// With FIN and no close frame.
    Fin,
    /// With RST and no close frame.
    Reset,
    /// It was silent for too long.
    Idle,
    /// There were too many.
    Evicted,
    /// The capture ended first.
    CaptureEnd,
}

impl End {
    /// `close`, `fin`, `rst`, `idle`, `evicted` or `capture-end`.
    pub const fn name(self) -> &'static str {
        match self {
            End::Close => "close",
            End::Fin => "fin",
            End::Reset => "rst",
            End::Idle => "idle",
            End::Evicted => "evicted",
            End::CaptureEnd => "capture-end",
        }
    }
}

/// TCP's view of the current packet.
#[derive(Debug, Clone, Copy)]
pub struct SegmentView<'a> {
    /// The segment.
    pub segment: &'a Segment<'a>,
    /// Its connection.
    pub connection: &'a Connection,
    /// What it does there.
    pub facts: &'a SegmentFacts,
    /// The session, once the connection is known (or about) to be WebSocket.
    pub session: Option<&'a Session>,
}

/// Who listens to the engine. For each packet: `packet`, its events, `packet_end`. Any of them may say stop.
///
/// What is borrowed lives for the call only.
pub trait Sink {
    /// A packet has come. `segment` is `None` when it is not TCP, or the fragment of something not yet whole.
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()>;

    /// The current packet (or the end of the capture) brought this about.
    fn event(&mut self, event: &Event<'_>) -> ControlFlow<()>;

    /// The current packet has brought all it brings.
    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()>;
}
