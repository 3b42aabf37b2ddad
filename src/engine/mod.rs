//! Packet in, records out: wire, TCP and the layers, wired together.
//!
//! [`Engine::packet`] takes a captured packet and tells a [`Sink`] what it brings: the packet with what TCP knows of it, then the
//! records of WebSocket sessions, then that this was all. State hangs on connections alone.

mod connection;
mod emitter;
mod listing;
#[cfg(test)]
mod partly_seen;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use crate::base::{Endpoint, Limits, PacketRef, Side};
use crate::dissect::{Dissector, Dissectors};
use crate::layer::tls::{self, Secrets};
use crate::layer::{Cx, Emit, Stores};
use crate::record::{ConnectionId, GivenUp, Record, RecordKind, SegmentView, Sink};
use crate::session::Carrier;
use crate::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use crate::wire::{self, Packet, Segment};

use connection::Conn;
use emitter::Emitter;
use listing::Listing;

/// The core of the analyzer: no I/O, no clock, all state that a capture needs.
#[derive(Debug)]
pub struct Engine {
    decoder: wire::Decoder,
    table: Table<Conn>,
    stores: Stores,
    /// `None`: what messages mean is worked out by who took them.
    dissectors: Option<Dissectors>,
    listing: Listing,
    limits: Limits,
    last: PacketRef,
}

impl Engine {
    /// An engine that has seen nothing, with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self {
            decoder: wire::Decoder::new(&limits),
            table: Table::new(&limits.beside(limits.meaning_total() + limits.shared_total())),
            stores: Stores::new(&limits, false),
            dissectors: Some(Dissectors::new(Vec::new(), &limits)),
            listing: Listing::default(),
            limits,
            last: PacketRef {
                packet: 0,
                time: Default::default(),
            },
        }
    }

    /// Also tells frames ([`crate::record::RecordKind::Frame`]), which costs a little.
    pub fn with_frames(mut self, frames: bool) -> Self {
        self.stores = Stores::new(&self.limits, frames);
        self
    }

    /// Also asks these dissectors what messages mean, before those of [`crate::dissect::TABLE`].
    pub fn with_dissectors(mut self, dissectors: Vec<Box<dyn Dissector>>) -> Self {
        self.dissectors = Some(Dissectors::new(dissectors, &self.limits));
        self
    }

    /// Answers that take longer than so many nanoseconds, and requests without one, are violations.
    pub fn with_max_answer(mut self, nanos: Option<i64>) -> Self {
        if let Some(dissectors) = &mut self.dissectors {
            dissectors.max_answer = nanos;
        }
        self
    }

    /// What works out what messages mean: without it records leave the engine without that, for [`Dissectors::tell`].
    pub(crate) fn take_dissectors(&mut self) -> Dissectors {
        let fresh = || Dissectors::new(Vec::new(), &self.limits);
        self.dissectors.take().unwrap_or_else(fresh)
    }

    /// Also tells what nobody's session is ([`crate::record::RecordKind::Http2`]), for a view that tells the story of every packet.
    pub fn with_narration(mut self, narrate: bool) -> Self {
        self.stores.narrate = narrate;
        self
    }

    /// Reads the next packet and tells `sink` what it brings.
    pub fn packet(&mut self, packet: &Packet<'_>, sink: &mut dyn Sink) -> ControlFlow<()> {
        self.last = PacketRef {
            packet: packet.number,
            time: packet.time,
        };
        let kept = self.decoder.kept_bytes() + self.stores.kept_bytes();
        self.stores.ws.captured(packet.data.bytes.len());
        self.listing.captured(packet.data.bytes.len());
        let segment = self.decoder.decode(packet);
        let emitter = Emitter::new(sink, self.dissectors.as_mut(), packet.number, &mut self.listing);
        let mut feed = Feed {
            packet: Some(packet),
            segment: segment.as_ref(),
            announced: false,
            ..Feed::new(emitter, &mut self.stores, &self.limits)
        };
        if let Some(segment) = &segment {
            self.table.set_other_bytes(kept);
            self.table.segment(segment, self.last, &mut feed);
        }
        feed.close()
    }

    /// What the bounds have made it give up so far, beyond what records say.
    pub fn given_up(&self) -> GivenUp {
        GivenUp {
            incomplete_datagrams: self.decoder.incomplete_datagrams(),
            evicted_histories: self.stores.ws.evicted_histories(),
            limited_inflations: self.stores.ws.limited_inflations(),
            unlisted_violations: self.listing.unlisted,
            forgotten_requests: self.dissectors.as_ref().map_or(0, Dissectors::forgotten_requests),
        }
    }

    /// The secrets of TLS that are known. After more were added, [`Self::keys_changed`] reads what has waited for them.
    pub fn secrets(&mut self) -> Option<&mut Secrets> {
        self.stores.tls.as_mut().map(|tls| &mut tls.secrets)
    }

    /// How many TLS connections there were, and which could not be read. Whole after [`Self::finish`].
    pub fn tls_report(&self) -> &tls::Report {
        &self.stores.tls_report
    }

    /// Secrets have come: what waited for them is read.
    pub fn keys_changed(&mut self, sink: &mut dyn Sink) -> ControlFlow<()> {
        let emitter = Emitter::new(sink, self.dissectors.as_mut(), 0, &mut self.listing);
        let mut feed = Feed::new(emitter, &mut self.stores, &self.limits);
        let last = self.last;
        self.table.each(|connection, conn| {
            let mut cx = feed.cx(conn, connection, last);
            conn.keys_changed(&mut cx);
        });
        feed.retry_ended(false, last);
        feed.emitter.result()
    }

    /// The capture has ended: open sessions end.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> ControlFlow<()> {
        let emitter = Emitter::new(sink, self.dissectors.as_mut(), self.last.packet + 1, &mut self.listing);
        let mut feed = Feed::new(emitter, &mut self.stores, &self.limits);
        self.table.finish(self.last, &mut feed);
        // What waited for keys alone is told in order.
        feed.emitter.set_now(0);
        feed.retry_ended(true, self.last);
        if let Some(tls) = &feed.stores.tls {
            feed.stores.tls_report.secrets_refused = tls.secrets_refused();
        }
        feed.emitter.result()
    }
}

