//! A flow table for captures without loss, until the one of `tcp` has landed.
#![allow(missing_docs)]

use crate::base::{Endpoint, Limits, Side};
use crate::net::Segment;
use crate::tcp::{AckFact, At, Connection, DataFact, SegmentFacts, StreamEvent, TcpEnd, Upper, WindowFact};

#[derive(Debug)]
pub struct Table<T> {
    flows: std::collections::HashMap<(Endpoint, Endpoint), (Connection, T, [Option<u32>; 2])>,
    next: u64,
}
impl<T: Default> Table<T> {
    pub fn new(_l: &Limits) -> Self {
        Self {
            flows: Default::default(),
            next: 0,
        }
    }
    pub fn segment<U: Upper<State = T>>(&mut self, upper: &mut U, segment: &Segment<'_>, at: At) {
        let (a, b) = (segment.source, segment.destination);
        let side = if self.flows.contains_key(&(b, a)) {
            Side::B
        } else {
            Side::A
        };
        let key = if side == Side::B { (b, a) } else { (a, b) };
        let next = &mut self.next;
        let (c, t, seq) = self.flows.entry(key).or_insert_with(|| {
            *next += 1;
            (
                Connection {
                    number: *next,
                    endpoints: [a, b],
                    initiator: None,
                    opened: at,
                },
                T::default(),
                [None; 2],
            )
        });
        let facts = SegmentFacts {
            side,
            first: false,
            midstream: false,
            handshake: None,
            syn_again: false,
            data: DataFact::None,
            range: 0..0,
            ack: AckFact::default(),
            window: WindowFact::default(),
            fin: false,
            reset: false,
        };
        upper.segment(t, c, &facts, at);
        let isn = seq[side.index()].get_or_insert(if segment.flags.syn() {
            segment.seq.wrapping_add(1)
        } else {
            segment.seq
        });
        let off = segment.seq.wrapping_sub(*isn);
        if !segment.payload.bytes.is_empty() {
            upper.stream(
                t,
                c,
                side,
                StreamEvent::Data {
                    offset: off.into(),
                    bytes: segment.payload.bytes,
                    packet: at.packet,
                },
                at,
            );
        }
        if segment.flags.fin() {
            upper.stream(t, c, side, StreamEvent::Fin, at);
        }
    }
    pub fn finish<U: Upper<State = T>>(&mut self, upper: &mut U, at: At) {
        for (_, (c, mut t, _)) in self.flows.drain() {
            upper.end(&mut t, &c, TcpEnd::CaptureEnd, at);
        }
    }
}
