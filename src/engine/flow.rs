//! One connection's way from first byte to last: HTTP, the upgrade, frames; or nothing of ours.

use std::ops::ControlFlow;

use super::tally::Tally;
use crate::base::{Direction, Gap, Limits, Side, Violation};
use crate::event::{
    Accept, Event, EventKind, FrameInfo, Handshake, Message, Request, Response, SegmentView, Session, Sink,
};
use crate::http::{self, Exchange, Step};
use crate::net::Packet;
use crate::tcp::{At, Connection, SegmentFacts, StreamEvent, TcpEnd};
use crate::ws::inflate::Inflater;
use crate::ws::{Backlog, Chunk, Decoder, Held, Output, Shared};

/// What is kept for a connection. Two words until it turns out to be interesting.
#[derive(Debug)]
pub(super) struct Flow {
    stage: Stage,
    /// Both streams are seen from their first byte on, so far.
    whole: bool,
}

#[derive(Debug)]
enum Stage {
    /// No byte has come.
    Fresh,
    /// It speaks HTTP/1.1.
    Http(Box<Http>),
    /// It speaks WebSocket.
    Open(Box<Open>),
    /// It speaks something else.
    Ignored,
}

#[derive(Debug)]
struct Http {
    exchange: Exchange,
    /// What cannot be read before the response has come, by side.
    held: [Backlog; 2],
    /// Known once an upgrade was asked for.
    session: Option<Session>,
    tally: Tally,
}

#[derive(Debug)]
struct Open {
    session: Session,
    /// By direction.
    decoders: [Decoder; 2],
    tally: Tally,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            stage: Stage::Fresh,
            whole: true,
        }
    }
}

