//! One direction of frames. The first byte says which direction, whether deflate was agreed on, and whether the beginning is
//! unknown. Then pieces: one byte of length, the bytes; a length of 0 is a gap of as many bytes as the next one says. Beside not
//! panicking: the same bytes in one piece give the same messages.

use wschat_sniff::base::PacketRef;
use wschat_sniff::base::{Direction, Gap, GapCause, Limits, Timestamp, Violation};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::ws::inflate::Inflater;
use wschat_sniff::layer::ws::{Decoder, Output, Shared};
use wschat_sniff::record::{FrameInfo, Message, Opcode};

#[derive(Default)]
struct Heard {
    messages: Vec<(Opcode, Vec<u8>, bool, u32)>,
    rules: Vec<&'static str>,
}

impl Output for Heard {
    fn frame(&mut self, _: PacketRef, frame: &FrameInfo) {
        assert!(frame.span.first.packet <= frame.span.last.packet);
    }

    fn message(&mut self, _: PacketRef, m: &Message<'_>) {
        assert!(m.payload.bytes.len() <= 64 << 10);
        assert!(m.opcode != Opcode::Continuation);
        assert!(m.text.is_none_or(|text| text.as_bytes() == m.payload.bytes));
        self.messages
            .push((m.opcode, m.payload.bytes.to_vec(), m.complete, m.frames));
    }

    fn violation(&mut self, _: PacketRef, violation: &Violation) {
        self.rules.push(violation.rule.id());
    }
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Some((&flags, data)) = data.split_first() else {
        return;
    };
    let mut stream = Vec::new();
    let mut gaps = false;
    let pieces = listen(flags, |decoder, shared, heard| {
        let (mut rest, mut offset, mut packet) = (data, 0, 0);
        while let [length, behind @ ..] = rest {
            packet += 1;
            let at = at(packet);
            if *length == 0 {
                let [length, behind @ ..] = behind else { break };
                rest = behind;
                gaps = true;
                let gap = Gap {
                    offset,
                    length: u64::from(*length) + 1,
                    cause: GapCause::Lost,
                };
                offset += gap.length;
                decoder.gap(gap, at, shared, heard);
                continue;
            }
            let (bytes, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            rest = behind;
            if bytes.is_empty() {
                break;
            }
            stream.extend_from_slice(bytes);
            decoder.push(Chunk::tcp(offset, bytes, at, at), shared, heard);
            offset += bytes.len() as u64;
        }
        decoder.end(at(packet), shared, heard);
    });
    // Where segments end is evidence to a seeking decoder: only one that knows its place reads the same in one piece.
    if gaps || flags & 4 != 0 || stream.is_empty() {
        return;
    }
    let whole = listen(flags, |decoder, shared, heard| {
        let chunk = Chunk::tcp(0, &stream, at(1), at(1));
        decoder.push(chunk, shared, heard);
        decoder.end(at(1), shared, heard);
    });
    assert!(pieces.messages == whole.messages && pieces.rules == whole.rules);
}

fn at(packet: u64) -> PacketRef {
    PacketRef {
        packet,
        time: Timestamp::from_nanos(0),
    }
}

fn listen(flags: u8, speak: impl FnOnce(&mut Decoder, &mut Shared, &mut Heard)) -> Heard {
    let limits = Limits {
        message_bytes: 16 << 10,
        inflated_bytes: 64 << 10,
        memory_bytes: 256 << 10,
        ..Limits::default()
    };
    let direction = match flags & 1 {
        0 => Direction::ServerToClient,
        _ => Direction::ClientToServer,
    };
    let inflater = (flags & 2 != 0).then(|| Box::new(Inflater::new(flags & 8 == 0, 8 + (flags >> 4) % 8)));
    let mut decoder = if flags & 4 == 0 {
        Decoder::new(direction, 0, inflater, false)
    } else {
        Decoder::unsynced(direction, inflater, true)
    };
    let mut shared = Shared::new(limits, true);
    let mut heard = Heard::default();
    speak(&mut decoder, &mut shared, &mut heard);
    assert_eq!(shared.held(), 0);
    heard
}
