//! A capture file (classic pcap, little-endian) through the whole engine. Beside not panicking: packets are announced and closed in
//! turn, what events say of packets and holes is consistent, and no message exceeds the bounds.

use std::ops::ControlFlow;

use wschat_sniff::base::{Captured, Limits, Timestamp};
use wschat_sniff::engine::Engine;
use wschat_sniff::record::{Message, Record, RecordKind, SegmentView, Sink};
use wschat_sniff::wire::{LinkType, Packet};

struct Check {
    open: bool,
    packets: u64,
    limits: Limits,
}

impl Sink for Check {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        assert!(!std::mem::replace(&mut self.open, true));
        self.packets = packet.number;
        if let Some(view) = segment {
            assert!(view.connection.number > 0);
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        assert!(record.at.packet <= self.packets + 1);
        if let RecordKind::Message(message) = record.kind {
            check_message(message, &self.limits);
        }
        ControlFlow::Continue(())
    }

    fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
        assert!(std::mem::replace(&mut self.open, false));
        ControlFlow::Continue(())
    }
}

fn check_message(message: &Message<'_>, limits: &Limits) {
    let payload = &message.payload;
    assert!(payload.bytes.len() <= limits.message_bytes.max(limits.inflated_bytes));
    assert!(message.span.first.packet <= message.span.last.packet);
    assert!(!message.complete || payload.holes.is_empty());
    let mut reached = 0;
    for (i, hole) in payload.holes.iter().enumerate() {
        let last = i + 1 == payload.holes.len();
        assert!(hole.offset >= reached && hole.offset <= payload.bytes.len() as u64);
        assert!(hole.length.is_some() || hole.offset == 0 || last);
        reached = hole.offset + if last { 0 } else { hole.length.unwrap_or(0) };
        assert!(reached <= payload.bytes.len() as u64);
    }
    let _ = (payload.length(), payload.length_known());
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let limits = Limits {
        flows: 16,
        waiting_bytes: 8 << 10,
        memory_bytes: 256 << 10,
        fragment_bytes: 16 << 10,
        head_bytes: 2 << 10,
        message_bytes: 16 << 10,
        inflated_bytes: 32 << 10,
        ..Limits::default()
    };
    let Some((header, mut rest)) = data.split_first_chunk::<24>() else {
        return;
    };
    let link = LinkType(i32::from(u16::from_le_bytes([header[20], header[21]])));
    let mut engine = Engine::new(limits).with_frames(true);
    let mut check = Check {
        open: false,
        packets: 0,
        limits,
    };
    let mut number = 0;
    while let Some((record, behind)) = rest.split_first_chunk::<16>() {
        let field = |i: usize| u32::from_le_bytes([record[i], record[i + 1], record[i + 2], record[i + 3]]);
        let (captured, on_wire) = (field(8) as usize, field(12) as usize);
        if captured > behind.len() {
            break;
        }
        let (bytes, next) = behind.split_at(captured);
        rest = next;
        number += 1;
        let packet = Packet {
            number,
            time: Timestamp::from_parts(field(0).into(), i64::from(field(4)) * 1000),
            link,
            data: Captured::new(bytes, on_wire.max(captured)),
        };
        let _ = engine.packet(&packet, &mut check);
    }
    let _ = engine.finish(&mut check);
}
