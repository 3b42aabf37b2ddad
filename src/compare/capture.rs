//! What is kept of a capture until it is compared: of each message a hash, its length, its time and the beginning of its text.

use crate::base::{Direction, Endpoint, PacketRef, PerDirection, Timestamp};
use crate::record::{How, Opcode, Proxied, Scheme};

/// The sessions of one capture.
#[derive(Debug, Default)]
pub struct Capture {
    /// Packets that were read.
    pub packets: u64,
    /// The time of the earliest packet and of the latest one.
    pub times: Option<(Timestamp, Timestamp)>,
    /// In the order of their numbers.
    pub sessions: Vec<Session>,
    /// The packet with which there was no room left: what follows it is not there.
    pub full_at: Option<u64>,
    /// The beginnings of messages, one behind the other, in blocks of [`BLOCK`] bytes.
    pub(super) excerpts: Vec<Vec<u8>>,
}

/// Bytes of a message that are kept to be shown.
pub(super) const EXCERPT: usize = 96;

/// Bytes of a block of excerpts.
pub(super) const BLOCK: usize = 64 << 10;

impl Capture {
    /// The beginning of a message.
    pub fn excerpt(&self, message: &Kept) -> &[u8] {
        let (block, at) = (message.excerpt as usize / BLOCK, message.excerpt as usize % BLOCK);
        let bytes = self.excerpts.get(block).map_or(&[][..], Vec::as_slice);
        bytes
            .get(at..at + usize::from(message.excerpt_length))
            .unwrap_or_default()
    }
}

/// A session.
#[derive(Debug)]
pub struct Session {
    /// Its number, as in every view.
    pub number: u64,
    /// Its TCP connection.
    pub connection: u64,
    /// Who opened it, as on the wire.
    pub client: Endpoint,
    /// Whom it was opened to, as on the wire.
    pub server: Endpoint,
    /// What a PROXY header or SOCKS said.
    pub proxied: Option<Proxied>,
    /// `ws` or `wss`.
    pub scheme: Scheme,
    /// The HTTP/2 stream.
    pub stream: Option<u32>,
    /// The handshake was not captured.
    pub inferred: bool,
    /// The request target, when the request was captured.
    pub target: Option<Box<str>>,
    /// `Sec-WebSocket-Key`.
    pub(super) key: Option<Box<str>>,
    /// What else of the handshake tells sessions apart: a hash for each header line.
    pub(super) headers: Vec<u64>,
    /// The address that `X-Forwarded-For`, `X-Real-IP` or `Forwarded` names.
    pub(super) forwarded_for: Option<Box<str>>,
    /// The packet that completed the upgrade request, and the one that completed its answer.
    pub request: Option<PacketRef>,
    /// The answer to the upgrade request.
    pub response: Option<PacketRef>,
    /// The upgrade was refused with this status, or never answered (0).
    pub refused: Option<u16>,
    /// permessage-deflate was agreed on.
    pub deflate: bool,
    /// Messages and control frames, in the order in which they were complete.
    pub messages: PerDirection<Vec<Kept>>,
    /// Before which messages (by place) something is missing in the capture.
    pub(super) gaps: PerDirection<Vec<u32>>,
    /// Messages (by place) that the other end never acknowledged.
    pub unacknowledged: PerDirection<Vec<u32>>,
    /// The first sign of its end.
    pub end: Option<End>,
    /// The last byte of the session before that.
    pub(super) active: Option<PacketRef>,
}

impl Session {
    /// Its first sign of life.
    pub(super) fn begins(&self) -> Option<Timestamp> {
        let messages = self.messages.iter().filter_map(|all| all.first()).map(|kept| kept.time);
        self.request.map(|at| at.time).into_iter().chain(messages).min()
    }

    /// Its last sign of life.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        let messages = self.messages.iter().filter_map(|all| all.last()).map(|kept| kept.time);
        let end = self.end.map(|end| end.at.time);
        end.into_iter().chain(messages).chain(self.begins()).max()
    }

    /// Nanoseconds without a byte before its end.
    pub fn silence(&self) -> Option<i64> {
        Some(self.end?.at.time.since(self.active?.time).max(0))
    }
}

/// The first close frame, FIN or RST of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The packet that brought it.
    pub at: PacketRef,
    /// Who sent it, the client or the server of this connection: by the direction in which it went.
    pub by: Direction,
    /// What it was.
    pub how: How,
    /// The code of the close frame.
    pub code: Option<u16>,
}

/// A message or control frame.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The first half of the SHA-256 of its application bytes.
    pub hash: [u8; 16],
    /// The time of the packet that completed it.
    pub time: Timestamp,
    /// That packet.
    pub packet: u64,
    /// Application bytes.
    pub length: u64,
    excerpt: u32,
    excerpt_length: u8,
    /// What kind it is.
    pub opcode: Opcode,
    /// All of it is there, so that the hash tells what it says.
    pub complete: bool,
    /// The code of a close frame.
    pub close: Option<u16>,
}

impl Kept {
    pub(super) fn new(opcode: Opcode, at: PacketRef, length: u64, hash: [u8; 16]) -> Self {
        Self {
            hash,
            time: at.time,
            packet: at.packet,
            length,
            excerpt: 0,
            excerpt_length: 0,
            opcode,
            complete: true,
            close: None,
        }
    }

    /// Where its beginning is kept.
    pub(super) fn set_excerpt(&mut self, at: u32, length: u8) {
        (self.excerpt, self.excerpt_length) = (at, length);
    }

    /// Both say the same.
    pub(super) fn is_like(&self, other: &Kept) -> bool {
        self.complete && other.complete && self.opcode == other.opcode && self.hash == other.hash
    }

    /// A ping, pong or close frame, or a reserved one.
    pub(super) fn is_control(&self) -> bool {
        self.opcode.is_control()
    }
}
