//! What the tests of this module share: segments in one line, and an [`StreamHandler`] that writes everything down.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::base::PacketRef;
use crate::base::{Captured, Endpoint, Gap, Limits, Side, Timestamp};
use crate::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use crate::wire::{Checksum, Segment, TcpFlags};

pub(super) const FIN: u16 = 0x01;
pub(super) const SYN: u16 = 0x02;
pub(super) const RST: u16 = 0x04;
pub(super) const ACK: u16 = 0x10;
pub(super) const URG: u16 = 0x20;

/// Where the two sides' streams begin, close before the numbers wrap.
pub(super) const START: [u32; 2] = [0xffff_ff00, 0x7fff_ff00];

/// What has come of one direction. Missing bytes stand as 0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    pub(super) gaps: Vec<Gap>,
    pub(super) fin: bool,
    pub(super) reset: bool,
    /// Where the stream has got to.
    pub(super) reached: u64,
}

/// What has been told of one connection.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) streams: [Stream; 2],
    pub(super) facts: Vec<SegmentFacts>,
    pub(super) end: Option<TcpEnd>,
}

#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) told: BTreeMap<u64, Told>,
    pub(super) ends: Vec<(u64, TcpEnd)>,
    last: Option<SegmentFacts>,
}

impl StreamHandler for Recorder {
    type State = u64;

    fn segment(&mut self, state: &mut u64, connection: &Connection, facts: &SegmentFacts, _: PacketRef) {
        assert!(
            *state == 0 || *state == connection.number,
            "the state is another connection's"
        );
        *state = connection.number;
        self.last = Some(facts.clone());
        self.told
            .entry(connection.number)
            .or_default()
            .facts
            .push(facts.clone());
    }

    fn stream(&mut self, state: &mut u64, connection: &Connection, side: Side, event: StreamEvent<'_>, _: PacketRef) {
        assert_eq!(*state, connection.number);
        let told = self.told.entry(connection.number).or_default();
        assert_eq!(told.end, None, "nothing comes after the end");
        let stream = &mut told.streams[side.index()];
        assert!(
            !stream.fin || matches!(event, StreamEvent::Reset),
            "nothing but a reset comes after the FIN"
        );
        match event {
            StreamEvent::Data { offset, bytes, .. } => {
                assert_eq!(offset, stream.reached);
                stream.reached += bytes.len() as u64;
                assert!(!bytes.is_empty());
                stream.bytes.extend(bytes);
            }
            StreamEvent::Gap(gap) => {
                assert_eq!(gap.offset, stream.reached);
                stream.reached += gap.length;
                assert!(gap.length > 0);
                // Garbage has gaps of any length.
                stream
                    .bytes
                    .resize(stream.bytes.len() + gap.length.min(1 << 20) as usize, 0);
                stream.gaps.push(gap);
            }
            StreamEvent::Fin => stream.fin = true,
            StreamEvent::Reset => stream.reset = true,
        }
    }

    fn end(&mut self, state: &mut u64, connection: &Connection, end: TcpEnd, _: PacketRef) {
        assert_eq!(*state, connection.number);
        self.ends.push((connection.number, end));
        let told = self.told.entry(connection.number).or_default();
        assert_eq!(told.end.replace(end), None, "a connection ends once");
    }
}

/// [`Line::id`] of a sender that has none.
pub(super) const NO_ID: u16 = u16::MAX;

/// One segment, by offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) port: u16,
    pub(super) side: Side,
    pub(super) flags: u16,
    /// Offset in its stream; -1 for the SYN.
    pub(super) at: i64,
    /// What it acknowledges of the other stream.
    pub(super) ack: i64,
    pub(super) window: u16,
    pub(super) options: Vec<u8>,
    pub(super) payload: Vec<u8>,
    /// Added to both sequence numbers: another connection.
    pub(super) era: u32,
    /// 0 is the next one.
    pub(super) id: u16,
    pub(super) ttl: u8,
    /// Its checksum is right; else it is left out.
    pub(super) checked: bool,
    pub(super) urgent: u16,
    /// It is shorter than its IP header says.
    pub(super) short: bool,
}

