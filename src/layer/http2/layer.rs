//! HTTP/2 as a layer: it carries a layer for each of its streams that is a WebSocket, or may be one.

use std::collections::BTreeMap;

use super::connection::{Bounds, Connection};
use super::event::{Event, Output, StreamEnd};
use super::frame::{self, FrameHeader, PREFACE};
use crate::base::{Direction, Gap, GapCause, PacketRef, Rule, Side, Violation};
use crate::layer::detect::Detect;
use crate::layer::http1::{Agreed, decoders_from};
use crate::layer::ws::{ChunkBuffer, WebSocket};
use crate::layer::{Chunk, Cx, Layer, Next, Slot};
use crate::record::{ConnectionId, Handshake, Http2Frame, RecordKind, Request, Response, Source, TransportEnd};
use crate::session::{Carrier, Roles, SessionStats};

/// What is kept of a connection that speaks HTTP/2.
#[derive(Debug)]
pub(crate) struct Http2 {
    connection: Connection,
    streams: BTreeMap<u32, Carried>,
    /// The stream that the current packet has served last.
    served: Option<u32>,
    /// What the streams' layers take, in bytes of memory.
    carried_cost: usize,
    /// A stream was seen to be a WebSocket.
    is_proven: bool,
}

/// A stream that is a session, or may be one.
#[derive(Debug)]
struct Carried {
    carrier: Carrier,
    what: What,
    /// Who has sent END_STREAM first.
    first_end: Option<Side>,
    /// What of [`Http2::carried_cost`] is its.
    cost: usize,
}

#[derive(Debug)]
enum What {
    /// It asks for a WebSocket and waits for the response.
    Asked(Box<Asked>),
    /// What it is, or whether it is one, its layer knows.
    Read(Slot),
}

#[derive(Debug)]
struct Asked {
    roles: Roles,
    held: [ChunkBuffer; 2],
    stats: SessionStats,
}

/// Bytes that a client may send before it is answered; it should send none.
const MAX_HELD: usize = 64 << 10;

/// The client of a connection that begins with `bytes`, which `side` sends, when that is HTTP/2: with the client's preface, or with the server's, which
/// is a SETTINGS frame (RFC 9113 §3.4).
pub(crate) fn client_of(side: Side, bytes: &[u8]) -> Option<Side> {
    // HTTP/1.1 has no PRI, but its beginning may be all that the first segment holds.
    let preface = &PREFACE[..PREFACE.len().min(bytes.len().max(4))];
    if bytes.starts_with(preface) {
        return Some(side);
    }
    let header = FrameHeader::parse(bytes).filter(|header| header.kind == frame::SETTINGS && header.length > 0)?;
    header.evidence(frame::DEFAULT_MAX_FRAME, |_| false)?;
    Some(side.other())
}

impl Http2 {
    /// A connection that is seen from its beginning, or from behind `Upgrade: h2c` on.
    pub(crate) fn new(client: Side, cx: &Cx<'_>) -> Self {
        Self::with(Connection::new(client, Bounds::default(), cx.stores.narrate))
    }

    /// A connection of which the beginning is missing.
    pub(crate) fn late(cx: &Cx<'_>) -> Self {
        Self::with(Connection::late(Bounds::default(), cx.stores.narrate))
    }

    fn with(connection: Connection) -> Self {
        Self {
            connection,
            streams: BTreeMap::new(),
            served: None,
            carried_cost: 0,
            is_proven: false,
        }
    }

    /// Calls `read` with the connection and what takes its events. Then, streams whose layer has found out that they are something else are let go.
    #[inline]
    fn read(&mut self, cx: &mut Cx<'_>, read: impl FnOnce(&mut Connection, &mut Above<'_, '_>)) {
        let mut above = Above {
            streams: &mut self.streams,
            client: self.connection.client(),
            served: None,
            carried_cost: &mut self.carried_cost,
            other: Vec::new(),
            cx,
        };
        read(&mut self.connection, &mut above);
        for stream in std::mem::take(&mut above.other) {
            above.take(stream);
            self.connection.is_ordinary(stream);
        }
        self.served = above.served;
        self.is_proven = self.is_proven || self.served_layer().is_some_and(|(_, layer)| layer.is_proven());
    }

