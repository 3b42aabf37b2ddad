//! HTTP/1.1 as a layer: until an upgrade succeeds, and becomes WebSocket.

use super::body::{Body, Chunked, body};
use super::handshake::{decoders, decoders_from};
use super::{Exchange, Step, judge_request};
use crate::base::{Direction, Gap, GapCause, PerDirection, Rule, Side, Violation};
use crate::layer::detect::{self, Detect};
use crate::layer::http2::Http2;
use crate::layer::ws::{ChunkBuffer, Decoder, Header, Held, LengthForm, Opcode, WebSocket};
use crate::layer::{Chunk, Cx, Layer, Next};
use crate::record::{Handshake, RecordKind, Request, Response, Source, Span, TransportEnd};
use crate::session::{Roles, SessionStats};

/// When a client has sent so many segments with frames, and nothing of the server's was captured, the server is not captured.
const ONE_SIDED_SEGMENTS: usize = 8;
/// Bytes of a refusal's body that are kept.
const MAX_BODY: usize = 4096;

/// What is kept of a connection while it speaks HTTP/1.1.
#[derive(Debug, Default)]
pub(crate) struct Http1 {
    exchange: Exchange,
    /// What cannot be read before the response has come, by side.
    held: [ChunkBuffer; 2],
    /// Known once an upgrade was asked for.
    roles: Option<Roles>,
    stats: SessionStats,
    /// Where the head that is being read came from, by side.
    heads: [Option<Span>; 2],
    request_span: Option<Span>,
    /// A refusal whose body is still coming.
    refusal: Option<Box<Refusal>>,
}

/// The answer to an upgrade request that was not granted.
#[derive(Debug)]
struct Refusal {
    handshake: Handshake,
    body: Vec<u8>,
    length: u64,
    chunked: Option<Chunked>,
    violations: Vec<(Direction, Violation)>,
}

impl Refusal {
    /// Bytes of the body as they were sent.
    fn push(&mut self, bytes: &[u8]) {
        let (body, length) = (&mut self.body, &mut self.length);
        let mut keep = |data: &[u8]| {
            let room = MAX_BODY.saturating_sub(body.len());
            body.extend_from_slice(&data[..data.len().min(room)]);
            *length += data.len() as u64;
        };
        match &mut self.chunked {
            Some(chunked) => {
                let _ = chunked.push_data(bytes, keep);
            }
            None => keep(bytes),
        }
    }
}

/// What is known of a connection whose server has agreed to something, when both heads were cut before they said to what.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) client: Side,
    request: Request,
    response: Option<Response>,
    pub(crate) stats: SessionStats,
    roles: Option<Roles>,
    /// The offsets of its frames are those of an HTTP/2 stream.
    over_http2: bool,
    /// Where in the stream what was agreed upon most likely begins, by side.
    pub(crate) begins: [Option<u64>; 2],
    /// Up to where in the stream gaps were told when they were found, by side.
    told: [u64; 2],
}

impl Agreed {
    /// The same of an HTTP/2 stream, of which the request or the response is not known whole.
    pub(crate) fn over_http2(
        client: Side,
        request: Request,
        response: Option<Response>,
        stats: SessionStats,
        roles: Option<Roles>,
    ) -> Self {
        Self {
            client,
            request,
            response,
            stats,
            roles,
            over_http2: true,
            begins: [Some(0); 2],
            told: [0; 2],
        }
    }

    /// The session, when it was told of already.
    pub(crate) fn roles(&self) -> Option<Roles> {
        self.roles
    }

    /// It is over, and nothing has shown that it is WebSocket.
    pub(crate) fn unconfirmed(mut self, end: TransportEnd, cx: &mut Cx<'_>) {
        let Some(roles) = self.roles else { return };
        agreed(roles, self.request, self.response, self.over_http2, cx);
        let source = cx.source(roles);
        let end = self.stats.end(&source, end, cx.ending_since(), Some(cx.connection));
        cx.end(cx.at, &source, end);
    }

