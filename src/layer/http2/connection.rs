//! What frames do to the streams of a connection.

use super::event::{Event, Output, StreamEnd};
use super::fields::Fields;
use super::half::{Block, Half, Mode};
use super::streams::{Full, Refusal, State, Stream, Streams};
use crate::base::{Gap, PacketRef, Rule, Side, Violation};
use crate::layer::Chunk;
use crate::record::{Http2Frame as Told, Request, Response};

/// A connection that speaks HTTP/2.
#[derive(Debug)]
pub struct Connection {
    pub(super) halves: [Half; 2],
    pub(super) streams: Streams,
    pub(super) bounds: Bounds,
    /// Somebody wants to hear of every frame.
    pub(super) narrate: bool,
    /// Who sends the requests, once that is known.
    pub(super) client: Option<Side>,
    /// The last stream that the client has opened.
    pub(super) last_stream: u32,
    /// Some request may be missing of streams above this one.
    pub(super) unknown_above: Option<u32>,
    gone_away: Option<(Side, u32)>,
    /// How many bytes the fields of requests and responses may still take, beyond [`LEAST_HEAD`] each.
    heads: usize,
}

/// Bytes of fields that a request or a response may have in any case.
const LEAST_HEAD: usize = 512;

/// How many bytes of fields each byte of the connection allows beyond that, saved up to those of one field block: a few bytes can ask for all that
/// the dynamic table holds, again and again, and each request is a session that all views tell.
const HEAD_A_BYTE: usize = 4;

/// What one connection may make us keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the fields of one field block by the measure of RFC 9113 §6.5.2, and of a single field that comes in pieces. Of a longer block
    /// only the beginning counts.
    pub field_block: usize,
    /// CONTINUATION frames of one field block, before it is told that there are too many.
    pub continuations: u32,
    /// Bytes of one direction's dynamic table (RFC 7541 §4.1).
    pub table: u32,
    /// Streams that are followed at once.
    pub streams: usize,
    /// Bytes of their requests, responses and bodies together.
    pub kept: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            field_block: 64 << 10,
            continuations: 64,
            table: 64 << 10,
            streams: 1000,
            kept: 1 << 20,
        }
    }
}

impl Connection {
    /// A connection that is seen from its beginning, or from behind `Upgrade: h2c` on, the request of which is stream 1. The client's preface is its first
    /// bytes. `narrate`: every frame is told.
    pub fn new(client: Side, bounds: Bounds, narrate: bool) -> Self {
        let mut connection = Self::late(bounds, narrate);
        connection.client = Some(client);
        connection.unknown_above = None;
        for side in [Side::A, Side::B] {
            let mode = if side == client { Mode::Preface(0) } else { Mode::Header };
            connection.halves[side.index()] = Half::new(mode, bounds.table);
        }
        connection
    }

    /// A connection of which the beginning is missing.
    pub fn late(bounds: Bounds, narrate: bool) -> Self {
        Self {
            halves: [Side::A, Side::B].map(|_| Half::new(Mode::Lost, bounds.table)),
            streams: Streams::new(bounds.streams, bounds.kept),
            bounds,
            narrate,
            client: None,
            last_stream: 0,
            unknown_above: Some(0),
            gone_away: None,
            heads: bounds.field_block,
        }
    }

    /// So many bytes of it have come.
    pub(super) fn allow_heads(&mut self, bytes: usize) {
        self.heads = (self.heads + HEAD_A_BYTE * bytes).min(self.bounds.field_block);
    }

    /// The fields are those of a request or a response that is kept.
    fn spend_heads(&mut self, fields: &Fields) {
        self.heads = self.heads.saturating_sub(fields.size().saturating_sub(LEAST_HEAD));
    }

    /// Who sends the requests, once that is known.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// Whether the server allows extended CONNECT (RFC 8441 §3), once that is known.
    pub fn allows_websocket(&self) -> Option<bool> {
        let [a, b] = [Side::A, Side::B].map(|side| self.halves[side.index()].enable_connect);
        match self.client {
            Some(Side::A) => b,
            Some(Side::B) => a,
            None if a == Some(true) || b == Some(true) => Some(true),
            None => None,
        }
    }

