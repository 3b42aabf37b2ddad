//! A frame's header (RFC 6455 §5.2).

use crate::base::Direction;

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