    /// The layer of the stream that was served last, and what carries it.
    fn served_layer(&self) -> Option<(&Carrier, &dyn Layer)> {
        let carried = self.streams.get(&self.served?)?;
        match &carried.what {
            What::Read(slot) => Some((&carried.carrier, slot.layer()?)),
            What::Asked(_) => None,
        }
    }
}

impl Carried {
    /// Counts what it takes now in `total`.
    fn recount(&mut self, total: &mut usize) {
        let cost = match &self.what {
            What::Asked(asked) => size_of::<Asked>() + asked.held.iter().map(ChunkBuffer::size).sum::<usize>(),
            What::Read(slot) => slot.cost(),
        };
        *total = *total + cost - std::mem::replace(&mut self.cost, cost);
    }
}

impl Asked {
    /// Keeps bytes until the response has come. When they do not fit, all that is held becomes a gap: bytes that are missing in the middle
    /// would only mislead.
    fn hold(&mut self, side: Side, chunk: Chunk<'_>) {
        let held = &mut self.held[side.index()];
        if held.push(chunk, MAX_HELD) {
            return;
        }
        let offset = held.offset_of(0).unwrap_or(chunk.offset);
        let gap = Gap {
            offset,
            length: chunk.end() - offset,
            cause: GapCause::Evicted,
        };
        *held = ChunkBuffer::default();
        self.hold_gap(side, gap, chunk.at);
    }

    /// The same for bytes that will not come.
    fn hold_gap(&mut self, side: Side, gap: Gap, at: PacketRef) {
        let held = &mut self.held[side.index()];
        if !held.push_gap(gap, at, MAX_HELD) {
            *held = ChunkBuffer::default();
        }
    }
}

/// What takes the events of a connection.
struct Above<'a, 'c> {
    streams: &'a mut BTreeMap<u32, Carried>,
    client: Option<Side>,
    served: Option<u32>,
    carried_cost: &'a mut usize,
    /// Streams that turned out to be something else.
    other: Vec<u32>,
    cx: &'a mut Cx<'c>,
}

impl Output for Above<'_, '_> {
    fn event(&mut self, at: PacketRef, event: Event<'_>) {
        match event {
            Event::Request {
                stream,
                client,
                request,
            } => self.asked(stream, client, request, at),
            Event::Agreed {
                stream,
                client,
                request,
                response,
            } => self.agreed(stream, client, request, response, at),
            Event::Refused {
                stream,
                request,
                mut response,
                body,
                body_length,
            } => {
                response.body = Some(body.to_vec());
                response.body_length = body_length;
                self.refused(stream, request, response, at);
            }
            Event::Unanswered { stream, request } => self.unanswered(stream, request, at),
            Event::Unknown {
                stream,
                client,
                request,
                response,
            } => {
                self.client = client;
                self.unknown(stream, request, response);
            }
            Event::Data { stream, side, chunk } => self.data(stream, side, chunk),
            Event::Gap {
                stream,
                side,
                gap,
                exact,
            } => self.gap(stream, side, gap, exact, at),
            Event::End { stream, side, end } => self.end(stream, side, end, at),
            Event::Frame { side, stream, frame } => self.frame(side, stream, &frame, at),
            Event::Violation {
                stream,
                side,
                violation,
            } => self.violation(stream, side, &violation, at),
        }
    }
}

impl Above<'_, '_> {
    fn asked(&mut self, stream: u32, client: Side, request: &Request, at: PacketRef) {
        self.client = Some(client);
        let roles = self.new_roles(client);
        let carried = Carried {
            carrier: self.carrier(stream),
            what: What::Asked(Box::new(Asked {
                roles,
                held: Default::default(),
                stats: SessionStats::default(),
            })),
            first_end: None,
            cost: 0,
        };
        let source = roles.source(self.cx.connection, &carried.carrier);
        self.cx.emit(at, &source, RecordKind::UpgradeRequest(request));
        if let Some(violation) = judge_request(request) {
            let (direction, violation) = (Direction::ClientToServer, &violation);
            self.cx
                .emit(at, &source, RecordKind::Violation { direction, violation });
        }
        self.put(stream, carried);
    }