    /// Who has sent GOAWAY with an error, and which (RFC 9113 §6.8): what ends with the connection ends because of it.
    pub fn gone_away(&self) -> Option<(Side, u32)> {
        self.gone_away
    }

    /// A stream for which [`Event::Unknown`] was told is no WebSocket: no more is told of it.
    pub fn is_ordinary(&mut self, stream: u32) {
        self.streams.replace(stream, State::Ordinary);
    }

    /// The connection is over: what waited for more is told as it is.
    pub fn finish(&mut self, at: PacketRef, out: &mut impl Output) {
        for stream in self.streams.numbers(0) {
            self.answer_ends(stream, at, out);
        }
    }

    /// How much memory it takes beside itself, in bytes.
    pub fn cost(&self) -> usize {
        self.halves[0].cost() + self.halves[1].cost() + self.streams.cost()
    }

    /// Gives back memory. From here on, fields that refer to earlier ones are unknown.
    pub fn shed(&mut self) {
        self.halves.iter_mut().for_each(Half::shed);
        self.streams.shed();
        self.unknown_above.get_or_insert(self.last_stream);
    }

    /// DATA of a stream.
    pub(super) fn data_of(&mut self, side: Side, number: u32, mut chunk: Chunk<'_>, out: &mut impl Output) {
        if !self.tell_if_unknown(number, chunk.at, out) {
            return;
        }
        let Some(stream) = self.streams.get(number) else { return };
        if stream.ended[side.index()] {
            return;
        }
        if let State::Asked(request) = &mut stream.state
            && (stream.response_lost || self.client != Some(side))
        {
            // It has been answered, and the answer is lost.
            let request = std::mem::take(request);
            self.tell_unknown(number, Some(request), None, chunk.at, out);
            return self.data_of(side, number, chunk, out);
        }
        let offset = &mut stream.offsets[side.index()];
        chunk.offset = *offset;
        *offset += chunk.bytes.len() as u64;
        match stream.state {
            State::Refused(_) if self.client != Some(side) => {
                self.streams.add_body(number, chunk.bytes, chunk.bytes.len() as u64);
            }
            State::Asked(_) | State::Open | State::Unknown => {
                let stream = number;
                out.event(chunk.at, Event::Data { stream, side, chunk });
            }
            State::Silent(..) | State::Refused(_) | State::Ordinary => {}
        }
    }

    /// `gap` has the length and the cause of something that is missing of a stream.
    pub(super) fn gap_of(
        &mut self,
        side: Side,
        number: u32,
        gap: Gap,
        exact: bool,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        if gap.length == 0 || !self.tell_if_unknown(number, at, out) {
            return;
        }
        let Some(stream) = self.streams.get(number).filter(|stream| !stream.ended[side.index()]) else {
            return;
        };
        let offset = &mut stream.offsets[side.index()];
        let gap = Gap { offset: *offset, ..gap };
        *offset = gap.end();
        match stream.state {
            State::Refused(_) if self.client != Some(side) && exact => self.streams.add_body(number, &[], gap.length),
            State::Asked(_) | State::Open | State::Unknown => {
                let stream = number;
                out.event(
                    at,
                    Event::Gap {
                        stream,
                        side,
                        gap,
                        exact,
                    },
                );
            }
            _ => {}
        }
    }

    /// Whether a stream is followed. One whose request may be missing is from now on, and that is told.
    fn tell_if_unknown(&mut self, number: u32, at: PacketRef, out: &mut impl Output) -> bool {
        match self.streams.get(number) {
            Some(Stream {
                state: State::Silent(request, response),
                ended,
                lost,
                ..
            }) => {
                let (request, response) = (request.take(), response.take());
                let (ended, lost) = (std::mem::take(ended), std::mem::take(lost));
                self.tell_unknown(number, request, response, at, out);
                self.before(lost, ended, number, at, out);
            }
            Some(_) => {}
            None => {
                if !self.is_unknown(number) || self.streams.insert(number, State::Unknown).is_err() {
                    return false;
                }
                self.tell_unknown(number, None, None, at, out);
            }
        }
        true
    }