    /// It is WebSocket that the server has agreed to.
    pub(crate) fn confirmed(self, held: &[ChunkBuffer; 2], cx: &mut Cx<'_>) -> WebSocket {
        let roles = self.roles.unwrap_or_else(|| new_roles(self.client, cx));
        // Their first bytes are not those behind the heads.
        let mut decoders = agreed(roles, self.request, self.response, self.over_http2, cx);
        for side in Side::BOTH {
            let direction = roles.direction(side);
            let decoder = std::mem::replace(&mut decoders[direction], Decoder::unsynced(direction, None, false));
            decoders[direction] = decoder.unsync();
            if let Some(begin) = self.begins[side.index()] {
                decoders[direction].expect_at(begin);
            }
        }
        WebSocket::new(roles, decoders, self.stats, held, self.told, false, cx)
    }
}

fn new_roles(client: Side, cx: &mut Cx<'_>) -> Roles {
    Roles {
        session: cx.stores.next_session(),
        client,
        inferred: false,
        began: cx.at.time,
    }
}

/// Tells of the handshake, and makes what reads the frames behind it.
fn agreed(
    roles: Roles,
    request: Request,
    response: Option<Response>,
    over_http2: bool,
    cx: &mut Cx<'_>,
) -> PerDirection<Decoder> {
    let mut violations = Vec::new();
    let handshake = Handshake::judge(request, response, |d, v| violations.push((d, v)));
    tell_handshake(&cx.source(roles), &handshake, &violations, cx);
    if over_http2 {
        decoders_from(&handshake, |_| Some(0))
    } else {
        decoders(&handshake)
    }
}

fn tell_handshake(source: &Source, handshake: &Handshake, violations: &[(Direction, Violation)], cx: &mut Cx<'_>) {
    cx.emit(cx.at, source, RecordKind::Handshake(handshake));
    for (direction, violation) in violations {
        let direction = *direction;
        cx.emit(cx.at, source, RecordKind::Violation { direction, violation });
    }
}

impl Http1 {
    /// The exchange has come to something, of which the first `used` bytes of the current chunk are a part.
    fn step(&mut self, side: Side, step: Step, used: usize, cx: &mut Cx<'_>) -> Next {
        let client = self.exchange.client().unwrap_or(side);
        match step {
            Step::Asked(request) => self.asked(client, request, cx),
            Step::TooLong(request) => {
                if let Some(request) = request {
                    self.asked(client, request, cx);
                }
                self.too_long(side, cx);
            }
            Step::GaveWay(gap) => {
                self.tell_gap(side, gap, cx);
                if self.roles.is_none() {
                    self.discard(cx);
                    return Next::layer(Detect::without_head(), used);
                }
            }
            Step::Upgraded(request, mut response) => {
                response.span = self.heads[client.other().index()].take();
                return self.upgraded(client, request, Some(response), used, cx);
            }
            Step::Presumed(request) => return self.upgraded(client, request, None, used, cx),
            Step::Perhaps(request, response) => {
                self.end_refused(cx);
                self.exchange.discard(&mut cx.stores.heads);
                let held = self.take_held(cx);
                let agreed = Agreed {
                    client,
                    request,
                    response: Some(response),
                    over_http2: false,
                    stats: std::mem::take(&mut self.stats),
                    roles: self.roles,
                    begins: [None; 2],
                    told: self.told(&held),
                };
                let detect = Detect::after(Box::new(agreed), &held);
                return Next::with_held(detect, held, used);
            }
            Step::Refused(request, response) => return self.refused(client, request, response, cx),
            Step::Http2 => {
                self.discard(cx);
                return Next::layer(Http2::new(client, cx), used);
            }
            Step::NotHttp if self.roles.is_none() => {
                let tunnel = self.exchange.is_in_tunnel();
                self.discard(cx);
                if tunnel {
                    return Next::layer(Detect::without_head(), used);
                }
                return match detect::not_http(side, cx) {
                    Some(_) => Next::layer(Detect::without_head(), used),
                    None => Next::Ignore,
                };
            }
            Step::Astray if self.roles.is_none() => {
                self.discard(cx);
                return Next::layer(Detect::without_head(), used);
            }
            Step::NotHttp | Step::Astray | Step::Hold => {}
        }
        Next::Stay
    }

