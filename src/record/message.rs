//! What comes out: messages, and what is known of them.

use super::{Interpretation, Span, StreamRange};
use crate::base::Direction;

/// What kind a frame or message is (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opcode {
    /// 0x0: only frames have it, never a message.
    Continuation,
    /// Of a message whose first frame is lost.
    Unknown,
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
            Opcode::Continuation | Opcode::Unknown => 0x0,
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

    /// `text`, `binary`, `ping`, `pong`, `close`, `continuation`, `unknown`, `reserved-3` …, as in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            Opcode::Continuation => "continuation",
            Opcode::Unknown => "unknown",
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
    /// Bytes of its header, 2 to 14.
    pub header: u8,
    /// Payload bytes as sent.
    pub length: u64,
    /// Where it came from.
    pub span: Span,
    /// Where its header begins in the direction's stream.
    pub offset: u64,
}

impl FrameInfo {
    /// How many bytes its header needs at least.
    pub fn least_header(&self) -> u8 {
        let length = match self.length {
            0..126 => 0,
            126..65_536 => 2,
            _ => 8,
        };
        2 + length + if self.masking_key.is_some() { 4 } else { 0 }
    }
}

/// What a close frame says (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The status code (RFC 6455 §7.4).
    pub code: u16,
    /// The reason; bytes that are not UTF-8 are left out from the first on.
    pub reason: &'a str,
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
    /// The payload, when this is a complete text message of valid UTF-8: checked once, here.
    pub text: Option<&'a str>,
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
    /// Its first frame has bits of an extension that is not known: its bytes are in the form of that.
    pub extended: bool,
    /// Where it came from, first header byte to last payload byte.
    pub span: Span,
    /// Where it lies in the direction's stream, from its first header to the end of its last payload byte.
    /// (Control frames may lie inside the range of a fragmented message.)
    pub range: StreamRange,
    /// All of it is there: every fragment, every byte, inflated.
    pub complete: bool,
    /// Found without having seen the handshake. (When the frame that tells the opcode is lost as well, the opcode is a
    /// guess, `complete` is false and the first hole is at 0.)
    pub inferred: bool,
    /// It is told later than its packet: it has waited behind bytes that are missing.
    pub told_late: bool,
    /// What it means to the application, a document each; empty when nobody knows.
    pub meaning: &'a [Interpretation<'a>],
    /// Code and reason, when it is a close frame that has them.
    pub close: Option<Close<'a>>,
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

/// Application bytes that are not known. A hole inside `Payload::bytes` has a length and filler of that length there; only
/// the last hole may lie behind the bytes. A length is unknown (no filler stands for it then) only in a hole behind the
/// bytes, and in one at 0: the beginning of the message is lost, and offsets count from the end of that hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where it begins, in application bytes.
    pub offset: u64,
    /// How long it is, when that is known.
    pub length: Option<u64>,
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