impl Flow {
    pub(super) fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Http(http) => http.session.as_ref(),
            Stage::Open(open) => Some(&open.session),
            Stage::Fresh | Stage::Ignored => None,
        }
    }

    /// A segment of the connection has come.
    pub(super) fn segment(&mut self, facts: &SegmentFacts) {
        self.whole &= !facts.midstream;
    }

    /// Something came in order.
    #[expect(clippy::too_many_arguments, reason = "one call for each packet, nothing to bundle")]
    pub(super) fn stream<S: Sink>(
        &mut self,
        connection: &Connection,
        side: Side,
        event: StreamEvent<'_>,
        at: At,
        limits: &Limits,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        match event {
            StreamEvent::Data { offset, bytes, packet } => {
                let chunk = Chunk {
                    offset,
                    bytes,
                    packet,
                    at,
                };
                self.data(connection, side, chunk, limits, shared, listener);
                self.tell_progress(side, packet, at, listener);
            }
            StreamEvent::Gap(gap) => self.gap(connection, side, gap, at, limits, shared, listener),
            StreamEvent::Fin => match &mut self.stage {
                Stage::Http(http) => http.tally.fin(side),
                Stage::Open(open) => {
                    open.tally.fin(side);
                    let (decoder, mut out) = open.decoder(side, listener);
                    decoder.end(at, shared, &mut out);
                }
                Stage::Fresh | Stage::Ignored => {}
            },
            StreamEvent::Reset => match &mut self.stage {
                Stage::Http(http) => http.tally.reset(side),
                Stage::Open(open) => open.tally.reset(side),
                Stage::Fresh | Stage::Ignored => {}
            },
        }
    }

    /// The connection is over.
    pub(super) fn end<S: Sink>(
        &mut self,
        connection: &Connection,
        end: TcpEnd,
        at: At,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        match std::mem::replace(&mut self.stage, Stage::Ignored) {
            Stage::Open(mut open) => {
                for side in [Side::A, Side::B] {
                    let (decoder, mut out) = open.decoder(side, listener);
                    decoder.end(at, shared, &mut out);
                }
                let end = open.tally.end(&open.session, end);
                listener.event(at, &open.session, EventKind::SessionEnd(&end));
            }
            Stage::Http(mut http) => {
                let Some(session) = http.session else { return };
                if let Some(request) = std::mem::take(&mut http.exchange).unanswered() {
                    let handshake = Handshake::judge(request, None, |_, _| {});
                    listener.event(at, &session, EventKind::Handshake(&handshake));
                    http.tally.refused = Some(0);
                }
                let end = http.tally.end(&session, end);
                listener.event(at, &session, EventKind::SessionEnd(&end));
            }
            Stage::Fresh | Stage::Ignored => {}
        }
        let _ = connection;
    }

    fn data<S: Sink>(
        &mut self,
        connection: &Connection,
        side: Side,
        chunk: Chunk<'_>,
        limits: &Limits,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        match &mut self.stage {
            Stage::Open(open) => {
                let (decoder, mut out) = open.decoder(side, listener);
                decoder.push(chunk, shared, &mut out);
            }
            Stage::Http(_) => self.http(connection, side, chunk, limits, shared, listener),
            Stage::Fresh => {
                if Exchange::may_begin(chunk.bytes) {
                    self.stage = Stage::Http(Box::new(Http {
                        exchange: Exchange::default(),
                        held: Default::default(),
                        session: None,
                        tally: Tally::default(),
                    }));
                    self.http(connection, side, chunk, limits, shared, listener);
                } else {
                    self.stage = Stage::Ignored;
                }
            }
            Stage::Ignored => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call for each packet, nothing to bundle")]
    fn gap<S: Sink>(
        &mut self,
        connection: &Connection,
        side: Side,
        gap: Gap,
        at: At,
        limits: &Limits,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        self.whole = false;
        if let Some(session) = self.session().copied() {
            let direction = session.direction(side);
            listener.event(at, &session, EventKind::Gap { direction, gap });
        }
        match &mut self.stage {
            Stage::Open(open) => {
                open.tally.gap(open.session.direction(side));
                let (decoder, mut out) = open.decoder(side, listener);
                decoder.gap(gap, at, shared, &mut out);
            }
            Stage::Http(http) => {
                http.held[side.index()].push_gap(gap, at);
                if let Some(step) = http.exchange.gap(side, gap) {
                    self.step(connection, side, step, at, limits, shared, listener);
                }
            }
            Stage::Fresh | Stage::Ignored => {}
        }
    }

    /// Bytes of a connection that speaks HTTP.
    fn http<S: Sink>(
        &mut self,
        connection: &Connection,
        side: Side,
        chunk: Chunk<'_>,
        limits: &Limits,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let Stage::Http(http) = &mut self.stage else {
                return self.data(connection, side, rest, limits, shared, listener);
            };
            let (used, step) = http.exchange.push(side, rest.offset, rest.bytes, limits);
            rest.offset += used as u64;
            rest.bytes = &rest.bytes[used..];
            match step {
                Some(Step::Hold) => {
                    if !http.held[side.index()].push(rest, limits.waiting_bytes) {
                        self.stage = Stage::Ignored;
                    }
                    return;
                }
                Some(step) => self.step(connection, side, step, chunk.at, limits, shared, listener),
                None => {}
            }
        }
    }

    /// The HTTP exchange has come to something.
    #[expect(clippy::too_many_arguments, reason = "one call for each head, nothing to bundle")]
    fn step<S: Sink>(
        &mut self,
        connection: &Connection,
        side: Side,
        step: Step,
        at: At,
        limits: &Limits,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        let Stage::Http(http) = &mut self.stage else { return };
        let client = http.exchange.client().unwrap_or(side);
        let session = *http
            .session
            .get_or_insert_with(|| session_of(connection, client, false));
        match step {
            Step::Asked(request) => {
                listener.event(at, &session, EventKind::UpgradeRequest(&request));
                http::judge_request(&request, |violation| {
                    listener.violation(at, &session, Direction::ClientToServer, &violation);
                });
            }
            Step::Upgraded(request, response) => {
                self.upgraded(request, Some(response), at, shared, listener);
            }
            Step::Presumed(request) => self.upgraded(request, None, at, shared, listener),
            Step::Refused(request, response) => {
                http.tally.refused = Some(response.status);
                let handshake = Handshake::judge(request, Some(response), |_, _| {});
                listener.event(at, &session, EventKind::Handshake(&handshake));
                let held = std::mem::take(&mut http.held[client.index()]);
                for piece in held.iter() {
                    match piece {
                        Held::Data(chunk) => self.data(connection, client, chunk, limits, shared, listener),
                        Held::Gap(..) => {}
                    }
                }
            }
            Step::NotHttp => {
                if http.tally.refused.is_none() {
                    self.stage = Stage::Ignored;
                }
            }
            Step::Hold => {}
        }
    }

    fn upgraded<S: Sink>(
        &mut self,
        request: Request,
        response: Option<Response>,
        at: At,
        shared: &mut Shared,
        listener: &mut Listener<'_, S>,
    ) {
        let Stage::Http(http) = &mut self.stage else { return };
        let Some(session) = http.session else { return };
        let mut violations = Vec::new();
        let handshake = Handshake::judge(request, response, |d, v| violations.push((d, v)));
        listener.event(at, &session, EventKind::Handshake(&handshake));
        for (direction, violation) in &violations {
            listener.violation(at, &session, *direction, violation);
        }
        let decoders = [Direction::ClientToServer, Direction::ServerToClient].map(|direction| {
            let position = match direction {
                Direction::ClientToServer => handshake.request.range.end,
                Direction::ServerToClient => handshake.response.as_ref().map_or(0, |r| r.range.end),
            };
            Decoder::new(direction, position, inflater_of(&handshake, direction), false)
        });
        let held = std::mem::take(&mut http.held);
        let mut tally = std::mem::take(&mut http.tally);
        tally.refused = None;
        let mut open = Box::new(Open {
            session,
            decoders,
            tally,
        });
        for (side, held) in [Side::A, Side::B].into_iter().zip(&held) {
            let (decoder, mut out) = open.decoder(side, listener);
            for piece in held.iter() {
                match piece {
                    Held::Data(chunk) => decoder.push(chunk, shared, &mut out),
                    Held::Gap(gap, at) if gap.offset >= decoder.position() => decoder.gap(gap, at, shared, &mut out),
                    Held::Gap(..) => {}
                }
            }
        }
        self.stage = Stage::Open(open);
        debug_assert!(handshake.accept != Accept::Valid || handshake.response.is_some());
    }

    /// For narration: the packet ended inside something.
    fn tell_progress<S: Sink>(&self, side: Side, packet: u64, at: At, listener: &mut Listener<'_, S>) {
        if let Stage::Open(open) = &self.stage
            && packet == at.packet
            && let Some(progress) = open.decoders[open.session.direction(side).index()].progress()
        {
            listener.event(at, &open.session, EventKind::Progress(&progress));
        }
    }
}