    /// `client` asks for an upgrade.
    fn asked(&mut self, client: Side, mut request: Request, cx: &mut Cx<'_>) {
        self.end_refused(cx);
        let roles = *self.roles.get_or_insert_with(|| new_roles(client, cx));
        request.span = self.heads[client.index()].take();
        self.request_span = request.span;
        let source = cx.source(roles);
        cx.emit(cx.at, &source, RecordKind::UpgradeRequest(&request));
        judge_request(&request, |violation| {
            let (direction, violation) = (Direction::ClientToServer, &violation);
            cx.emit(cx.at, &source, RecordKind::Violation { direction, violation });
        });
    }

    /// A head that `side` sends is longer than the bound.
    fn too_long(&self, side: Side, cx: &mut Cx<'_>) {
        let Some(roles) = self.roles else { return };
        let violation = Violation::new(
            Rule::HeadTooLong,
            "the head goes on and on: only what its beginning says is read",
        );
        let (direction, violation) = (roles.direction(side), &violation);
        cx.emit(cx.at, &cx.source(roles), RecordKind::Violation { direction, violation });
    }

    fn tell_gap(&self, side: Side, gap: Gap, cx: &mut Cx<'_>) {
        let Some(roles) = self.roles else { return };
        let direction = roles.direction(side);
        cx.emit(cx.at, &cx.source(roles), RecordKind::Gap { direction, gap });
    }

    /// Up to where in the streams gaps were told, of which these are `held`: while it was known whose they are.
    fn told(&self, held: &[ChunkBuffer; 2]) -> [u64; 2] {
        match self.roles {
            Some(_) => held.each_ref().map(ChunkBuffer::end),
            None => [0; 2],
        }
    }

    /// The upgrade has succeeded: what was held, and all that comes, are frames.
    fn upgraded(
        &mut self,
        client: Side,
        mut request: Request,
        response: Option<Response>,
        used: usize,
        cx: &mut Cx<'_>,
    ) -> Next {
        self.end_refused(cx);
        self.exchange.discard(&mut cx.stores.heads);
        request.span = self.request_span;
        let held = self.take_held(cx);
        let told = self.told(&held);
        let roles = *self.roles.get_or_insert_with(|| new_roles(client, cx));
        let stats = std::mem::take(&mut self.stats);
        let decoders = agreed(roles, request, response, false, cx);
        Next::layer(WebSocket::new(roles, decoders, stats, &held, told, false, cx), used)
    }

    /// The upgrade was refused: HTTP goes on, and what was held is HTTP after all.
    fn refused(&mut self, client: Side, mut request: Request, mut response: Response, cx: &mut Cx<'_>) -> Next {
        self.stats.refused = Some(response.status);
        request.span = self.request_span;
        response.span = self.heads[client.other().index()].take();
        let chunked = matches!(body(&response.headers), Body::Chunked);
        let mut violations = Vec::new();
        let has_body = response.status != 101;
        self.refusal = Some(Box::new(Refusal {
            handshake: Handshake::judge(request, Some(response), |d, v| violations.push((d, v))),
            body: Vec::new(),
            length: 0,
            chunked: chunked.then(Chunked::default),
            violations,
        }));
        if !has_body || !self.exchange.is_in_body(client.other()) {
            self.tell_refusal(cx);
        }
        let held = self.take_held(cx);
        for piece in held[client.index()].iter() {
            let next = match piece {
                Held::Data(chunk) => self.data(client, chunk, cx),
                Held::Gap(gap, _) => match self.exchange.gap(client, gap, &mut cx.stores.heads) {
                    Some(step) => self.step(client, step, 0, cx),
                    None => Next::Stay,
                },
            };
            if !matches!(next, Next::Stay) {
                return next;
            }
        }
        Next::Stay
    }

    /// Bytes of the body of a refusal that `side` sends, if that is what they are.
    fn body(&mut self, side: Side, bytes: &[u8], was_in_body: bool, cx: &mut Cx<'_>) {
        let Some(refusal) = &mut self.refusal else { return };
        if self.exchange.client() != Some(side.other()) || !was_in_body {
            return;
        }
        refusal.push(bytes);
        if !self.exchange.is_in_body(side) {
            self.tell_refusal(cx);
        }
    }