    fn agreed(&mut self, stream: u32, client: Side, request: Request, response: Response, at: PacketRef) {
        self.client = Some(client);
        let carried = self.take(stream);
        let (roles, held, stats, first_end) = match carried.map(|carried| (carried.what, carried.first_end)) {
            Some((What::Asked(asked), first_end)) => (asked.roles, asked.held, asked.stats, first_end),
            _ => (
                self.new_roles(client),
                Default::default(),
                SessionStats::default(),
                None,
            ),
        };
        let carrier = self.carrier(stream);
        let source = roles.source(self.cx.connection, &carrier);
        let mut violations = Vec::new();
        let handshake = Handshake::judge(request, Some(response), |d, v| violations.push((d, v)));
        self.cx.emit(at, &source, RecordKind::Handshake(&handshake));
        for (direction, violation) in &violations {
            let direction = *direction;
            self.cx
                .emit(at, &source, RecordKind::Violation { direction, violation });
        }
        let decoders = decoders_from(&handshake, |_| Some(0));
        let mut cx = child(self.cx, &carrier, at);
        let ws = WebSocket::new(roles, decoders, stats, &held, [0; 2], false, &mut cx);
        let carried = Carried {
            carrier,
            what: What::Read(Slot::new(Box::new(ws))),
            first_end,
            cost: 0,
        };
        self.put(stream, carried);
    }

    fn unanswered(&mut self, stream: u32, request: Request, at: PacketRef) {
        let Some(carried) = self.streams.get_mut(&stream) else {
            return;
        };
        let What::Asked(asked) = &mut carried.what else { return };
        asked.stats.refused = Some(0);
        let source = asked.roles.source(self.cx.connection, &carried.carrier);
        let handshake = Handshake::judge(request, None, |_, _| {});
        self.cx.emit(at, &source, RecordKind::Handshake(&handshake));
    }

    fn refused(&mut self, stream: u32, request: Request, response: Response, at: PacketRef) {
        let Some(carried) = self.take(stream) else {
            return;
        };
        let What::Asked(mut asked) = carried.what else { return };
        let source = asked.roles.source(self.cx.connection, &carried.carrier);
        asked.stats.refused = Some(response.status);
        let handshake = Handshake::judge(request, Some(response), |_, _| {});
        self.cx.emit(at, &source, RecordKind::Handshake(&handshake));
        let by = source.client_side.other();
        let end = asked.stats.end(&source, TransportEnd::EndStream { by }, at.time, None);
        self.cx.end(at, &source, end);
    }

    fn unknown(&mut self, stream: u32, request: Option<Request>, response: Option<Response>) {
        let asked = match self.take(stream).map(|carried| carried.what) {
            Some(What::Asked(asked)) => Some(*asked),
            _ => None,
        };
        let (roles, held, stats) =
            asked.map_or_else(Default::default, |asked| (Some(asked.roles), asked.held, asked.stats));
        let known = request.is_some() || response.is_some() || roles.is_some();
        let detect = match self.client.filter(|_| known) {
            Some(client) => {
                let agreed = Agreed::over_http2(client, request.unwrap_or_default(), response, stats, roles);
                Detect::after(Box::new(agreed), &held)
            }
            None => Detect::default(),
        };
        let mut slot = Slot::new(Box::new(detect));
        let carrier = self.carrier(stream);
        let at = self.cx.at;
        slot.replay(&held, &mut child(self.cx, &carrier, at));
        let carried = Carried {
            carrier,
            what: What::Read(slot),
            first_end: None,
            cost: 0,
        };
        self.put(stream, carried);
    }

    fn data(&mut self, stream: u32, side: Side, chunk: Chunk<'_>) {
        self.served = Some(stream);
        let Some(carried) = self.streams.get_mut(&stream) else {
            return;
        };
        match &mut carried.what {
            What::Asked(asked) => asked.hold(side, chunk),
            What::Read(slot) => {
                let at = self.cx.at;
                slot.data(side, chunk, &mut child(self.cx, &carried.carrier, at));
                if slot.layer().is_none() {
                    self.other.push(stream);
                }
            }
        }
        carried.recount(self.carried_cost);
    }

    fn gap(&mut self, stream: u32, side: Side, gap: Gap, exact: bool, at: PacketRef) {
        let Some(carried) = self.streams.get_mut(&stream) else {
            return;
        };
        match &mut carried.what {
            What::Asked(asked) => asked.hold_gap(side, gap, at),
            What::Read(slot) => {
                let cx = &mut child(self.cx, &carried.carrier, at);
                if exact {
                    slot.gap(side, gap, cx);
                } else {
                    slot.perhaps_gap(side, gap, cx);
                }
            }
        }
        carried.recount(self.carried_cost);
    }