    /// A stream carries data, and what is known of it does not say of what.
    fn tell_unknown(
        &mut self,
        stream: u32,
        request: Option<Request>,
        response: Option<Response>,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        match response {
            Some(response) if is_of_websocket(&response) => {
                self.streams.replace(stream, State::Open);
                self.agreed(stream, request.unwrap_or_default(), response, at, out);
            }
            response => {
                self.streams.replace(stream, State::Unknown);
                let client = self.client;
                let unknown = Event::Unknown {
                    stream,
                    client,
                    request,
                    response,
                };
                out.event(at, unknown);
            }
        }
    }

    /// What was lost and what ended while nobody knew what the stream is counts now.
    fn before(&mut self, lost: [Option<Gap>; 2], ended: [bool; 2], number: u32, at: PacketRef, out: &mut impl Output) {
        for (side, gap) in Side::BOTH.into_iter().zip(lost) {
            if let Some(gap) = gap {
                self.gap_of(side, number, gap, false, at, out);
            }
        }
        for side in Side::BOTH.into_iter().filter(|side| ended[side.index()]) {
            self.stream_ended(side, number, at, out);
        }
    }

    /// Frames of `side` were lost whole, in which at most `gap` lay.
    pub(super) fn lost_frames(&mut self, side: Side, gap: Gap, at: PacketRef, out: &mut impl Output) {
        self.halves[side.index()].decoder.forget();
        if self.client != Some(side.other()) {
            self.unknown_above.get_or_insert(self.last_stream);
        }
        let client = self.client;
        let mut told = Vec::new();
        for (number, stream) in self.streams.receiving(side) {
            stream.response_lost |= client != Some(side);
            match stream.state {
                State::Asked(_) | State::Open | State::Unknown => told.push(number),
                State::Silent(..) => {
                    let lost = &mut stream.lost[side.index()];
                    let before = lost.map_or(0, |lost| lost.length);
                    let length = before.saturating_add(gap.length).min(Gap::UNKNOWN);
                    *lost = Some(Gap { length, ..gap });
                }
                State::Refused(_) | State::Ordinary => {}
            }
        }
        for number in told {
            self.gap_of(side, number, gap, false, at, out);
        }
    }