    /// A refusal is complete, or as complete as it will be.
    fn tell_refusal(&mut self, cx: &mut Cx<'_>) {
        let (Some(mut refusal), Some(roles)) = (self.refusal.take(), self.roles) else {
            return;
        };
        if let Some(response) = refusal
            .handshake
            .response
            .as_mut()
            .filter(|response| response.status != 101)
        {
            response.body = Some(refusal.body);
            response.body_length = refusal.length;
        }
        tell_handshake(&cx.source(roles), &refusal.handshake, &refusal.violations, cx);
    }

    /// What comes behind a refusal is another session: ends the one that was refused.
    fn end_refused(&mut self, cx: &mut Cx<'_>) {
        if self.stats.refused.is_none() {
            return;
        }
        self.tell_refusal(cx);
        let mut stats = self.stats.next();
        let Some(roles) = self.roles.take() else { return };
        let source = cx.source(roles);
        let end = stats.end(&source, TransportEnd::Reused, cx.at.time, None);
        cx.end(cx.at, &source, end);
    }

    /// When the client has gone on with what looks like a frame, the server must have agreed, though its response was not seen.
    fn presume(&mut self, used: usize, cx: &mut Cx<'_>) -> Next {
        let Some(client) = self.exchange.client() else {
            return Next::Stay;
        };
        if self.holds_a_frame(client)
            && let Some(step) = self.exchange.presumed(&mut cx.stores.heads)
        {
            return self.step(client, step, used, cx);
        }
        Next::Stay
    }

    /// Whether the client has gone on with what looks like a frame: a good one, or one with some fault that ends where a segment does.
    fn holds_a_frame(&self, client: Side) -> bool {
        let held = &self.held[client.index()];
        let Some(header) = Header::parse(held.bytes()) else {
            return false;
        };
        let good = header.masking_key.is_some()
            && !(header.rsv2 || header.rsv3)
            && header.length_form == LengthForm::Minimal
            && !matches!(header.opcode, Opcode::Continuation | Opcode::Reserved(_));
        let end = u64::from(header.size).checked_add(header.length);
        let mut segments = held.iter().scan(0, |end, piece| {
            if let Held::Data(chunk) = piece {
                *end += chunk.bytes.len() as u64;
            }
            Some(*end)
        });
        good || header.fin && segments.any(|border| Some(border) == end)
    }

    /// Whether it is time to read what `client` sends without having seen the response: when it does not fit any more, or goes on and
    /// on while nothing at all was captured of the server.
    fn is_overdue(&self, client: Side, bytes: usize, cx: &Cx<'_>) -> bool {
        let held = &self.held[client.index()];
        // The room for a piece's place, generously.
        let need = bytes.saturating_add(128);
        let full = !held.fits(need, cx.limits.waiting_bytes) || !cx.stores.ws.can_hold(need);
        let one_sided = !cx.begins.seen[client.other().index()];
        (full || one_sided && held.pieces() >= ONE_SIDED_SEGMENTS) && self.holds_a_frame(client)
    }

    /// Keeps bytes until the response has come. When they do not fit, all that is held becomes a gap: bytes that are missing in
    /// the middle would only mislead.
    fn hold(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) {
        let held = &mut self.held[side.index()];
        let before = held.size();
        if held.push(chunk, cx.limits.waiting_bytes) && cx.stores.ws.hold(held.size() - before) {
            return;
        }
        let offset = held.offset_of(0).unwrap_or(chunk.offset);
        let gap = Gap {
            offset,
            length: chunk.end() - offset,
            cause: GapCause::Evicted,
        };
        cx.stores.ws.release(before);
        *held = ChunkBuffer::default();
        self.hold_gap(side, gap, cx);
        self.tell_gap(side, gap, cx);
    }

    /// The same for bytes that will not come.
    fn hold_gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) {
        let held = &mut self.held[side.index()];
        cx.stores.ws.release(held.size());
        if !held.push_gap(gap, cx.at, cx.limits.waiting_bytes) || !cx.stores.ws.hold(held.size()) {
            *held = ChunkBuffer::default();
        }
    }

    /// What was held, by side; it is held no longer.
    fn take_held(&mut self, cx: &mut Cx<'_>) -> [ChunkBuffer; 2] {
        for held in &self.held {
            cx.stores.ws.release(held.size());
        }
        std::mem::take(&mut self.held)
    }

    /// It turned out to be something else: gives back the room that it takes.
    fn discard(&mut self, cx: &mut Cx<'_>) {
        self.take_held(cx);
        self.exchange.discard(&mut cx.stores.heads);
    }

    /// Whether the response to the upgrade was lost with the beginning of what the server sends.
    fn response_began_unseen(&self, side: Side, cx: &Cx<'_>) -> bool {
        self.exchange.client() == Some(side.other()) && !cx.begins.syn[side.index()]
    }
}