    fn end(&mut self, stream: u32, side: Side, end: StreamEnd, at: PacketRef) {
        let Some(carried) = self.streams.get_mut(&stream) else {
            return;
        };
        let end = match end {
            StreamEnd::EndStream => {
                let first = *carried.first_end.get_or_insert(side);
                match &mut carried.what {
                    What::Asked(asked) => asked.stats.fin(side, at.time),
                    What::Read(slot) => slot.fin(side, &mut child(self.cx, &carried.carrier, at)),
                }
                if first == side {
                    return;
                }
                TransportEnd::EndStream { by: first }
            }
            StreamEnd::Reset(code) => TransportEnd::RstStream {
                by: side,
                // Its payload is lost; what it says most of all is that something went wrong.
                code: code.unwrap_or(u32::MAX),
            },
            StreamEnd::GoAway(code) => TransportEnd::GoAway { by: side, code },
        };
        if let Some(carried) = self.take(stream) {
            self.over(carried, end, at);
        }
    }

    /// A stream is over, whatever it was.
    fn over(&mut self, carried: Carried, end: TransportEnd, at: PacketRef) {
        match carried.what {
            What::Asked(mut asked) => {
                let source = asked.roles.source(self.cx.connection, &carried.carrier);
                let end = asked.stats.end(&source, end, at.time, Some(self.cx.connection));
                self.cx.end(at, &source, end);
            }
            What::Read(mut slot) => {
                slot.end(end, &mut child(self.cx, &carried.carrier, at));
            }
        }
    }

    fn frame(&mut self, side: Side, stream: u32, frame: &Http2Frame, at: PacketRef) {
        let source = self.source(stream);
        let direction = source.direction(side);
        self.cx.emit(
            at,
            &source,
            RecordKind::Http2 {
                direction,
                stream,
                frame,
            },
        );
    }

    fn violation(&mut self, stream: u32, side: Side, violation: &Violation, at: PacketRef) {
        let source = self.source(stream);
        let direction = source.direction(side);
        self.cx
            .emit(at, &source, RecordKind::Violation { direction, violation });
    }

    /// A stream that is carried from now on.
    fn put(&mut self, stream: u32, mut carried: Carried) {
        self.take(stream);
        carried.recount(self.carried_cost);
        self.streams.insert(stream, carried);
    }

    /// A stream that is carried no longer, or becomes something else.
    fn take(&mut self, stream: u32) -> Option<Carried> {
        let carried = self.streams.remove(&stream)?;
        *self.carried_cost -= carried.cost;
        Some(carried)
    }

    fn new_roles(&mut self, client: Side) -> Roles {
        Roles {
            session: self.cx.stores.next_session(),
            client,
            inferred: false,
            began: self.cx.at.time,
        }
    }

    fn carrier(&self, stream: u32) -> Carrier {
        Carrier {
            stream: Some(stream),
            ..self.cx.carrier.clone()
        }
    }

    /// Whose a record is that is about a stream: that of its session, when it is one.
    fn source(&self, stream: u32) -> Source {
        let carried = self.streams.get(&stream);
        let roles = carried.and_then(|carried| match &carried.what {
            What::Asked(asked) => Some(asked.roles),
            What::Read(slot) => slot.layer()?.roles(),
        });
        if let (Some(roles), Some(carried)) = (roles, carried) {
            return roles.source(self.cx.connection, &carried.carrier);
        }
        let connection = self.cx.connection;
        let client_side = self.client.unwrap_or_else(|| connection.likely_client());
        Source {
            connection: ConnectionId(connection.number),
            session: None,
            stream: (stream > 0).then_some(stream),
            scheme: self.cx.carrier.scheme,
            client: connection.endpoints[client_side.index()],
            server: connection.endpoints[client_side.other().index()],
            client_side,
            inferred: false,
            began: self.cx.at.time,
            proxied: self.cx.carrier.proxied.clone(),
        }
    }
}

/// What a layer is called with that a stream carries.
fn child<'d>(cx: &'d mut Cx<'_>, carrier: &'d Carrier, at: PacketRef) -> Cx<'d> {
    let begins = cx.begins;
    cx.above(at, begins, carrier)
}

