//! What leaves the engine: records of what happened, and the packets that brought it about.

mod given_up;
mod handshake;
mod http2;
mod meaning;
mod message;
mod session;
mod span;
mod tls;

use std::ops::ControlFlow;

use crate::base::{Direction, Gap, PacketRef, Violation};
use crate::tcp::{Connection, SegmentFacts};
use crate::wire::{Packet, Segment};

pub use given_up::GivenUp;
pub use handshake::{Accept, Deflate, Extension, Handshake, Request, Response};
pub use http2::{Http2Frame, http2_error_name};
pub use meaning::{Action, Answers, Exchange, Field, Fields, Interpretation, Key, ShortText, UnansweredRequest};
pub use message::{Close, FrameInfo, Hole, Message, Opcode, Payload, Progress};
pub use session::{
    ConnectionId, How, Proxied, Scheme, SessionEnd, SessionId, Source, TransportEnd, Unacknowledged, Unanswered,
    Verdict,
};
pub use span::{Span, StreamRange};
pub use tls::{TlsAlert, TlsEnd, TlsHandshake, TlsPacket};

/// Something that happened in a connection, found out with packet `at.packet`.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The packet that completed it. Nearly always the current one; an earlier one when the connection was recognised late.
    pub at: PacketRef,
    /// In which session, or at least in which connection.
    pub source: &'a Source,
    /// What happened.
    pub kind: RecordKind<'a>,
}

/// What happened. In the order in which a session lives.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RecordKind<'a> {
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
    /// A frame of HTTP/2. For narration.
    Http2 {
        /// Who sent it.
        direction: Direction,
        /// On which stream; 0 is the connection itself.
        stream: u32,
        /// What it says.
        frame: &'a Http2Frame,
    },
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
    /// A request was not answered before the session was over.
    Unanswered(&'a UnansweredRequest),
    /// The session is over.
    SessionEnd(&'a SessionEnd),
    /// What a TLS connection has agreed on is known, or will not be known any more.
    Tls(&'a TlsHandshake),
    /// What the current packet does in a TLS connection. For narration.
    TlsPacket {
        /// Who has sent it.
        direction: Direction,
        /// What its records do.
        packet: &'a TlsPacket,
    },
    /// A TLS connection is over.
    TlsEnd(&'a TlsEnd),
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
    /// The session, once the connection is known (or about) to be one WebSocket's.
    pub source: Option<&'a Source>,
    /// It may still turn out that the connection carries sessions.
    pub may_carry: bool,
}

/// Who takes what the engine gives. For each packet: `packet`, its records, `packet_end`. Any of them may say stop.
///
/// What is borrowed lives for the call only.
pub trait Sink {
    /// A packet has come. `segment` is `None` when it is not TCP, or the fragment of something not yet whole.
    fn packet(&mut self, _packet: &Packet<'_>, _segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The current packet (or the end of the capture) brought this about.
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()>;

    /// The current packet has brought all it brings.
    fn packet_end(&mut self, _packet: &Packet<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// No packet will be of this connection any more. Records still may be, of what waits for keys of TLS: then it is said again.
    fn forgotten(&mut self, _connection: ConnectionId) {}
}
