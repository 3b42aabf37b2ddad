//! One connection's way from first byte to last: HTTP, the upgrade, frames; or nothing of ours.

use super::asking::Asking;
use super::listener::Listener;
use super::open::Open;
use super::sniff::{Agreed, Sniff, Verdict};
use super::tally::Tally;
use super::who::Who;
use crate::base::PacketRef;
use crate::base::{Direction, Gap, Limits, Side};
use crate::layer::Chunk;
use crate::layer::http1::{Exchange, HeadStore, Step};
use crate::layer::ws::inflate::Inflater;
use crate::layer::ws::{ChunkBuffer, Decoder, Held, Shared};
use crate::record::{EventKind, Handshake, Request, Response, Session, Sink};
use crate::tcp::{Connection, HandshakeStep, SegmentFacts, StreamEvent, TcpEnd};

/// What is kept for a connection. Two words until it turns out to be interesting.
#[derive(Debug)]
pub(super) struct Flow {
    stage: Stage,
    /// Something was lost, perhaps its beginning.
    lost: bool,
    /// Whose SYN was seen: what that side sends begins at its beginning.
    begun: [bool; 2],
    /// From which sides anything was captured.
    seen: [bool; 2],
}

#[derive(Debug, Default)]
enum Stage {
    /// No byte has come.
    #[default]
    Fresh,
    /// It speaks HTTP/1.1.
    Http(Box<Asking>),
    /// Its beginning was not seen, and nobody knows yet what it speaks.
    Sniff(Box<Sniff>),
    /// It speaks WebSocket.
    Open(Box<Open>),
    /// It spoke WebSocket, and is over.
    Over(Who),
    /// It speaks something else.
    Ignored,
}

/// What a call brings along.
pub(super) struct Cx<'c, 's, S> {
    pub(super) connection: &'c Connection,
    pub(super) at: PacketRef,
    /// When the bytes that it brings, if any, were complete.
    pub(super) data_at: PacketRef,
    pub(super) limits: &'c Limits,
    pub(super) shared: &'c mut Shared,
    pub(super) heads: &'c mut HeadStore,
    pub(super) listener: &'c mut Listener<'s, S>,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            stage: Stage::Fresh,
            lost: false,
            begun: [false; 2],
            seen: [false; 2],
        }
    }
}

impl Flow {
    /// The session that it is, once that is known.
    #[inline]
    pub(super) fn session(&self, connection: &Connection) -> Option<Session> {
        let who = match &self.stage {
            Stage::Http(http) => http.who?,
            Stage::Open(open) => open.who,
            Stage::Over(who) => *who,
            Stage::Fresh | Stage::Sniff(_) | Stage::Ignored => return None,
        };
        Some(who.session(connection))
    }

