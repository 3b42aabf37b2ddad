//! Messages for the tests.

use crate::base::{Direction, PacketRef, Timestamp};
use crate::record::{Hole, Message, Opcode, Payload, Span, StreamRange};

pub(super) fn message<'a>(opcode: Opcode, direction: Direction, bytes: &'a [u8], holes: &'a [Hole]) -> Message<'a> {
    let at = PacketRef {
        packet: 1,
        time: Timestamp::from_nanos(0),
    };
    Message {
        direction,
        opcode,
        payload: Payload { bytes, holes },
        text: None,
        wire_length: 0,
        frames: 1,
        masked: false,
        masking_key: None,
        compressed: false,
        extended: false,
        span: Span::packet(at, StreamRange::default()),
        range: StreamRange::default(),
        complete: holes.is_empty(),
        inferred: false,
        told_late: false,
        meaning: &[],
        close: None,
    }
}

/// A whole text of the client.
pub(super) fn text(text: &str) -> Message<'_> {
    Message {
        text: Some(text),
        ..message(Opcode::Text, Direction::ClientToServer, text.as_bytes(), &[])
    }
}