/// What a request must have (RFC 8441 §4, §5).
fn judge_request(request: &Request) -> Option<Violation> {
    if request.cut {
        return None;
    }
    for (name, rule, detail) in [
        (":path", Rule::HandshakeRequest, "an extended CONNECT without :path"),
        (":scheme", Rule::HandshakeRequest, "an extended CONNECT without :scheme"),
        (
            ":authority",
            Rule::HandshakeRequest,
            "an extended CONNECT without :authority",
        ),
    ] {
        if request.header(name).is_none() {
            return Some(Violation::new(rule, detail));
        }
    }
    let detail = match request.header("sec-websocket-version") {
        Some("13") => return None,
        Some(_) => "an extended CONNECT whose sec-websocket-version is not 13",
        None => "an extended CONNECT without sec-websocket-version",
    };
    Some(Violation::new(Rule::HandshakeVersion, detail))
}

impl Layer for Http2 {
    #[inline]
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        self.read(cx, |connection, above| connection.data(side, chunk, above));
        Next::Stay
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        let at = cx.at;
        self.read(cx, |connection, above| connection.gap(side, gap, at, above));
        Next::Stay
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        for carried in self.streams.values_mut() {
            let at = cx.at;
            match &mut carried.what {
                What::Asked(asked) => asked.stats.fin(side, at.time),
                What::Read(slot) => slot.fin(side, &mut child(cx, &carried.carrier, at)),
            }
        }
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        for carried in self.streams.values_mut() {
            let at = cx.at;
            match &mut carried.what {
                What::Asked(asked) => asked.stats.reset(side, at.time),
                What::Read(slot) => slot.reset(side, &mut child(cx, &carried.carrier, at)),
            }
        }
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        let at = cx.at;
        let gone_away = self.connection.gone_away();
        self.read(cx, |connection, above| {
            connection.finish(at, above);
            *above.carried_cost = 0;
            for (_, carried) in std::mem::take(above.streams) {
                let end = match (carried.first_end, gone_away, end) {
                    (Some(by), _, TransportEnd::Fin { .. }) => TransportEnd::EndStream { by },
                    (None, Some((by, code)), TransportEnd::Fin { .. }) => TransportEnd::GoAway { by, code },
                    (_, _, end) => end,
                };
                above.over(carried, end, at);
            }
        });
        Next::Stay
    }

    #[inline]
    fn progress(&self, side: Side, cx: &mut Cx<'_>) {
        if let Some((carrier, layer)) = self.served_layer() {
            let at = cx.at;
            layer.progress(side, &mut child(cx, carrier, at));
        }
    }

    fn roles(&self) -> Option<Roles> {
        None
    }

    fn cost(&self) -> usize {
        self.connection.cost() + self.carried_cost + self.streams.len() * size_of::<Carried>()
    }

    fn is_proven(&self) -> bool {
        self.is_proven
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        self.connection.shed();
        for carried in self.streams.values_mut() {
            let at = cx.at;
            let cx = &mut child(cx, &carried.carrier, at);
            match &mut carried.what {
                What::Asked(asked) => asked.held = Default::default(),
                What::Read(slot) => slot.shed(cx),
            }
            carried.recount(&mut self.carried_cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::http2::tests::{framed, request};
    use crate::layer::testing::{Around, at};

    #[test]
    fn what_all_streams_take_is_counted_whichever_was_served_last() {
        let mut around = Around::new();
        let mut http2 = Http2::new(Side::A, &around.cx());
        let mut send = |http2: &mut Http2, bytes: &[u8]| {
            http2.data(Side::A, Chunk::tcp(0, bytes, at(), at()), &mut around.cx());
            http2.carried_cost
        };
        send(&mut http2, PREFACE);
        for stream in [1, 3] {
            send(
                &mut http2,
                &framed(frame::HEADERS, frame::END_HEADERS, stream, &request()),
            );
        }
        let data = |stream| framed(frame::DATA, 0, stream, &[0; 10_000]);
        assert!(send(&mut http2, &[data(1), data(3)].concat()) > 20_000);
        for _ in 0..1000 {
            assert!(send(&mut http2, &data(1)) < 2 * MAX_HELD + 2000);
        }
        http2.shed(&mut around.cx());
        assert_eq!(http2.carried_cost, 2 * size_of::<Asked>());
        http2.end(TransportEnd::CaptureEnd, &mut around.cx());
        assert_eq!(http2.carried_cost, 0);
    }
}