impl Open {
    /// The decoder of what `side` sends, and where it tells what it finds.
    fn decoder<'o, 's, S>(
        &'o mut self,
        side: Side,
        listener: &'o mut Listener<'s, S>,
    ) -> (&'o mut Decoder, Out<'o, 's, S>) {
        let direction = self.session.direction(side);
        let out = Out {
            session: &self.session,
            direction,
            tally: &mut self.tally,
            listener,
        };
        (&mut self.decoders[direction.index()], out)
    }
}

/// What undoes `direction`'s compression, as far as the handshake tells.
fn inflater_of(handshake: &Handshake, direction: Direction) -> Option<Box<Inflater>> {
    let inflater = match (handshake.deflate, direction) {
        (Some(d), Direction::ClientToServer) => Inflater::new(!d.client_no_context_takeover, d.client_max_window_bits),
        (Some(d), Direction::ServerToClient) => Inflater::new(!d.server_no_context_takeover, d.server_max_window_bits),
        // Right for any parameters.
        (None, _) if handshake.deflate_unknown => Inflater::new(true, 15),
        (None, _) => return None,
    };
    Some(Box::new(inflater))
}

fn session_of(connection: &Connection, client: Side, inferred: bool) -> Session {
    Session {
        number: connection.number,
        client: connection.endpoints[client.index()],
        server: connection.endpoints[client.other().index()],
        client_side: client,
        inferred,
    }
}

/// The sink, until it says stop.
pub(super) struct Listener<'s, S> {
    sink: &'s mut S,
    stopped: bool,
}

impl<'s, S: Sink> Listener<'s, S> {
    pub(super) fn new(sink: &'s mut S) -> Self {
        Self { sink, stopped: false }
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        if !self.stopped {
            self.stopped = self.sink.packet(packet, segment).is_break();
        }
    }

    pub(super) fn packet_end(&mut self, packet: &Packet<'_>) {
        if !self.stopped {
            self.stopped = self.sink.packet_end(packet).is_break();
        }
    }

    fn event(&mut self, at: At, session: &Session, kind: EventKind<'_>) {
        if !self.stopped {
            self.stopped = self.sink.event(&Event { at, session, kind }).is_break();
        }
    }

    fn violation(&mut self, at: At, session: &Session, direction: Direction, violation: &Violation) {
        self.event(at, session, EventKind::Violation { direction, violation });
    }

    pub(super) fn result(&self) -> ControlFlow<()> {
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// What one direction's decoder tells goes to the tally and to the sink.
struct Out<'o, 's, S> {
    session: &'o Session,
    direction: Direction,
    tally: &'o mut Tally,
    listener: &'o mut Listener<'s, S>,
}

impl<S: Sink> Output for Out<'_, '_, S> {
    fn frame(&mut self, at: At, frame: &FrameInfo) {
        self.listener.event(at, self.session, EventKind::Frame(frame));
    }

    fn message(&mut self, at: At, message: &Message<'_>) {
        self.tally.message(message);
        self.listener.event(at, self.session, EventKind::Message(message));
    }

    fn violation(&mut self, at: At, violation: &Violation) {
        self.listener.violation(at, self.session, self.direction, violation);
    }
}
