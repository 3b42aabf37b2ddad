//! Packets of any kind through the link layers, IP, and TCP's table. Beside not panicking: both streams of each
//! connection are contiguous, nothing follows their end, and no bound is exceeded.
//!
//! The first byte picks the link type. Then come packets: two bytes of length, one that says how much of it was cut off,
//! one that says how much time has gone by, the bytes.

use wschat_sniff::base::PacketRef;
use wschat_sniff::base::{Captured, Limits, Side, Timestamp};
use wschat_sniff::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use wschat_sniff::wire::{Decoder, LinkType, Packet};

/// What must hold of a connection.
#[derive(Default)]
struct Checked {
    number: u64,
    reached: [u64; 2],
    finished: [bool; 2],
    ended: bool,
}

struct Check;

impl StreamHandler for Check {
    type State = Checked;

    fn segment(&mut self, state: &mut Checked, connection: &Connection, facts: &SegmentFacts, _: PacketRef) {
        assert!(state.number == 0 || state.number == connection.number);
        state.number = connection.number;
        assert!(facts.range.start <= facts.range.end);
        assert!(facts.ack.newly.start <= facts.ack.newly.end);
    }

    fn stream(&mut self, state: &mut Checked, _: &Connection, side: Side, event: StreamEvent<'_>, at: PacketRef) {
        assert!(!state.ended);
        let reached = &mut state.reached[side.index()];
        let finished = &mut state.finished[side.index()];
        match event {
            StreamEvent::Data { offset, bytes, from } => {
                assert!(!*finished && offset == *reached && !bytes.is_empty() && from.packet <= at.packet);
                *reached += bytes.len() as u64;
            }
            StreamEvent::Gap(gap) => {
                assert!(!*finished && gap.offset == *reached && gap.length > 0);
                *reached += gap.length;
            }
            StreamEvent::Fin => assert!(!std::mem::replace(finished, true)),
            StreamEvent::Reset => {}
        }
    }

    fn end(&mut self, state: &mut Checked, _: &Connection, _: TcpEnd, _: PacketRef) {
        assert!(!std::mem::replace(&mut state.ended, true));
    }
}

/// The link type whose number ends in this byte, else one of the others.
fn link_type(byte: u8) -> LinkType {
    let all = LinkType::TABLE;
    let found = all.iter().find(|link| link.0 as u8 == byte);
    *found.unwrap_or(&all[usize::from(byte) % all.len()])
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let limits = Limits {
        flows: 4,
        waiting_bytes: 2_000,
        memory_bytes: 16_000,
        fragment_bytes: 4_000,
        ..Limits::default()
    };
    let mut decoder = Decoder::new(&limits);
    let mut table = Table::new(&limits);
    let Some((&link, mut rest)) = data.split_first() else {
        return;
    };
    let mut at = PacketRef {
        packet: 0,
        time: Timestamp::from_nanos(0),
    };
    while let [high, low, cut, pause, bytes @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(bytes.len());
        let (bytes, behind) = bytes.split_at(length);
        rest = behind;
        at.packet += 1;
        // From nothing to two minutes.
        at.time = Timestamp::from_nanos(at.time.nanos() + (1 << (*pause % 37)));
        let packet = Packet {
            number: at.packet,
            time: at.time,
            link: link_type(link),
            data: Captured::new(bytes, length + usize::from(*cut)),
        };
        if let Some(segment) = decoder.decode(&packet) {
            table.segment(&segment, at, &mut Check);
        }
        assert!(table.len() <= limits.flows && table.memory() <= limits.memory_bytes);
    }
    table.finish(at, &mut Check);
}
