//! What the engine says, and who listens. From here on client and server are known.

use std::ops::{ControlFlow, Range};

use crate::base::{Direction, Endpoint, Gap, Side, Violation};
use crate::net::{Packet, Segment};
use crate::tcp::{At, Connection, SegmentFacts};

/// Something that happened in a WebSocket connection, found out with packet `at.packet`.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The packet that completed it. Nearly always the current one; an earlier one when the connection was recognised late.
    pub at: At,
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

/// An HTTP/1.1 request head (RFC 9112). Bytes that are not UTF-8 stand as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, when it is a good upgrade.
    pub method: String,
    /// The request target.
    pub target: String,
    /// Names and values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the client's stream.
    pub range: Range<u64>,
}

/// An HTTP/1.1 response head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code; 101 when the connection was upgraded.
    pub status: u16,
    /// Names and values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the server's stream.
    pub range: Range<u64>,
}

impl Request {
    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Response {
    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}

/// `Sec-WebSocket-Accept`, recomputed (RFC 6455 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// It follows from the request's key.
    Valid,
    /// It does not.
    Invalid,
    /// It is absent, or there is no response, or no key.
    Missing,
}

/// The opening handshake (RFC 6455 §4): `Upgrade` in DESIGN's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// What the client asked.
    pub request: Request,
    /// What the server answered; `None` when it never did, or the capture does not hold it.
    pub response: Option<Response>,
    /// Whether the answer proves that it knows the key.
    pub accept: Accept,
    /// The subprotocol agreed upon.
    pub subprotocol: Option<String>,
    /// The extensions agreed upon, in order.
    pub extensions: Vec<Extension>,
    /// The agreed parameters of permessage-deflate, if that was agreed upon.
    pub deflate: Option<Deflate>,
}

/// One extension of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its registered name.
    pub name: String,
    /// Its parameters, in order, with their values where they have one.
    pub parameters: Vec<(String, Option<String>)>,
}

/// The agreed parameters of permessage-deflate (RFC 7692 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts every message with an empty window.
    pub client_no_context_takeover: bool,
    /// The server's LZ77 window is 2 to the power of this, 8 to 15.
    pub server_max_window_bits: u8,
    /// The client's LZ77 window is 2 to the power of this, 8 to 15.
    pub client_max_window_bits: u8,
}

/// What kind a frame or message is (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opcode {
    /// 0x0: only frames have it, never a message.
    Continuation,
    /// 0x1.
    Text,
    /// 0x2.
    Binary,
    /// 0x8.
    Close,
    /// 0x9.
    Ping,
    /// 0xA.
    Pong,
    /// 0x3 to 0x7 and 0xB to 0xF.
    Reserved(u8),
}

impl Opcode {
    /// From the low four bits of a frame's first byte.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0x0f {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            other => Opcode::Reserved(other),
        }
    }

    /// The four bits.
    pub const fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xa,
            Opcode::Reserved(bits) => bits,
        }
    }

    /// Control frames have the top bit set (RFC 6455 §5.5), reserved ones too.
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// `text`, `binary`, `ping`, `pong`, `close`, `continuation`, `reserved-3` …, as in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            Opcode::Continuation => "continuation",
            Opcode::Text => "text",
            Opcode::Binary => "binary",
            Opcode::Close => "close",
            Opcode::Ping => "ping",
            Opcode::Pong => "pong",
            Opcode::Reserved(bits) => match bits {
                0x3 => "reserved-3",
                0x4 => "reserved-4",
                0x5 => "reserved-5",
                0x6 => "reserved-6",
                0x7 => "reserved-7",
                0xb => "reserved-11",
                0xc => "reserved-12",
                0xd => "reserved-13",
                0xe => "reserved-14",
                _ => "reserved-15",
            },
        }
    }
}

/// One frame as it was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    /// Who sent it.
    pub direction: Direction,
    /// Its opcode.
    pub opcode: Opcode,
    /// The last (or only) frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3.
    pub rsv: [bool; 3],
    /// Its masking key, if it is masked.
    pub masking_key: Option<[u8; 4]>,
    /// Payload bytes as sent.
    pub length: u64,
    /// First and last packet that carried it.
    pub packets: (u64, u64),
    /// Where its header begins in the direction's stream.
    pub offset: u64,
}

