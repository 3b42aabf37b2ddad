//! Packet in, events out: the floors below, wired together.
//!
//! [`Engine::packet`] takes a captured packet and tells a [`Sink`] what it brings: the packet with what TCP knows of it, then
//! the events of WebSocket sessions, then that this was all. State hangs on connections alone (`flow`).

mod asking;
mod flow;
mod listener;
mod open;
mod sniff;
mod tally;
mod who;
#[cfg(test)]
mod partly_seen;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use crate::base::PacketRef;
use crate::base::{Limits, Side};
use crate::layer::http1::HeadStore;
use crate::layer::ws::Shared;
use crate::record::{SegmentView, Sink};
use crate::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use crate::wire::{self, Packet, Segment};

use flow::{Cx, Flow};
use listener::Listener;

/// The core of the analyzer: no I/O, no clock, all state that a capture needs.
#[derive(Debug)]
pub struct Engine {
    decoder: wire::Decoder,
    table: Table<Flow>,
    shared: Shared,
    heads: HeadStore,
    limits: Limits,
    last: PacketRef,
}

impl Engine {
    /// An engine that has seen nothing, with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self {
            decoder: wire::Decoder::new(&limits),
            table: Table::new(&limits),
            shared: Shared::new(limits, false),
            heads: HeadStore::new(&limits),
            limits,
            last: PacketRef {
                packet: 0,
                time: Default::default(),
            },
        }
    }

    /// Also tells frames ([`crate::record::EventKind::Frame`]), which costs a little.
    pub fn with_frames(mut self, frames: bool) -> Self {
        self.shared = Shared::new(self.limits, frames);
        self
    }

    /// Reads the next packet and tells `sink` what it brings.
    pub fn packet<S: Sink>(&mut self, packet: &Packet<'_>, sink: &mut S) -> ControlFlow<()> {
        self.last = PacketRef {
            packet: packet.number,
            time: packet.time,
        };
        let segment = self.decoder.decode(packet);
        let mut feed = Feed {
            packet: Some(packet),
            segment: segment.as_ref(),
            announced: false,
            fills: [false; 2],
            listener: Listener::new(sink),
            shared: &mut self.shared,
            heads: &mut self.heads,
            limits: &self.limits,
        };
        if let Some(segment) = &segment {
            self.table.segment(segment, self.last, &mut feed);
        }
        feed.close()
    }

    /// Of how many IP datagrams only some fragments have come, or were given up by the bounds before the others came.
    pub fn incomplete_datagrams(&self) -> u64 {
        self.decoder.incomplete_datagrams()
    }

    /// How many directions have lost what their compressed messages refer back to, because of [`Limits::history_total`].
    pub fn evicted_histories(&self) -> u64 {
        self.shared.evicted_histories()
    }

    /// The capture has ended: open sessions end.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> ControlFlow<()> {
        let mut feed = Feed {
            packet: None,
            segment: None,
            announced: true,
            fills: [false; 2],
            listener: Listener::new(sink),
            shared: &mut self.shared,
            heads: &mut self.heads,
            limits: &self.limits,
        };
        self.table.finish(self.last, &mut feed);
        feed.listener.result()
    }
}

/// The way from TCP to the sink, for one packet.
struct Feed<'e, 'p, S> {
    packet: Option<&'e Packet<'p>>,
    segment: Option<&'e Segment<'e>>,
    announced: bool,
    /// Whether bytes of this packet were next in their direction, by side, and nothing was given up after them.
    fills: [bool; 2],
    listener: Listener<'e, S>,
    shared: &'e mut Shared,
    heads: &'e mut HeadStore,
    limits: &'e Limits,
}

impl<'e, S: Sink> Feed<'e, '_, S> {
    fn cx<'c>(&'c mut self, connection: &'c Connection, at: PacketRef) -> Cx<'c, 'e, S> {
        Cx {
            connection,
            at,
            data_at: at,
            limits: self.limits,
            shared: self.shared,
            heads: self.heads,
            listener: &mut self.listener,
        }
    }

    /// The packet has brought all it brings.
    fn close(mut self) -> ControlFlow<()> {
        let Some(packet) = self.packet else {
            return self.listener.result();
        };
        if !self.announced {
            self.listener.packet(packet, None);
        }
        self.listener.packet_end(packet);
        self.listener.result()
    }
}

impl<S: Sink> StreamHandler for Feed<'_, '_, S> {
    type State = Flow;

    fn segment(&mut self, flow: &mut Flow, connection: &Connection, facts: &SegmentFacts, _at: PacketRef) {
        flow.segment(facts);
        if self.announced {
            return;
        }
        self.announced = true;
        if let (Some(packet), Some(segment)) = (self.packet, self.segment) {
            let session = flow.session(connection);
            let view = SegmentView {
                segment,
                connection,
                facts,
                session: session.as_ref(),
            };
            self.listener.packet(packet, Some(view));
        }
    }

    fn stream(&mut self, flow: &mut Flow, connection: &Connection, side: Side, event: StreamEvent<'_>, at: PacketRef) {
        let mut data_at = at;
        match event {
            StreamEvent::Gap(_) => self.fills[side.index()] = false,
            StreamEvent::Data { from, .. } if from.packet == at.packet => self.fills[side.index()] = true,
            // What waited behind bytes that come now is complete now. What goes on because nothing else is waited for was
            // complete when it came.
            StreamEvent::Data { from, .. } if !self.fills[side.index()] => data_at = from,
            StreamEvent::Data { .. } | StreamEvent::Fin | StreamEvent::Reset => {}
        }
        let mut cx = self.cx(connection, at);
        cx.data_at = data_at;
        flow.stream(side, event, &mut cx);
    }

    #[inline]
    fn is_wanted(flow: &Flow) -> bool {
        flow.is_wanted()
    }

    fn end(&mut self, flow: &mut Flow, connection: &Connection, end: TcpEnd, at: PacketRef) {
        flow.end(end, &mut self.cx(connection, at));
    }
}