    /// A field block is complete, and `fields` is what is known of it.
    pub(super) fn fields_of(
        &mut self,
        side: Side,
        block: &Block,
        fields: &mut Fields,
        end: u64,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        fields.truncate(LEAST_HEAD + self.heads);
        let fields = &*fields;
        let (number, range) = (block.stream, block.start..end);
        let (status, method) = (fields.status(), fields.get(":method"));
        if status.is_some() {
            self.client = Some(side.other());
        } else if method.is_some() && !block.promised {
            self.client = Some(side);
        }
        if self.narrate {
            let frame = match status {
                Some(status) => Told::Response { status },
                None if method.is_some() || fields.get(":path").is_some() => Told::Request {
                    method: fields.text_of(":method"),
                    path: fields.text_of(":path"),
                    protocol: fields.text_of(":protocol"),
                },
                None => Told::Fields,
            };
            self.tell(side, number, frame, at, out);
        }
        if block.promised || number % 2 == 0 {
            return;
        }
        if status.is_some() {
            if self.streams.is_followed(number) || self.is_unknown(number) {
                self.spend_heads(fields);
                self.response(number, fields.response(range, block.span), at, out);
            }
        } else if self.client != Some(side.other()) {
            let request = || fields.request(range, block.span);
            match self.streams.get(number).map(|stream| &mut stream.state) {
                None => self.request(side, number, request, fields, at, out),
                // The response has overtaken it, which waited for something that was lost.
                Some(State::Silent(None, response)) => {
                    let response = response.take();
                    let before = self.streams.remove(number);
                    self.request(side, number, request, fields, at, out);
                    if let Some(response) = response {
                        self.response(number, response, at, out);
                    }
                    if let Some(before) = before {
                        self.before(before.lost, before.ended, number, at, out);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn request(
        &mut self,
        side: Side,
        number: u32,
        request: impl FnOnce() -> Request,
        fields: &Fields,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        let method = fields.get(":method");
        let may_ask = method.is_none_or(|m| m == b"CONNECT") && fields.get(":protocol").is_none();
        let asks = fields.asks_for_websocket();
        let state = if asks {
            State::Asked(request())
        } else if may_ask && fields.is_incomplete() {
            State::Silent(Some(request()), None)
        } else if self.unknown_above.is_some() {
            State::Ordinary
        } else {
            return;
        };
        if matches!(state, State::Asked(_) | State::Silent(..)) {
            self.spend_heads(fields);
        }
        let inserted = self.streams.insert(number, state);
        if !asks {
            return;
        }
        if let Err(Full) = inserted {
            let detail = "more streams ask for a WebSocket at once than are followed";
            self.violation(side, number, Rule::Http2TooManyStreams, detail, at, out);
        } else if let Some(State::Asked(request)) = self.streams.get(number).map(|stream| &stream.state) {
            let (stream, client) = (number, side);
            let asked = Event::Request {
                stream,
                client,
                request,
            };
            out.event(at, asked);
            // RFC 8441 §3.
            if self.allows_websocket() == Some(false) {
                let detail = "an extended CONNECT to a server whose SETTINGS do not allow it";
                let violation =
                    Violation::new(Rule::HandshakeRequest, detail).about("SETTINGS_ENABLE_CONNECT_PROTOCOL");
                out.event(
                    at,
                    Event::Violation {
                        stream,
                        side,
                        violation,
                    },
                );
            }
        }
    }

    fn response(&mut self, number: u32, response: Response, at: PacketRef, out: &mut impl Output) {
        if response.status < 200 {
            return;
        }
        let unknown = self.is_unknown(number);
        match self.streams.get(number).map(|stream| &mut stream.state) {
            Some(State::Asked(request)) => {
                let request = std::mem::take(request);
                if response.status < 300 {
                    self.streams.replace(number, State::Open);
                    self.agreed(number, request, response, at, out);
                } else {
                    let refusal = Refusal {
                        request,
                        response,
                        body: Vec::new(),
                        length: 0,
                    };
                    self.streams.replace(number, State::Refused(Box::new(refusal)));
                    if self.streams.are_too_large() {
                        // Without its body.
                        self.answer_ends(number, at, out);
                    }
                }
            }
            Some(State::Silent(request, None)) => {
                let request = request.take();
                let state = match is_of_something_else(&response) {
                    true => State::Ordinary,
                    false => State::Silent(request, Some(response)),
                };
                self.streams.replace(number, state);
                if self.streams.are_too_large() {
                    self.streams.replace(number, State::Ordinary);
                }
            }
            None if unknown => {
                let state = match is_of_something_else(&response) {
                    true => State::Ordinary,
                    false => State::Silent(None, Some(response)),
                };
                // Without room for it, it is something else.
                let _ = self.streams.insert(number, state);
            }
            _ => {}
        }
    }

    /// Whether a stream that is not followed may be a WebSocket's: its request may be missing, or has not come yet.
    fn is_unknown(&self, number: u32) -> bool {
        let may_be = number > self.last_stream || self.unknown_above.is_some_and(|last| number > last);
        number % 2 == 1 && may_be && self.allows_websocket() != Some(false)
    }

    fn agreed(&mut self, stream: u32, request: Request, response: Response, at: PacketRef, out: &mut impl Output) {
        let agreed = Event::Agreed {
            stream,
            client: self.client.unwrap_or(Side::A),
            request,
            response,
        };
        out.event(at, agreed);
    }

    /// END_STREAM.
    pub(super) fn stream_ended(&mut self, side: Side, number: u32, at: PacketRef, out: &mut impl Output) {
        let Some(stream) = self.streams.get(number) else { return };
        if std::mem::replace(&mut stream.ended[side.index()], true) {
            return;
        }
        let both = stream.ended == [true; 2];
        if both {
            self.answer_ends(number, at, out);
        }
        let Some(stream) = self.streams.get(number) else { return };
        match stream.state {
            State::Refused(_) if self.client != Some(side) => return self.answer_ends(number, at, out),
            State::Asked(_) | State::Open | State::Unknown => {
                let (stream, end) = (number, StreamEnd::EndStream);
                out.event(at, Event::End { stream, side, end });
            }
            _ => {}
        }
        if both {
            self.streams.remove(number);
        }
    }

    /// RST_STREAM, or GOAWAY when it is beyond the last stream: nothing more comes of it.
    pub(super) fn stream_closed(
        &mut self,
        side: Side,
        number: u32,
        end: StreamEnd,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        self.answer_ends(number, at, out);
        let removed = self.streams.remove(number).map(|stream| stream.state);
        if let Some(State::Asked(_) | State::Open | State::Unknown) = removed {
            let stream = number;
            out.event(at, Event::End { stream, side, end });
        }
    }

    /// No more comes of the response: a refusal is complete, and what has not been answered never will be.
    fn answer_ends(&mut self, number: u32, at: PacketRef, out: &mut impl Output) {
        match self.streams.get(number).map(|stream| &mut stream.state) {
            Some(State::Asked(request)) => {
                let (stream, request) = (number, std::mem::take(request));
                // Of the end of the stream is told as of any other.
                self.streams.replace(number, State::Open);
                out.event(at, Event::Unanswered { stream, request });
            }
            Some(State::Refused(_)) => {
                if let Some(State::Refused(refusal)) = self.streams.remove(number).map(|stream| stream.state) {
                    let refused = Event::Refused {
                        stream: number,
                        request: refusal.request,
                        response: refusal.response,
                        body: &refusal.body,
                        body_length: refusal.length,
                    };
                    out.event(at, refused);
                }
            }
            _ => {}
        }
    }

    /// GOAWAY: streams of the other side beyond `last` are not dealt with (RFC 9113 §6.8).
    pub(super) fn go_away(&mut self, side: Side, last: u32, code: u32, at: PacketRef, out: &mut impl Output) {
        if code != 0 {
            self.gone_away = Some((side, code));
        }
        // Of one that is not known to be the server's nobody knows which streams it means.
        if self.client != Some(side.other()) {
            return;
        }
        for number in self.streams.numbers(last) {
            self.stream_closed(side, number, StreamEnd::GoAway(code), at, out);
        }
    }

    /// For narration.
    pub(super) fn tell(&mut self, side: Side, stream: u32, frame: Told, at: PacketRef, out: &mut impl Output) {
        if self.narrate {
            out.event(at, Event::Frame { side, stream, frame });
        }
    }

    pub(super) fn violation(
        &mut self,
        side: Side,
        stream: u32,
        rule: Rule,
        detail: &'static str,
        at: PacketRef,
        out: &mut impl Output,
    ) {
        let violation = Violation::new(rule, detail);
        let violation = Event::Violation {
            stream,
            side,
            violation,
        };
        out.event(at, violation);
    }
}

/// Whether a response that agrees says to what.
fn is_of_websocket(response: &Response) -> bool {
    response
        .headers
        .iter()
        .any(|(name, _)| name.starts_with("sec-websocket-"))
}

/// Whether a response cannot be one that agrees to a WebSocket: what comes with a type or a length is something else.
fn is_of_something_else(response: &Response) -> bool {
    response.status >= 300
        || response
            .header("content-type")
            .or(response.header("content-length"))
            .is_some()
}