pub(super) fn line(side: Side, flags: u16, at: i64, ack: i64, payload: &[u8]) -> Line {
    Line {
        port: 1000,
        side,
        flags,
        at,
        ack,
        window: 65_535,
        options: Vec::new(),
        payload: payload.to_vec(),
        era: 0,
        id: 0,
        ttl: 64,
        checked: false,
        urgent: 0,
        short: false,
    }
}

/// The three lines of the opening handshake.
pub(super) fn handshake() -> [Line; 3] {
    [
        line(Side::A, SYN, -1, 0, b""),
        line(Side::B, SYN | ACK, -1, 0, b""),
        line(Side::A, ACK, 0, 0, b""),
    ]
}

/// A table with its recorder and a clock that goes on 1 ms a packet.
pub(super) struct Wire {
    pub(super) table: Table<u64>,
    pub(super) upper: Recorder,
    pub(super) packet: u64,
    pub(super) millis: i64,
    next_id: u16,
}

impl Wire {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            upper: Recorder::default(),
            packet: 0,
            millis: 0,
            next_id: 1000,
        }
    }

    pub(super) fn at(&self) -> PacketRef {
        PacketRef {
            packet: self.packet,
            time: Timestamp::from_nanos(self.millis * 1_000_000),
        }
    }

    pub(super) fn send(&mut self, line: &Line) -> SegmentFacts {
        self.send_cut(line, line.payload.len())
    }

    /// Sends a line of whose payload only `captured` bytes were captured.
    pub(super) fn send_cut(&mut self, line: &Line, captured: usize) -> SegmentFacts {
        self.send_with(line, Captured::new(&line.payload[..captured], line.payload.len()))
    }

    /// Sends a line with another payload.
    pub(super) fn send_with(&mut self, line: &Line, payload: Captured<'_>) -> SegmentFacts {
        let ends = [
            Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), line.port),
            Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 7272),
        ];
        let (own, other) = (line.side.index(), line.side.other().index());
        let number = |side: usize, at: i64| START[side].wrapping_add(at as u32).wrapping_add(line.era);
        self.next_id = self.next_id.wrapping_add(1);
        let mut header = [&[0; 20], &line.options[..]].concat();
        header[18..20].copy_from_slice(&line.urgent.to_be_bytes());
        let mut segment = Segment {
            source: ends[own],
            destination: ends[other],
            seq: number(own, line.at),
            ack: if line.flags & ACK != 0 {
                number(other, line.ack)
            } else {
                0
            },
            flags: TcpFlags(line.flags),
            window: line.window,
            header: &[],
            payload,
            ip_id: match line.id {
                0 => Some(self.next_id),
                NO_ID => Some(0),
                id => Some(id),
            },
            ttl: line.ttl,
            is_short: line.short,
            fragments: &[],
            fragments_differ: false,
        };
        // No checksum is 0 when something else is not.
        let right = |header: &mut Vec<u8>, sum: u16| {
            header[16..18].copy_from_slice(&sum.to_be_bytes());
            let segment = Segment { header, ..segment };
            segment.checksum() == Checksum::Right
        };
        if line.checked {
            assert!((0..=u16::MAX).any(|sum| right(&mut header, sum)));
        }
        segment.header = &header;
        self.packet += 1;
        self.millis += 1;
        let at = self.at();
        self.table.segment(&segment, at, &mut self.upper);
        self.upper.last.take().expect("every segment is told")
    }

    pub(super) fn send_all(&mut self, lines: &[Line]) {
        for line in lines {
            self.send(line);
        }
    }

    pub(super) fn finish(&mut self) {
        let at = self.at();
        self.table.finish(at, &mut self.upper);
        assert!(self.table.is_empty());
        assert_eq!(self.table.held(), 0);
        for told in self.upper.told.values() {
            assert!(told.end.is_some(), "every connection ends");
        }
    }

    pub(super) fn stream(&self, number: u64, side: Side) -> &Stream {
        &self.upper.told[&number].streams[side.index()]
    }
}