impl Layer for Http1 {
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        let mut used = 0;
        while used < chunk.bytes.len() {
            let rest = chunk.skip(used);
            let was_in_body = self.exchange.is_in_body(side);
            let (here, step) = self.exchange.push(side, rest.offset, rest.bytes, &mut cx.stores.heads);
            used += here;
            if here > 0 {
                let span = rest.slice(0..here).span;
                match &mut self.heads[side.index()] {
                    Some(head) if !was_in_body => head.join(&span),
                    head => *head = (!was_in_body).then_some(span),
                }
                self.body(side, &rest.bytes[..here], was_in_body, cx);
            }
            // Empty lines are no part of the head that they come before.
            if step.is_none() && self.exchange.is_between_heads(side) {
                self.heads[side.index()] = None;
            }
            let next = match step {
                None => Next::Stay,
                Some(Step::Hold) => {
                    if self.is_overdue(side, rest.bytes.len(), cx) {
                        let next = self.presume(used, cx);
                        if !matches!(next, Next::Stay) {
                            return next;
                        }
                    }
                    // Nobody sends more than fits before the answer: the rest would be left out.
                    self.hold(side, rest, cx);
                    return Next::Stay;
                }
                Some(Step::NotHttp) if self.roles.is_some() => {
                    let presumed = self
                        .response_began_unseen(side, cx)
                        .then(|| self.exchange.presumed(&mut cx.stores.heads))
                        .flatten();
                    match presumed {
                        Some(step) => self.step(side, step, used, cx),
                        None => return Next::Stay,
                    }
                }
                Some(Step::Astray) if self.roles.is_some() => return Next::Stay,
                Some(step) => self.step(side, step, used, cx),
            };
            if !matches!(next, Next::Stay) {
                return next;
            }
        }
        Next::Stay
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        self.tell_gap(side, gap, cx);
        self.hold_gap(side, gap, cx);
        let step = self.exchange.gap(side, gap, &mut cx.stores.heads);
        if self.refusal.is_some() && !self.exchange.is_in_body(side) {
            self.tell_refusal(cx);
        }
        match step {
            Some(step) => self.step(side, step, 0, cx),
            None if self.exchange.response_lost() => self.presume(0, cx),
            None => Next::Stay,
        }
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.stats.fin(side, cx.ending_since());
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.stats.reset(side, cx.ending_since());
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        // Of a server that was never heard the client's frames tell that it agreed.
        let next = self.presume(0, cx);
        if !matches!(next, Next::Stay) {
            return next;
        }
        self.take_held(cx);
        self.tell_refusal(cx);
        let response_lost = self.exchange.response_lost();
        let request = self.exchange.unanswered(&mut cx.stores.heads);
        self.exchange.discard(&mut cx.stores.heads);
        let Some(roles) = self.roles else { return Next::Stay };
        let source = cx.source(roles);
        if let Some(mut request) = request {
            request.span = self.request_span;
            let handshake = Handshake::judge(request, None, |_, _| {});
            cx.emit(cx.at, &source, RecordKind::Handshake(&handshake));
            self.stats.refused = Some(0);
            if response_lost {
                self.stats.end_lost(Direction::ServerToClient);
            }
        }
        let end = self.stats.end(&source, end, cx.ending_since(), Some(cx.connection));
        cx.end(cx.at, &source, end);
        Next::Stay
    }

    fn roles(&self) -> Option<Roles> {
        self.roles
    }

    fn cost(&self) -> usize {
        self.held.iter().map(ChunkBuffer::size).sum::<usize>() + self.exchange.cost()
    }

    fn is_proven(&self) -> bool {
        self.roles.is_some()
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        self.discard(cx);
    }
}