/// A message (data, joined) or a control frame.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Who sent it.
    pub direction: Direction,
    /// What kind it is; never `Continuation`.
    pub opcode: Opcode,
    /// The application bytes: unmasked, joined, inflated.
    pub payload: Payload<'a>,
    /// Payload bytes as sent, over all its frames.
    pub wire_length: u64,
    /// How many frames.
    pub frames: u32,
    /// Whether its first frame is masked.
    pub masked: bool,
    /// The masking key of its first frame.
    pub masking_key: Option<[u8; 4]>,
    /// permessage-deflate compressed it.
    pub compressed: bool,
    /// First and last packet that carried it.
    pub packets: (u64, u64),
    /// Where it lies in the direction's stream, from its first header to the end of its last payload byte.
    /// (Control frames may lie inside the range of a fragmented message.)
    pub range: StreamRange,
    /// All of it is there: every fragment, every byte, inflated.
    pub complete: bool,
    /// The opcode is a guess: the frame that told it is lost.
    pub inferred: bool,
    /// Code and reason, when it is a close frame that has them.
    pub close: Option<Close<'a>>,
    /// When its first byte came, to measure how long it took.
    pub first: At,
}

/// Where something lies in a stream: `start..end`, and `Copy`, which [`Range`] is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamRange {
    /// First offset.
    pub start: u64,
    /// First offset behind it.
    pub end: u64,
}

/// The application bytes of a message, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// The bytes; those in `holes` are filler and mean nothing.
    pub bytes: &'a [u8],
    /// What is missing, in ascending order, not overlapping. Empty when all is known.
    pub holes: &'a [Hole],
}

impl<'a> Payload<'a> {
    /// All of it is known.
    pub const fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, holes: &[] }
    }

    /// Application bytes in all, as far as the total is known; else the bytes known.
    pub fn length(&self) -> u64 {
        let missing_behind: u64 = self
            .holes
            .iter()
            .filter(|h| h.offset >= self.bytes.len() as u64)
            .filter_map(|h| h.length)
            .sum();
        if self.holes.iter().any(|h| h.length.is_none()) {
            let filler: u64 = self
                .holes
                .iter()
                .filter(|h| h.offset < self.bytes.len() as u64)
                .filter_map(|h| h.length)
                .sum();
            self.bytes.len() as u64 - filler
        } else {
            self.bytes.len() as u64 + missing_behind
        }
    }

    /// Whether the total is known.
    pub fn length_known(&self) -> bool {
        self.holes.iter().all(|h| h.length.is_some())
    }
}

/// Application bytes that are not known. A hole inside `Payload::bytes` has a length and filler of that length there;
/// only the last hole may lie behind the bytes, and only it may have an unknown length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where it begins, in application bytes.
    pub offset: u64,
    /// How long it is, when that is known.
    pub length: Option<u64>,
}

/// What a close frame says (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The status code (RFC 6455 §7.4).
    pub code: u16,
    /// The reason; bytes that are not UTF-8 are left out from the first on.
    pub reason: &'a str,
}

/// A message that has begun and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Who sends it.
    pub direction: Direction,
    /// What kind it is.
    pub opcode: Opcode,
    /// Payload bytes of the current frame that have come.
    pub received: u64,
    /// Payload bytes that the current frame's header promises; `None` while its header is incomplete.
    pub total: Option<u64>,
    /// Frames of the message so far, this one included.
    pub frames: u32,
    /// Number of the packet with its first byte.
    pub first_packet: u64,
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
    /// Messages and control frames, both ways: complete ones and others.
    pub messages: u64,
    /// Application bytes, both ways.
    pub bytes: u64,
    /// Pings that never got their pong, both ways, by direction of the ping.
    pub unanswered_pings: [u64; 2],
    /// The upgrade was refused with this status, or never answered (0).
    pub refused: Option<u16>,
    /// TCP's end: FIN seen from client, from server, reset by.
    pub fin: [bool; 2],
    /// Who reset it.
    pub reset: Option<Direction>,
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