    /// It speaks WebSocket, or has asked for that: it is given up after those that have not.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        match &self.stage {
            Stage::Open(_) | Stage::Over(_) => true,
            Stage::Http(http) => http.who.is_some(),
            Stage::Fresh | Stage::Sniff(_) | Stage::Ignored => false,
        }
    }

    /// A segment of the connection has come.
    #[inline]
    pub(super) fn segment(&mut self, facts: &SegmentFacts) {
        if let Some(HandshakeStep::Syn | HandshakeStep::SynAck) = facts.handshake {
            self.begun[facts.side.index()] = true;
        }
        self.seen[facts.side.index()] = true;
    }

    /// Something came in order.
    #[inline]
    pub(super) fn stream<S: Sink>(&mut self, side: Side, event: StreamEvent<'_>, cx: &mut Cx<'_, '_, S>) {
        match event {
            StreamEvent::Data { offset, bytes, from } => {
                let chunk = Chunk::tcp(offset, bytes, from, cx.data_at);
                self.data(side, chunk, cx);
                if let Stage::Open(open) = &self.stage
                    && from.packet == cx.at.packet
                {
                    open.tell_progress(side, cx);
                }
            }
            StreamEvent::Gap(gap) => self.gap(side, gap, cx),
            StreamEvent::Fin => match &mut self.stage {
                Stage::Http(http) => http.tally.fin(side),
                Stage::Open(open) => open.fin(side, cx),
                Stage::Fresh | Stage::Sniff(_) | Stage::Over(_) | Stage::Ignored => {}
            },
            StreamEvent::Reset => match &mut self.stage {
                Stage::Http(http) => http.tally.reset(side),
                Stage::Open(open) => open.tally.reset(side),
                Stage::Fresh | Stage::Sniff(_) | Stage::Over(_) | Stage::Ignored => {}
            },
        }
    }

    /// The connection is over.
    pub(super) fn end<S: Sink>(&mut self, end: TcpEnd, cx: &mut Cx<'_, '_, S>) {
        // Of a server that was never heard the client's frames tell that it agreed.
        self.presume(cx);
        if let Stage::Sniff(sniff) = &mut self.stage {
            let verdict = sniff.end(cx.shared);
            self.judged(verdict, cx);
        }
        let who = match std::mem::replace(&mut self.stage, Stage::Ignored) {
            Stage::Open(mut open) => {
                open.end(end, cx);
                Some(open.who)
            }
            Stage::Http(mut http) => {
                http.end(end, cx);
                http.who
            }
            Stage::Sniff(mut sniff) => {
                sniff.take(cx.shared);
                None
            }
            Stage::Fresh | Stage::Over(_) | Stage::Ignored => None,
        };
        // The last ACKs of a session still belong to it.
        if let Some(who) = who {
            self.stage = Stage::Over(who);
        }
    }

    #[inline]
    fn data<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        match &mut self.stage {
            Stage::Open(open) => open.data(side, chunk, cx),
            Stage::Http(_) => self.http(side, chunk, cx),
            Stage::Fresh => {
                self.stage = if Exchange::may_begin(chunk.bytes) {
                    Stage::Http(Box::default())
                } else {
                    self.not_http(side)
                };
                self.data(side, chunk, cx);
            }
            Stage::Sniff(_) => self.sniff(side, chunk, cx),
            Stage::Over(_) | Stage::Ignored => {}
        }
    }

    fn gap<S: Sink>(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_, '_, S>) {
        self.lost = true;
        if let Some(session) = self.session(cx.connection) {
            let direction = session.direction(side);
            cx.listener.event(cx.at, &session, EventKind::Gap { direction, gap });
        }
        match &mut self.stage {
            Stage::Open(open) => open.gap(side, gap, cx),
            Stage::Http(http) => {
                http.hold_gap(side, gap, cx);
                let step = http.exchange.gap(side, gap, cx.heads);
                let lost = http.exchange.response_lost();
                if let Some(step) = step {
                    self.step(side, step, cx);
                } else if lost {
                    self.presume(cx);
                }
            }
            Stage::Sniff(sniff) => sniff.gap(side, gap, cx.at, cx.shared),
            Stage::Fresh | Stage::Over(_) | Stage::Ignored => {}
        }
    }

    /// Bytes of a connection that speaks HTTP.
    fn http<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        let mut rest = chunk;
        while !rest.bytes.is_empty() {
            let http = match &mut self.stage {
                Stage::Http(http) => http,
                // These bytes were no head: asking once more whether they begin one would go on for ever.
                Stage::Sniff(_) => return self.collect(side, rest, cx),
                _ => return self.data(side, rest, cx),
            };
            let (used, step) = http.exchange.push(side, rest.offset, rest.bytes, cx.heads);
            rest = rest.skip(used);
            match step {
                Some(Step::Hold) => {
                    let one_sided = !self.seen[side.other().index()];
                    if http.is_overdue(side, rest.bytes.len(), one_sided, cx) {
                        self.presume(cx);
                        if !matches!(self.stage, Stage::Http(_)) {
                            continue;
                        }
                    }
                    let Stage::Http(http) = &mut self.stage else { return };
                    // Nobody sends more than fits before the answer: the rest would be left out.
                    http.hold(side, rest, cx);
                    return;
                }
                Some(Step::NotHttp) if http.who.is_some() => {
                    // Of a server whose beginning was not seen, the response was lost with it.
                    let lost = http.exchange.client() == Some(side.other()) && !self.begun[side.index()];
                    match lost.then(|| http.exchange.presumed(cx.heads)).flatten() {
                        Some(step) => self.step(side, step, cx),
                        None => return,
                    }
                }
                Some(Step::Astray) if http.who.is_some() => return,
                Some(step) => self.step(side, step, cx),
                None => {}
            }
        }
    }

    /// The HTTP exchange has come to something.
    fn step<S: Sink>(&mut self, side: Side, step: Step, cx: &mut Cx<'_, '_, S>) {
        let Stage::Http(http) = &mut self.stage else { return };
        let client = http.exchange.client().unwrap_or(side);
        match step {
            Step::Asked(request) => http.asked(client, &request, cx),
            Step::TooLong(request) => {
                if let Some(request) = request {
                    http.asked(client, &request, cx);
                }
                http.too_long(side, cx);
            }
            Step::GaveWay(gap) => {
                http.evicted(side, gap, cx);
                if http.who.is_none() {
                    http.discard(cx.shared, cx.heads);
                    self.lost = true;
                    self.stage = self.not_http(side);
                }
            }
            Step::Upgraded(request, response) => self.upgraded(client, request, Some(response), cx),
            Step::Presumed(request) => self.upgraded(client, request, None, cx),
            Step::Perhaps(request, response) => self.perhaps(client, request, response, cx),
            Step::Refused(request, response) => {
                http.tally.refused = Some(response.status);
                let mut violations = Vec::new();
                let handshake = Handshake::judge(request, Some(response), |d, v| violations.push((d, v)));
                if let Some(who) = http.who {
                    let session = who.session(cx.connection);
                    cx.listener.event(cx.at, &session, EventKind::Handshake(&handshake));
                    for (direction, violation) in &violations {
                        cx.listener.violation(cx.at, &session, *direction, violation);
                    }
                }
                // What was held is HTTP after all.
                let held = http.take_held(cx.shared);
                for piece in held[client.index()].iter() {
                    match piece {
                        Held::Data(chunk) => self.data(client, chunk, cx),
                        Held::Gap(gap, _) => {
                            if let Stage::Http(http) = &mut self.stage
                                && let Some(step) = http.exchange.gap(client, gap, cx.heads)
                            {
                                self.step(client, step, cx);
                            }
                        }
                    }
                }
            }
            Step::NotHttp => {
                if http.who.is_none() {
                    http.discard(cx.shared, cx.heads);
                    self.stage = self.not_http(side);
                }
            }
            Step::Astray => {
                http.discard(cx.shared, cx.heads);
                self.lost = true;
                self.stage = self.not_http(side);
            }
            Step::Hold => {}
        }
    }

    /// When the client has gone on with what looks like a frame, the server must have agreed, though its response was not seen.
    fn presume<S: Sink>(&mut self, cx: &mut Cx<'_, '_, S>) {
        let Stage::Http(http) = &mut self.stage else { return };
        let Some(client) = http.exchange.client() else { return };
        if http.holds_a_frame(client)
            && let Some(step) = http.exchange.presumed(cx.heads)
        {
            self.step(client, step, cx);
        }
    }

    /// The upgrade has succeeded: what was held, and all that comes, are frames.
    fn upgraded<S: Sink>(
        &mut self,
        client: Side,
        request: Request,
        response: Option<Response>,
        cx: &mut Cx<'_, '_, S>,
    ) {
        let Stage::Http(http) = &mut self.stage else { return };
        let who = http.who.unwrap_or(Who {
            client,
            inferred: false,
        });
        http.exchange.discard(cx.heads);
        let held = http.take_held(cx.shared);
        let mut tally = std::mem::take(&mut http.tally);
        tally.refused = None;
        let decoders = agreed(who, request, response, cx);
        self.stage = Stage::Open(Box::new(Open::new(who, decoders, tally, &held, cx)));
    }

    /// The server has agreed to something, and nobody saw to what: what follows has to tell.
    fn perhaps<S: Sink>(&mut self, client: Side, request: Request, response: Response, cx: &mut Cx<'_, '_, S>) {
        let Stage::Http(http) = &mut self.stage else { return };
        http.exchange.discard(cx.heads);
        let held = http.take_held(cx.shared);
        let agreed = Agreed {
            client,
            request,
            response,
            tally: std::mem::take(&mut http.tally),
            begins: [None; 2],
        };
        self.lost = true;
        self.stage = Stage::Sniff(Box::new(Sniff::after(Box::new(agreed), &held)));
        for side in [Side::A, Side::B] {
            for piece in held[side.index()].iter() {
                match piece {
                    Held::Data(chunk) => self.data(side, chunk, cx),
                    Held::Gap(gap, at) => {
                        if let Stage::Sniff(sniff) = &mut self.stage {
                            sniff.gap(side, gap, at, cx.shared);
                        }
                    }
                }
            }
        }
    }

    /// Bytes of a connection of which nobody knows what it speaks.
    fn sniff<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        let Stage::Sniff(sniff) = &mut self.stage else { return };
        if Exchange::begins(chunk.bytes) {
            sniff.take(cx.shared);
            self.stage = Stage::Http(Box::default());
            return self.http(side, chunk, cx);
        }
        self.collect(side, chunk, cx);
    }

    /// The same, when they are not HTTP.
    fn collect<S: Sink>(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_, '_, S>) {
        let Stage::Sniff(sniff) = &mut self.stage else { return };
        let verdict = sniff.data(side, chunk, cx.shared);
        self.judged(verdict, cx);
    }

    fn judged<S: Sink>(&mut self, verdict: Verdict, cx: &mut Cx<'_, '_, S>) {
        let Stage::Sniff(sniff) = &mut self.stage else { return };
        match verdict {
            Verdict::NotYet => {}
            Verdict::Other => {
                sniff.take(cx.shared);
                self.stage = Stage::Ignored;
            }
            Verdict::WebSocket(client) => {
                let agreed = sniff.agreed();
                let held = sniff.take(cx.shared);
                if let Some(agreed) = agreed {
                    return self.confirmed(*agreed, &held, cx);
                }
                let who = Who { client, inferred: true };
                // Right for any parameters, and for messages that are not compressed.
                let inflater = || Some(Box::new(Inflater::late(true, 15)));
                let decoders = [Direction::ClientToServer, Direction::ServerToClient]
                    .map(|direction| Decoder::lost(direction, inflater(), true));
                self.stage = Stage::Open(Box::new(Open::new(who, decoders, Tally::default(), &held, cx)));
            }
        }
    }

    /// It is WebSocket that the server has agreed to.
    fn confirmed<S: Sink>(&mut self, known: Agreed, held: &[ChunkBuffer; 2], cx: &mut Cx<'_, '_, S>) {
        let client = known.client;
        let who = Who {
            client,
            inferred: false,
        };
        // Their first bytes are not those behind the heads.
        let mut decoders = agreed(who, known.request, Some(known.response), cx).map(Decoder::adrift);
        for side in [Side::A, Side::B] {
            let direction = who.direction(side);
            if let Some(begin) = known.begins[side.index()] {
                decoders[direction.index()].expect_at(begin);
            }
        }
        self.stage = Stage::Open(Box::new(Open::new(who, decoders, known.tally, held, cx)));
    }

    /// What `side` sends first is not HTTP.
    fn not_http(&self, side: Side) -> Stage {
        if self.lost || !self.begun[side.index()] {
            Stage::Sniff(Box::default())
        } else {
            // WebSocket begins with HTTP, and this did not.
            Stage::Ignored
        }
    }
}

/// Tells of the handshake, and makes what reads the frames behind it.
fn agreed<S: Sink>(who: Who, request: Request, response: Option<Response>, cx: &mut Cx<'_, '_, S>) -> [Decoder; 2] {
    let session = who.session(cx.connection);
    let mut violations = Vec::new();
    let handshake = Handshake::judge(request, response, |d, v| violations.push((d, v)));
    cx.listener.event(cx.at, &session, EventKind::Handshake(&handshake));
    for (direction, violation) in &violations {
        cx.listener.violation(cx.at, &session, *direction, violation);
    }
    let decoder = |direction| {
        let head = match direction {
            Direction::ClientToServer => Some(&handshake.request.range).filter(|range| range.end > 0),
            Direction::ServerToClient => handshake.response.as_ref().map(|r| &r.range),
        };
        let inflater = inflater_of(&handshake, direction);
        let decoder = match head {
            Some(head) => Decoder::new(direction, head.end, inflater, false),
            None => Decoder::lost(direction, inflater, false),
        };
        decoder.extended(handshake.extended())
    };
    [Direction::ClientToServer, Direction::ServerToClient].map(decoder)
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