/// What lies directly above TCP carries no session of its own yet.
static TCP: Carrier = Carrier {
    scheme: crate::record::Scheme::Ws,
    stream: None,
    proxied: None,
};

/// The way from TCP to the sink, for one packet.
struct Feed<'e, 'p> {
    packet: Option<&'e Packet<'p>>,
    segment: Option<&'e Segment<'e>>,
    announced: bool,
    /// Whether bytes of this packet were next in their direction, by side, and nothing was given up after them.
    fills: [bool; 2],
    emitter: Emitter<'e>,
    stores: &'e mut Stores,
    limits: &'e Limits,
}

impl<'e> Feed<'e, '_> {
    /// Between packets.
    fn new(emitter: Emitter<'e>, stores: &'e mut Stores, limits: &'e Limits) -> Self {
        Self {
            packet: None,
            segment: None,
            announced: true,
            fills: [false; 2],
            emitter,
            stores,
            limits,
        }
    }
}

impl Feed<'_, '_> {
    fn cx<'c>(&'c mut self, conn: &Conn, connection: &'c Connection, at: PacketRef) -> Cx<'c> {
        Cx {
            connection,
            at,
            begins: conn.begins(),
            carrier: &TCP,
            limits: self.limits,
            stores: self.stores,
            out: &mut self.emitter,
        }
    }

    /// Reads what waited for keys in TLS connections that are over.
    fn retry_ended(&mut self, last: bool, at: PacketRef) {
        if self.stores.tls_ended.is_empty() {
            return;
        }
        let nobody = Connection {
            number: 0,
            endpoints: [Endpoint::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0); 2],
            initiator: None,
            vanished: None,
            window_closed: None,
            ending: None,
        };
        tls::retry_ended(last, &mut self.cx(&Conn::default(), &nobody, at));
    }

    /// The packet has brought all it brings.
    fn close(mut self) -> ControlFlow<()> {
        let Some(packet) = self.packet else {
            return self.emitter.result();
        };
        if !self.announced {
            self.emitter.packet(packet, None);
        }
        self.emitter.packet_end(packet);
        self.emitter.result()
    }
}

impl Feed<'_, '_> {
    /// What TCP's senders did wrong, as soon as it is known which session that was.
    #[inline]
    fn tell_tcp_violations(&mut self, conn: &mut Conn, connection: &Connection) {
        let Some((roles, violations)) = conn.take_violations() else {
            return;
        };
        let source = roles.source(connection, &conn.carrier());
        for (at, side, violation) in violations {
            let (direction, violation) = (roles.direction(side), &violation);
            self.emitter.emit(&Record {
                at,
                source: &source,
                kind: RecordKind::Violation { direction, violation },
            });
        }
    }
}

impl StreamHandler for Feed<'_, '_> {
    type State = Conn;

    fn segment(&mut self, conn: &mut Conn, connection: &Connection, facts: &SegmentFacts, at: PacketRef) {
        conn.segment(facts, at);
        if self.announced {
            return;
        }
        self.announced = true;
        if let (Some(packet), Some(segment)) = (self.packet, self.segment) {
            let source = conn.roles().map(|roles| roles.source(connection, &conn.carrier()));
            let view = SegmentView {
                segment,
                connection,
                facts,
                source: source.as_ref(),
                may_carry: conn.may_carry(),
            };
            self.emitter.packet(packet, Some(view));
        }
        self.tell_tcp_violations(conn, connection);
    }

    fn stream(&mut self, conn: &mut Conn, connection: &Connection, side: Side, event: StreamEvent<'_>, at: PacketRef) {
        let mut readable = at;
        match event {
            StreamEvent::Gap(_) => self.fills[side.index()] = false,
            StreamEvent::Data { from, .. } if from.packet == at.packet => self.fills[side.index()] = true,
            // What waited behind bytes that come now is complete now. What goes on because nothing else is waited for was
            // complete when it came.
            StreamEvent::Data { from, .. } if !self.fills[side.index()] => readable = from,
            StreamEvent::Data { .. } | StreamEvent::Fin | StreamEvent::Reset => {}
        }
        let mut cx = self.cx(conn, connection, at);
        conn.stream(side, event, readable, &mut cx);
        self.tell_tcp_violations(conn, connection);
    }

    #[inline]
    fn cost(conn: &Conn) -> usize {
        conn.cost()
    }

    fn shed(&mut self, conn: &mut Conn, connection: &Connection, at: PacketRef) {
        let mut cx = self.cx(conn, connection, at);
        conn.shed(&mut cx);
    }

    #[inline]
    fn is_proven(conn: &Conn) -> bool {
        conn.is_proven()
    }

    fn end(&mut self, conn: &mut Conn, connection: &Connection, end: TcpEnd, at: PacketRef) {
        let mut cx = self.cx(conn, connection, at);
        conn.end(end, &mut cx);
    }

    fn forget(&mut self, connection: &Connection) {
        self.emitter.forget(ConnectionId(connection.number));
    }
}
